"""The providers that are not real: what they deliver, and what they answer."""

from contextlib import ExitStack
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import DeliveryError
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.providers.cleeng import protocol as cleeng
from niteoweb.click2sell.providers.cleeng.fake import FakeCleeng
from niteoweb.click2sell.providers.cleeng.fake import HEADER
from niteoweb.click2sell.providers.cleeng.fake import TOKEN as PUBLISHER_TOKEN
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from niteoweb.click2sell.providers.click2sell.fake import FakeClick2Sell
from niteoweb.click2sell.providers.plenigo import protocol as plenigo
from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo
from niteoweb.click2sell.providers.plenigo.fake import TOKEN
from niteoweb.click2sell.testing.fake.server import Clock
from niteoweb.click2sell.testing.fake.server import FakeServer
from niteoweb.click2sell.testing.fake.server import Request
from niteoweb.click2sell.testing.fake.server import Response
from types import SimpleNamespace
from typing import Any
from unittest import mock

import requests
import socket
import unittest


START = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)


class Site(FakeServer):
    """A site that takes what a provider delivers, as far as it can be proved.

    :ivar found: what was told.
    """

    base = ""

    def __init__(self, provider: Any, settings: Any, clock: Clock) -> None:
        super().__init__(clock)
        self.provider = provider
        self.settings = settings
        self.found: list[Notification] = []

    def answer(self, request: Request) -> Response:
        delivery = Delivery(request.body, request.headers["content-type"], request.headers)
        try:
            genuine = self.provider.verify(delivery, self.settings, self.clock.now)
            self.found += self.provider.parse(genuine, timezone.utc)
        except DeliveryError as error:
            return Response(403, str(error))
        return Response(200, "ok")

    @property
    def callback(self) -> str:
        return f"{self.url}/callback"


class FakeTestCase(unittest.TestCase):
    def setUp(self):
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)
        self.clock = Clock(START)

    def site(self, provider: Any, secret: str, **settings: Any) -> Site:
        values = {"secretkey": secret, "previous_secretkey": "", "tolerance": 60, **settings}
        return self.stack.enter_context(Site(provider, SimpleNamespace(**values), self.clock))


class TestClock(unittest.TestCase):
    def test_it_stands_until_it_runs(self):
        clock, minute = Clock(START), timedelta(minutes=1)
        with mock.patch.object(timestamps, "now", return_value=START) as now:
            now.return_value += minute
            self.assertEqual(clock.now, START)
            clock.run()
            now.return_value += minute
            self.assertEqual(clock.now, START + minute)
            self.assertEqual(clock.move(days=1), START + minute + timedelta(days=1))
            now.return_value += minute
            self.assertEqual(clock.now, START + 2 * minute + timedelta(days=1))


class TestClick2Sell(FakeTestCase):
    def setUp(self):
        super().setUp()
        self.fake = FakeClick2Sell(clock=self.clock)
        self.notifications = self.fake.notifications
        self.shop = self.site(click2sell, self.notifications.secret)

    def deliver(self, **how: Any) -> list[int]:
        return [one.status for one in self.notifications.deliver(self.shop.callback, **how)]

    def test_a_whole_life(self):
        for kind in ("subscription", "renewal", "failed", "cancellation", "refund"):
            self.fake.tell(kind, "john@example.org", "1", "T-1")
            self.clock.move(days=30)
        self.assertEqual(self.deliver(), [200] * 5)
        kinds = [found.kind for found in self.shop.found]
        self.assertEqual(
            kinds,
            [
                Kind.PURCHASE,
                Kind.RENEWAL,
                Kind.PAYMENT_FAILED,
                Kind.CANCELLATION,
                Kind.REFUND,
            ],
        )
        times = [found.occurred_at for found in self.shop.found]
        self.assertEqual(times, [START + timedelta(days=30 * month) for month in range(5)])
        self.assertEqual({found.transaction for found in self.shop.found}, {"T-1"})
        self.assertEqual(self.notifications.pending, [])

    def test_twice_and_in_another_order(self):
        self.fake.tell("sale", "a@example.org", "1")
        self.fake.tell("sale", "b@example.org", "1")
        self.assertEqual(self.deliver(order=reversed, times=2), [200] * 4)
        keys = [(found.buyer, found.key) for found in self.shop.found]
        self.assertEqual([buyer[0] for buyer, _key in keys], ["b", "b", "a", "a"])
        self.assertEqual(len(set(keys)), 2)

    def test_tampered_with(self):
        delivery = self.fake.tell("sale", "john@example.org", "1", "T-1")
        said = self.notifications.post(
            self.shop.callback, delivery, tamper=lambda body: body.replace(b"T-1", b"T-2")
        )
        self.assertEqual((said.status, self.shop.found), (403, []))

    def test_the_old_secret(self):
        delivery = self.fake.tell("sale", "john@example.org", "1")
        post = self.notifications.post
        self.assertEqual(post(self.shop.callback, delivery, secret="old").status, 403)
        self.shop.settings.previous_secretkey = "old"
        self.assertEqual(post(self.shop.callback, delivery, secret="old").status, 200)

    def test_an_outage(self):
        with Site(click2sell, self.shop.settings, self.clock) as away:
            url = away.callback
        self.fake.tell("sale", "john@example.org", "1")
        self.assertEqual([one.status for one in self.notifications.deliver(url)], [0])
        self.assertEqual(self.notifications.pending, [])

    def test_an_unknown_kind(self):
        with self.assertRaises(KeyError):
            self.fake.tell("party", "john@example.org", "1")


class TestPlenigo(FakeTestCase):
    def setUp(self):
        super().setUp()
        self.fake = self.stack.enter_context(FakePlenigo(clock=self.clock))
        self.callbacks = self.fake.callbacks
        self.shop = self.site(plenigo, self.callbacks.secret)

    def deliver(self, **how: Any) -> list[int]:
        return [found.status for found in self.callbacks.deliver(self.shop.callback, **how)]

    def ask(self, path: str, token: str = TOKEN) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(
                f"{self.fake.url}/{path}", headers={"X-plenigo-token": token}, timeout=10
            )

    def test_a_whole_life(self):
        customer_id = self.fake.add_customer("john@example.org", "John", "Smith")
        subscription_id = self.fake.subscribe(customer_id, "O_1")
        self.fake.let_pass(days=31)
        self.fake.change(subscription_id, plenigoOfferId="O_2")
        self.fake.change_address(customer_id, "smith@example.org")
        self.fake.cancel(subscription_id)
        self.fake.undo_cancellation(subscription_id)
        self.fake.fail_payment(subscription_id)
        self.fake.cancel(subscription_id)
        self.fake.let_pass(days=31)
        self.fake.revoke_payment(subscription_id)
        self.fake.delete_customer(customer_id)
        self.assertEqual(set(self.deliver()), {200})
        self.assertEqual(
            [(found.kind, found.product_id) for found in self.shop.found],
            [
                (Kind.INFORMATION, ""),
                (Kind.PURCHASE, "O_1"),
                (Kind.PLAN_CHANGE, "O_1"),
                (Kind.PLAN_CHANGE, "O_2"),
                (Kind.INFORMATION, ""),
                (Kind.CANCELLATION, "O_2"),
                (Kind.REACTIVATION, "O_2"),
                (Kind.PAYMENT_FAILED, ""),
                (Kind.CANCELLATION, "O_2"),
                (Kind.EXPIRY, "O_2"),
                (Kind.CHARGEBACK, "O_2"),
                (Kind.EXPIRY, ""),
            ],
        )
        ends = [self.shop.found[place].valid_until for place in (1, 2, 5, 6, 8)]
        end = START + timedelta(days=60)
        self.assertEqual(ends, [None, None, end, None, end])
        self.assertEqual(self.shop.found[9].occurred_at, START + timedelta(days=60))
        self.assertEqual(self.callbacks.pending, [])

    def test_twice_and_in_another_order(self):
        self.fake.add_customer("a@example.org")
        self.fake.add_customer("b@example.org")
        self.assertEqual(self.deliver(order=reversed, times=2), [200] * 4)
        buyers = [found.buyer for found in self.shop.found]
        self.assertEqual(buyers, ["b@example.org"] * 2 + ["a@example.org"] * 2)
        self.assertEqual(len({found.key for found in self.shop.found}), 2)

    def test_tampered_with(self):
        self.fake.add_customer("a@example.org")
        (delivery,) = self.callbacks.pending
        found = self.callbacks.post(
            self.shop.callback, delivery, tamper=lambda body: body.replace(b"a@", b"b@")
        )
        self.assertEqual((found.status, found.text), (403, '"Checksum verification failed."'))
        self.assertEqual((self.shop.found, self.callbacks.pending), ([], [delivery]))

    def test_secrets(self):
        self.fake.add_customer("a@example.org")
        (delivery,) = self.callbacks.pending
        old, self.callbacks.secret = self.callbacks.secret, "a new one"
        self.assertEqual(self.callbacks.post(self.shop.callback, delivery).status, 403)
        self.assertEqual(self.callbacks.post(self.shop.callback, delivery, old).status, 200)
        self.shop.settings.secretkey = "a new one"
        self.shop.settings.previous_secretkey = old
        self.assertEqual(self.callbacks.post(self.shop.callback, delivery, old).status, 200)
        self.assertEqual(self.callbacks.post(self.shop.callback, delivery).status, 200)

    def test_late_and_early(self):
        self.fake.add_customer("a@example.org")
        (delivery,) = self.callbacks.pending
        for seconds, status in ((-61, 403), (61, 403), (60, 200), (-60, 200)):
            signed_at = self.clock.now + timedelta(seconds=seconds)
            found = self.callbacks.post(self.shop.callback, delivery, signed_at=signed_at)
            self.assertEqual(found.status, status)

    def test_an_outage_of_the_site(self):
        self.fake.add_customer("a@example.org")
        self.shop.outage = True
        self.assertEqual(self.deliver(), [503])
        self.shop.outage = False
        self.clock.move(minutes=59)
        self.assertEqual(self.deliver(), [])
        self.clock.move(minutes=1)
        self.assertEqual(self.deliver(), [200])
        self.assertEqual(self.callbacks.pending, [])

    def test_retries_end(self):
        self.fake.add_customer("a@example.org")
        with socket.create_server(("127.0.0.1", 0)) as server:
            nowhere = f"http://127.0.0.1:{server.getsockname()[1]}/"
        for hours in (0, 1, 6, 24):
            self.clock.move(hours=hours)
            self.assertEqual([d.status for d in self.callbacks.deliver(nowhere)], [0])
        self.assertEqual(self.callbacks.pending, [])

    def test_whether_a_retry_has_a_time_of_its_own(self):
        self.fake.add_customer("a@example.org")
        self.clock.move(hours=1)
        self.callbacks.renews_time = False
        self.assertEqual(self.deliver(), [403])
        self.callbacks.renews_time = True
        self.clock.move(hours=1)
        self.assertEqual(self.deliver(), [200])

    def test_errors_as_documented(self):
        for path, token, status, code in (
            ("customers/1", "wrong", 401, 99015),
            ("subscriptions", "", 401, 99015),
            ("customers/1", TOKEN, 404, 99404),
            ("subscriptions/x", TOKEN, 404, 99404),
            ("other/1", TOKEN, 404, 99404),
            ("subscriptions?startTime=soon", TOKEN, 400, 99400),
            ("subscriptions?startingAfter=x", TOKEN, 400, 99400),
        ):
            with self.subTest(path):
                answer = self.ask(path, token)
                self.assertEqual(
                    (answer.status_code, answer.json()["errorCode"]), (status, code)
                )
                self.assertTrue(answer.json()["errorMessage"])

    def test_sizes(self):
        customer_id = self.fake.add_customer("a@example.org")
        for _ in range(101):
            self.fake.subscribe(customer_id, "O")
        for size, count in ((None, 5), (4, 5), (5, 5), (100, 100), (101, 5), (-1, 5)):
            query = "" if size is None else f"?size={size}"
            found = self.ask(f"subscriptions{query}").json()["items"]
            self.assertEqual(len(found), count)

    def test_the_rate_limit_ends_with_time(self):
        self.fake.rate_limit = 1
        self.assertEqual(
            [self.ask("subscriptions").status_code for _ in range(3)], [200, 429, 429]
        )
        self.clock.move(seconds=2)
        self.assertEqual(self.ask("subscriptions").status_code, 200)

    def test_an_outage_of_plenigo(self):
        self.fake.outage = True
        self.assertEqual(self.ask("subscriptions").status_code, 503)

    def test_it_listens_on_this_machine_only(self):
        self.assertTrue(self.fake.url.startswith("http://127.0.0.1:"))


class TestCleeng(FakeTestCase):
    def setUp(self):
        super().setUp()
        self.fake = self.stack.enter_context(FakeCleeng(clock=self.clock))
        self.shop = self.site(
            cleeng, self.fake.webhooks.secret, signature_header=HEADER, signature_encoding="hex"
        )

    def deliver(self) -> list[tuple[str, Kind]]:
        """The webhooks that were delivered, each with the kind that it is read as."""
        self.shop.found.clear()
        sent = self.fake.webhooks.deliver(self.shop.callback)
        self.assertEqual({found.status for found in sent} - {200}, set())
        return [(found.payload["topic"], found.kind) for found in self.shop.found]

    def ask(self, method: str, path: str, value: Any = None, token: str = PUBLISHER_TOKEN):
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method,
                f"{self.fake.url}/vizio/{path}",
                json=value,
                headers={"X-Publisher-Token": token},
                timeout=10,
            )

    def validate(self, email: str, vizio_id: str = "v1") -> str:
        asked = {"customerEmail": email, "subscriptionId": vizio_id}
        answer = self.ask("POST", "purchase-validation", asked)
        self.assertEqual((answer.status_code, answer.json()["message"]), (200, "OK"))
        return answer.json()["correlationId"]

    def status(self, correlation_id: str) -> dict[str, Any]:
        return self.ask("GET", f"purchase-status?correlationId={correlation_id}").json()

    def bought(self, email: str = "viewer@example.org") -> None:
        self.fake.buy("v1", "S1_US")
        self.validate(email)
        self.clock.move(seconds=10)
        self.fake.run()

    def test_validation_takes_time(self):
        self.fake.buy("v1", "S1_US")
        correlation_id = self.validate("viewer@example.org")
        self.clock.move(seconds=9)
        self.assertEqual(self.status(correlation_id), {"status": "pending"})
        self.assertEqual(self.fake.webhooks.pending, [])
        self.clock.move(seconds=1)
        found = {"status": "succeeded", "result": "SubscriptionCreated"}
        self.assertEqual(self.status(correlation_id), found)
        self.assertEqual(
            self.deliver(),
            [(cleeng.VALIDATED, Kind.PURCHASE), ("subscriptionCreated", Kind.PURCHASE)],
        )
        self.assertEqual(self.shop.found[0].payload["data.correlationId"], correlation_id)
        self.assertEqual(self.shop.found[0].transaction, self.shop.found[1].transaction)

    def test_a_purchase_that_vizio_does_not_know(self):
        correlation_id = self.validate("viewer@example.org")
        self.clock.move(seconds=10)
        self.assertEqual(self.status(correlation_id)["status"], "failed")
        self.assertEqual(self.deliver(), [("inappPurchaseValidationFailed", Kind.INFORMATION)])

    def test_nine_notifications(self):
        self.bought()
        self.deliver()
        for name, kind in cleeng.VIZIO.items():
            self.clock.move(days=1)
            if name == "SUBSCRIPTION.REACTIVATED":
                self.fake.vizio("SUBSCRIPTION.PAYMENT.SUCCESSFUL", "v1")
            self.fake.vizio(name, "v1", offer="S2_US")
            self.assertEqual(self.deliver()[-1], (name, kind))
        self.assertEqual(self.shop.found[-1].product_id, "S2_US")

    def test_what_vizio_tells_before_any_app_does(self):
        delivery = self.fake.subscribe("viewer@example.org", "v1", "S1_US", days=7)
        self.assertEqual(delivery.name, "SUBSCRIPTION.CREATED")
        self.assertEqual(self.deliver(), [("SUBSCRIPTION.CREATED", Kind.PURCHASE)])
        (told,) = self.shop.found
        self.assertEqual((told.buyer, told.product_id), ("viewer@example.org", "S1_US"))
        self.assertEqual(told.valid_until, START + timedelta(days=7))
        self.clock.move(days=7)
        self.validate("viewer@example.org")
        self.clock.move(seconds=10)
        self.fake.run()
        self.assertEqual(self.deliver(), [(cleeng.VALIDATED, Kind.PLAN_CHANGE)])
        self.assertEqual(self.shop.found[0].transaction, told.transaction)

    def test_transfer(self):
        self.bought("old@example.org")
        self.deliver()
        (old,) = self.fake.subscriptions.values()
        self.bought("new@example.org")
        told = self.deliver()
        self.assertEqual(
            told,
            [
                (cleeng.VALIDATED, Kind.EXPIRY),
                (cleeng.VALIDATED, Kind.PURCHASE),
                ("subscriptionTerminated", Kind.EXPIRY),
                ("subscriptionCreated", Kind.PURCHASE),
            ],
        )
        ended, begun, terminated, created = self.shop.found
        self.assertEqual(ended.transaction, str(old.subscription_id))
        self.assertEqual(ended.transaction, terminated.transaction)
        self.assertEqual(ended.customer_id, terminated.customer_id)
        self.assertEqual(begun.transaction, created.transaction)
        self.assertEqual(
            (begun.buyer, terminated.buyer), ("new@example.org", "old@example.org")
        )
        self.assertEqual(begun.valid_until, old.expires_at)

    def test_again(self):
        self.bought()
        self.deliver()
        self.bought()
        self.assertEqual(self.deliver(), [(cleeng.VALIDATED, Kind.PLAN_CHANGE)])
        self.fake.vizio("SUBSCRIPTION.EXPIRED", "v1")
        self.bought()
        self.assertEqual(self.deliver()[1:], [(cleeng.VALIDATED, Kind.REACTIVATION)])

    def test_base64_and_timestamps(self):
        self.fake.encoding = self.shop.settings.signature_encoding = cleeng.BASE64
        self.fake.timestamps = True
        self.bought()
        bought_at = self.clock.now
        self.clock.move(seconds=60)
        self.assertEqual(len(self.deliver()), 2)
        self.assertEqual(self.shop.found[0].occurred_at, bought_at)

    def test_errors(self):
        self.assertEqual(self.ask("GET", "purchase-status", token="x").status_code, 401)
        self.assertEqual(self.ask("GET", "purchase-status").status_code, 404)
        self.assertEqual(self.ask("GET", "other").status_code, 404)
        for value in (None, [], {"customerEmail": "a@example.org"}):
            self.assertEqual(self.ask("POST", "purchase-validation", value).status_code, 422)
        self.fake.rate_limit = 0
        self.assertEqual(self.ask("GET", "purchase-status").status_code, 429)
