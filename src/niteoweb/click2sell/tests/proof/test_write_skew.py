"""Two processes at one buyer: neither sees what the other is about to commit.

ZODB finds a conflict only where both wrote the same object. A purchase and its refund that are
provisioned side by side need not write any object in common, and would leave access behind.
"""

from collections import Counter
from collections.abc import Callable
from itertools import permutations
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.tests.cases.process import apart
from niteoweb.click2sell.tests.cases.process import Worker
from niteoweb.click2sell.tests.proof.case import ProofCase
from niteoweb.click2sell.tests.proof.histories import Event
from niteoweb.click2sell.tests.proof.histories import notification
from threading import current_thread
from threading import Event as Signal
from typing import Any
from unittest import mock

import transaction


#: Seconds; more is a deadlock.
PATIENCE = 30

PAIRS = {
    "purchase and refund": (Event(Kind.PURCHASE, day=-3), Event(Kind.REFUND, day=-1)),
    "purchase and refund with a transaction of its own": (
        Event(Kind.PURCHASE, day=-3),
        Event(Kind.REFUND, day=-1, transaction="refund"),
    ),
    "renewal and refund of its purchase": (
        Event(Kind.PURCHASE, day=-40, subscription=True),
        Event(Kind.RENEWAL, day=-3, subscription=True),
        Event(Kind.REFUND, day=-1),
    ),
    "two purchases": (
        Event(Kind.PURCHASE, product="1", day=-3, receipt="1"),
        Event(Kind.PURCHASE, product="2", day=-1, receipt="2"),
    ),
    "a purchase that ends the other product": (
        Event(Kind.PURCHASE, product="1", day=-3),
        Event(Kind.PURCHASE, product="3", day=-1),
    ),
    "purchase and cancellation": (
        Event(Kind.PURCHASE, product="1", day=-3),
        Event(Kind.CANCELLATION, product="1", day=-1),
    ),
}


class TestWriteSkew(ProofCase):
    """The last two events of each history are provisioned side by side."""

    def setUp(self):
        super().setUp()
        self.enterContext(apart())
        # In a ledger that is nearly empty the indexes alone would make the two conflict.
        for minutes in (-30, -20, -10, 10, 20, 30):
            run = self.new_run()
            self.later(minutes=minutes)
            self.record(notification(Event(Kind.PURCHASE), run, 0))
        for run in [f"a{self.new_run()}" for _ in range(6)]:
            pipeline.process(notification(Event(Kind.PURCHASE), run, 0))

    def test_both_orders_have_one_end(self):
        for name, history in PAIRS.items():
            undisturbed = self.state(self.deliver(history, range(len(history))))
            for place in ("planned", "before commit"):
                for first, second in permutations((len(history) - 2, len(history) - 1)):
                    with self.subTest(name, place=place, first=history[first].kind):
                        run = self.side_by_side(history, first, second, place)
                        self.assertEqual(self.state(run), undisturbed)
                        self.assertEntitled(run, history)
                        # The winner ran once; the loser began anew, with the whole history.
                        self.assertEqual(self.passed, {"first": 1, "second": 2})

    def test_second_address_of_an_account(self):
        """A process adds an address to the account that an owner chose for it.

        Meanwhile another one records a refund under it.
        """
        history = (
            Event(Kind.PURCHASE, product="1", day=-9),
            Event(Kind.PURCHASE, product="2", day=-3, buyer=1),
            Event(Kind.REFUND, product="2", day=-1, buyer=1, transaction="refund"),
        )
        for names in permutations(("purchase", "refund")):
            with self.subTest(first=names[0]):
                run = self.new_run()
                told = [notification(event, run, n) for n, event in enumerate(history)]
                pipeline.process(told[0])
                self.record(told[1])
                chosen = {"chosen": told[0].buyer}
                buyers.change(self.portal, self.buyer(told[1].buyer), **chosen)
                transaction.commit()
                self.paused_at = {"purchase": "before commit", "refund": "before record"}
                self.race(
                    {
                        "purchase": lambda told=told: pipeline.resume(told[1].key),
                        "refund": lambda told=told: pipeline.process(told[2]),
                    },
                    names,
                )
                self.assertEqual(self.passed, {names[0]: 1, names[1]: 2})
                transaction.begin()
                groups = self.groups(told[0].buyer)
                self.assertEqual(groups, ["click2sell", "premium"])
                record = self.buyer(told[0].buyer)
                self.assertEqual(self.buyer(told[1].buyer)["id"], record["id"])
                self.assertEqual(set(record["keys"]), {one.key for one in told})
                for one in told:
                    entry = ledger.get(self.portal, one.key)
                    self.assertEqual(entry["outcome"], Outcome.ACCEPTED)
                    self.assertEqual(entry["buyer_id"], record["id"])

    def side_by_side(
        self, history: tuple[Event, ...], first: int, second: int, place: str
    ) -> str:
        """Provision two entries, each from a snapshot from before the other's commit."""
        run = self.new_run()
        for number in range(len(history) - 2):
            pipeline.process(notification(history[number], run, number))
        keys = {}
        for name, number in (("first", first), ("second", second)):
            told = notification(history[number], run, number)
            self.record(told)
            keys[name] = told.key
        self.paused_at = dict.fromkeys(keys, place)
        self.race(
            {
                name: lambda entry_key=entry_key: pipeline.resume(entry_key)
                for name, entry_key in keys.items()
            },
            ("first", "second"),
        )
        return run

    def race(self, works: dict[str, Callable[[], Any]], order: tuple[str, ...]) -> None:
        """Start all works, each up to where it pauses; then let one after the other go on."""
        self.passed = Counter()
        paused = {name: Signal() for name in works}
        go = {name: Signal() for name in works}

        def step(name: str) -> None:
            worker = current_thread().name
            if self.paused_at.get(worker) == name:
                self.passed[worker] += 1
                paused[worker].set()
                self.assertTrue(go[worker].wait(PATIENCE))

        workers = {
            name: Worker(self.layer["zodbDB"], self.portal.getId(), name, work)
            for name, work in works.items()
        }
        with mock.patch.object(steps, "reached", step):
            for name, worker in workers.items():
                worker.start()
                self.assertTrue(paused[name].wait(PATIENCE))
            for name in order:
                go[name].set()
                workers[name].join(PATIENCE)
        for worker in workers.values():
            self.assertIsInstance(worker.result, pipeline.Result)

    def record(self, told) -> None:
        """Write an entry down as a process does that dies then."""
        with (
            mock.patch.object(transactions, "run", _only_once(transactions.run)),
            self.assertRaises(_Died),
        ):
            pipeline.process(told)
        transaction.begin()
        self.assertEqual(ledger.get(self.portal, told.key)["outcome"], Outcome.RECEIVED)


class _Died(BaseException):
    pass


def _only_once(run):
    done = []

    def once(work):
        if done:
            raise _Died
        done.append(work)
        return run(work)

    return once
