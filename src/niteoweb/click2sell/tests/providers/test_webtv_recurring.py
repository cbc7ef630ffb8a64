"""Orders of the store that Click2Sell charges, and how their recurring payments stand."""

from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.providers.webtv import charges
from niteoweb.click2sell.providers.webtv import provider
from niteoweb.click2sell.providers.webtv import questions
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.tests.cases.selling import ProcessorTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from unittest import mock

import transaction


SUBSCRIPTION = {"transaction_type": "Subscription", "subscription_status": "New"}


class TestBound(ProcessorTestCase):
    """Click2Sell charges, and returns ``cp_webtv``."""

    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium|30"])
        self.store.add_user(EMAIL)

    def charged(self, **changes):
        """A purchase at Click2Sell that pays the order."""
        values = {**SUBSCRIPTION, "product_price": "10.00 EUR", "cp_webtv": self.sale()["id"]}
        self.buy(**{**values, **changes})
        transaction.begin()

    def event(self, status, **changes):
        self.buy(transaction_type="Subscription", subscription_status=status, **changes)
        transaction.begin()

    def standing(self):
        return self.asked("rp_status")

    def codes(self):
        transaction.begin()
        return [code for code, _ in self.attention()]

    def test_a_payment_at_click2sell_sends_the_buyer_back(self):
        self.ask(self.with_item())
        self.charged()
        self.assertEqual(self.sale()["state"], "charged")
        back = self.returned(self.ask(f"id={self.sale()['id']}", "@@webtv-return"))
        self.assertEqual((back["status"], back["transaction"]), ("SUCCESS", "T-1"))
        self.assertEqual(self.fake.actions, [])
        # A second payment has to be refunded.
        self.charged(acquirer_transaction_id="T-2", c2s_transaction_id="R-2")
        self.assertEqual(self.sale()["paid_by"], "T-1")
        self.assertEqual(self.codes(), ["charge without order"])

    def test_another_amount_or_currency_pays_nothing(self):
        for price in ("1.00 EUR", "10.00 USD"):
            with self.subTest(price):
                self.ask(self.order())
                self.charged(product_price=price, acquirer_transaction_id=f"T-{price[:2]}")
                self.assertEqual(self.sale()["state"], "placed")
        self.assertEqual(self.codes(), ["charge differs"] * 2)

    def test_the_standing_of_an_erased_buyer_is_known(self):
        self.ask(self.with_item())
        self.charged()
        self.assertEqual(self.standing()["status"], "Active")
        erasure.erase(EMAIL, "asked", "owner")
        self.later(days=40)
        self.assertEqual(self.standing()["status"], "Expired")

    def test_one_payment_pays_one_order(self):
        self.ask(self.order())
        self.charged()
        paid = self.sale()["id"]
        self.later(minutes=1)
        self.ask(self.order(id_order="320"))
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            self.charged(c2s_transaction_id="R-2")
        self.assertNotEqual(self.sale()["id"], paid)
        self.assertEqual(self.sale()["state"], "placed")

    def test_a_process_that_dies_before_it_has_noted_the_charge(self):
        self.ask(self.order())
        with mock.patch.object(charges, "take_in"):
            self.charged()
        self.assertEqual(self.sale()["state"], "placed")
        provider.poll(self.now, 20, False)
        self.assertEqual(self.sale()["state"], "charged")

    def test_the_ledger_says_how_recurring_payments_stand(self):
        self.ask(self.with_item())
        self.assertEqual(self.standing()["status"], "Pending")
        self.charged()
        told = self.standing()
        self.assertEqual(told["status"], "Active")
        self.later(days=30)
        self.event("Recurring", c2s_transaction_id="R-2", purchase_date=f"{self.now:%Y-%m-%d}")
        renewed = self.standing()
        self.assertEqual(renewed["status"], "Active")
        for name in ("last_payment_date", "next_payment_date"):
            self.assertGreaterEqual(renewed[name], told[name] + 29 * 86400)
        # While Click2Sell charges on, nothing is cancelled.
        self.assertIn("error", self.asked("rp_cancel"))
        self.assertEqual(self.codes(), ["cancel at charger"])
        self.event(
            "Cancel", c2s_transaction_id="R-3", purchase_date=f"{self.now:%Y-%m-%d}",
            purchase_time=f"{self.now:%H:%M:%S}",
        )  # fmt: skip
        self.assertEqual(self.standing()["status"], "Cancelled")
        self.assertEqual(self.asked("rp_cancel"), {"status": "Cancelled"})

    def test_a_failed_payment_a_lapse_and_a_refund(self):
        self.ask(self.with_item())
        self.charged()
        self.later(days=1)
        self.event(
            "Recurring", payment_status="Failed", c2s_transaction_id="R-2",
            purchase_date=f"{self.now:%Y-%m-%d}",
        )  # fmt: skip
        self.assertEqual(self.standing()["status"], "Suspended")
        self.later(days=40)
        self.assertEqual(self.standing()["status"], "Expired")
        self.refund(purchase_date=f"{self.now:%Y-%m-%d}")
        self.assertEqual(self.standing()["status"], "Cancelled")

    def test_only_known_networks_ask_about_profiles(self):
        self.settings(allowed_networks=["192.0.2.0/24"])
        self.assertEqual(self.ask(self.with_item()).status_code, 302)
        self.assertEqual(self.ask(self.profile_query("rp_status")).status_code, 403)
        self.assertEqual(self.ask(self.profile_query("rp_cancel")).status_code, 403)

    def test_moved_digits_and_far_dates_make_no_profile(self):
        # One signature fits all of them.
        first = str(int(self.now.timestamp()) + 86400)
        signature = questions.sign_item(self.KEY, "SKU-12", "10.00", "1", "MONTH")
        for sku, amount, frequency in (("SKU-12", "1", "01"), ("SKU-1", "210", "1")):
            with self.subTest(sku, amount=amount):
                values = {"sku": sku, "amount": amount, "period": "MONTH"}
                values |= {"period_frequency": frequency, "first_payment_date": first}
                answer = self.ask(self.with_values({**values, "signature": signature}))
                back = self.returned(answer)
                self.assertEqual((back["status"], back.get("rp_0_profile_id")), ("ERROR", None))
                self.assertTrue(back["rp_0_error"])
        late = str(int(self.now.timestamp()) + 730 * 86400)
        values = {"sku": "SKU-12", "amount": "10.00", "period": "MONTH"}
        values |= {"period_frequency": "1", "first_payment_date": late}
        back = self.returned(self.ask(self.with_values({**values, "signature": signature})))
        self.assertEqual(back["rp_0_error"], "first payment date")
        self.assertEqual(self.codes(), ["no way to pay"])
        free = self.with_values({**values, "signature": signature}, amount="0")
        self.assertEqual(self.ask(free).status_code, 400)


class TestSold(ProcessorTestCase):
    """Sales by the services, whose subscriptions the store asks about, too."""

    def test_the_store_may_ask_about_what_was_sold(self):
        self.store.users[self.jane]["order"] = None
        sale = self.begin("12")
        self.pay(sale)
        (stored,) = self.store.subscriptions.values()
        self.profile = stored["rp"]["profileID"]
        self.assertEqual(self.asked("rp_status")["status"], "Active")
        moment = int(self.now.timestamp())
        told = {"status": "Suspended", "last_payment_date": moment}
        self.assertEqual(self.post(f"profiles/{self.profile}", **told).status_code, 200)
        self.assertEqual(self.asked("rp_status")["last_payment_date"], moment)
        self.assertIn("error", self.asked("rp_cancel"))

    def test_payments_at_click2sell_stand_as_the_ledger_says(self):
        self.settings(mapping=["1|premium|30"])
        self.store.add_user(EMAIL)
        self.set(fulfil=["click2sell|1|12"])
        self.buy(**SUBSCRIPTION, product_price="10.00 EUR")
        self.sweep()
        (stored,) = self.store.subscriptions.values()
        self.profile = stored["rp"]["profileID"]
        self.assertEqual(self.asked("rp_status")["status"], "Active")
        self.later(minutes=1)
        self.refund()
        self.assertEqual(self.asked("rp_status")["status"], "Cancelled")


class TestItems(ProcessorTestCase):
    def test_a_cart_is_filled_with_other_items(self):
        self.store.users[self.jane]["order"] = None
        sale = self.begin("30", place=False)
        self.assertEqual(sale["state"], "carted")
        path = f"sales/{sale['id']}/items"
        changed = self.post(path, items=[{"product": "12"}])
        self.assertEqual(changed.status_code, 200, changed.text)
        self.assertEqual(changed.json()["items"][0]["product"], "12")
        self.assertEqual(self.store.users[self.jane]["cart"], {"12": 1})
        placed = self.post(f"sales/{sale['id']}/place").json()
        self.assertEqual((placed["state"], len(placed["recurring"])), ("placed", 1))
        late = self.post(path, items=[{"product": "30"}])
        self.assertEqual((late.status_code, late.json()["type"]), (409, "OrderPlaced"))

    def test_who_was_too_slow_changes_nothing(self):
        """A process that slept for longer than its lease finds that another has the sale."""
        self.store.users[self.jane]["order"] = None
        sale = self.begin("30")
        with self.course(sale["id"]) as slow:
            self.pass_time(minutes=3)
            with self.course(sale["id"]) as other:
                with self.assertRaises(sales.Conflict):
                    slow.note("late")
                other.note("in time")

    def test_each_step_has_the_whole_lease(self):
        """A question that began late is over before another process asks."""
        self.store.users[self.jane]["order"] = None
        sale = self.begin("30")
        with self.course(sale["id"]) as slow:
            self.pass_time(seconds=100)
            slow.note("add_payment 10.00")
            self.pass_time(seconds=100)
            with self.assertRaises(sales.Conflict), self.course(sale["id"]):
                self.fail("Two are at one sale.")
