"""Outgoing hooks of served sites: a receiver that is away, a process that dies, two processes.

Nobody sweeps: the background threads of the processes post.
"""

from collections import Counter
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.tests.cases.deliveries import about
from niteoweb.click2sell.tests.cases.receiver import Receiver
from niteoweb.click2sell.tests.proof.onsite import in_threads
from niteoweb.click2sell.tests.proof.onsite import Place
from niteoweb.click2sell.tests.proof.onsite import post
from niteoweb.click2sell.tests.proof.onsite import TwoServers
from threading import Event

import signal
import time
import unittest


WITHIN = 60
SOLD = ["member.created", "access.granted"]
REFUNDED = [*SOLD, "access.ended"]


class HooksCase(unittest.TestCase):
    """Purchases of buyers, and what a receiver was told of them."""

    receiver: Receiver

    def setUp(self):
        self.now = datetime.now(timezone.utc).replace(microsecond=0)

    def wait_until(self, ready):
        deadline = time.monotonic() + WITHIN
        while not ready():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def wait_until_taken(self, served):
        self.wait_until(lambda: served.ask("@@proof-receiver").text == "0")
        self.assertEqual(self.receiver.failures, [])

    def taken(self, buyer):
        """The events about a buyer, with repeated ones, in the order in which they came."""
        return [e for e in self.receiver.taken if e["data"]["email"] == f"{buyer}@example.org"]

    def told(self, buyer):
        """The types of these events, each event once, in the order in which they came first."""
        return list({event["id"]: event["type"] for event in self.taken(buyer)}.values())


class TestHooks(HooksCase):
    layer = Place("Hooks")

    def test_killed_before_the_answers_were_noted(self):
        self.receiver = self.enterContext(Receiver())
        first = self.layer.start("events posted:1").wait()
        self.layer.tell_mail_port(first)
        first.ask(f"@@proof-receiver?address={self.receiver.url}")
        # It may die before it has answered.
        self.assertIn(post(first.port, about("h", "1", self.now))[0], (0, 200))
        self.wait_until(lambda: not first.process.running)
        self.assertEqual(first.process.status, -signal.SIGKILL)
        self.assertEqual(self.told("h"), SOLD)

        self.receiver.stop()
        second = self.layer.start().wait()
        self.layer.tell_mail_port(second)
        self.assertEqual(second.ask("@@proof-receiver").text, "2")
        self.assertEqual(post(second.port, about("i", "1", self.now))[0], 200)
        self.assertEqual(second.ask("@@proof-receiver").text, "4")
        self.receiver.start()
        second.ask("@@proof-hurry?dead=1")
        self.wait_until_taken(second)
        for buyer in ("h", "i"):
            self.assertEqual(self.told(buyer), SOLD)
        # Those in hand came twice, with their ids.
        self.assertEqual(len(self.receiver.taken), 6)
        second.stop()


class TwoServersWithReceiver(TwoServers):
    """A layer: two servers on one database, and a receiver that both post to."""

    receiver: Receiver

    def setUp(self):
        super().setUp()
        self.receiver = self._stack.enter_context(Receiver())
        self.servers[0].ask(f"@@proof-receiver?address={self.receiver.url}")


class TestTwoProcesses(HooksCase):
    """Two servers on one database post the events of both, one of them at a time."""

    layer = TwoServersWithReceiver("HooksTwoProcesses")

    def setUp(self):
        super().setUp()
        self.receiver = self.layer.receiver

    def deliver(self, served, buyer, **changes):
        """Deliver a notification; both may be at the same data, and it is delivered again."""
        body = about(buyer, "1", self.now, **changes)
        while (status := post(served.port, body)[0]) == 503:
            pass
        self.assertEqual(status, 200)

    def refund(self, served, buyer):
        self.deliver(served, buyer, transaction_type="Refund")

    def test_1_each_event_comes_once(self):
        buyers = [f"e{number}" for number in range(12)]

        def buy_and_refund(task):
            number, buyer = task
            self.deliver(self.layer.servers[number % 2], buyer)
            self.refund(self.layer.servers[(number + 1) % 2], buyer)

        in_threads(4, buy_and_refund, enumerate(buyers))
        self.wait_until_taken(self.layer.servers[0])
        for buyer in buyers:
            self.assertEqual([event["type"] for event in self.taken(buyer)], REFUNDED)
        for served in self.layer.servers:
            self.assertTrue(served.told("events taken"), "one of them had nothing to do")

    def test_2_one_is_killed_while_it_delivers(self):
        held, free = Event(), Event()

        def hold(event):
            if event["type"] == "access.granted" and not held.is_set():
                held.set()
                free.wait(WITHIN)
            return 200

        self.receiver.status = hold
        self.deliver(self.layer.servers[0], "k")
        self.assertTrue(held.wait(WITHIN))
        (victim,) = [one for one in self.layer.servers if self.delivers(one)]
        (survivor,) = [one for one in self.layer.servers if one is not victim]
        victim.kill()
        self.assertEqual(victim.process.status, -signal.SIGKILL)
        free.set()
        self.wait_until(lambda: self.told("k") == SOLD)

        # The two in hand are left to the dead one, and with them whatever follows.
        self.refund(survivor, "k")
        for buyer in ("l", "m"):
            self.deliver(survivor, buyer)
        self.assertEqual(survivor.ask("@@proof-receiver").text, "7")
        survivor.ask("@@proof-hurry?dead=1")
        self.deliver(survivor, "n")
        self.wait_until_taken(survivor)
        self.assertEqual([event["type"] for event in self.taken("k")], [*SOLD, *REFUNDED])
        for buyer, types in {"k": REFUNDED, "l": SOLD, "m": SOLD, "n": SOLD}.items():
            self.assertEqual(self.told(buyer), types)
        times = Counter(event["id"] for event in self.receiver.taken)
        # None but those in hand came twice.
        twice = {id_ for id_, n in times.items() if n > 1}
        self.assertEqual(twice, {event["id"] for event in self.taken("k")[:2]})

    def delivers(self, served):
        """Whether a server has taken events and not posted them."""
        return len(served.told("events taken")) > len(served.told("events posted"))
