"""The member's own page, and the link to it."""

from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import OTHER
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.pages import SCRIPT
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD


JOHN = (EMAIL, PASSWORD)


class TestMyPurchases(PageTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@@my-purchases"
        self.account()

    def test_what_was_bought_and_until_when(self):
        self.settings(mapping=["1|premium|30", "2|course"])
        self.buy()
        self.buy_again(2, product_id="2", product_name="Course")
        self.later(days=1)
        self.refund(
            acquirer_transaction_id="T-2",
            c2s_transaction_id="R-2",
            purchase_date="2026-05-04",
            product_id="2",
            product_name="Course",
        )
        browser = self.opened(who=JOHN)
        text = self.text(browser)
        self.assertIn("Test Product access until Jun 02, 2026 10:20 AM", text)
        self.assertIn("Course no access until May 04, 2026", text)
        self.assertIn("May 04, 2026 refund Course 9.90 EUR Receipt R-2", text)
        self.assertIn("May 03, 2026 purchase Test Product 9.90 EUR Receipt R-1", text)
        self.assertIn("no-store", browser.headers["Cache-Control"])

    def test_only_what_is_theirs(self):
        self.buy()
        self.buy(
            buyer_email=OTHER,
            acquirer_transaction_id="T-2",
            c2s_transaction_id="R-OTHER",
            product_name="Secret",
        )
        jane = self.person("jane")
        for query in ({}, {"user_id": EMAIL}, {"buyer": EMAIL}):
            for who in (jane, MANAGER):
                text = self.text(self.opened(who=who, **query))
                self.assertIn("You have not bought anything with this account.", text)
                self.assertNotIn("R-1", text)
            self.assertNotIn("R-OTHER", self.text(self.opened(who=JOHN, **query)))
        self.assertIn("404", self.opened(f"/{self.buyer()['id']}", who=JOHN).headers["Status"])

    def test_a_user_of_the_root_with_the_same_id_is_somebody_else(self):
        self.buy()
        with self.owner():
            self.portal.acl_users.source_users.removeUser(EMAIL)
        self.root_user(["Member"])
        text = self.text(self.opened(who=JOHN))
        self.assertNotIn("R-1", text)
        self.assertIn("You have not bought anything", text)

    def test_no_reasons_and_no_payload(self):
        self.settings(mapping=["1|absent"])
        self.buy(cp_note="what the shop knows")
        text = self.opened(who=JOHN).contents
        self.assertIn("R-1", text)
        for secret in ("absent", "what the shop knows", "needs attention", "T-1", "premium"):
            self.assertNotIn(secret, text)

    def test_log_in_first(self):
        self.buy()
        browser = self.opened(who=NOBODY)
        self.assertIn("/login", browser.url)
        self.assertNotIn("R-1", browser.contents)

    def test_escaped(self):
        self.buy(product_name=SCRIPT, c2s_transaction_id=SCRIPT)
        browser = self.opened(who=JOHN)
        self.assertNotIn(SCRIPT, browser.contents)
        self.assertIn("&lt;script&gt;", browser.contents)

    def test_the_menu_leads_there(self):
        self.buy()
        browser = self.browser(JOHN)
        browser.open(self.portal.absolute_url())
        browser.getLink("My purchases").click()
        self.assertEqual(browser.url, self.url)
        browser = self.browser(NOBODY)
        browser.open(self.portal.absolute_url())
        self.assertNotIn("My purchases", browser.contents)
