"""``make soak`` in short, and that its checks can fail."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from tools.soak.outcome import Outcome
from tools.soak.outcome import Window
from tools.soak.run import soak
from tools.soak.traffic import DOCUMENTED
from tools.soak.watch import Look
from tools.soak.watch import slope
from types import SimpleNamespace

import unittest


SECONDS = 20
REST_SECONDS = 3


class TestShortRun(unittest.TestCase):
    def test_everything_is_as_documented(self):
        with TemporaryDirectory() as folder:
            found = soak(Path(folder), SECONDS, 4, lambda text: None, REST_SECONDS)
        bars = found.bars()
        table = found.table(bars)
        self.assertEqual({bar.name for bar in bars if not bar.met}, set(), table)
        # All that matters was tried, or nothing was proven.
        tried = {kind for kind, times in found.traffic.times.items() if times}
        expected = {"purchase", "duplicate", "refund", "forged", "too large", "slow", "page"}
        self.assertLessEqual(expected, tried, table)
        self.assertGreater(len(found.traffic.acknowledged), 10, table)
        self.assertIn("requests", found.json(bars))


class TestOutcome(unittest.TestCase):
    def setUp(self):
        super().setUp()
        times = {kind: [(float(at), 0.02) for at in range(100)] for kind in DOCUMENTED}
        self.traffic = SimpleNamespace(times=times, wrong=Counter(), busy=0)
        self.looks = [Look(float(at), 200_000_000, 20, 8) for at in range(100)]
        self.rested = (self.looks[0], self.looks[-1])
        self.problems = []
        self.mails = 0
        self.window = Window(0.0, 100.0)

    def missed(self):
        found = Outcome(
            self.traffic, self.window, self.looks, self.rested, self.problems, self.mails
        )
        bars = [*found.bars(), *found.long_bars()]
        self.assertEqual(len(bars), 7)
        self.assertEqual(found.table(bars).count("\nNOT "), sum(not bar.met for bar in bars))
        return [bar.name.split(",")[0] for bar in bars if not bar.met]

    def test_all_is_well(self):
        self.assertEqual(self.missed(), [])

    def test_a_wrong_answer(self):
        self.traffic.wrong["purchase: 500 'POST handling failed.'"] = 1
        self.assertEqual(self.missed(), ["answers other than the documented ones"])

    def test_something_is_lost(self):
        self.problems = ["john@example.org: purchase T-1 is lost"]
        self.assertEqual(self.missed(), ["lost"])

    def test_a_mail_came_twice(self):
        self.mails = 1
        self.assertEqual(self.missed(), ["mails that came twice"])

    def test_what_stays_open(self):
        self.rested = (self.looks[0], Look(99.0, 200_000_000, 60, 9))
        self.assertEqual(self.missed(), ["more open files at rest", "more threads at rest"])

    def test_memory_grows(self):
        self.looks = [Look(float(at), (200 + at) * 1_000_000, 20, 8) for at in range(100)]
        self.assertEqual(self.missed(), ["memory"])

    def test_purchases_slow_down(self):
        self.traffic.times["purchase"] = [(float(at), 0.02 + at / 2000) for at in range(100)]
        self.assertEqual(self.missed(), ["median of a purchase"])
        # The whole machine did.
        self.traffic.times["floor"] = [(float(at), 0.01 + at / 4000) for at in range(100)]
        self.assertEqual(self.missed(), [])


class TestSlope(unittest.TestCase):
    def test_bytes_an_hour(self):
        looks = [Look(float(at), 1000 * at, 0, 0) for at in range(10)]
        self.assertAlmostEqual(slope(looks), 3_600_000)
        self.assertEqual(slope(looks[:2]), 0.0)
