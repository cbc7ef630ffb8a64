"""Selling in the store: the three workflows, what dies on the way, and what comes twice."""

from concurrent.futures import ThreadPoolExecutor
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import selling
from niteoweb.click2sell.providers.webtv import sync
from niteoweb.click2sell.providers.webtv.course import Course
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import WEBTV
from niteoweb.click2sell.tests.cases.selling import SellingTestCase
from niteoweb.click2sell.tests.cases.services import MANAGER
from plone import api
from plone.app.testing import TEST_USER_PASSWORD
from unittest import mock

import logging
import requests
import transaction


class TestWorkflows(SellingTestCase):
    def test_one_product(self):
        sale = self.begin("30")
        self.assertEqual((sale["state"], sale["due"], sale["user"]), ("placed", "10.00", "2"))
        self.assertEqual(self.pay(sale)["state"], "done")
        told = [do for do in self.fake.actions if do != "get_cart"]
        self.assertEqual(
            told,
            [
                *("get_id_from_email", "modify_cart", "place_order", "add_payment"),
                *("process_order", "get_cvr", "get", "list_subscriptions"),
            ],
        )
        ((_order, form),) = self.store.payments
        self.assertEqual((form["amount"], form["paymentMethodID"]), ("10.00", "3"))
        self.once_sold()

    def test_a_subscription_gives_its_group_in_the_same_request(self):
        sale = self.begin("12")
        (terms,) = sale["recurring"]
        self.assertEqual((terms["amount"], terms["period"]), ("10.00", "MONTH"))
        self.assertEqual(self.pay(sale)["state"], "done")
        ((id_, stored),) = self.store.subscriptions.items()
        self.assertEqual(stored["rp"]["subscriptionID"], id_)
        self.assertEqual(stored["rp"]["profileID"], terms["profile"])
        self.assertEqual(stored["rp"]["date_first_payment"], terms["first"])
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])

    def test_a_trial_is_not_paid(self):
        sale = self.begin("14")
        self.assertEqual(self.pay(sale, amount=None, transaction_=None)["state"], "done")
        self.assertNotIn("add_payment", self.fake.actions)
        (stored,) = self.store.subscriptions.values()
        self.assertEqual(stored["rp_status"], "Active")

    def test_a_trial_has_to_be_alone(self):
        for lenient in (False, True):
            self.store.lenient = lenient
            answer = self.begin("14", "30", status=422, reference=f"R-{lenient}")
            self.assertEqual(self.kind_of(answer), "TrialAlone")
            self.assertEqual(self.store.users[self.jane]["cart"], {})
        self.store.products["14"]["requires_rp"] = 1
        answer = self.begin("14", status=422, recurring=False)
        self.assertEqual(self.kind_of(answer), "RecurringRequired")
        self.assertEqual(self.store.users[self.jane]["cart"], {})

    def test_credit_and_other_currencies(self):
        self.store.users[self.jane]["credit"] = 10
        sale = self.begin("30")
        self.assertEqual((sale["due"], sale["credit_used"]), ("0.00", True))
        self.assertEqual(self.pay(sale, amount=None)["state"], "done")
        self.assertNotIn("add_payment", self.fake.actions)
        self.store.currency = "USD"
        answer = self.begin("12", status=422, reference="R-2")
        self.assertEqual(self.kind_of(answer), "Currency")
        self.assertEqual(self.store.users[self.jane]["cart"], {})
        sale = self.begin("30", reference="R-3")
        asked = len(self.fake.asked)
        self.assertEqual(self.kind_of(self.pay(sale, 422, currency="USD")), "Currency")
        self.assertEqual(len(self.fake.asked), asked)

    def test_an_order_whose_price_was_raised_is_not_processed(self):
        self.store.users[self.jane]["credit"] = 10
        sale = self.begin("30")
        order = self.store.users[self.jane]["order"]
        order["total"] += 5
        self.assertEqual(self.kind_of(self.pay(sale, 409, amount=None)), "AmountDue")
        self.assertNotIn("process_order", self.fake.actions)
        self.assertEqual(self.pay(sale, amount="5")["state"], "done")
        self.once_sold()

    def test_an_order_that_becomes_dearer_after_its_payment_waits(self):
        sale = self.begin("30")
        self.store.users[self.jane]["order"]["total"] += 5
        told = self.pay(sale)
        self.assertEqual((told["state"], told["due"]), ("placed", "5.00"))
        self.assertNotIn("process_order", self.fake.actions)


class TestPrivacy(SellingTestCase):
    def test_sales_are_exported_and_erased(self):
        sale = self.begin("12")
        self.pay(sale)
        told = export.export(self.portal, JANE, self.now)["kept_for_providers"]["webtv"]
        self.assertIn(sale["id"], [one.get("sale") for one in told])
        erasure.erase(JANE, "asked for", "owner")
        transaction.begin()
        for name in ("sales", "sales_by", "profiles", "users", "credits"):
            stored = trees.tree(self.portal, f"webtv_{name}")
            self.assertNotIn(JANE, repr(list(stored.items())))
        self.assertEqual(sales.get(self.portal, sale["id"])["due"], "0.00")

    def test_no_answer_and_no_log_has_a_secret(self):
        with self.assertLogs("niteoweb.click2sell", logging.DEBUG) as logs:
            logging.getLogger("niteoweb.click2sell").warning("begun")
            sale = self.begin("12")
            self.fake.lost = {"add_payment"}
            self.pay(sale, 202)
            self.pass_time(minutes=3)
            self.sweep()
        kept = [repr(sales.get(self.portal, sale["id"])), *logs.output]
        kept += [
            repr(dict(ledger.get(self.portal, key))) for key in ledger.newest_first(self.portal)
        ]
        for text in (self.fake.secret, "SESSION", "signature="):
            self.assertNotIn(text, "".join(kept))


class TestOptions(SellingTestCase):
    def test_the_store_is_told_of_the_buyer_and_nobody_keeps_it(self):
        told = {"buyer_ip": "192.0.2.7", "buyer_useragent": "A browser"}
        sale = self.begin("30", notify=False, **told)
        ((_do, _iq, form),) = [one for one in self.fake.asked if one[0] == "place_order"]
        self.assertEqual(form, told)
        self.assertNotIn("192.0.2.7", repr(sales.get(self.portal, sale["id"])))

    def test_a_single_product_whose_order_is_gone_is_not_confirmed(self):
        sale = self.begin("30")
        self.fake.lost = {"process_order"}
        self.pay(sale, 202)
        self.pass_time(minutes=3)
        self.sweep()
        stored = sales.get(self.portal, sale["id"])
        self.assertEqual(stored["state"], "done")
        self.assertIn("not confirmed", [words for _at, _state, words in stored["log"]])


class TestLost(SellingTestCase):
    """Answers that are lost, and processes that die after the store has done it."""

    def take_up(self):
        self.pass_time(minutes=3)
        self.sweep()

    def test_lost_answers_are_looked_for(self):
        for number, do in enumerate(
            ("add_payment", "process_order", "set_subscription_rp", "place_order")
        ):
            with self.subTest(do):
                self.store.payments.clear()
                self.store.processed.clear()
                self.store.subscriptions.clear()
                self.fake.lost = {do}
                if do == "place_order":
                    self.begin("12", reference=f"R-{number}", status=503)
                    self.take_up()
                    sale = self.begin("12", reference=f"R-{number}", status=200)
                    self.pay(sale, transaction_=f"T-{number}")
                else:
                    sale = self.begin("12", reference=f"R-{number}")
                    told = self.pay(sale, 202, transaction_=f"T-{number}")
                    self.assertNotEqual(told["state"], "done")
                    again = self.pay(sale, 409, transaction_=f"T-{number}")
                    self.assertEqual(self.kind_of(again), "Busy")
                    self.take_up()
                stored = sales.get(self.portal, sale["id"])
                self.assertEqual((stored["state"], stored["attention"]), ("done", ""))
                self.once_sold()
                self.assertEqual(len(self.store.subscriptions), 1)

    def test_a_process_that_dies_after_each_step(self):
        steps = ("place", "add_payment", "process", "set_recurring", "restrictions")
        for number, step in enumerate(steps):
            with self.subTest(step):
                self.store.payments.clear()
                self.store.processed.clear()
                self.store.subscriptions.clear()
                original = getattr(carts, step)

                def die(*args, do=original):
                    do(*args)
                    raise SystemExit

                values = {"user": self.jane, "email": JANE, "items": [("12", 1)], "by": "admin"}
                reference = f"R-{number}"
                payment = {"transaction": f"T-{number}", "amount": "10.00", "by": "admin"}
                payment |= {"method": "external", "state": "noted"}
                settings = registry.settings(WEBTV)
                with mock.patch.object(carts, step, die), self.assertRaises(SystemExit):
                    id_ = writer.run(
                        lambda site, values=values, reference=reference: sales.begin(
                            site, self.now, **values, reference=reference
                        )["id"]
                    )
                    with Course(settings, id_) as course:
                        selling.advance(course)
                    selling.pay(settings, id_, payment)
                self.take_up()
                sale = self.begin("12", reference=f"R-{number}", status=200)
                if sale["state"] == "placed":
                    sale = self.pay(sale, transaction_=f"T-{number}")
                self.assertEqual((sale["state"], sale["attention"]), ("done", ""))
                self.once_sold()
                self.assertEqual(len(self.store.subscriptions), 1)


class TestTwice(SellingTestCase):
    def test_the_same_payment_five_times(self):
        sale = self.begin("30")

        def pay(_number):
            return requests.post(
                f"{self.portal.absolute_url()}/@webtv-sales/{sale['id']}/pay",
                json={"transaction": "T-1", "amount": "10.00", "currency": "EUR"},
                auth=MANAGER,
                headers={"Accept": "application/json"},
                timeout=60,
            ).status_code

        transaction.commit()
        with ThreadPoolExecutor(3) as pool:
            answers = set(pool.map(pay, range(5)))
        self.assertIn(200, answers)
        self.assertLessEqual(answers, {200, 409, 503})
        self.assertEqual(self.pay(sale)["state"], "done")
        self.once_sold()
        other = self.begin("30", reference="R-2")
        self.assertEqual(self.kind_of(self.pay(other, 409)), "ChargeUsed")

    def test_references(self):
        sale = self.begin("30")
        self.assertEqual(self.begin("30", status=200)["id"], sale["id"])
        self.assertEqual(self.kind_of(self.begin("12", status=409)), "ReferenceUsed")
        other = self.begin("12", status=409, reference="R-2")
        self.assertEqual(self.kind_of(other), "SaleOpen")

    def test_parts(self):
        sale = self.begin("30")
        told = self.pay(sale, amount="4")
        self.assertEqual((told["state"], told["due"]), ("placed", "6.00"))
        asked = len(self.fake.asked)
        more = self.pay(sale, 422, amount="7", transaction_="T-2")
        self.assertEqual(self.kind_of(more), "TooMuch")
        self.assertEqual(len(self.fake.asked), asked)
        self.assertEqual(self.pay(sale, amount="6", transaction_="T-2")["state"], "done")
        self.once_sold(payments=2)


class TestOthers(SellingTestCase):
    def test_carts_and_orders_of_the_user(self):
        user = self.store.users[self.jane]
        user["cart"]["12"] = 1
        self.assertEqual(self.kind_of(self.begin("30", status=409)), "CartNotEmpty")
        self.assertEqual(user["cart"], {"12": 1})
        self.store.store_place_order(self.jane, {})
        self.assertEqual(self.kind_of(self.begin("30", status=409)), "OrderExists")
        self.assertIsNotNone(user["order"])
        user.update(order=None)
        self.assertEqual(self.begin("30")["state"], "placed")

    def test_an_order_that_is_not_paid_is_cancelled(self):
        self.begin("30")
        self.pass_time(hours=25)
        self.sweep()
        self.sweep()
        self.assertEqual(len(self.store.cancelled), 1)
        sale = self.begin("30", reference="R-2")
        self.pay(sale, amount="4")
        self.pass_time(hours=25)
        self.sweep()
        self.assertEqual(len(self.store.cancelled), 1)

    def test_an_order_that_is_gone_after_a_payment_needs_attention(self):
        sale = self.begin("30")
        self.store.users[self.jane]["order"] = None
        told = self.pay(sale)
        self.assertEqual(told["attention"], "charge without order")
        self.assertEqual([code for code, _ in self.attention()], ["charge without order"])

    def test_who_may_and_a_copy(self):
        with self.owner():
            api.user.create(
                username="siteadmin", email="siteadmin@example.org", password=TEST_USER_PASSWORD
            )
            self.portal.acl_users.userFolderEditUser(
                "siteadmin", None, ["Site Administrator"], []
            )
        for auth in (None, ("siteadmin", TEST_USER_PASSWORD)):
            self.assertEqual(self.post("sales", auth=auth).status_code, 401)
        with mock.patch.dict("os.environ", CLICK2SELL_STAGING="1"):
            self.assertEqual(self.post("sales").status_code, 409)
            self.assertEqual(self.fake.requests, [])
        self.assertEqual(self.post("sales").status_code, 400)


class TestCredit(SellingTestCase):
    def change(self, status=200, **body):
        answer = self.post(f"users/{self.jane}/credit", **body)
        self.assertEqual(answer.status_code, status, answer.text)
        return answer.json()

    def test_credit_is_added_once(self):
        self.change(action="add", amount="5", reference="C-1")
        self.change(action="add", amount="5", reference="C-1")
        self.assertEqual(self.store.users[self.jane]["credit"], 5)
        used = self.change(409, action="add", amount="6", reference="C-1")
        self.assertEqual(used["type"], "ReferenceUsed")
        few = self.change(409, action="subtract", amount="9", reference="C-2")
        self.assertEqual(few["type"], "NoCredit")
        self.fake.lost = {"add_subtract_credit"}
        self.assertEqual(
            self.change(202, action="add", amount="5", reference="C-3")["state"], "asking"
        )
        self.pass_time(minutes=3)
        self.change(action="add", amount="5", reference="C-3")
        self.assertEqual(self.store.users[self.jane]["credit"], 10)

    def test_what_a_user_has(self):
        self.store.subscribe(self.jane, "12")
        self.store.add_pass(self.jane, 5)
        sync.refresh(self.jane)
        transaction.commit()
        url = f"{self.portal.absolute_url()}/@webtv-users"
        headers = {"Accept": "application/json"}
        for query in (f"/{self.jane}", f"?email={JANE}"):
            joined = "&" if "?" in query else "?"
            parts = "parts=subscriptions,content,credit,restrictions"
            told = requests.get(f"{url}{query}{joined}{parts}", auth=MANAGER, headers=headers)
            self.assertEqual(told.status_code, 200, told.text)
            told = told.json()
            self.assertEqual(told["subscriptions"][0]["product"], "12")
            self.assertEqual(told["content"][0]["product"], "clip-5")
            self.assertEqual((told["credit"], told["restricted"]["clip"]), ("0.00", ["6"]))
        products = requests.get(
            f"{self.portal.absolute_url()}/@webtv-products?type=other&user={self.jane}",
            auth=MANAGER,
            headers=headers,
        )
        self.assertEqual(len(products.json()["products"]), 3, products.text)


class TestChanged(SellingTestCase):
    """What has changed in the store since it was told of last."""

    def test_an_order_that_became_cheaper_is_not_overpaid(self):
        sale = self.begin("30")
        self.store.users[self.jane]["order"]["total"] -= 4
        told = self.pay(sale)
        self.assertEqual((told["state"], told["attention"]), ("placed", "charge differs"))
        self.assertNotIn("add_payment", self.fake.actions)

    def test_a_payment_whose_fate_nobody_can_tell_is_not_told_again(self):
        sale = self.begin("30")
        self.fake.lost = {"add_payment"}
        self.pay(sale, 202, amount="4")
        self.store.users[self.jane]["order"]["paid"] += 1
        self.pass_time(minutes=3)
        self.sweep()
        stored = sales.get(self.portal, sale["id"])
        self.assertEqual(
            (stored["state"], stored["attention"]), ("paying", "paid amount changed")
        )
        self.assertEqual(len(self.store.payments), 1)

    def test_an_order_with_other_things_in_it_is_not_sold(self):
        real = self.store.store_place_order

        def place(iq, form):
            self.store.users[iq]["cart"]["12"] = 1  # the user, at the same moment
            return real(iq, form)

        with mock.patch.object(self.store, "store_place_order", place):
            self.assertEqual(self.kind_of(self.begin("30", status=409)), "CartChanged")
        self.assertEqual(len(self.store.cancelled), 1)
        self.assertEqual(self.begin("30")["state"], "placed")

    def test_an_order_whose_placing_had_no_answer_is_cancelled_too(self):
        self.fake.lost = {"place_order"}
        self.begin("30", status=503)
        sale = next(iter(sales.newest(self.portal)))
        self.assertEqual(sale["state"], "placing")
        self.pass_time(minutes=3)
        self.assertEqual(self.post(f"sales/{sale['id']}/cancel").json()["state"], "cancelled")
        self.assertIsNone(self.store.users[self.jane]["order"])
        self.assertEqual(self.begin("30", reference="R-2")["state"], "placed")

    def test_an_order_of_the_user_is_not_taken_for_it(self):
        with mock.patch.object(self.store, "store_place_order", return_value={"ok": ""}):
            self.fake.lost = {"place_order"}
            self.begin("30", status=503)
        user = self.store.users[self.jane]
        user["cart"].clear()
        user["cart"]["12"] = 1
        self.store.store_place_order(self.jane, {})
        self.pass_time(minutes=3)
        sale = next(iter(sales.newest(self.portal)))
        self.assertEqual(self.post(f"sales/{sale['id']}/cancel").json()["state"], "cancelled")
        self.assertEqual((user["order"]["lines"], self.store.cancelled), ({"12": 1}, []))
