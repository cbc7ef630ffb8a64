"""Payments at Click2Sell that buy in the store."""

from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import saleacts
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.tests.cases.selling import SellingTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from unittest import mock

import transaction


class TestFulfil(SellingTestCase):
    def setUp(self):
        super().setUp()
        self.john = self.store.add_user(EMAIL)
        self.set(fulfil=["click2sell|1|30"])
        self.notice = self.notification()
        self.store.products["30"]["price"] = self.notice.amount
        self.set(currency=self.notice.currency)
        self.store.currency = self.notice.currency

    def sold(self):
        return list(sales.newest(self.portal))

    def test_a_payment_becomes_one_order(self):
        self.fake.outage = True
        for _ in range(3):
            self.buy()
            self.sweep()
        self.fake.outage = False
        self.sweep()
        self.sweep()
        (sale,) = self.sold()
        self.assertEqual((sale["state"], sale["user"]), ("done", self.john))
        ((_order, form),) = self.store.payments
        self.assertEqual(form["transactionID"], self.notice.transaction)
        self.assertEqual(len(self.store.processed), 1)
        self.later(minutes=1)
        self.refund()
        self.sweep()
        self.sweep()
        self.assertEqual([code for code, _ in self.attention()], ["refunded outside store"])

    def test_a_payment_becomes_an_order_at_once_in_the_thread_for_questions(self):
        background.expect(background.QUESTIONS)
        self.buy()
        self.assertEqual(self.fake.actions, [])
        transaction.begin()
        for job in background.take(background.QUESTIONS, self.portal.getPhysicalPath()):
            job()
        transaction.begin()
        self.assertEqual([sale["state"] for sale in self.sold()], ["done"])

    def test_another_price_needs_attention(self):
        self.store.products["30"]["price"] += 1
        self.buy()
        self.sweep()
        self.sweep()
        self.assertEqual([code for code, _ in self.attention()], ["charge differs"])
        self.assertEqual(self.store.payments, [])

    def test_a_refunded_payment_and_one_without_a_user_buy_nothing(self):
        self.buy()
        self.refund()
        self.sweep()
        self.assertEqual(self.sold(), [])
        self.store.users[self.john]["email"] = "other@example.org"
        self.buy_again()
        self.sweep()
        self.assertEqual((self.sold(), self.attention()), ([], []))
        self.pass_time(days=8)
        self.sweep()
        self.assertIn("no user", [code for code, _ in self.attention()])

    def test_a_payment_of_an_erased_buyer_buys_nothing_again(self):
        self.set(make_users=True)
        self.buy()
        self.sweep()
        erasure.erase(EMAIL, "asked", "owner")
        users = len(self.store.users)
        for _ in range(2):
            self.pass_time(days=8)
            self.sweep()
        self.assertEqual((len(self.sold()), self.attention()), (1, []))
        self.assertEqual(len(self.store.users), users)

    def test_a_process_that_dies_pays_once(self):
        original = carts.add_payment

        def die(*args):
            original(*args)
            raise SystemExit

        self.buy()
        with mock.patch.object(carts, "add_payment", die), self.assertRaises(SystemExit):
            self.sweep()
        self.pass_time(minutes=3)
        self.sweep()
        self.assertEqual(self.sold()[0]["state"], "done")
        self.assertEqual(len(self.store.payments), 1)

    def test_what_the_store_refuses_is_told_to_an_owner_and_tried_again(self):
        del self.store.products["30"]
        self.buy()
        self.sweep()
        self.sweep()
        self.assertEqual([code for code, _ in self.attention()], ["sale waits"])
        self.assertEqual(self.sold()[0]["state"], "begun")
        self.store.add_product("30", str(self.notice.amount))
        saleacts.act(self.sold()[0]["id"], saleacts.TRY_AGAIN, "owner", "There")
        transaction.begin()
        self.sweep()
        self.assertEqual([sale["state"] for sale in self.sold()], ["done"])

    def test_an_order_that_the_store_never_places_is_told_to_an_owner(self):
        self.fake.refused["place_order"] = ("ERROR_MIN_PURCHASE", "")
        self.buy()
        for _hour in range(26):
            self.sweep()
            self.pass_time(hours=1)
        self.assertEqual([code for code, _ in self.attention()], ["sale waits"])
        self.fake.refused.clear()
        saleacts.act(self.sold()[0]["id"], saleacts.TRY_AGAIN, "owner", "There")
        transaction.begin()
        self.sweep()
        self.assertEqual([sale["state"] for sale in self.sold()], ["done"])

    def test_a_user_whom_the_store_does_not_make_is_waited_for(self):
        self.store.users[self.john]["email"] = "other@example.org"
        self.set(make_users=True)
        self.fake.refused["create"] = ("ERROR", "")
        self.buy()
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            self.sweep()
        self.assertEqual((self.sold(), self.attention()), ([], []))
        self.pass_time(days=8)
        self.sweep()
        self.assertEqual([code for code, _ in self.attention()], ["no user"])
        self.fake.refused.clear()
        self.sweep()
        self.assertEqual([sale["state"] for sale in self.sold()], ["done"])

    def test_a_user_whom_the_store_does_not_look_for_is_told_to_an_owner(self):
        self.fake.refused["get_id_from_email"] = ("ERROR", "")
        self.buy()
        self.pass_time(days=8)
        self.sweep()
        self.assertEqual([code for code, _ in self.attention()], ["no user"])

    def test_a_trial_that_costs_nothing_is_not_paid(self):
        self.store.products["30"].update(price=0, type_name="SUBSCRIPTIONTRIAL")
        self.buy(product_price=f"0.00 {self.notice.currency}")
        self.sweep()
        self.assertEqual([sale["state"] for sale in self.sold()], ["done"])
        self.assertEqual(self.store.payments, [])
