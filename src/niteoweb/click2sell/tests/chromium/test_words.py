"""No internal word on any page, in any file or answer of a service, in any language.

The pages are those of the demo's month, with an owner's acts in it; no browser is needed to
read them.
"""

from collections.abc import Iterator
from lxml import html
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.chromium import pages
from niteoweb.click2sell.tests.chromium.case import BrowserTestCase
from plone import api
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from typing import Any

import re
import requests
import transaction


#: What no reader has to know: codes, names of classes, times as machines write them.
INTERNAL = re.compile(
    r"\battached\b|\bgroup made\b|\(click2sell\)|\bclick2sell [1-9]|\bSMTP[A-Z]\w+"
    r"|\b[A-Z]\w+Error\b|\d{4}-\d\d-\d\dT\d\d|\bplan change\b|\bNone\b|\bowner\b(?!')"
)
#: English codes, which have words in each other language.
ENGLISH = re.compile(
    r"\baccount not certain\b|\bgroup missing\b|\bneeds attention\b|\bby hand\b|\bunlimited\b"
    r"|\baccepted\b|\bnever logged in\b|\bpurchase\b"
)
#: Parts of pages that show what a machine sent, or names that nobody translates.
RAW = "//script|//style|//code|//pre|//textarea|//details[.//code]|//option"
LISTS = (
    *("@@click2sell-members", "@@click2sell-notifications", "@@click2sell-report"),
    *("@@click2sell-accounting", "@@click2sell-import", "@@click2sell-members?part=attention"),
)
#: The other pages of owners and buyers, of which no list is a part.
OTHERS = (
    *("@@click2sell-overview", "@@click2sell-check", "@@click2sell-reconcile"),
    *("@@click2sell-privacy", "@@click2sell-try", "@@click2sell-hooks"),
    *("@@click2sell-settings", "@@stripe-settings", "@@webtv-settings"),
    *("@@my-purchases", "@@my-purchase-claim"),
)
FILES = ("@@click2sell-members.csv", "@@click2sell-notifications.csv")


class TestWords(BrowserTestCase):
    def setUp(self):
        super().setUp()
        self.clock.now = self.clock.now.replace(microsecond=0)
        member = pages.buyer_id(self, "4", "renewal")
        buyer = buyers.get(self.stored(), member)
        for name, more in (("extend", {"days": 5}), ("revoke", {})):
            values = {"product": ("click2sell", "4"), "reason": "a test", **more}
            action.carry_out(
                commands.asked_for(self.portal, name, buyer, values, SITE_OWNER_NAME)
            )
        transaction.begin()
        self.member = member
        pages.sell(self)
        self.sales = ("@@webtv-sales", pages.page_of_sale(self))

    def get(self, path: str, **headers: str) -> requests.Response:
        answer = requests.get(
            f"{self.url}/{path}",
            auth=(SITE_OWNER_NAME, SITE_OWNER_PASSWORD),
            headers=headers,
            timeout=60,
        )
        self.assertEqual(answer.status_code, 200, path)
        return answer

    def read(self, path: str) -> str:
        """The text of a page's own part, without what a machine sent."""
        page = html.fromstring(self.get(path).text)
        for element in page.xpath(RAW):
            element.drop_tree()
        (own,) = page.xpath("//*[@id='main-container']")
        return " ".join(own.text_content().split())

    def entries(self) -> Iterator[str]:
        """The pages of one notification of each kind, outcome and reason."""
        seen = set()
        for key in ledger.newest_first(self.stored()):
            entry = ledger.get(self.portal, key)
            what = tuple(entry[name] for name in ("provider", "kind", "outcome", "reason"))
            if what not in seen:
                seen.add(what)
                yield f"@@click2sell-notifications/{key}"

    def members(self) -> Iterator[str]:
        """The ids of one buyer for each obstacle, and of the one whom the owner acted for."""
        yield self.member
        seen = set()
        for buyer in list(trees.tree(self.stored(), "buyers").values()):
            found = explanation.explain(self.portal, buyer, timestamps.now(), False).obstacle
            what = (found.code, found.reason) if found else None
            if what not in seen:
                seen.add(what)
                yield buyer["id"]

    def paths(self) -> list[str]:
        of_members = [f"@@click2sell-members/{one}" for one in self.members()]
        return [*LISTS, *OTHERS, *self.sales, *self.entries(), *of_members]

    def test_pages(self):
        for path in self.paths():
            with self.subTest(path):
                self.assertEqual(INTERNAL.findall(self.read(path)), [])

    def test_other_languages(self):
        paths = self.paths()
        for number, language in enumerate(("de", "es", "sl")):
            api.portal.set_registry_record("plone.available_languages", ["en", language])
            api.portal.set_registry_record("plone.default_language", language)
            transaction.commit()
            # Each language has the lists and a third of the other pages.
            others = paths[len(LISTS) + len(OTHERS) + number :: 3]
            for path in (*LISTS[:2], *OTHERS, *self.sales, *others):
                with self.subTest(path, language=language):
                    text = self.read(path)
                    self.assertEqual(INTERNAL.findall(text), [])
                    self.assertEqual(ENGLISH.findall(text), [])

    def test_files(self):
        for path in FILES:
            with self.subTest(path):
                self.assertEqual(INTERNAL.findall(self.get(path).text), [])

    def test_services(self):
        for path in (
            "@click2sell-members",
            "@click2sell-notifications",
            *(f"@click2sell-members/{one}" for one in self.members()),
        ):
            with self.subTest(path):
                answer = self.get(path, Accept="application/json").json()
                texts = list(_texts(answer))
                self.assertEqual(INTERNAL.findall("\n".join(texts)), [])


def _texts(answer: Any, name: str = "") -> Iterator[str]:
    """The texts for people in an answer; its other values are codes for programs."""
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield from _texts(value, key)
    elif isinstance(answer, list):
        for value in answer:
            yield from _texts(value, name)
    elif name in ("text", "title") and isinstance(answer, str):
        yield answer
