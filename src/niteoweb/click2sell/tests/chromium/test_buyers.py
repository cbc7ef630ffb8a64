"""A visitor of a members' page, who once bought access to it."""

from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.tests.chromium import pages
from niteoweb.click2sell.tests.chromium.case import BrowserTestCase
from niteoweb.click2sell.tests.chromium.case import DESK
from niteoweb.click2sell.tests.chromium.case import PHONE
from plone import api

import transaction


class TestMembersPage(BrowserTestCase):
    def test_a_lapsed_visitor_is_told_how_to_renew(self):
        pages.keep_for_members(self)
        address = self.lapsed()
        api.user.get(userid=address).setSecurityProfile(password=pages.PASSWORD)
        transaction.commit()
        page = self.window(DESK, ("", ""))
        page.goto(f"{self.url}/lessons")
        self.see(page.get_by_text("This page is for members. Log in if you are one."))
        self.see(page.get_by_role("link", name="Get access"))
        self.assert_usable(page)
        page.get_by_label("Login Name").fill(address)
        page.get_by_label("Password", exact=True).fill(pages.PASSWORD)
        with page.expect_navigation():
            page.get_by_role("button", name="Log in").click()
        self.see(page.get_by_role("heading", name="This page is for members"))
        self.see(page.get_by_text("Landscapes in Winter ended on"))
        page.set_viewport_size(PHONE)
        renew = page.get_by_role("link", name="Renew")
        self.go_to(page, renew)
        self.assertIn("@@click2sell-order?product=3", renew.get_attribute("href"))
        self.assertNotIn("Secret lessons", page.content())
        self.assertNotIn("Insufficient", page.content())
        self.assert_usable(page)

    def lapsed(self) -> str:
        """The account of the one who bought the course first."""
        keys = ledger.newest_first(self.stored(), product_id="3")
        entries = [ledger.get(self.portal, key) for key in keys]
        return [one["buyer"] for one in entries if one["kind"] == Kind.PURCHASE][-1]
