"""The way to a members' page, for visitors whom Plone keeps out of it."""

from niteoweb.click2sell.interfaces import IClick2SellLayer
from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from plone import api
from plone.browserlayer.utils import register_layer
from plone.browserlayer.utils import unregister_layer

import transaction


JOHN = (EMAIL, PASSWORD)
MEMBERS = "This page is for members"
#: What is said of a product that nobody has named.
NO_NAME = "You can buy access to this page."


class TestMembersOnly(PageTestCase):
    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium|30|order=https://shop.example/1", "2|course"])
        self.registry(email_from_address="shop@example.com")
        self.members_folder(title="A secret title")
        with self.owner():
            api.content.create(self.portal.lounge, "Document", "inside", title="Very secret")
        self.account()
        self.url = f"{self.portal.absolute_url()}/lounge"
        self.order = f"{self.portal.absolute_url()}/@@click2sell-order?product=1"

    def told(self, path="", who=JOHN):
        """The text of the page that a visitor gets to see."""
        browser = self.opened(path, who=who)
        self.assertNotIn("ecret", self.text(browser))
        return browser, self.text(browser).partition("Home")[2]

    def test_somebody_who_never_bought(self):
        for path in ("", "/inside", "/inside/view"):
            browser, text = self.told(path)
            self.assertIn(MEMBERS, text)
            self.assertNotIn("Insufficient", text)
            self.assertIn("You can buy access to this page. Get access", text)
            self.assertEqual(browser.getLink("Get access").url, self.order)

    def test_pages_of_buyers_have_titles(self):
        site = self.portal.absolute_url()
        for name, title in (
            ("members-only", MEMBERS),
            ("my-purchases", "My purchases"),
            ("my-purchase-claim", "Confirm a purchase"),
            ("stripe-portal", "Manage my subscription"),
        ):
            self.url = f"{site}/@@{name}"
            contents = self.opened(who=JOHN).contents
            self.assertIn(f"<title>{title} — ", contents)
            self.assertRegex(contents, rf"<h1>\s*{title}\s*</h1>")

    def test_a_visitor_who_is_not_logged_in(self):
        browser, text = self.told(who=NOBODY)
        self.assertIn("/login?", browser.url)
        self.assertIn(f"{MEMBERS}. Log in if you are one. {NO_NAME}", text)
        self.assertEqual(browser.getLink("Get access").url, self.order)
        # Logging in leads to the page, or to what keeps the visitor out.
        browser.getControl(name="__ac_name").value = EMAIL
        browser.getControl(name="__ac_password").value = PASSWORD
        browser.getControl("Log in").click()
        self.assertIn("@@members-only", browser.url)

    def test_a_buyer_gets_in_and_is_told_when_that_is_over(self):
        self.buy()
        self.assertIn("secret", self.text(self.opened(who=JOHN)))
        self.later(days=31)
        self.provision()
        browser, text = self.told()
        self.assertIn("Your access to Test Product ended on Jun 02, 2026. Renew", text)
        self.assertEqual(browser.getLink("Renew").url, self.order)

    def test_a_refund(self):
        self.buy()
        self.later(days=1)
        self.refund(purchase_date="2026-05-04")
        text = self.told("/inside")[1]
        self.assertIn("Your purchase of Test Product was refunded on May 04, 2026.", text)
        self.assertIn("Order again", text)

    def test_a_buyer_who_is_kept_out_is_not_sold_it_again(self):
        self.buy()
        with self.owner():
            api.group.remove_user(groupname="premium", username=EMAIL)
        text = self.told()[1]
        self.assertIn("You have Test Product, but your access does not work yet.", text)
        self.assertIn("Contact us", text)
        self.assertNotIn("click2sell-order", self.told()[0].contents)

    def test_the_group_of_all_buyers(self):
        self.members_folder("click2sell", "all")
        self.url = f"{self.portal.absolute_url()}/all"
        self.settings(mapping=["1|premium|title=Gold", "2|course"])
        self.assertIn(f"Gold gives you access. {NO_NAME}", self.told()[1])

    def test_what_no_product_opens_is_plones(self):
        self.group("staff")
        self.members_folder("staff", "office")
        site = self.portal.absolute_url()
        for url in (f"{site}/office", f"{site}/@@overview-controlpanel"):
            self.url = url
            self.assertNotIn(MEMBERS, self.told(who=NOBODY)[1], url)
        self.url = f"{site}/office"
        self.assertIn("Insufficient Privileges", self.told()[1])

    def test_whoever_may_read_the_page_is_told_nothing(self):
        self.buy()
        self.assertIn("Insufficient Privileges", self.text(self.opened("/edit", who=JOHN)))
        self.url = f"{self.portal.absolute_url()}/@@members-only"
        text = self.text(self.opened(who=MANAGER, came_from="/plone/lounge"))
        self.assertIn("You do not have access to this page.", text)

    def test_a_page_that_is_not_there_cannot_be_told_from_one_that_is(self):
        site = self.portal.absolute_url()
        self.url = f"{site}/@@members-only"
        told = [
            self.text(self.opened(who=who, came_from=f"{site}/lounge/{name}")).replace(name, "")
            for who in (NOBODY, JOHN)
            for name in ("inside", "nobody")
        ]
        self.assertEqual(told[0], told[1])
        self.assertEqual(told[2], told[3])
        self.assertIn(NO_NAME, told[0])

    def test_addresses_that_lead_nowhere(self):
        self.url = f"{self.portal.absolute_url()}/@@members-only"
        for came_from in ("", "//evil.example/plone", "x" * 3000, "/plone/../..", "\x00"):
            browser = self.opened(who=JOHN, came_from=came_from)
            self.assertIn("You do not have access to this page.", self.text(browser))
        self.assertNotIn(
            "evil", self.opened(who=JOHN, came_from="http://evil.example/").contents
        )

    def test_other_sites_keep_plones_page(self):
        unregister_layer("niteoweb.click2sell")
        self.addCleanup(register_layer, IClick2SellLayer, "niteoweb.click2sell")
        transaction.commit()
        self.assertIn("Insufficient Privileges", self.told()[1])
        self.assertNotIn(MEMBERS, self.told(who=NOBODY)[1])
