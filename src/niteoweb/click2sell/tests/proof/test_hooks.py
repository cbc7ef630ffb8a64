"""Outgoing hooks of a served site: a receiver that is away, a process that dies.

Nobody sweeps: the background thread of the process posts.
"""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.tests.cases.deliveries import about
from niteoweb.click2sell.tests.cases.receiver import Receiver
from niteoweb.click2sell.tests.proof.onsite import Place
from niteoweb.click2sell.tests.proof.onsite import post

import signal
import time
import unittest


WITHIN = 60


class TestHooks(unittest.TestCase):
    layer = Place("Hooks")

    def setUp(self):
        self.receiver = self.enterContext(Receiver())
        self.now = datetime.now(timezone.utc).replace(microsecond=0)

    def wait_until(self, ready):
        deadline = time.monotonic() + WITHIN
        while not ready():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def told(self, buyer):
        """The events about a buyer, each once, in the order in which they came first."""
        events = {
            event["id"]: event["type"]
            for event in self.receiver.taken
            if event["data"]["email"] == f"{buyer}@example.org"
        }
        return list(events.values())

    def test_killed_before_the_answers_were_noted(self):
        first = self.layer.start("events posted:1").wait()
        self.layer.tell_mail_port(first)
        first.ask(f"@@proof-receiver?address={self.receiver.url}")
        # It may die before it has answered.
        self.assertIn(post(first.port, about("h", "1", self.now))[0], (0, 200))
        self.wait_until(lambda: not first.process.running)
        self.assertEqual(first.process.status, -signal.SIGKILL)
        self.assertEqual(self.told("h"), ["member.created", "access.granted"])

        self.receiver.stop()
        second = self.layer.start().wait()
        self.layer.tell_mail_port(second)
        self.assertEqual(second.ask("@@proof-receiver").text, "2")
        self.assertEqual(post(second.port, about("i", "1", self.now))[0], 200)
        self.assertEqual(second.ask("@@proof-receiver").text, "4")
        self.receiver.start()
        second.ask("@@proof-hurry?dead=1")
        self.wait_until(lambda: second.ask("@@proof-receiver").text == "0")
        for buyer in ("h", "i"):
            self.assertEqual(self.told(buyer), ["member.created", "access.granted"])
        # Those in hand came twice, with their ids.
        self.assertEqual(len(self.receiver.taken), 6)
        self.assertEqual(self.receiver.failures, [])
        second.stop()
