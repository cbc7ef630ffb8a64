"""Orders of the WebTV's own: charged once, for what is due, and not after a refund."""

from niteoweb.click2sell.providers.webtv import charges
from niteoweb.click2sell.providers.webtv import course
from niteoweb.click2sell.providers.webtv import saleacts
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.selling import ProcessorTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from unittest import mock
from urllib.parse import urlencode

import transaction


class ChargedTestCase(ProcessorTestCase):
    def codes(self):
        transaction.begin()
        return [code for code, _ in self.attention()]

    def go_back(self):
        return self.returned(self.ask(f"id={self.sale()['id']}", "@@webtv-return"))


class TestOnce(ChargedTestCase):
    def refused_by_the_store(self):
        """The buyer has not gone back, and the store does not take the payment."""
        self.ask(self.with_item())
        self.charge(email=JANE)
        self.fake.refused["add_payment"] = ("ERROR", "")
        self.pass_time(minutes=16)
        self.sweep()
        self.assertEqual((self.sale()["state"], self.codes()), ("placed", ["charge differs"]))

    def test_what_the_store_does_not_take_is_not_charged_again(self):
        self.refused_by_the_store()
        late = self.returned(self.ask(self.with_item()))
        self.assertEqual((late["status"], late["transaction"]), ("SUCCESS", "C-1"))
        self.assertEqual(self.go_back()["transaction"], "C-1")
        self.assertEqual(self.pay(self.sale(), 409, transaction_="C-2")["type"], "Paid")
        failed = self.post(f"sales/{self.sale()['id']}/fail", message="declined")
        self.assertEqual((failed.status_code, failed.json()["type"]), (409, "Paid"))
        self.assertEqual(self.sale()["paid_by"], "C-1")

    def test_what_the_store_does_not_process_is_told_to_an_owner(self):
        self.ask(self.order())
        self.charge(email=JANE)
        self.fake.refused["process_order"] = ("ERROR", "")
        self.pass_time(minutes=16)
        self.sweep()
        self.assertEqual((self.sale()["state"], self.codes()), ("placed", []))
        self.pass_time(hours=25)
        self.sweep()
        self.assertEqual(self.codes(), ["sale waits"])
        self.fake.refused.clear()
        saleacts.act(self.sale()["id"], saleacts.TRY_AGAIN, "owner", "Mended")
        self.sweep()
        self.assertEqual((self.sale()["state"], self.codes()), ("done", []))
        self.once_sold()

    def test_its_profile_is_not_cancelled_while_it_is_charged(self):
        self.refused_by_the_store()
        self.assertIn("error", self.asked("rp_cancel"))
        self.assertIn("cancel at charger", self.codes())

    def test_a_trial_may_be_told_twice(self):
        free = self.with_item().replace(self.order(), self.order(amount="0"))
        self.assertEqual(self.ask(free).status_code, 302)
        for _ in range(2):
            told = self.pay(self.sale(), amount=None, transaction_=None)
            self.assertEqual((told["state"], told["payments"]), ("charged", []))
            self.assertIn("transaction=N%2FA", told["return_url"])

    def test_it_is_cancelled_at_the_webtv_alone(self):
        self.ask(self.order())
        for _ in range(2):
            answer = self.post(f"sales/{self.sale()['id']}/cancel")
            self.assertEqual((answer.status_code, answer.json()["type"]), (409, "NotOurs"))
            self.charge()
        self.assertEqual(self.fake.asked, [])

    def test_another_currency_begins_no_sale(self):
        for _ in range(2):
            back = self.returned(self.ask(self.order(currency_code="USD")))
            self.assertEqual((back["status"], "transaction" in back), ("ERROR", False))
        transaction.begin()
        self.assertEqual(list(sales.newest(self.portal)), [])
        self.assertEqual(self.codes(), ["no way to pay"])

    def test_without_a_key_nobody_is_sent_back(self):
        self.ask(self.order())
        sale = self.sale()
        self.set(secretkey=None, previous_secretkey=None)
        self.assertEqual(self.pay(sale, 503)["type"], "NotSetUp")
        self.assertEqual(self.ask(f"id={sale['id']}", "@@webtv-return").status_code, 503)
        self.assertEqual(self.sale()["state"], "placed")

    def test_who_waits_reads_it_in_the_language_of_the_site(self):
        self.registry(default_language="de", available_languages=["de"])
        self.ask(self.order())
        page = self.ask(f"id={self.sale()['id']}", "@@webtv-return")
        self.assertIn("Ihre Zahlung wird bestätigt", page.text)

    def test_items_that_are_taken_out_of_the_address_give_no_trial(self):
        """The order's signature covers no item, and no number of them."""
        values = {"rp_num": "1", "rp_1_sku": "SKU-12"}
        query = f"{self.order(amount='0')}&{urlencode(values)}"
        self.assertEqual(self.ask(query).status_code, 400)
        transaction.begin()
        self.assertEqual(list(sales.newest(self.portal)), [])


class TestRefunded(ChargedTestCase):
    """Click2Sell charges with ``cp_webtv``, and gives the money back."""

    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium|30"])
        self.john = self.store.add_user(EMAIL)

    def charged(self, **changes):
        values = {"product_price": "10.00 EUR", "cp_webtv": self.sale()["id"], **changes}
        self.buy(**values)
        self.assertEqual(self.sale()["state"], "charged")

    def test_who_was_refunded_before_going_back_is_not_sent_back_with_success(self):
        self.ask(self.order())
        self.charged()
        self.later(minutes=1)
        self.refund()
        for back in (self.go_back(), self.returned(self.ask(self.order()))):
            self.assertEqual((back["status"], "transaction" in back), ("ERROR", False))
        self.assertEqual(self.codes(), ["refunded outside store"])

    def test_the_site_does_not_have_it_processed_either(self):
        self.ask(self.order())
        self.charged()
        self.later(minutes=1)
        self.refund()
        self.pass_time(minutes=16)
        self.sweep()
        self.assertEqual(self.codes(), ["refunded outside store"])
        self.assertEqual(self.store.payments, [])
        self.assertEqual(self.sale()["state"], "charged")

    def test_a_later_refund_is_told_once_and_not_again_after_it_is_settled(self):
        self.store.store_modify_cart(self.john, {"cartAction": "add", "productID": "30"})
        self.store.store_place_order(self.john, {})
        self.ask(self.order(id_order="320"))
        self.charged()
        self.pass_time(minutes=16)
        self.sweep()
        self.assertEqual((self.sale()["state"], len(self.store.processed)), ("done", 1))
        self.later(minutes=1)
        self.refund()
        self.sweep()
        self.assertEqual(self.codes(), ["refunded outside store"])
        self.settle()
        for _ in range(2):
            self.pass_time(minutes=20)
            self.sweep()
        self.assertEqual(self.codes(), [])

    def test_a_refund_that_cannot_be_filed_now_is_filed_by_the_next_check(self):
        self.ask(self.order())
        self.charged()
        self.go_back()
        self.pass_time(minutes=16)
        self.sweep()
        self.later(minutes=1)
        self.refund()
        with mock.patch.object(course.pipeline, "process", side_effect=transactions.Busy):
            charges.look_for_refunds(self.now)
        self.assertEqual(self.codes(), [])
        self.sweep()
        self.assertEqual(self.codes(), ["refunded outside store"])

    def test_each_payment_beyond_the_first_is_told_once(self):
        self.ask(self.order(id_order="1"))
        self.later(minutes=1)
        self.ask(self.order())
        self.charged()
        paid = {"product_price": "10.00 EUR", "cp_webtv": self.sale()["id"]}
        for number in (2, 3):
            self.buy_again(number, **paid)
        self.assertEqual(self.codes(), ["charge without order"] * 2)
        self.settle()
        self.sweep()
        self.assertEqual(self.codes(), [])

    def settle(self):
        transaction.begin()
        saleacts.act(self.sale()["id"], saleacts.SETTLE, "owner", "Taken back")
        transaction.begin()

    def test_an_order_of_another_user_is_not_taken_for_processed(self):
        """Who pays at Click2Sell has an address there, which need not be that of the order."""
        self.ask(self.order())
        self.charged()
        self.pass_time(minutes=16)
        self.sweep()
        self.assertEqual(self.codes(), ["paid, not returned"])
        # The buyer comes back after all.
        self.assertEqual(self.go_back()["status"], "SUCCESS")

    def test_who_went_back_is_done(self):
        self.ask(self.order())
        self.charged()
        self.go_back()
        self.pass_time(minutes=16)
        self.sweep()
        self.assertEqual((self.sale()["state"], self.codes()), ("done", []))
