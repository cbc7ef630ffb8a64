"""Any order, any repetition, a sweep at any point: one end, and the one that was paid for."""

from collections.abc import Iterator
from collections.abc import Sequence
from datetime import timedelta
from hypothesis import given
from hypothesis import strategies as st
from itertools import permutations
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases import tried
from niteoweb.click2sell.tests.cases.layers import NOW
from niteoweb.click2sell.tests.proof import dump
from niteoweb.click2sell.tests.proof.case import ProofCase
from niteoweb.click2sell.tests.proof.histories import address
from niteoweb.click2sell.tests.proof.histories import Event
from niteoweb.click2sell.tests.proof.histories import NAMED
from niteoweb.click2sell.tests.proof.histories import notification
from niteoweb.click2sell.tests.proof.histories import SWEEP
from niteoweb.click2sell.tests.proof.histories import tales

import transaction


class TestAnyOrder(ProofCase):
    """While no time passes, so that all orders have the same end."""

    def tearDown(self):
        self.assertEqual(dump.contradictions(self.portal), [])
        super().tearDown()

    def assertSameEnd(
        self, history: Sequence[Event], orders: Sequence[Sequence[int]], existing: bool = False
    ) -> None:
        first = None
        for order in orders:
            run = self.deliver(history, order, existing)
            self.assertEntitled(run, history, existing)
            state = self.state(run)
            if first is None:
                first = state
            self.assertEqual(state, first, (orders[0], order))

    def test_named_histories(self):
        for name, history in NAMED.items():
            with self.subTest(name):
                self.assertSameEnd(history, list(_all_orders(len(history))))

    @tried(120)
    @given(tales(3), st.booleans())
    def test_histories(self, tale, existing):
        history, orders = tale
        self.assertSameEnd(history, orders, existing)


class TestTwoAddresses(ProofCase):
    """A member who bought before buys under another address too, as an owner has decided."""

    def test_all_orders(self):
        history = (
            Event(Kind.PURCHASE, product="1", day=-9, receipt="1"),
            Event(Kind.PURCHASE, product="2", day=-5, receipt="2"),
            Event(Kind.PURCHASE, product="2", day=-3, receipt="3", buyer=1),
            Event(Kind.RENEWAL, product="4", day=-2, receipt="4", buyer=1),
            Event(Kind.REFUND, product="2", day=-1, transaction="refund", buyer=1),
        )
        first = None
        for order in permutations(range(1, len(history))):
            run = self.deliver(history, [0])
            other = buyers.of_address(self.portal, address(run, 1))
            buyers.change(self.portal, other, chosen=address(run, 0))
            transaction.commit()
            for number in (*order, *order[1:3]):
                pipeline.process(notification(history[number], run, number))
            self.sweep()
            one, other = self.state(run)
            one.pop("mails")
            other.pop("mails")
            self.assertEqual(one, other)
            # The refund undoes the latest purchase of product 2; the one before it stays.
            groups = ["click2sell", "course", "premium"]
            self.assertEqual(one["account"]["groups"], groups)
            self.assertEqual(one["account"]["last_purchase_id"], "R1-4")
            self.assertEqual(len(one["entries"]), len(history))
            first = first or one
            self.assertEqual(one, first, order)
        self.assertEqual(dump.contradictions(self.portal), [])


class TestWhileTimePasses(ProofCase):
    """A delivery that comes too early is decided by its arrival, as its end is."""

    def test_named_histories(self):
        for name, history in NAMED.items():
            for number, order in enumerate(_all_orders(len(history))):
                if number % 4 == 0:
                    with self.subTest(name, order=order):
                        self.deliver_slowly(history, order, timedelta(hours=40))

    @tried(150)
    @given(tales(1), st.sampled_from((1, 20, 26, 80, 200)), st.booleans())
    def test_histories(self, tale, hours, existing):
        history, [order] = tale
        self.deliver_slowly(history, order, timedelta(hours=hours), existing)

    def deliver_slowly(self, history, order, pause, existing=False):
        run = self.deliver(history, order, existing, pause)
        self.sweep()
        self.assertEntitled(run, history, existing)
        # All that ends by itself has ended, or is known to the sweep.
        for days in (8, 40, 100):
            self.now = NOW + timedelta(days=days) + len(order) * pause
            self.sweep()
            self.assertEntitled(run, history, existing)


def _all_orders(size: int) -> Iterator[list[int]]:
    """All orders; each event a second time, somewhere later, and a sweep in between."""
    for number, order in enumerate(permutations(range(size))):
        again = order[number % size]
        twice = [*order[: number % (size + 1)], SWEEP, *order[number % (size + 1) :]]
        yield [*twice, again, order[-1]]
