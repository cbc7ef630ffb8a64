"""This site as the store's payment processor, over HTTP."""

from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.webtv import questions
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.settings import secretkeys
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import WEBTV
from niteoweb.click2sell.tests.cases.selling import ProcessorTestCase

import transaction


class TestProcessor(ProcessorTestCase):
    def test_a_buyer_pays_and_goes_back(self):
        answer = self.ask(self.order())
        self.assertEqual(answer.status_code, 302)
        self.assertTrue(answer.headers["Location"].startswith("https://pay.example.org/"))
        self.assertIn("%40%40webtv-return", answer.headers["Location"])
        self.assertEqual(secretkeys.last_used(self.portal, self.KEY), self.now)
        back = f"id={self.sale()['id']}"
        waiting = self.ask(back, "@@webtv-return")
        again = f"5; url={self.portal.absolute_url()}/@@webtv-return?{back}&look=1"
        self.assertEqual((waiting.status_code, waiting.headers["Refresh"]), (200, again))
        waiting = self.ask(f"{back}&look=23", "@@webtv-return")
        self.assertTrue(waiting.headers["Refresh"].endswith("&look=24"))
        for look in ("24", "-1", "x", "1&look=2"):
            waiting = self.ask(f"{back}&look={look}", "@@webtv-return")
            self.assertNotIn("Refresh", waiting.headers)
            self.assertIn("Come back to this page later", waiting.text)
        told = self.charge()
        self.assertIn("payOrder", told["return_url"])
        query = self.returned(self.ask(back, "@@webtv-return"))
        expected = questions.sign_values(
            self.KEY, id_gateway="3", id_order="319", status="SUCCESS", id_transaction="C-1"
        )
        self.assertEqual(query["signature"], expected)
        self.assertEqual(self.returned(self.ask(self.order()))["transaction"], "C-1")
        self.assertEqual(self.charge()["id"], told["id"])
        other = self.pay(self.sale(), 409, transaction_="C-2")
        self.assertEqual(other["type"], "Paid")
        more = self.returned(self.ask(self.order(amount="11.00")))
        self.assertEqual(more["status"], "ERROR")
        self.assertEqual([code for code, _ in self.attention()], ["charge differs"])
        self.assertEqual(self.fake.actions, [])

    def test_refused_requests_begin_no_sale(self):
        wrong = self.order().replace("10.00", "1.00")
        for query, method, status in (
            (wrong, "GET", 403),
            (self.order(), "POST", 405),
            (f"{self.order()}&amount=1", "GET", 400),
            ("", "GET", 400),
            ("action=rp_status&profile_id=x&signature=x", "GET", 403),
        ):
            with self.subTest(query, method=method):
                self.assertEqual(self.ask(query, method=method).status_code, status)
        self.assertEqual(self.ask("id=x", "@@webtv-return").status_code, 404)
        transaction.begin()
        self.assertEqual(list(sales.newest(self.portal)), [])
        self.set(secretkey="", previous_secretkey=None)
        self.assertEqual(self.ask(self.order()).status_code, 503)
        self.set(secretkey="another key", previous_secretkey=self.KEY)
        self.assertEqual(self.ask(self.order()).status_code, 302)
        self.assertEqual(registry.settings(WEBTV).previous_secretkey, self.KEY)

    def test_a_failed_charge_and_no_way_to_pay(self):
        self.ask(self.order())
        self.post(f"sales/{self.sale()['id']}/fail", message="declined")
        query = self.returned(self.ask(f"id={self.sale()['id']}", "@@webtv-return"))
        self.assertEqual((query["status"], query["status_msg"]), ("ERROR", "declined"))
        self.set(pay_urls=[])
        self.assertEqual(self.returned(self.ask(self.order()))["status"], "ERROR")
        self.assertEqual([code for code, _ in self.attention()], ["no way to pay"])

    def test_a_buyer_who_does_not_come_back(self):
        self.ask(self.order())
        self.charge(email=JANE)
        self.pass_time(minutes=16)
        self.sweep()
        self.sweep()
        self.assertEqual(self.sale()["state"], "done")
        self.once_sold()
        # The store asks once more, and is told of the same payment.
        late = self.returned(self.ask(self.order()))
        self.assertEqual((late["status"], late["transaction"]), ("SUCCESS", "C-1"))
        self.assertEqual(self.attention(), [])
        self.ask(self.order(id_order="400"))
        self.pay(self.sale(), transaction_="C-9")
        self.pass_time(minutes=16)
        self.sweep()
        self.assertEqual([code for code, _ in self.attention()], ["paid, not returned"])

    def test_profiles(self):
        self.ask(self.with_item())
        (term,) = self.sale()["terms"]
        profile = term["profile"]

        self.assertEqual(self.asked("rp_status")["status"], "Pending")
        self.assertEqual(self.asked("rp_status", "none"), {"error": "unknown profile"})
        self.charge()
        self.assertEqual(self.asked("rp_status")["status"], "Active")
        query = self.returned(self.ask(f"id={self.sale()['id']}", "@@webtv-return"))
        self.assertEqual(query["rp_0_profile_id"], profile)
        self.assertEqual(
            query["rp_0_signature"], questions.sign_profile(self.KEY, profile, "Active")
        )
        self.assertIn("error", self.asked("rp_cancel"))
        self.assertEqual([code for code, _ in self.attention()], ["cancel at charger"])
        self.assertEqual(self.post(f"profiles/{profile}", status="Cancelled").status_code, 200)
        self.assertEqual(self.asked("rp_cancel"), {"status": "Cancelled"})

    def test_an_item_that_is_not_listed_gets_no_profile(self):
        self.ask(self.with_item(product="SKU-99"))
        self.assertEqual(self.sale()["terms"][0]["error"], "unknown terms")
        self.assertEqual([code for code, _ in self.attention()], ["no way to pay"])
