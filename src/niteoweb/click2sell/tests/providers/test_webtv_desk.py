"""Sales on the desk of owners: what needs them, what is next, and what they can do."""

from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv.course import Course
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import WEBTV
from niteoweb.click2sell.tests.cases.selling import SellingTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from unittest import mock

import threading
import transaction


class TestDesk(SellingTestCase, PageTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@@webtv-sales"
        self.overview = f"{self.portal.absolute_url()}/@@click2sell-overview"

    def sale(self):
        transaction.begin()
        return next(iter(sales.newest(self.portal)))

    def codes(self):
        transaction.begin()
        keys = ledger.waiting_keys(self.portal)
        return [ledger.get(self.portal, key)["reason"] for key in keys]

    def page(self, **how):
        return self.opened(f"/{self.sale()['id']}", **how)

    def lose_order(self):
        """A sale whose order somebody deletes in the store, after it was paid."""
        sale = self.begin("30")
        self.store.users[self.jane]["order"] = None
        self.pay(sale)
        self.assertEqual(self.codes(), ["charge without order"])

    def test_from_the_overview_to_the_sale_and_settled(self):
        self.lose_order()
        browser = self.browser()
        browser.open(self.overview)
        browser.getLink("See the sale").click()
        text = self.text(browser)
        self.assertIn(f"Order WS-319, Product 30, {JANE}", text)
        self.assertIn("its order is no longer open in the store", text)
        self.assertIn("Asking the store to place the order", text)
        self.assertIn("10.00 EUR (T-1)", text)
        browser.getControl(name="note").value = "Refunded it"
        browser.getControl("Mark as settled").click()
        self.assertEqual(self.codes(), [])
        self.assertEqual((self.sale()["state"], self.sale()["attention"]), ("done", ""))
        self.assertEqual(browser.url, self.overview)
        self.assertIn("The sale was marked as settled.", self.text(browser))
        self.assertIn("Finished", self.text(self.page()))
        self.assertEqual(self.begin("30", reference="R-2")["state"], "placed")

    def test_tried_again(self):
        sale = self.begin("12")
        order, user = self.store.users[self.jane]["order"], self.store.users[self.jane]
        user["order"] = None
        self.pay(sale)
        self.assertEqual(self.codes(), ["charge without order"])
        browser = self.page()
        browser.getControl("Try again now").click()
        self.assertEqual(self.codes(), [])
        asked = len(self.fake.asked)
        self.assertIn("in the background", self.text(browser))
        self.assertNotIn("Try again now", browser.contents)
        self.sweep()
        # The same trouble again is news.
        self.assertGreater(len(self.fake.asked), asked)
        self.assertEqual(self.codes(), ["charge without order"])
        user["order"] = order
        self.page().getControl("Try again now").click()
        self.sweep()
        self.assertEqual((self.sale()["state"], self.codes()), ("done", []))
        self.once_sold()

    def test_an_order_is_cancelled_in_the_background(self):
        self.begin("30")
        asked = len(self.fake.asked)
        self.page().getControl("Cancel the order").click()
        self.assertEqual(len(self.fake.asked), asked)
        self.sweep()
        self.assertEqual((self.sale()["state"], len(self.store.cancelled)), ("cancelled", 1))
        self.assertNotIn("Cancel the order", self.page().contents)

    def test_nothing_is_asked_while_it_is_switched_off(self):
        self.begin("30")
        self.set(enabled=False)
        asked = len(self.fake.asked)
        with mock.patch.dict(background._awaited, {background.QUESTIONS: threading.Event()}):
            self.page().getControl("Cancel the order").click()
        for job in background.take(background.QUESTIONS, self.portal.getPhysicalPath()):
            job()
        self.sweep()
        self.assertEqual(len(self.fake.asked), asked)
        self.set(enabled=True)
        self.sweep()
        self.assertEqual(self.sale()["state"], "cancelled")

    def test_what_is_wanted_waits_for_a_question_that_is_under_way(self):
        sale = self.begin("30")
        with Course(registry.settings(WEBTV), sale["id"]):
            self.page().getControl("Cancel the order").click()
            self.sweep()
            self.assertEqual(self.sale()["state"], "placed")
        self.sweep()
        self.assertEqual(self.sale()["state"], "cancelled")

    def test_a_sale_that_is_under_way_for_long_is_a_need_until_it_is_done(self):
        sale = self.begin("30")
        self.fake.lost = {"process_order"}
        self.fake.refused["get_cart"] = ("ERROR", "")
        self.pay_badly(sale)
        self.sweep()
        self.assertEqual(self.codes(), [])
        for _ in range(2):
            self.pass_time(minutes=61)
            self.sweep()
            self.assertEqual(self.codes(), ["sale waits"])
        self.assertIn("Try again now", self.page().contents)
        self.fake.refused.clear()
        self.fake.lost.clear()
        self.pass_time(minutes=3)
        self.sweep()
        self.assertEqual((self.sale()["state"], self.codes()), ("done", []))

    def pay_badly(self, sale):
        values = {"transaction": "T-1", "amount": "10.00", "currency": "EUR"}
        self.assertNotEqual(self.post(f"sales/{sale['id']}/pay", **values).status_code, 200)

    def test_a_payment_of_another_provider_is_not_given_up(self):
        user = self.store.add_user(EMAIL)
        self.store.users[user]["cart"] = {"12": 1}
        self.set(fulfil=["click2sell|1|30"])
        self.store.products["30"]["price"] = self.notification().amount
        self.set(currency=self.notification().currency)
        self.buy()
        self.sweep()
        self.assertEqual(self.codes(), [])
        self.pass_time(hours=25)
        self.sweep()
        self.assertEqual(self.codes(), ["sale waits"])
        self.store.users[user]["cart"].clear()
        self.page().getControl("Try again now").click()
        self.sweep()
        self.assertEqual((self.sale()["state"], self.codes()), ("done", []))

    def test_a_part_that_was_paid_is_not_given_up(self):
        self.pay(self.begin("30"), amount="4")
        self.pass_time(hours=25)
        self.sweep()
        self.assertEqual((self.sale()["state"], self.codes()), ("placed", ["sale waits"]))

    def test_an_order_that_was_paid_and_not_processed_is_tried_again(self):
        self.fake.refused["process_order"] = ("ERROR", "")
        self.pay(self.begin("30"), 422)
        self.assertIn("does not go on by itself", self.text(self.page()))
        self.pass_time(hours=25)
        self.sweep()
        self.assertEqual((self.sale()["state"], self.codes()), ("placed", ["sale waits"]))
        self.fake.refused.clear()
        self.page().getControl("Try again now").click()
        self.sweep()
        self.assertEqual((self.sale()["state"], self.codes()), ("done", []))
        self.once_sold()

    def test_the_list_and_who_may(self):
        browser = self.opened()
        self.assertIn("No sale yet", self.text(browser))
        self.begin("30")
        self.assertIn("Order WS-319, Product 30", self.text(self.opened()))
        overview = self.browser()
        overview.open(self.overview)
        overview.getLink("Sales in the store").click()
        self.assertIn("Waits for payment", self.text(overview))
        viewer = self.person("viewer", permissions=("View purchases",))
        self.assertNotIn("Cancel the order", self.page(who=viewer).contents)
        self.assertEqual(self.opened("/none").headers["status"][:3], "404")
        forged = self.browser()
        forged.open(f"{self.url}/{self.sale()['id']}", "act=cancel")
        self.assertEqual((self.sale()["wanted"], forged.headers["status"][:3]), ("", "403"))
