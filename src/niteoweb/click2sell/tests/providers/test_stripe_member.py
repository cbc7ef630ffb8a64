"""Members and Stripe: the order page that knows who was logged in, and the Customer Portal."""

from niteoweb.click2sell.settings import products
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import JOE
from niteoweb.click2sell.tests.cases.providers import StripeTestCase
from niteoweb.click2sell.tests.cases.site import PASSWORD
from plone.testing.zope import Browser
from unittest import mock
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import transaction


LINK = "https://buy.stripe.com/test_1?locale=de"
JOHN = ("john", PASSWORD)


class MemberTestCase(StripeTestCase):
    def setUp(self):
        super().setUp()
        self.account("john", "john@example.org")
        self.enterContext(mock.patch.object(products, "order_page", lambda *of, **more: LINK))
        transaction.commit()

    def browser(self, who=JOHN):
        browser = Browser(self.layer["app"])
        browser.handleErrors = True
        browser.raiseHttpErrors = False
        browser.followRedirects = False
        if who != NOBODY:
            browser.addHeader("Authorization", f"Basic {':'.join(who)}")
        return browser

    def ordered(self, who=JOHN):
        """What the order page takes along."""
        browser = self.browser(who)
        address = f"{self.portal.absolute_url()}/@@click2sell-order"
        browser.open(f"{address}?provider=stripe&product=gold")
        url = urlsplit(browser.headers["Location"])
        self.assertTrue(url.geturl().startswith(LINK))
        return {name: values[0] for name, values in parse_qs(url.query).items()}

    def buy(self, email, price="gold", order=list, **more):
        session = self.shop.checkout(price, email=email, **more)
        self.deliver(order=order)
        return self.shop.objects.get(session["subscription"], session)


class TestOrderPage(MemberTestCase):
    def test_it_carries_who_is_logged_in(self):
        known = self.ordered()
        self.assertEqual(known["prefilled_email"], "john@example.org")
        self.assertRegex(known["client_reference_id"], r"\A[A-Za-z0-9_-]{1,200}\Z")
        self.assertEqual(known["locale"], "de")
        self.assertEqual(self.ordered(NOBODY), {"locale": "de"})

    def test_the_purchase_is_the_members_whatever_address_paid(self):
        for price, order in (("gold", list), ("book", list), ("silver", reversed)):
            token = self.ordered()["client_reference_id"]
            email = f"{price}@example.net"
            self.buy(email, price, order, client_reference_id=token)
            self.assertIsNone(self.member(email))
        self.assertEqual(self.groups("john"), ["click2sell", "course", "premium"])
        self.assertEqual(self.reasons(), [])
        self.assertNotIn(token, repr(self.dump()))

    def test_a_token_that_is_too_old(self):
        token = self.ordered()["client_reference_id"]
        self.pass_time(hours=25)
        self.buy(JANE, client_reference_id=token)
        self.assertEqual(self.groups("john"), [])
        self.has("premium")

    def test_an_id_of_another_shop(self):
        self.buy(JANE, client_reference_id="42")
        self.has("premium")

    def test_a_customer_who_turns_out_to_be_a_known_member(self):
        """What was told of the subscription before and after that is about one buyer."""
        for number in range(6):
            token = self.ordered()["client_reference_id"]
            order = (list, reversed)[number % 2]
            email = f"{number}@example.net"
            subscription = self.buy(email, "gold", order, client_reference_id=token)
            self.assertEqual(self.groups("john"), ["click2sell", "premium"], number)
            self.shop.end(subscription)
            self.deliver()
            self.assertEqual(self.groups("john"), ["click2sell"])
            self.pass_time(hours=1)


class TestOrderPageWithoutKey(TestOrderPage):
    with_key = False

    def test_the_purchase_is_the_members_whatever_address_paid(self):
        self.skipTest("a single payment needs the key")

    def test_the_session_tells_it_for_the_subscription(self):
        self.bought_and_ended(list)

    def test_in_the_other_order(self):
        self.bought_and_ended(reversed)

    def bought_and_ended(self, order):
        token = self.ordered()["client_reference_id"]
        subscription = self.buy(JANE, "gold", order, client_reference_id=token)
        self.assertIsNone(self.member(JANE))
        self.assertEqual(self.groups("john"), ["click2sell", "premium"])
        self.shop.end(subscription)
        self.deliver()
        self.assertEqual(self.groups("john"), ["click2sell"])


class TestPortal(MemberTestCase):
    def setUp(self):
        super().setUp()
        token = self.ordered()["client_reference_id"]
        self.subscription = self.buy(JANE, client_reference_id=token)
        self.customer = self.subscription["customer"]
        self.address = f"{self.portal.absolute_url()}/@@stripe-portal"

    def posted(self):
        return [one for one in self.fake.requests if one.method == "POST"]

    def test_it_is_made_at_that_moment(self):
        browser = self.browser()
        browser.open(f"{self.portal.absolute_url()}/@@my-purchases")
        self.assertTrue(browser.getLink("Manage").url.endswith("/@@stripe-portal"))
        browser.open(self.address)
        self.assertEqual(self.posted(), [])
        browser.getControl("Continue to Stripe").click()
        self.assertIn("303", browser.headers["Status"])
        self.assertTrue(browser.headers["Location"].endswith(f"/p/session/{self.customer}"))
        (asked,) = self.posted()
        self.assertIn(b"customer=" + self.customer.encode(), asked.body)
        self.assertIn(b"%40%40my-purchases", asked.body)

    def test_of_nobody_else(self):
        other = self.buy(JOE)["customer"]
        browser = self.browser()
        browser.open(self.address)
        self.assertNotIn(other, browser.contents)
        browser.getControl(name="customer").value = other
        browser.getControl("Continue to Stripe").click()
        self.assertEqual(self.posted(), [])
        browser = self.browser()
        browser.open(self.address, data=f"customer={self.customer}")
        self.assertIn("403", browser.headers["Status"])
        browser = self.browser(NOBODY)
        browser.open(self.address, data=f"customer={self.customer}")
        self.assertNotIn("200", browser.headers["Status"])
        self.assertEqual(self.posted(), [])

    def test_without_a_key_or_an_answer(self):
        browser = self.browser()
        browser.open(self.address)
        self.fake.outage = True
        browser.getControl("Continue to Stripe").click()
        self.assertIn("503", browser.headers["Status"])
        self.assertIn("cannot be asked at the moment", browser.contents)
        self.set(api_token=None)
        browser.open(self.address)
        self.assertIn("You have no subscription that can be managed", browser.contents)
        browser.open(f"{self.portal.absolute_url()}/@@my-purchases")
        self.assertNotIn("@@stripe-portal", browser.contents)
