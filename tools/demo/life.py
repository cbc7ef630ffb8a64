"""A subscription's whole life, told to the site by a provider that is not real.

Provider and site share a clock: it begins in the past, each step moves it on, and when the life
has been told it is the present. Nothing in the add-on knows of another time than now.
"""

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell.provider.jsonapi import INSECURE_VARIABLE
from niteoweb.click2sell.testing.fake.sender import Delivered
from niteoweb.click2sell.testing.fake.sender import PendingDelivery
from niteoweb.click2sell.testing.fake.sender import Sender
from niteoweb.click2sell.testing.fake.server import Clock
from niteoweb.click2sell.testing.fake.server import FakeServer
from tools.demo import settings
from tools.demo.seen import Seen
from tools.demo.seen import text
from tools.demo.story import await_that
from tools.demo.story import expect
from tools.demo.visitor import Visitor
from tools.mailbox import Mailbox
from typing import Any


SECRET = "the demo's secret"  # noqa: S105
TOKEN = "the demo's token"  # noqa: S105
#: What two offers give.
GOLD_GROUP, SILVER_GROUP = settings.GROUP, "silver-members"
ACCEPTED = "POST successfully parsed."


class Life(Seen):
    """The common part of the lives.

    :ivar fake: the provider.
    :ivar bought_at: when it told of the first purchase.
    """

    environment = {INSECURE_VARIABLE: "1"}
    #: Name and title of the provider.
    name = title = ""
    #: The offers that give the two groups, as the mapping and the site name them.
    gold = silver = ""
    #: How long ago it begins.
    days = 0
    fake: FakeServer

    def __init__(self, site: str, mailbox: Mailbox) -> None:
        super().__init__(site, mailbox)
        now = datetime.now(timezone.utc).replace(microsecond=0)
        # The last hour is for what the last day takes.
        self.begun_at = self.bought_at = now - timedelta(days=self.days, hours=1)
        self.fake = self.provider(Clock(self.begun_at))
        self.settings_page = (f"{self.name}-settings", self.title)

    def provider(self, clock: Clock) -> FakeServer:
        """The provider that is not real."""
        raise NotImplementedError

    @property
    def sender(self) -> Sender:
        """The sender of the provider's deliveries."""
        raise NotImplementedError

    @property
    def options(self) -> dict[str, Any]:
        """Settings of this provider alone."""
        return {}

    def chapters(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Title and step of what happens after the first purchase."""
        raise NotImplementedError

    def subscribed(self) -> str:
        """The first purchase."""
        raise NotImplementedError

    @property
    def fields(self) -> dict[str, str]:
        """The purchase fields after it."""
        return {"product_id": self.gold}

    def begin(self, stack: ExitStack) -> None:
        stack.enter_context(self.fake)

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "Site created", self.site_answers
        yield "Add-on installed", self.add_on_is_installed
        yield "Switched on", self.provider_is_switched_on
        yield "Owner logged in", self.owner_logs_in
        yield "Subscribed", self.subscribed
        yield "Member made", self.member_exists
        yield "Purchase fields", lambda: self.fields_are(self.fields, self.bought_at)
        yield "Groups", self.groups_are_given
        yield "Mail received", self.mail_arrives
        yield "Member logged in", self.member_logs_in
        yield "Paid page", self.page_opens_for_members_only
        yield from self.chapters()
        yield "Notifications", self.nothing_needs_attention
        yield "Pages", self.pages_show_it
        yield "Today", self.clock_is_the_real_one

    # What is done

    def provider_is_switched_on(self) -> str:
        """The owner makes groups, and enters the settings of the provider."""
        status, _, _ = Visitor(self.site).page(f"/@@{self.name}", {})
        expect(status == 404, f"switched off, it answered {status}")
        status, _ = self.owner.send(
            "POST", "/@groups", {"groupname": SILVER_GROUP, "title": "Silver members"}
        )
        expect(status == 201, f"the group {SILVER_GROUP} could not be made: {status}")
        mapping = [
            f"{self.gold}|{GOLD_GROUP}|title=Gold",
            f"{self.silver}|{SILVER_GROUP}|title=Silver",
        ]
        for panel, values in (
            # Products of two providers have nothing to do with each other.
            ("click2sell", {"mapping": [f"{settings.PRODUCT}|{GOLD_GROUP}"]}),
            (
                self.name,
                {
                    "enabled": True,
                    "secretkey": SECRET,
                    "api_url": self.fake.url,
                    "api_token": TOKEN,
                    "mapping": mapping,
                    **self.options,
                },
            ),
        ):
            status, told = self.owner.send("PATCH", f"/@controlpanels/{panel}", values)
            expect(status == 204, f"the settings of {panel} were not taken: {told}")
        panel = self.owner.json(f"/@controlpanels/{self.name}")
        expect(panel["secretkey_is_set"] and panel["api_token_is_set"], "nothing was kept")
        expect(not {SECRET, TOKEN} & set(map(str, panel["data"].values())), "it is shown")
        self.show_time()
        played = f"{self.title} is played by {self.fake.url}"
        return "\n".join([played, *mapping, f"It is {self.today} UTC, {self.days} days ago."])

    def wait(self, **by: float) -> None:
        """Let time pass, for the provider and for the site.

        :param by: what :class:`datetime.timedelta` takes.
        """
        self.fake.clock.move(**by)
        self.show_time()

    def show_time(self) -> None:
        """Set the site's clock to the provider's time."""
        self._set_clock(self.fake.clock.now.isoformat())

    def until_day(self, day: float) -> None:
        """Let time pass up to a day of the life."""
        left = self.day(day) - self.fake.clock.now
        self.wait(seconds=left.total_seconds())

    def deliver(self, **how: Any) -> str:
        """Deliver what waits, all of which has to be accepted.

        :param how: for :meth:`niteoweb.click2sell.testing.fake.sender.Sender.deliver`.
        :returns: what was sent, and what the site answered.
        """
        found = self.sender.deliver(self.callback, **how)
        expect(found, "nothing was delivered")
        for one in found:
            expect(one.status == 200 and one.text.startswith(ACCEPTED), self._line(one))
        # Its provider is asked after the answer.
        await_that(lambda: not self.entries("received"), "the site is not done with it")
        return "\n".join(map(self._line, found))

    def refused(self, delivery: PendingDelivery, **how: Any) -> str:
        """Deliver something that has to be refused, and that leaves no trace.

        :param how: for :meth:`niteoweb.click2sell.testing.fake.sender.Sender.post`.
        """
        before = self.entries()
        found = self.sender.post(self.callback, delivery, **how)
        expect(found.status == 403, self._line(found))
        expect(self.entries() == before, "it was written down")
        return self._line(found)

    def checked(self) -> str:
        """Wait until the site has checked by itself, as it does every ten minutes."""
        self.wait(minutes=10)
        self.owner.page("/@@demo-check", {})
        now = self.fake.clock.now

        def done() -> bool:
            moments = self.owner.json("/@@demo-check")
            return "clock" in moments and all(
                # Later ones are of the time before the life began.
                datetime.fromisoformat(moment) == now
                for moment in moments.values()
            )

        await_that(done, "the site does not check by itself")
        await_that(lambda: not self.entries("received"), "the site is not done with it")
        return f"{self.today}  automatic check"

    # What is seen

    @property
    def callback(self) -> str:
        """The address of the callback."""
        return f"{self.site}/@@{self.name}"

    @property
    def today(self) -> str:
        """The time in the life."""
        return text(self.fake.clock.now)

    def pages_show_it(self) -> str:
        """The pages that the farewell names open, and are about this buyer."""
        buyer = self.buyer(settings.BUYER)
        opened = {
            f"@@{self.name}-settings": self.gold,
            "@@click2sell-notifications": settings.BUYER,
            f"@@click2sell-members/{buyer['id']}": settings.BUYER,
        }
        for page, words in opened.items():
            status, _, html = self.owner.page(f"/{page}")
            expect(status == 200 and words in html, f"{page} answered {status}")
            expect(SECRET not in html and TOKEN not in html, f"{page} shows what is secret")
        return "\n".join(opened)

    def clock_is_the_real_one(self) -> str:
        """The life has come to the present; from now on time passes by itself."""
        off = datetime.now(timezone.utc) - self.fake.clock.now
        expect(timedelta() < off < timedelta(hours=2), f"the life ended {off} ago")
        self._set_clock("")
        self.fake.clock.now += off
        self.fake.clock.run()
        return f"{self.today} UTC, by the real clock"

    def farewell(self) -> str:
        found = self.owner.json("/@click2sell-members?b_size=10") or {"items": []}
        members = "\n             ".join(
            f"{self.site}/@@click2sell-members/{one['id']}  {one['address']}"
            for one in found["items"]
        )
        return f"""\
Settings:    {self.site}/@@{self.name}-settings
What {self.title} told:
             {self.site}/@@click2sell-notifications
Members:     {members}

{self.title} is played by {self.fake.url}, as long as the demo runs."""

    def day(self, day: float) -> datetime:
        """A day of the life."""
        return self.begun_at + timedelta(days=day)

    def _set_clock(self, now: str) -> None:
        status, _, _ = self.owner.page("/@@demo-clock", {"now": now})
        expect(status == 200, f"the site's clock answered {status}")

    def _line(self, found: Delivered) -> str:
        return f"{self.today}  {found.name}: {found.status} {found.text}".rstrip()
