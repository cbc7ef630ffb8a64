"""The member's own page, and the link to it."""

from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import OTHER
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.pages import SCRIPT
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from plone import api
from unittest import mock


JOHN = (EMAIL, PASSWORD)


class TestMyPurchases(PageTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@@my-purchases"
        self.account()

    def test_what_was_bought_and_until_when(self):
        self.settings(mapping=["1|premium|30", "2|course"])
        self.buy()
        self.buy_course_and_refund_it()
        browser = self.opened(who=JOHN)
        text = self.text(browser)
        self.assertIn("Test Product Access Until Jun 02, 2026 10:20 AM", text)
        self.assertIn("Course No access Refunded on May 04, 2026", text)
        self.assertIn("May 04, 2026 Refund Course Receipt R-2 9.90 EUR", text)
        self.assertIn("May 03, 2026 Purchase Test Product Receipt R-1 9.90 EUR", text)
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

    def test_the_menu_of_others_has_no_link(self):
        browser = self.browser(JOHN)
        browser.open(self.portal.absolute_url())
        self.assertNotIn("My purchases", browser.contents)

    def test_the_pages_that_are_open(self):
        self.members_folder("premium", title="Lounge")
        with self.owner():
            api.content.create(self.portal.lounge, "Document", "inside", title="Inside")
            api.content.create(self.portal, "Document", "public", title="Public page")
        self.members_folder("course", "lessons", title="Lessons")
        self.buy()
        page = self.opened(who=JOHN)
        self.assertEqual(page.getLink("Lounge").url, f"{self.portal.absolute_url()}/lounge")
        for elsewhere in ("Inside", "Public page", "Lessons"):
            self.assertNotIn(f">{elsewhere}</a>", page.contents.partition("Your pages")[2])
        self.later(days=1)
        self.refund(purchase_date="2026-05-04")
        self.assertNotIn("Your pages", self.opened(who=JOHN).contents)

    def test_a_group_within_a_group_opens_pages(self):
        self.group("readers")
        with self.owner():
            self.portal.portal_groups.addPrincipalToGroup("premium", "readers")
        self.members_folder("readers")
        self.buy()
        self.assertIn(">Lounge</a>", self.opened(who=JOHN).contents)

    def test_renew_order_and_manage(self):
        self.settings(
            mapping=[
                "1|premium|30|order=https://shop.example/1",
                "2|course|order=https://shop.example/2",
            ]
        )
        self.buy()
        self.buy_again(2, product_id="2", product_name="Course")
        page = self.opened(who=JOHN)
        order = f"{self.portal.absolute_url()}/@@click2sell-order?product="
        self.assertEqual(page.getLink("Renew").url, f"{order}1")
        self.assertIn("Unlimited", self.text(page))
        self.assertNotIn("Order again", page.contents)
        self.later(days=40)
        page = self.opened(who=JOHN)
        # The words of the page that keeps members out.
        self.assertEqual(page.getLink("Renew").url, f"{order}1")
        self.assertNotIn("Manage", page.contents)
        with mock.patch.object(
            registry.main(), "manage", lambda settings, ids: f"https://shop.example/{len(ids)}"
        ):
            page = self.opened(who=JOHN)
        self.assertEqual(page.getLink("Manage").url, "https://shop.example/0")

    def test_a_refund_is_no_renewal(self):
        self.settings(mapping=["1|premium|30|order=https://shop.example/1"])
        self.buy()
        self.later(days=1)
        self.refund(purchase_date="2026-05-04")
        page = self.opened(who=JOHN)
        self.assertIn("Refunded on May 04, 2026", self.text(page))
        self.assertTrue(page.getLink("Order again").url.endswith("?product=1"))

    def test_a_subscription_renews_by_itself(self):
        self.settings(mapping=["1|premium|30|order=https://shop.example/1"])
        self.buy(transaction_type="Subscription", subscription_status="New")
        self.assertIn("Renews on Jun 02, 2026", self.text(self.opened(who=JOHN)))
        self.assertNotIn("click2sell-order", self.opened(who=JOHN).contents)

    def test_whom_to_ask(self):
        self.assertNotIn("Contact us", self.opened(who=JOHN).contents)
        self.registry(email_from_address="shop@example.com")
        page = self.opened(who=JOHN)
        self.assertEqual(
            page.getLink("Contact us").url, f"{self.portal.absolute_url()}/contact-info"
        )
