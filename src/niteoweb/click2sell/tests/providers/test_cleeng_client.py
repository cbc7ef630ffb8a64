"""Cleeng's API, asked over real HTTP: the fake Cleeng answers."""

from contextlib import ExitStack
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import NotFound
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.cleeng import client
from niteoweb.click2sell.providers.cleeng.fake import FakeCleeng
from niteoweb.click2sell.providers.cleeng.fake import TOKEN
from niteoweb.click2sell.testing.fake.server import Clock
from niteoweb.click2sell.testing.fake.server import Response
from types import SimpleNamespace
from unittest import mock

import json
import os
import unittest


START = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
JANE, TV, GOLD = "jane@example.org", "vizio-1", "S100_US"


class ClientTestCase(unittest.TestCase):
    def setUp(self):
        stack = ExitStack()
        self.addCleanup(stack.close)
        stack.enter_context(mock.patch.dict(os.environ, {jsonapi.INSECURE_VARIABLE: "1"}))
        self.fake = stack.enter_context(FakeCleeng(clock=Clock(START)))
        self.settings = SimpleNamespace(api_url=self.fake.url, api_token=TOKEN)

    def validate(self, offer_id=GOLD):
        return client.validate(self.settings, JANE, TV, offer_id)

    def answers(self, status, value, headers=None):
        """Let everything be answered so."""
        response = Response(status, value, headers or {})
        self.fake.answer = lambda request: response


class TestValidate(ClientTestCase):
    def test_what_is_sent(self):
        question = self.validate()
        self.assertIn(question, self.fake.validations)
        (asked,) = self.fake.requests
        self.assertEqual((asked.method, asked.path), ("POST", ("vizio", "purchase-validation")))
        self.assertEqual(asked.headers["x-publisher-token"], TOKEN)
        self.assertEqual(asked.headers["content-type"], "application/json")
        self.assertEqual(
            json.loads(asked.body),
            {"customerEmail": JANE, "subscriptionId": TV, "offerId": GOLD},
        )

    def test_without_an_offer(self):
        self.validate("")
        self.assertNotIn("offerId", json.loads(self.fake.requests[0].body))

    def test_answers_that_mean_yes(self):
        for status, value, question in (
            (200, {"correlationId": "q"}, "q"),
            (201, {"correlationId": 5}, "5"),
            (202, {"message": "OK"}, ""),
            (200, b"OK", ""),
            (200, b"", ""),
            (200, ["q"], ""),
            (200, {"correlationId": ["q"]}, ""),
        ):
            with self.subTest(value):
                self.answers(status, value)
                self.assertEqual(self.validate(), question)

    def test_it_is_tried_once(self):
        for status in 429, 500, 503:
            self.fake.requests.clear()
            self.answers(status, {}, {"Retry-After": "0"})
            with self.subTest(status), self.assertRaises(Unreachable):
                self.validate()
            self.assertEqual(len(self.fake.requests), 1)

    def test_what_is_refused(self):
        for status, error in ((400, Refused), (404, NotFound), (422, Refused), (302, Refused)):
            self.answers(status, {}, {"Location": f"{self.fake.url}/elsewhere"})
            with self.subTest(status), self.assertRaises(error) as caught:
                self.validate()
            for secret in TOKEN, JANE, TV:
                self.assertNotIn(secret, str(caught.exception))
        self.assertEqual({one.path[-1] for one in self.fake.requests}, {"purchase-validation"})

    def test_a_wrong_token(self):
        self.settings.api_token = "wrong"
        with self.assertRaises(Unreachable):
            self.validate()

    def test_only_https_is_asked(self):
        insecure = mock.patch.dict(os.environ, {jsonapi.INSECURE_VARIABLE: ""})
        with insecure, self.assertRaises(Refused):
            self.validate()
        self.assertEqual(self.fake.requests, [])


class TestVerdict(ClientTestCase):
    def verdict(self, question):
        return client.verdict(self.settings, question)

    def test_from_its_beginning_to_its_end(self):
        failing = self.validate()
        self.fake.buy(TV, GOLD)
        right = self.validate()
        self.assertEqual(self.verdict(right), "")
        self.fake.clock.move(seconds=11)
        self.assertEqual(self.verdict(right), "succeeded")
        self.assertEqual(self.verdict(failing), "failed")

    def test_answers_that_mean_nothing(self):
        for value in {}, {"status": "running"}, {"status": 1}, {"status": None}:
            with self.subTest(value):
                self.answers(200, value)
                self.assertEqual(self.verdict("q"), "")

    def test_a_request_tries_once(self):
        """There is no time for a pause."""
        self.assertLessEqual(jsonapi.REQUEST, min(jsonapi.PAUSES))
        self.fake.outage = True
        # The same with more time, which a slow machine may need for the one try.
        with (
            mock.patch.object(jsonapi, "PAUSES", (jsonapi.SALE,)),
            self.assertRaises(Unreachable),
            jsonapi.within(jsonapi.SALE),
        ):
            self.verdict("q")
        self.assertEqual(len(self.fake.requests), 1)

    def test_what_cleeng_does_not_know(self):
        with self.assertRaises(NotFound):
            self.verdict("q")

    def test_a_page_that_is_no_json(self):
        self.answers(200, b"<html>")
        with self.assertRaises(Unreachable):
            self.verdict("q")
