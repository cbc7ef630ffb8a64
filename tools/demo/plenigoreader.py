"""A reader of a paywalled page: buys from its teaser, cancels, undoes, redeems a voucher."""

from collections.abc import Callable
from collections.abc import Iterator
from datetime import datetime
from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo
from niteoweb.click2sell.providers.plenigo.fake.api import text as written
from tools.demo import browsing
from tools.demo.life import GOLD_GROUP
from tools.demo.life import Life
from tools.demo.life import SILVER_GROUP
from tools.demo.story import expect
from tools.demo.visitor import Visitor
from typing import Any


MARA, LOGIN, PASSWORD = "mara.kos@example.org", "mara", "Wd7-fk3h-qqRz"
#: The right of access that opens the page, and words that nobody reads without it.
RIGHT, SECRET_WORDS = "magazine", "The summit is behind the next ridge."
FOLDER, PAGE, PAGE_TITLE = "magazine", "ridge", "Behind the ridge"
READ = f"/{FOLDER}/{PAGE}"
BEHAVIOR = "niteoweb.click2sell.plenigo"
VOUCHER = "SUMMIT-2026"


class Reader:
    """Mara, a member of the site, whom plenigo does not know yet.

    :param life: that she reads in.
    :ivar subscription: what she bought, as the site's services name it.
    """

    def __init__(self, life: Life) -> None:
        self.life = life
        self.fake: FakePlenigo = life.fake
        self.mara = Visitor(life.site, (LOGIN, PASSWORD))
        self.subscription = ""

    def chapters(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "Paywall", self.page_is_written
        yield "Meets the teaser", self.meets_the_teaser
        yield "Buys", self.buys
        yield "Reads", self.reads
        yield "Cancels", self.cancels
        yield "Undoes", self.undoes
        yield "Redeems a voucher", self.redeems

    def page_is_written(self) -> str:
        """The owner publishes a page that plenigo opens, and makes Mara a member."""
        self.life.until_day(96)
        behaviors = "/@controlpanels/dexterity-types/Document"
        self._done(self.life.owner, "PATCH", behaviors, {BEHAVIOR: True})
        sold = {"access_rights": [RIGHT], "plenigo_offers": [self.life.gold]}
        text = {"data": f"<p>{SECRET_WORDS}</p>", "content-type": "text/html"}
        folder = {"@type": "Folder", "id": FOLDER, "title": "Magazine"}
        page = {"@type": "Document", "id": PAGE, "title": PAGE_TITLE, "text": text, **sold}
        for parent, content in (("", folder), (f"/{FOLDER}", page)):
            self._done(self.life.owner, "POST", f"{parent}/", content)
            publish = f"{parent}/{content['id']}/@workflow/publish"
            self._done(self.life.owner, "POST", publish, {})
        member = {"username": LOGIN, "email": MARA, "password": PASSWORD, "roles": ["Member"]}
        self._done(self.life.owner, "POST", "/@users", member)
        return f"{READ} is public; right {RIGHT} reads it, {self.life.gold} is sold there"

    def meets_the_teaser(self) -> str:
        """The words are neither on the page nor in the answers of services."""
        for visitor in (self.mara, Visitor(self.life.site)):
            status, _, html = visitor.page(READ)
            expect(status == 200 and PAGE_TITLE in html, f"the page answered {status}")
            expect("plenigo-checkout" in html, "there is no button to buy")
            expect(SECRET_WORDS not in html, "anybody can read it")
            expect(SECRET_WORDS not in str(visitor.json(READ)), "a service tells it")
        return f"{READ}: title and offer, without the text"

    def buys(self) -> str:
        """In a browser if there is one, else by the services; plenigo tells of it, too."""
        by = "in Chromium"
        with browsing.window(LOGIN, PASSWORD) as page:
            if page is None:
                by = "by the services, without a browser"
                self._bought_by_services()
            else:
                self._bought_in(page)
        told = self.life.deliver()
        return f"{by}\n{told}\n{self._stands('active')}"

    def _bought_in(self, page: Any) -> None:
        page.goto(f"{self.life.site}{READ}")
        expect(SECRET_WORDS not in page.content(), "the browser gets the text")
        page.get_by_role("link", name="Buy", exact=True).click()
        page.get_by_role("button", name="Continue to the checkout").click()
        page.get_by_role("button", name="Pay", exact=True).click()
        page.get_by_role("link", name="Continue reading").click()
        page.get_by_text(SECRET_WORDS).wait_for()

    def _bought_by_services(self) -> None:
        begun = self._done(self.mara, "POST", "/@plenigo-checkout", {"offer": self.life.gold})
        order = self.fake.buy(begun["purchaseId"])
        done = f"/@plenigo-checkout/{begun['id']}/done"
        found = self._done(self.mara, "POST", done, {"order": order})
        expect(found["result"] == "bought", f"the site says {found['result']}")

    def reads(self) -> str:
        """The words are there for Mara alone."""
        for visitor, readable in ((self.mara, True), (Visitor(self.life.site), False)):
            _, _, html = visitor.page(READ)
            expect((SECRET_WORDS in html) == readable, f"she reads it: {not readable}")
        allowed = self.mara.json(f"{READ}/@plenigo-access")
        expect(allowed and allowed["access"], f"@plenigo-access says {allowed}")
        return f"{READ}: {SECRET_WORDS}"

    def cancels(self) -> str:
        """She chooses a date that plenigo lists, and no other is taken."""
        self.life.until_day(97)
        listed = self.mara.json("/@plenigo-subscriptions")["items"]
        expect(len(listed) == 1 and listed[0]["may_cancel"], f"her subscriptions are {listed}")
        self.subscription = listed[0]["id"]
        end = self.life.day(120)
        self.fake.dates[int(self.subscription)] = [written(end)]
        path = f"/@plenigo-subscriptions/{self.subscription}"
        other = {"date": written(self.life.day(119))}
        status, _ = self.mara.send("POST", f"{path}/cancel", other)
        expect(status == 400, f"a date that is not listed was answered {status}")
        (date,) = self.mara.json(path)["dates"]
        self._done(self.mara, "POST", f"{path}/cancel", {"date": date})
        return f"{self.life.deliver()}\n{self._stands('cancelled', end)}"

    def undoes(self) -> str:
        """She takes it up again."""
        self.life.until_day(98)
        path = f"/@plenigo-subscriptions/{self.subscription}/undo"
        self._done(self.mara, "POST", path, {})
        return f"{self.life.deliver()}\n{self._stands('active')}"

    def redeems(self) -> str:
        """A voucher gives what it is for, once."""
        self.life.until_day(99)
        self.fake.add_voucher(VOUCHER, self.life.silver)
        self._done(self.mara, "POST", "/@plenigo-voucher/redeem", {"code": VOUCHER})
        status, _ = self.mara.send("POST", "/@plenigo-voucher/redeem", {"code": VOUCHER})
        expect(status == 422, f"the second time it was answered {status}")
        told, groups = self.life.deliver(), (GOLD_GROUP, SILVER_GROUP)
        now = self.life.shown(MARA, self.life.silver, "active", None, *groups)
        return f"{told}\n{now}"

    def _stands(self, state: str, end: datetime | None = None) -> str:
        """What she bought, as the owner sees it."""
        return self.life.shown(MARA, self.life.gold, state, end, GOLD_GROUP)

    def _done(self, who: Visitor, method: str, path: str, value: Any) -> Any:
        """Have a service do something, which has to succeed."""
        status, answer = who.send(method, path, value)
        expect(status in (200, 201, 204), f"{path} answered {status}: {answer}")
        return answer
