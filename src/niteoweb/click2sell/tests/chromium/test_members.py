"""The members in a browser: three complaints, their cures, acts for several, and undo."""

from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.tests.chromium import pages
from niteoweb.click2sell.tests.chromium.case import BrowserTestCase
from niteoweb.click2sell.tests.chromium.case import DESK
from niteoweb.click2sell.tests.chromium.case import PHONE
from playwright.sync_api import Locator
from playwright.sync_api import Page
from plone import api


class TestComplaints(BrowserTestCase):
    """From the home page over the overview: three clicks to the answer, five to the cure."""

    def click(self, target: Locator, leads: bool = True) -> None:
        self.clicks += 1
        if not leads:
            target.click()
            return
        with target.page.expect_navigation():
            target.click()

    def overview(self) -> Page:
        """The overview, two clicks from the home page."""
        self.clicks = 0
        page = self.window()
        self.open(page, "")
        self.click(
            page.locator("#personaltools-menulink, #portal-personaltools a").first, False
        )
        self.click(page.get_by_role("link", name="Memberships").first)
        self.see(page.get_by_role("heading", name="Overview"))
        return page

    def complain(self, text: str) -> Page:
        """Look somebody up who says "I paid, and cannot get in"."""
        page = self.overview()
        page.get_by_label("Find a buyer").fill(text)
        self.click(page.locator("#main-container").get_by_role("button", name="Search"))
        self.assertLessEqual(self.clicks, 3)
        return page

    def needs(self, name: str) -> Locator:
        """The row of a buyer on the overview."""
        return self.overview().locator("#needs li").filter(has_text=name)

    def test_the_group_is_missing(self):
        key = pages.key_of(self, Outcome.ATTENTION, "group missing")
        entry = ledger.get(self.portal, key)
        page = self.complain(entry["buyer"])
        self.see(page.locator("#why").get_by_text("does not exist"))
        self.click(page.get_by_role("button", name=pages.CREATE))
        self.click(page.locator("#preview").get_by_role("button", name=pages.CREATE))
        self.assertLessEqual(self.clicks, 5)
        # Back at the buyer, who is let in now.
        self.assertIn(f"{pages.MEMBERS}/{entry['buyer_id']}", page.url)
        self.stored()
        member = buyers.get(self.portal, entry["buyer_id"])["user_id"]
        self.assertIn("archive-readers", api.user.get(userid=member).getGroups())

    def test_the_overview_itself_has_answer_and_cure(self):
        for reason, answer, cure, confirm in (
            ("group missing", "does not exist", pages.CREATE, ""),
            ("account not certain", "an account has this", "Connect the account studio", "y"),
        ):
            with self.subTest(reason):
                key = pages.key_of(self, Outcome.ATTENTION, reason)
                buyer = buyers.get(self.portal, ledger.get(self.portal, key)["buyer_id"])
                row = self.needs(explanation.name(buyers.entries(self.portal, buyer)))
                self.see(row.get_by_text(answer))
                self.click(row.get_by_role("button", name=cure))
                if confirm:
                    self.click(row.page.locator("#preview button[name='confirm']"))
                self.assertLessEqual(self.clicks, 4)
                self.assertIn("@@click2sell-overview", row.page.url)
                self.stored()
                self.assertEqual(ledger.get(self.portal, key)["outcome"], Outcome.ACCEPTED)

    def test_the_account_is_not_certain(self):
        key = pages.key_of(self, Outcome.ATTENTION, "account not certain")
        entry = ledger.get(self.portal, key)
        page = self.complain(entry["buyer"])
        self.see(page.locator("#why").get_by_text("an account has this address"))
        self.click(page.get_by_role("button", name="Connect the account studio"))
        self.click(page.locator("#preview").get_by_role("button", name=pages.CONNECT))
        self.assertLessEqual(self.clicks, 5)
        self.stored()
        self.assertIn("paying-members", api.user.get(userid="studio").getGroups())

    def test_it_was_refunded(self):
        buyer_id = pages.buyer_id(self, "5", "refund")
        page = self.complain(buyers.get(self.portal, buyer_id)["addresses"][0])
        self.see(page.locator("#why").get_by_text("was refunded on"))
        page.locator("#answer summary").click()
        self.assertIn("was refunded on", page.locator("#answer-text").input_value())
        self.assert_usable(page)


class TestActs(BrowserTestCase):
    def test_several_are_extended_at_once(self):
        page = self.window(PHONE)
        self.open(page, f"{pages.MEMBERS}?part=active&select=1")
        number = page.locator("[name=buyer]:checked").count()
        self.assertGreater(number, 5)
        self.press(page, pages.EXTEND)
        page.get_by_label("Product").select_option(index=1)
        page.get_by_label("Days").fill("10")
        page.get_by_label("Reason").fill("An outage")
        before = ledger.count(self.stored(), provider="owner")
        self.press(page, pages.DECIDE)
        self.see(page.locator("#preview").get_by_text("instead of").first)
        self.assert_usable(page)
        # Nothing is changed yet.
        self.assertEqual(ledger.count(self.stored(), provider="owner"), before)
        self.press(page, pages.EXTEND)
        self.see(page.get_by_text("Done for buyers:"))
        self.assertGreater(ledger.count(self.stored(), provider="owner"), before)

    def test_an_end_is_undone(self):
        page = self.window(DESK)
        path = pages.of_subscriber()(self)
        self.open(page, path)
        until = page.locator("time").first.inner_text()
        self.follow(page, page.get_by_role("link", name="End access", exact=True).first)
        page.get_by_label("Reason").fill("A mistake")
        self.press(page, pages.DECIDE)
        self.press(page, "End access")
        self.see(page.locator("#why").get_by_text("was ended on"))
        self.press(page, "Undo")
        self.see(page.locator("#preview").get_by_text("Access begins"))
        self.press(page, "Undo")
        self.see(page.get_by_text("It was undone."))
        self.assertEqual(page.locator("time").first.inner_text(), until)
        self.assertEqual(page.get_by_role("button", name="Undo").count(), 0)
        self.assert_usable(page)
