"""plenigo's API, asked over real HTTP: the fake plenigo answers."""

from contextlib import contextmanager
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from functools import partial
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import exchange
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import NotFound
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import protocol as plenigo
from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo
from niteoweb.click2sell.providers.plenigo.fake import TOKEN
from niteoweb.click2sell.testing.fake.server import Clock
from niteoweb.click2sell.testing.fake.server import Response
from types import SimpleNamespace
from unittest import mock

import io
import logging
import os
import socket
import unittest


UTC = timezone.utc
START = datetime(2026, 5, 1, 12, tzinfo=UTC)


class ApiTestCase(unittest.TestCase):
    """With a fake plenigo, two pauses that take no time, and http allowed."""

    def setUp(self):
        stack = ExitStack()
        self.addCleanup(stack.close)
        stack.enter_context(mock.patch.dict(os.environ, {jsonapi.INSECURE_VARIABLE: "1"}))
        self.fake = stack.enter_context(FakePlenigo(clock=Clock(START)))
        self.settings = SimpleNamespace(
            api_url=self.fake.url,
            api_token=TOKEN,
            secretkey=self.fake.callbacks.secret,
            previous_secretkey="",
            tolerance=0,
        )
        self.pauses = []
        without_pauses = partial(jsonapi.JsonApi, sleep=self.pauses.append)
        stack.enter_context(mock.patch.object(client, "JsonApi", without_pauses))

    def told(self) -> list[Notification]:
        """The notifications of the callbacks on the pile."""
        found = []
        for delivery in self.fake.callbacks.pending:
            header = plenigo.sign(self.fake.callbacks.secret, 1, delivery.body)
            delivery = Delivery(delivery.body, "application/json", {plenigo.SIGNATURE: header})
            genuine = plenigo.verify(delivery, self.settings, self.fake.clock.now)
            found += plenigo.parse(genuine, UTC)
        self.fake.callbacks.pending.clear()
        return found

    def complete(self, notification: Notification) -> Notification:
        (found,) = client.complete(notification, self.settings, self.fake.clock.now)
        return found

    def asked(self) -> list[str]:
        found = ["/".join(request.path) for request in self.fake.requests]
        self.fake.requests.clear()
        return found

    def bought(self, **changes) -> Notification:
        """The callback of a subscription that just began."""
        self.customer_id = self.fake.add_customer("Wild@Example.org", "Wild", "Flower")
        self.subscription_id = self.fake.subscribe(self.customer_id, "O_1", **changes)
        return self.told()[-1]


class TestCompletion(ApiTestCase):
    def test_subscription_and_customer(self):
        told = self.bought()
        self.assertEqual((told.buyer, told.customer_id), ("", self.customer_id))
        self.fake.clock.move(hours=1)
        found = self.complete(told)
        self.assertEqual(self.asked(), ["subscriptions/1", f"customers/{self.customer_id}"])
        self.assertEqual((found.buyer, found.email), ("wild@example.org", "Wild@Example.org"))
        self.assertEqual(found.fullname, "Wild Flower")
        self.assertEqual((found.kind, found.key), (Kind.PURCHASE, told.key))
        self.assertEqual(found.occurred_at, START + timedelta(hours=1))
        self.assertIsNone(found.valid_until)
        self.assertNotIn(TOKEN, repr(found))

    def test_a_buyer_who_is_known_is_not_asked_for(self):
        told = replace(self.bought(), buyer="known@example.org")
        self.assertEqual(self.complete(told).buyer, "known@example.org")
        self.assertEqual(self.asked(), ["subscriptions/1"])

    def test_a_subscription_that_went_to_another_customer(self):
        told = replace(self.bought(), buyer="wild@example.org")
        other = self.fake.add_customer("other@example.org")
        self.fake.change(1, deliveryCustomerId=other)
        found = self.complete(told)
        self.assertEqual((found.buyer, found.customer_id), ("other@example.org", other))

    def test_a_late_callback_does_no_harm(self):
        bought = self.bought()
        self.fake.clock.move(days=1)
        self.fake.cancel(1)
        cancelled = self.told()[0]
        self.fake.clock.move(days=1)
        self.fake.undo_cancellation(1)
        self.fake.change(1, plenigoOfferId="O_2")
        undone, changed = self.told()
        for told, kind in (
            (bought, Kind.PURCHASE),
            (cancelled, Kind.PLAN_CHANGE),
            (undone, Kind.REACTIVATION),
            (changed, Kind.PLAN_CHANGE),
        ):
            found = self.complete(told)
            self.assertEqual((found.kind, found.product_id), (kind, "O_2"))
        self.fake.end(1)
        for told in (bought, cancelled, undone, changed):
            found = self.complete(told)
            self.assertEqual(
                (found.kind, found.valid_until), (Kind.EXPIRY, self.fake.clock.now)
            )

    def test_without_a_token_the_callback_itself_counts(self):
        self.settings.api_token = ""
        told = self.bought()
        with self.assertRaises(Refused) as caught:
            self.complete(told)
        self.assertEqual(caught.exception.reason, client.NO_TOKEN)
        known = replace(told, buyer="wild@example.org")
        self.assertIs(self.complete(known), known)
        self.assertEqual(self.asked(), [])

    def test_what_is_only_recorded_asks_nothing(self):
        customer_id = self.fake.add_customer("a@example.org")
        self.fake.change_address(customer_id, "b@example.org")
        self.fake.delete_customer(customer_id)
        for told in self.told():
            self.assertIs(self.complete(told), told)
        self.assertEqual(self.asked(), [])

    def test_money(self):
        self.bought()
        self.fake.fail_payment(1)
        self.fake.revoke_payment(1)
        failed, revoked = self.told()
        found = self.complete(failed)
        self.assertEqual((found.kind, found.transaction), (Kind.PAYMENT_FAILED, "1"))
        self.assertEqual(found.buyer, "wild@example.org")
        found = self.complete(revoked)
        self.assertEqual(
            (found.kind, found.occurred_at), (Kind.CHARGEBACK, revoked.occurred_at)
        )

    def test_what_plenigo_does_not_know(self):
        told = self.bought()
        self.fake.end(1)
        ended = self.told()[0]
        self.fake.subscriptions.clear()
        with self.assertRaises(NotFound):
            self.complete(told)
        self.assertIs(self.complete(ended).kind, Kind.EXPIRY)
        self.fake.customers.clear()
        with self.assertRaises(NotFound):
            self.complete(replace(told, payload={}))

    def test_answers_that_make_no_sense(self):
        told = self.bought()
        for change, reason in (
            ({"endDate": "soon"}, "answer: endDate"),
            ({"subscriptionId": 2}, "answer: subscriptionId"),
            ({"deliveryCustomerId": "", "giftInfo": {"a": 1}}, "answer: deliveryCustomerId"),
            ({"status": "NEW"}, "answer: status"),
        ):
            kept = dict(self.fake.subscriptions[1])
            self.fake.subscriptions[1].update(change)
            with self.subTest(reason), self.assertRaises(Refused) as caught:
                self.complete(told)
            self.assertEqual(caught.exception.reason, reason)
            self.fake.subscriptions[1] = kept
        for change, reason in (
            ({"email": ""}, client.NO_ADDRESS),
            ({"email": "nobody"}, "answer: email"),
            ({"customerId": "7"}, "answer: customerId"),
        ):
            kept = dict(self.fake.customers[self.customer_id])
            self.fake.customers[self.customer_id].update(change)
            with self.subTest(reason), self.assertRaises(Refused) as caught:
                self.complete(told)
            self.assertEqual(caught.exception.reason, reason)
            self.fake.customers[self.customer_id] = kept

    def test_ids_that_would_ask_another_question(self):
        told = self.bought()
        for transaction in ("..", "."):
            with self.assertRaises(Refused):
                self.complete(replace(told, transaction=transaction))
        with self.assertRaises(NotFound):
            self.complete(replace(told, transaction="1/../2?size=5#x"))
        (request,) = self.fake.requests
        self.assertEqual(
            (request.path, request.query), (("subscriptions", "1/../2?size=5#x"), {})
        )


class TestTries(ApiTestCase):
    def assert_unreachable(self, message: str) -> None:
        told = self.told_once
        with self.assertRaises(Unreachable) as caught:
            self.complete(told)
        self.assertEqual(str(caught.exception), message)

    def setUp(self):
        super().setUp()
        self.told_once = self.bought()

    @contextmanager
    def answers(self, *responses: Response):
        """The next answers, whatever is asked; after them the usual ones."""
        left = list(responses)
        usual = self.fake.answer
        with mock.patch.object(
            self.fake, "answer", lambda request: left.pop(0) if left else usual(request)
        ):
            yield left

    def test_an_outage_that_ends(self):
        for status in (429, 500, 502, 503, 504):
            with self.subTest(status), self.answers(Response(status, {}), Response(status, {})):
                self.assertEqual(self.complete(self.told_once).buyer, "wild@example.org")
                self.assertEqual(self.pauses, [1, 5])
                self.pauses.clear()

    def test_an_outage_that_stays(self):
        self.fake.outage = True
        self.assert_unreachable("status 503")
        self.assertEqual((len(self.asked()), self.pauses), (3, [1, 5]))

    def test_the_rate_limit(self):
        self.fake.rate_limit = 0
        self.assert_unreachable("status 429")
        self.assertEqual(self.pauses, [1, 5])

    def test_what_it_asks_to_wait_is_capped(self):
        for text, pause in (("3600", 5), ("0", 1), ("-1", 1), ("x", 1), ("²", 1), ("9" * 9, 5)):
            header = {"Retry-After": text.encode("utf-8").decode("latin-1")}
            with self.subTest(text), self.answers(Response(429, {}, header)):
                self.complete(self.told_once)
                self.assertEqual(self.pauses, [pause])
                self.pauses.clear()

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        self.settings.api_url = f"http://127.0.0.1:{port}/api"
        self.assert_unreachable("no answer")
        self.assertEqual(self.pauses, [1, 5])

    def test_an_answer_that_breaks_off(self):
        broken = Response(200, b'{"subscriptionId":1}', {"Content-Length": "1000"})
        with mock.patch.object(self.fake, "answer", lambda request: broken):
            self.assert_unreachable("no answer")
        self.assertEqual(self.pauses, [1, 5])

    def test_what_can_be_no_answer(self):
        for value in (b"", b"<html>", b"[]", b'{"a":1,"a":2}', b"\xff", b'{"a":NaN}'):
            with self.subTest(value), self.answers(Response(200, value)):
                self.assert_unreachable("answer unreadable")
        self.assertEqual(self.pauses, [])

    def test_a_large_answer(self):
        large = b'{"a":"' + b"x" * exchange.LARGEST_ANSWER + b'"}'
        with self.answers(Response(200, large)):
            self.assert_unreachable("answer too large")

    def test_patience_ends(self):
        self.fake.outage = True
        with mock.patch.object(jsonapi, "PATIENCE", jsonapi.PAUSES[0]):
            self.assert_unreachable("status 503")
        self.assertEqual((len(self.asked()), self.pauses), (1, []))

    def test_a_token_that_is_not_accepted_can_be_changed(self):
        for token in ("wrong", "t\r\nX: y", "tökèn", "☃"):
            self.settings.api_token = token
            self.assert_unreachable("token not accepted")
        self.assertEqual(self.pauses, [])

    def test_other_answers(self):
        for status in (201, 204, 301, 302, 307, 400, 405, 410, 418):
            location = {"Location": self.fake.url + "/subscriptions/1"}
            with (
                self.subTest(status),
                self.answers(Response(status, {}, location)),
                self.assertRaises(Refused) as caught,
            ):
                self.complete(self.told_once)
            self.assertEqual(caught.exception.reason, f"status {status}")
            self.assertEqual(len(self.asked()), 1)

    def test_nothing_is_logged(self):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        root = logging.getLogger()
        before = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            self.complete(self.told_once)
            self.fake.outage = True
            self.assert_unreachable("status 503")
        finally:
            root.removeHandler(handler)
            root.setLevel(before)
        for secret in (TOKEN, "example.org", "Flower"):
            self.assertNotIn(secret.lower(), stream.getvalue().lower())


class TestAddress(ApiTestCase):
    def test_allowed(self):
        for url in (
            "https://api.plenigo.com/api/v3.0",
            "https://api.plenigo-stage.com/",
            "https://10.0.0.1:8443",
            "http://localhost:1/x",
            "http://127.0.0.1",
            "http://[::1]:80/",
        ):
            self.assertTrue(jsonapi.allowed(url), url)

    def test_refused(self):
        for url in (
            "",
            "api.plenigo.com",
            "//api.plenigo.com",
            "https://",
            "https:///x",
            "http://api.plenigo.com",
            "http://127.0.0.1.example.org/",
            "http://127.0.0.1@example.org/",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "https://user:secret@api.plenigo.com/",
            "https://api.plenigo.com/?a=b",
            "https://api.plenigo.com/#a",
            "https://api.plenigo.com:99999/",
            "https://api.plenigo.com:x/",
            "https://[::1/",
            "https://api.plenigo.com/\nX",
            "https://api.plenigo.com/ x",
            "https://api.plenigo.com\\@127.0.0.1/",
        ):
            self.assertFalse(jsonapi.allowed(url), url)
            self.settings.api_url = url
            with self.assertRaises(Refused):
                self.complete(self.bought())
        self.assertEqual(self.asked(), [])

    def test_http_has_to_be_allowed(self):
        for value in ("", "0", "yes"):
            with mock.patch.dict(os.environ, {jsonapi.INSECURE_VARIABLE: value}):
                self.assertFalse(jsonapi.allowed(self.fake.url))
                with self.assertRaises(Refused):
                    self.complete(self.bought())

    def test_the_base_path_stays(self):
        for url in (self.fake.url, self.fake.url + "/"):
            self.settings.api_url = url
            self.complete(self.bought())
        self.assertNotIn("", {part for request in self.fake.requests for part in request.path})

    def test_a_proxy_of_the_environment_is_not_for_this_machine(self):
        with mock.patch.dict(os.environ, {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}):
            self.assertTrue(self.complete(self.bought()).buyer)


class TestPages(ApiTestCase):
    def changed(self, since: datetime = START) -> list[str]:
        found = client.changes(self.settings, since, self.fake.clock.now)
        return [notification.transaction for notification in found]

    def subscribe(self, count: int) -> list[str]:
        customer_id = self.fake.add_customer("a@example.org")
        return [str(self.fake.subscribe(customer_id, "O")) for _ in range(count)]

    def test_pages(self):
        for count, questions in ((0, 3), (1, 4), (100, 4), (250, 6)):
            with self.subTest(count):
                self.fake.subscriptions.clear()
                ids = self.subscribe(count)
                self.assertEqual(self.changed(), ids)
                self.assertEqual(len(self.asked()), questions)

    def test_a_size_that_is_out_of_range_counts_as_five(self):
        self.subscribe(7)
        for size in ("0", "4", "101"):
            with mock.patch.object(client, "PAGE", size):
                self.assertEqual(len(self.changed()), 7)
                # 5, 2, none; and neither orders nor subscriptions in app stores.
                self.assertEqual(len(self.asked()), 5)

    def test_since(self):
        self.subscribe(1)
        self.fake.clock.move(days=1)
        self.subscribe(1)
        self.assertEqual(self.changed(START + timedelta(seconds=1)), ["2"])
        self.fake.clock.move(days=1)
        self.fake.cancel(1)
        zone = timezone(timedelta(hours=2))
        self.assertEqual(self.changed(self.fake.clock.now.astimezone(zone)), ["1"])
        self.assertEqual(self.changed(self.fake.clock.now + timedelta(seconds=1)), [])

    def test_pages_that_do_not_end(self):
        self.subscribe(5)
        page = Response(200, {"items": list(self.fake.subscriptions.values())})
        with (
            mock.patch.object(self.fake, "answer", lambda request: page),
            self.assertRaises(Unreachable) as caught,
        ):
            self.changed()
        self.assertEqual(str(caught.exception), "pages without end")
        self.assertEqual(len(self.asked()), 2)

    def test_pages_that_make_no_sense(self):
        for items in ({}, "x", [1], [{"subscriptionId": None}]):
            page = Response(200, {"items": items})
            with (
                self.subTest(str(items)),
                mock.patch.object(self.fake, "answer", lambda request, page=page: page),
                self.assertRaises(Unreachable),
            ):
                self.changed()

    def test_an_outage_in_the_middle(self):
        self.subscribe(150)
        self.fake.rate_limit = 1
        found = client.changes(self.settings, START, START)
        for _ in range(100):
            next(found)
        with self.assertRaises(Unreachable):
            next(found)

    def test_no_token(self):
        self.settings.api_token = None
        with self.assertRaises(Refused) as caught:
            self.changed()
        self.assertEqual(caught.exception.reason, client.NO_TOKEN)

    def test_what_is_found_can_be_recorded(self):
        self.subscribe(1)
        (listed,) = client.changes(self.settings, START, self.fake.clock.now)
        self.assertEqual(self.complete(listed).buyer, "a@example.org")
