"""Stripe: the items of the checklist for a site with a key."""

from niteoweb.click2sell.providers.stripe import protocol
from niteoweb.click2sell.providers.stripe.provider import PROVIDER
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.setup import providerchecks
from niteoweb.click2sell.setup import Status
from niteoweb.click2sell.tests.cases.providers import StripeTestCase

import transaction


class TestItems(StripeTestCase):
    def setUp(self):
        super().setUp()
        self.address = effective.callback_address(PROVIDER)

    def items(self, connect=True):
        transaction.begin()
        found = providerchecks.items(self.portal, PROVIDER, (), connect)
        return {one.name[7:]: one for one in found if one.name.startswith("stripe_")}

    def endpoint(self):
        found = self.items()["endpoint"]
        return found.state, found.details

    def test_nothing_is_asked(self):
        self.assertEqual(self.items(connect=False), {})
        self.set(api_token=None)
        self.assertEqual(self.items(), {})
        self.assertEqual(self.fake.requests, [])

    def test_the_key(self):
        self.assertEqual(self.items()["permissions"].state, Status.OK)
        self.fake.permissions = {"customers", "subscriptions", "charges", "events"}
        found = self.items()
        self.assertEqual(found["permissions"].state, Status.TODO)
        missing = ("Products", "Checkout Sessions", "Invoices")
        self.assertEqual(found["permissions"].details, missing)
        self.assertEqual(found["endpoint"].state, Status.UNTRIED)
        self.fake.outage = True
        self.assertEqual(self.items(), {})

    def test_the_endpoint(self):
        self.assertEqual(self.endpoint(), (Status.WARNING, ()))
        self.shop.add_endpoint("https://elsewhere.example.org/@@stripe", "*")
        self.shop.add_endpoint(self.address, "*", enabled=False)
        self.assertEqual(self.endpoint(), (Status.WARNING, ()))
        chosen = [one for one in protocol.EVENT_TYPES if one != "invoice.paid"]
        self.shop.add_endpoint(self.address, *chosen, "product.created")
        self.assertEqual(self.endpoint(), (Status.WARNING, ("invoice.paid",)))
        self.shop.add_endpoint(f"{self.address}/", "invoice.paid")
        self.assertEqual(self.endpoint(), (Status.OK, ()))

    def test_an_endpoint_with_all_events(self):
        self.shop.add_endpoint(self.address, "*")
        self.assertEqual(self.endpoint(), (Status.OK, ()))
