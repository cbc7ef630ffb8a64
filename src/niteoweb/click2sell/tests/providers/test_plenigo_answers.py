"""plenigo's odd answers to a purchase, over HTTP, with a plenigo that is not real."""

from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.providers.plenigo import tie
from niteoweb.click2sell.testing import Response
from niteoweb.click2sell.tests.cases.buying import JANE
from niteoweb.click2sell.tests.cases.buying import PASSWORD
from niteoweb.click2sell.tests.cases.buying import ShopTestCase
from plone import api
from unittest import mock

import json
import logging
import transaction


class TestAnswers(ShopTestCase):
    def answering(self, *path, answers):
        """Let plenigo answer a path with some answers first, and then as ever."""
        answer, left = self.fake.answer, list(answers)

        def answered(request):
            if left and request.path == path:
                return left.pop(0)(request)
            return answer(request)

        return mock.patch.object(self.fake, "answer", answered)

    def asked_for(self, *path):
        return sum(one.path == path for one in self.fake.requests)

    def test_the_address_in_the_network(self):
        """A header that anybody can send is believed from the site's own proxies alone."""
        spoofed = {"Client-IP": "198.51.100.66", "X-Real-IP": "198.51.100.67"}
        self.buy(**spoofed)
        self.settings(trusted_proxies=[])
        self.buy(**spoofed, **{"X-Forwarded-For": "198.51.100.66"})
        told = [one["customerIpAddress"] for one in self.fake.purchases]
        self.assertEqual(told, ["127.0.0.1"] * 2)

    def test_where_the_buyer_came_from(self):
        art = f"{self.site_url}/art?a=b"
        for came_from in (art, "art?a=b", "/plone/art?a=b"):
            self.buy({"offer": "O_EXTRA", "came_from": came_from})
            source = self.fake.purchases[-1]["additionalData"]["sourceId"]
            self.assertEqual(source, art, came_from)
        for came_from in ("/art", "//evil.example/plone/art", "javascript:x", ""):
            self.buy({"offer": "O_EXTRA", "came_from": came_from})
            self.assertNotIn("additionalData", self.fake.purchases[-1], came_from)

    def test_a_customer_who_is_there_already(self):
        """208 is the same customer, and else somebody else, who is never tied."""
        other = {"customerId": self.jane, "email": JANE}

        def same(request):
            return Response(208, json.loads(request.body))

        with self.answering("customers", answers=[lambda request: Response(208, other)]):
            found = self.buy()
        self.assertEqual((found.status_code, found.json()["type"]), (409, "AddressTaken"))
        self.assertIsNone(buyers.of_user(self.portal, "jane"))
        with self.answering("customers", answers=[same]):
            found = self.buy()
        # plenigo that is not real has not made this customer.
        self.assertEqual(found.json()["code"], 90010)
        number = json.loads(self.fake.requests[-2].body)["customerId"]
        self.assertEqual(self.customer, number)

    def test_the_address_of_another_buyer(self):
        """Jane paid elsewhere, and Zoe took her address: plenigo is not even asked."""
        with self.owner():
            self.portal.acl_users.userFolderAddUser("zoe", PASSWORD, ["Member"], [])
            api.user.get(userid="zoe").setMemberProperties({"email": JANE})
        record = buyers.of_address(self.portal, JANE)
        buyers.link_account(self.portal, record, "jane", made=False, now=self.now)
        transaction.commit()
        found = self.buy(who="zoe")
        self.assertEqual((found.status_code, found.json()["type"]), (409, "AddressTaken"))
        self.assertEqual(self.fake.requests, [])
        self.assertIsNone(buyers.of_user(self.portal, "zoe"))

    def test_an_id_that_is_taken_and_one_of_plenigos_own(self):
        taken = [lambda request: self.fake.error(400, shop.ID_TAKEN)] * tie.TRIES
        with self.answering("customers", answers=taken):
            self.assertEqual(self.buy().json()["type"], "AddressTaken")
        ids = {json.loads(one.body)["customerId"] for one in self.fake.requests}
        self.assertEqual(len(ids), tie.TRIES)
        other = {"customerId": self.jane}
        with self.answering("customers", answers=[lambda request: Response(201, other)]):
            self.assertEqual(self.buy().status_code, 201)
        self.assertEqual(self.customer, self.jane)

    def test_plenigos_words_go_no_further(self):
        words = f"{JANE} with IBAN DE89 3704 0044 0532 0130 00"
        value = {
            "errorCode": 90072,
            "errorMessage": words,
            "validationErrors": [{"field": "items", "error": words, "value": words}],
        }
        path = ("checkout", "preparePurchase")
        with self.assertLogs(level=logging.DEBUG) as logged:
            logging.getLogger().debug("there is a log")
            with self.answering(*path, answers=[lambda request: Response(400, value)]):
                found = self.buy()
        self.assertEqual((found.status_code, found.json()["code"]), (422, 90072))
        for word in (JANE, "DE89"):
            self.assertNotIn(word, found.text + "".join(logged.output))

    def test_only_what_does_no_harm_is_asked_again(self):
        self.enterContext(mock.patch.object(jsonapi, "PAUSES", (0, 0)))
        self.buy()
        for status, times in ((504, 3), (400, 1), (401, 1)):
            with self.subTest(status):
                self.fake.requests.clear()
                answers = [lambda request, status=status: self.fake.error(status)] * 3
                path = ("checkout", "preparePurchase")
                with self.answering(*path, answers=answers):
                    self.assertNotEqual(self.buy().status_code, 201)
                self.assertEqual(self.asked_for(*path), times)
        code = "1234-5678-1234"
        self.fake.add_voucher(code, "O_EXTRA")
        path = ("checkout", "buyWithVoucher")
        with self.answering(*path, answers=[lambda request: self.fake.error(504)] * 3):
            found = self.call("POST", "@plenigo-voucher/redeem", {"code": code})
        self.assertEqual((found.status_code, found.json()["type"]), (503, "Unanswered"))
        self.assertEqual(self.asked_for(*path), 1)
