"""Processes that die without a word, and two of them at once."""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.tests.cases.deliveries import about
from niteoweb.click2sell.tests.proof import server
from niteoweb.click2sell.tests.proof.onsite import in_threads
from niteoweb.click2sell.tests.proof.onsite import Place
from niteoweb.click2sell.tests.proof.onsite import post
from niteoweb.click2sell.tests.proof.onsite import TwoServers
from threading import Barrier
from threading import Event

import collections
import signal
import unittest


PURCHASES = 150
CLIENTS = 6


class TestKill(unittest.TestCase):
    layer = Place("Kill")

    def setUp(self):
        self.now = datetime.now(timezone.utc).replace(microsecond=0)
        self.postbox = self.layer.postbox

    def test_killed_after_recording(self):
        """The first process dies at a chosen place; nobody delivers the purchase again."""
        first = self.layer.start("recorded:3").wait()
        self.layer.tell_mail_port(first)
        answers = [post(first.port, about(f"r{n}", "1", self.now)) for n in range(3)]
        self.assertEqual([status for status, _text in answers], [200, 200, 0])
        first.stop()
        self.assertEqual(first.process.status, -signal.SIGKILL)

        second = self.layer.start().wait()
        left = second.state()["buyers"]["r2@example.org"]
        self.assertIsNone(left["account"])
        self.assertEqual([entry[0] for entry in left["entries"].values()], ["received"])
        # It may still be at work, for all that the sweep knows.
        self.assertEqual(second.sweep()["entries"], {})
        second.ask("@@proof-hurry?dead=1")
        self.assertEqual(list(second.sweep()["entries"].values()), ["accepted"])
        made = second.state()["buyers"]["r2@example.org"]
        self.assertEqual(made["account"]["groups"], ["click2sell", "premium"])
        second.wait_for_mails()
        self.assertEqual(self.postbox.recipients(), {f"r{n}@example.org": 1 for n in range(3)})

        self.kill_in_a_burst(second)

    def kill_in_a_burst(self, served: server.Server) -> None:
        told = {f"b{n}@example.org": about(f"b{n}", "1", self.now) for n in range(PURCHASES)}
        acknowledged: set[str] = set()
        enough = Event()

        def deliver(buyer: str) -> int:
            status, _text = post(served.port, told[buyer])
            if status == 200:
                acknowledged.add(buyer)
            if len(acknowledged) >= PURCHASES // 3 and not enough.is_set():
                enough.set()
                served.kill()
            return status

        statuses = in_threads(CLIENTS, deliver, told)
        self.assertEqual(set(statuses), {0, 200})
        self.assertLess(len(acknowledged), PURCHASES)

        again = self.layer.start().wait()
        found = again.state()
        for buyer in acknowledged:
            self.assertEqual(
                found["buyers"][buyer]["account"]["groups"], ["click2sell", "premium"]
            )
        answers = in_threads(CLIENTS, lambda buyer: post(again.port, told[buyer]), told)
        self.assertEqual(set(answers), {(200, "POST successfully parsed.")})
        # What the dead process was sending is sent again when its lease is over.
        again.ask("@@proof-hurry?dead=1")
        again.sweep()
        again.wait_for_mails()
        found = again.state()
        self.assertEqual(found["contradictions"], [])
        for buyer in told:
            one = found["buyers"][buyer]
            self.assertEqual(one["account"]["groups"], ["click2sell", "premium"])
            self.assertEqual([mail[2] for mail in one["mails"]], ["sent"])
        members = [name for name in found["members"] if name.startswith("b")]
        self.assertEqual(sorted(members), sorted(told))
        mailed = collections.Counter(mail["X-Envelope-To"] for mail in self.postbox.messages)
        self.assertEqual({to for to in mailed if to.startswith("b")}, set(told))
        self.assertEqual({self.postbox.recipients()[buyer] for buyer in told}, {1})
        twice = [to for to, count in mailed.items() if count > 1]
        # At most what was on its way when the process died.
        self.assertLessEqual(max(mailed.values()), 2)
        self.assertLessEqual(len(twice), 4)
        self.assertEqual(again.told("publisher retry"), [])


class TestTwoProcesses(unittest.TestCase):
    """Two servers on one database: nothing but the database keeps them apart."""

    layer = TwoServers("TwoProcesses")
    DELIVERIES = 50

    def setUp(self):
        self.servers = self.layer.servers
        self.layer.postbox.messages.clear()
        self.now = datetime.now(timezone.utc).replace(microsecond=0)

    def test_one_delivery_to_both_at_once(self):
        told = {
            f"z{n}@example.org": about(f"z{n}", "1", self.now) for n in range(self.DELIVERIES)
        }
        seen: collections.Counter[int] = collections.Counter()
        for one in told.values():
            barrier = Barrier(2)

            def deliver(served, one=one, barrier=barrier):
                barrier.wait()
                return post(served.port, one)[0]

            seen.update(in_threads(2, deliver, self.servers))
        self.assertLessEqual(set(seen), {200, 503})
        self.servers[0].wait_for_mails()
        for served in self.servers:
            self.assertEqual(served.told("publisher retry"), [])
        found = self.servers[1].state()
        self.assertEqual(found["contradictions"], [])
        members = [name for name in found["members"] if name.startswith("z")]
        self.assertEqual(sorted(members), sorted(told))
        for buyer in told:
            one = found["buyers"][buyer]
            self.assertEqual(one["account"]["groups"], ["click2sell", "premium"])
            self.assertEqual([entry[0] for entry in one["entries"].values()], ["accepted"])
        mailed = collections.Counter(
            mail["X-Envelope-To"] for mail in self.layer.postbox.messages
        )
        self.assertEqual(mailed, dict.fromkeys(told, 1))

    def test_mails_are_sent_once(self):
        """Both have mails to send at the same time, and see those of the other."""
        buyers = [f"x{n}" for n in range(20)]
        self.layer.postbox.seconds = 0.2
        self.addCleanup(setattr, self.layer.postbox, "seconds", 0.0)
        answers = in_threads(
            4,
            lambda task: post(self.servers[task[0] % 2].port, about(task[1], "1", self.now)),
            enumerate(buyers),
        )
        self.assertEqual({status for status, _text in answers}, {200})
        self.servers[0].wait_for_mails()
        mailed = collections.Counter(
            mail["X-Envelope-To"] for mail in self.layer.postbox.messages
        )
        self.assertEqual(mailed, {f"{buyer}@example.org": 1 for buyer in buyers})

    def test_one_buyer_at_both_at_once(self):
        """Eight clients, one buyer, other purchases each: 200 at once, or 503 and a new try."""
        told = [about("y", str(n), self.now) for n in range(16)]
        refused = 0
        while told:
            answers = in_threads(
                8,
                lambda task: (task[1], post(self.servers[task[0] % 2].port, task[1])[0]),
                enumerate(told),
            )
            self.assertLessEqual({status for _one, status in answers}, {200, 503})
            told = [one for one, status in answers if status == 503]
            refused += len(told)
            self.assertLess(refused, 40)
        for served in self.servers:
            self.assertEqual(served.told("publisher retry"), [])
        found = self.servers[0].state()
        one = found["buyers"]["y@example.org"]
        self.assertEqual([entry[0] for entry in one["entries"].values()], ["accepted"] * 16)
        self.assertEqual(found["contradictions"], [])
