"""Real HTTP and four threads: every order, the end of a day, mail that cannot be sent."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from itertools import permutations
from niteoweb.click2sell.tests.cases.deliveries import about
from niteoweb.click2sell.tests.proof.onsite import in_threads
from niteoweb.click2sell.tests.proof.onsite import post
from niteoweb.click2sell.tests.proof.onsite import Served
from threading import Lock

import random
import time
import unittest


def story(buyer: str, now: datetime) -> list[bytes]:
    """Purchase, renewal, refund of them, another purchase."""
    subscription = {"product_id": "2", "transaction_type": "Subscription"}
    return [
        about(buyer, "1", now - timedelta(20), **subscription, subscription_status="New"),
        about(buyer, "2", now - timedelta(3), **subscription, subscription_status="Recurring"),
        about(buyer, "1", now - timedelta(2), product_id="2", transaction_type="Refund"),
        about(buyer, "3", now - timedelta(1), product_id="1"),
    ]


class TestOverHttp(unittest.TestCase):
    layer = Served("OverHttp")

    def setUp(self):
        self.server = self.layer.server
        self.postbox = self.layer.postbox
        self.postbox.messages.clear()
        self.now = datetime.now(timezone.utc).replace(microsecond=0)

    def tearDown(self):
        self.assertEqual(self.server.told("publisher retry"), [])
        self.assertEqual(self.server.state()["contradictions"], [])

    def assertParsed(self, *bodies: bytes) -> None:
        for one in bodies:
            self.assertEqual(post(self.server.port, one), (200, "POST successfully parsed."))

    def test_every_order(self):
        orders = {f"o{n}": list(order) for n, order in enumerate(permutations(range(4)))}
        told = {buyer: story(buyer, self.now) for buyer in orders}
        # Of one buyer one after the other, of all buyers at once; repetitions come anywhere.
        random_ = random.Random(5)
        turns = [buyer for buyer in orders for _ in range(4)]
        again = [(buyer, n) for buyer in orders for n in range(4)]
        random_.shuffle(turns)
        random_.shuffle(again)
        locks = {buyer: Lock() for buyer in orders}
        left = {buyer: list(order) for buyer, order in orders.items()}

        def deliver(task):
            if isinstance(task, tuple):
                buyer, number = task
                return post(self.server.port, told[buyer][number])
            with locks[task]:
                return post(self.server.port, told[task][left[task].pop(0)])

        answers = in_threads(4, deliver, [*turns[:24], *_mixed(turns[24:], again)])
        self.assertEqual(set(answers), {(200, "POST successfully parsed.")})
        self.assertEqual(len(answers), 24 * 4 * 2)
        self.server.wait_for_mails()
        found = self.server.state()
        for buyer, order in orders.items():
            with self.subTest(order=order):
                self.assert_end(buyer, found["buyers"][f"{buyer}@example.org"])
        mailed = self.postbox.recipients()
        self.assertEqual(mailed, {f"{buyer}@example.org": 1 for buyer in orders})
        self.assertEqual(len(self.postbox.messages), 24)

    def assert_end(self, buyer, found):
        self.assertEqual(found["account"]["groups"], ["click2sell", "premium"])
        self.assertEqual(found["account"]["product_id"], "1")
        self.assertEqual(found["account"]["last_purchase_id"], f"R-{buyer}-3")
        self.assertEqual(found["account"]["affiliate"], "affiliate-1")
        self.assertEqual(found["record"]["live"], [["click2sell", "1"]])
        self.assertEqual([entry[0] for entry in found["entries"].values()], ["accepted"] * 4)
        self.assertEqual([mail[2] for mail in found["mails"]], ["sent"])

    def test_access_of_a_day(self):
        # A slow machine needs longer to look at what is before the end.
        for seconds in (8, 30, 90):
            buyer = f"day{seconds}"
            end = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=seconds)
            self.assertParsed(about(buyer, "1", end - timedelta(1), product_id="7"))
            before = [self.groups(buyer), self.server.sweep()["lapsed"], self.groups(buyer)]
            if datetime.now(timezone.utc) < end:
                break
            self.server.sweep()
        self.assertEqual(before, [["click2sell", "day"], [], ["click2sell", "day"]])
        time.sleep((end - datetime.now(timezone.utc)).total_seconds() + 0.1)
        lapsed = self.server.sweep()["lapsed"]
        self.assertEqual([one["user_id"] for one in lapsed], [f"{buyer}@example.org"])
        self.assertEqual(self.groups(buyer), ["click2sell"])
        self.assertEqual(self.server.sweep()["lapsed"], [])

    def test_mail_server_is_stopped_and_started(self):
        buyers = [f"m{n}" for n in range(5)]
        self.postbox.stop()
        try:
            self.assertParsed(*(about(buyer, "1", self.now) for buyer in buyers))
        finally:
            self.postbox.start()
        self.assertEqual(self.groups("m0"), ["click2sell", "premium"])
        self.server.wait_for_mails()
        self.server.ask("@@proof-hurry")
        self.server.sweep()
        self.server.wait_for_mails()
        self.assertEqual(
            self.postbox.recipients(), {f"{buyer}@example.org": 1 for buyer in buyers}
        )
        self.assertEqual(len(self.postbox.messages), 5)

    def test_eight_clients_at_once(self):
        for name, buyers in (("eight", [f"e{n}" for n in range(8)]), ("one", ["e8"] * 8)):
            with self.subTest(f"{name} buyers"):
                told = [about(buyer, str(n), self.now) for n, buyer in enumerate(buyers)]
                answers = in_threads(8, lambda one: post(self.server.port, one), told * 3)
                self.assertEqual(set(answers), {(200, "POST successfully parsed.")})
        # All commits of a process are one after the other.
        self.assertEqual(self.server.told("pause"), [])
        self.server.wait_for_mails()
        found = self.server.state()["buyers"]
        self.assertEqual(len(found["e8@example.org"]["entries"]), 8)
        self.assertEqual(self.postbox.recipients(), {f"e{n}@example.org": 1 for n in range(9)})

    def groups(self, buyer):
        return self.server.state()["buyers"][f"{buyer}@example.org"]["account"]["groups"]


def _mixed(turns: list[str], again: list[tuple[str, int]]) -> list:
    mixed = [*turns, *again]
    random.Random(6).shuffle(mixed)
    return mixed
