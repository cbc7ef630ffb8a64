"""plenigo: purchases in app stores, over HTTP, with a plenigo that is not real."""

from niteoweb.click2sell.providers.plenigo import limits
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER
from niteoweb.click2sell.provisioning import rates
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.testing.fake.server import Response
from niteoweb.click2sell.tests.cases.buying import ShopTestCase
from unittest import mock

import logging


APP = "de.lab.app"
BUNDLE = {"X-App-Bundle": APP}
SERVICE = "@plenigo-app-purchases"


class TestApps(ShopTestCase):
    def setUp(self):
        super().setUp()
        self.set(apps=[f"apple|{APP}", f"google|{APP}"], mapping=["right-2|course"])
        rates._calls.clear()

    def hand_in(self, store="apple", who="", value=None, **headers):
        value = {"receipt": "R" * 1000} if value is None else value
        headers = {**(BUNDLE if store == "apple" else {}), **headers}
        return self.call("POST", f"{SERVICE}/{store}", value, who=who, **headers)

    def token(self):
        return self.hand_in().json()["purchases"][0]["token"]

    def ask(self, action, token="token-1", who="", store="apple", **more):
        return self.call("POST", f"{SERVICE}/{store}/{action}", {"token": token, **more}, who)

    def sent(self):
        return [(name, value) for name, value in self.fake.asked if name != "customers"]

    def test_what_apps_hand_in(self):
        receipt = {"productId": "monthly", "purchaseToken": "P" * 9000}
        google = {"packageName": APP, **receipt, "isSubscription": True}
        long_one, number = "R" * 200_000, "2000000123"
        for store, value, sent in (
            ("apple", {"receipt": long_one}, {"receiptData": [long_one]}),
            ("apple", {"transactionId": number}, {"transactionIds": [number]}),
            ("google", google, {"receiptData": [{**receipt, "subscription": True}]}),
        ):
            with self.subTest(store, value=value.keys()):
                found = self.hand_in(store, value=value)
                self.assertEqual(found.status_code, 201, found.text)
                app = {"appIdentifier" if store == "apple" else "packageName": APP}
                self.assertEqual(self.sent()[-1][1], {**app, **sent})
                (purchase,) = found.json()["purchases"]
                self.assertEqual(purchase["access_rights"], ["right-2"])
                self.assertEqual((purchase["valid"], purchase["associated"]), (True, False))
                self.assertEqual(purchase["orders"][0]["product_id"], "monthly")
                self.assertEqual(found.headers["Cache-Control"], "no-store")
        self.assertNotIn("customers", dict(self.fake.asked))

    def test_a_receipt_with_several_purchases(self):
        self.fake.bought_in_app = [["right-1", "right-2"], ["right-3"]]
        first, second = self.hand_in().json()["purchases"]
        self.assertEqual(first["access_rights"], ["right-1", "right-2"])
        self.assertEqual(second["token"], "token-2")

    def test_what_is_refused_before_plenigo_hears_of_it(self):
        google = {"packageName": "x", "productId": "p", "purchaseToken": "t"}
        for status, arguments in (
            (403, {"X-App-Bundle": "x"}),
            (403, {"X-App-Bundle": ""}),
            (403, {"store": "google", "value": google}),
            (400, {"value": {}}),
            (400, {"value": {"receipt": "R", "transactionId": "1"}}),
            (400, {"value": {"receipt": ""}}),
            (400, {"value": {"receipt": 7}}),
            (400, {"value": {"transactionId": "1" * 20_001}}),
            (400, {"value": {"receipt": "R" * 300_001}}),
            (400, {"value": {"receipt": "R" * 600_000}}),
            (400, {"value": {"receipt": "R", "customerId": "1"}}),
            (400, {"store": "google", "value": {"packageName": APP}}),
            (404, {"store": "amazon"}),
        ):
            with self.subTest(arguments.keys(), status=status):
                rates._calls.clear()
                self.assertEqual(self.hand_in(**arguments).status_code, status)
        self.assertEqual(self.ask("delete").status_code, 404)
        self.assertEqual(self.call("POST", SERVICE, {}, who="").status_code, 404)
        self.set(apps=[])
        self.assertEqual(self.hand_in().status_code, 404)
        self.set(apps=[f"google|{APP}"])
        self.assertEqual(self.hand_in().status_code, 403)
        self.set(enabled=False)
        self.assertEqual(self.hand_in().status_code, 404)
        self.assertEqual(self.fake.requests, [])

    def test_plenigo_says_no(self):
        for code, status, kind in (
            (58006, 409, "InProgress"),
            (58003, 410, "Expired"),
            (58002, 422, "Rejected"),
        ):
            with self.subTest(code):
                self.fake.app_code = code
                found = self.hand_in()
                self.assertEqual((found.status_code, found.json()["type"]), (status, kind))
                self.assertEqual(found.json()["code"], code)
        self.fake.emergency = True
        found = self.hand_in()
        self.assertEqual((found.status_code, found.headers["Retry-After"]), (503, "60"))
        self.set(api_token="")
        self.assertEqual(self.hand_in().status_code, 503)

    def test_verified_by_its_token(self):
        token = self.token()
        found = self.ask("verify", token)
        self.assertEqual((found.status_code, found.json()["token"]), (200, token))
        self.assertEqual(self.ask("verify", "token-99").status_code, 404)
        self.assertEqual(self.ask("verify", "x" * 101).status_code, 400)
        self.assertEqual(self.ask("verify", "").status_code, 400)
        self.assertEqual(self.ask("verify", "..").status_code, 422)
        self.fake.app_code = 58003
        self.assertEqual(self.ask("verify", token).status_code, 410)

    def test_a_purchase_becomes_the_members(self):
        token = self.token()
        self.assertEqual(self.ask("associate", token).status_code, 401)
        self.assertEqual(self.ask("associate", token, "jane", customerId="1").status_code, 400)
        self.assertEqual(self.ask("associate", token, "boss").status_code, 403)
        self.assertEqual(self.fake.app_purchases[token].get("customerId"), None)
        found = self.ask("associate", token, "jane")
        self.assertEqual((found.status_code, found.json()["associated"]), (200, "you"))
        self.assertEqual(self.sent()[-1], ("associate", {"customerId": self.customer}))
        self.assertEqual(self.groups("jane"), ["click2sell", "course"])
        calls = len(self.sent())
        self.assertEqual(self.ask("associate", token, "jane").status_code, 200)
        self.assertEqual(len(self.sent()), calls)
        self.assertIs(self.ask("verify", token).json()["associated"], True)

    def test_the_purchase_of_another_customer(self):
        token = self.token()
        self.fake.app_purchases[token]["customerId"] = self.jane
        found = self.ask("associate", token, "jane")
        self.assertEqual((found.status_code, found.json()["type"]), (409, "Taken"))
        self.assertEqual([name for name, _value in self.fake.asked], ["appleAppStore"])
        self.assertNotIn(self.jane, found.text)
        verified = self.ask("verify", token)
        self.assertIs(verified.json()["associated"], True)
        self.assertNotIn(self.jane, verified.text)

    def test_answers_that_make_no_sense(self):
        token, answer = self.token(), self.fake.answer
        odd = {
            "appleAppStore": {"purchases": [{"token": 7.5}]},
            "verify": {"token": ""},
            "appStoreSubscriptions": {"items": [{"appStoreSubscriptionId": ""}]},
        }

        def answered(request):
            wrong = odd.get(request.path[-1])
            return Response(200, wrong) if wrong else answer(request)

        with mock.patch.object(self.fake, "answer", answered):
            self.assertEqual(self.hand_in().status_code, 503)
            self.assertEqual(self.ask("verify", token).status_code, 503)
            odd.pop("verify")
            self.assertEqual(self.ask("associate", token, "jane").status_code, 503)
        # It is the member's by now; the next try gives access.
        self.assertEqual(self.ask("associate", token, "jane").status_code, 200)
        self.assertEqual(self.groups("jane"), ["click2sell", "course"])

    def test_another_customer_was_faster(self):
        token = self.token()

        def taken(token, value):
            purchase = self.fake.app_purchases[token]
            return Response(200, {**purchase, "customerId": self.jane})

        with mock.patch.object(self.fake, "_associated", taken):
            self.assertEqual(self.ask("associate", token, "jane").status_code, 409)
        self.assertEqual(self.groups("jane"), [])

    def test_often(self):
        def codes(number):
            return [self.hand_in().status_code for _ in range(number)]

        self.assertEqual(codes(limits.APPS.most), [201] * limits.APPS.most)
        found = self.hand_in()
        self.assertEqual((found.status_code, found.headers["Retry-After"]), (429, "60"))
        elsewhere = self.hand_in(**{"X-Forwarded-For": "203.0.113.9"})
        self.assertEqual(elsewhere.status_code, 201)
        for number in range(limits.APP_PURCHASES.most):
            host = f"203.0.113.{number + 10}"
            if self.hand_in(**{"X-Forwarded-For": host}).status_code == 429:
                break
        self.assertEqual(number + limits.APPS.most + 1, limits.APP_PURCHASES.most)
        self.later(minutes=2)
        self.assertEqual(self.hand_in().status_code, 201)

    def test_one_ipv6_network_is_one_caller(self):
        for number in range(limits.APPS.most + 1):
            found = self.hand_in(**{"X-Forwarded-For": f"2001:db8::{number + 1:x}:7"})
        self.assertEqual(found.status_code, 429)

    def test_a_copy_of_the_site_hands_nothing_on(self):
        with self.copied():
            self.assert_not_set_up(self.hand_in())
            self.assert_not_set_up(self.ask("associate", who="jane"))

    def test_no_token_is_logged(self):
        with self.assertLogs(level="INFO") as logged:
            self.fake.app_code = 58002
            self.hand_in(value={"receipt": "secret-receipt"})
            self.ask("verify", "secret-token")
            self.fake.outage = True
            self.ask("associate", "secret-token", "jane")
            logging.getLogger("niteoweb.click2sell").info("the end")
        self.assertNotIn("secret", "".join(logged.output))

    def test_the_setting(self):
        for line, sound in ((f"apple|{APP}", True), ("amazon|x", False), ("apple|a b", False)):
            values = rules.normalize({"apps": [line]})
            self.assertEqual(not rules.validate(values, PROVIDER), sound, line)
