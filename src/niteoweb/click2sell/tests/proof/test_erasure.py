"""An erasure changes no entitlement, and nothing that was erased comes to life again."""

from dataclasses import replace
from datetime import timedelta
from hypothesis import assume
from hypothesis import given
from hypothesis import strategies as st
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement.outcome import compute
from niteoweb.click2sell.entitlement.outcome import Outcome
from niteoweb.click2sell.entitlement.outcome import Policy
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases import tried
from niteoweb.click2sell.tests.proof import dump
from niteoweb.click2sell.tests.proof.case import ProofCase
from niteoweb.click2sell.tests.proof.histories import address
from niteoweb.click2sell.tests.proof.histories import key
from niteoweb.click2sell.tests.proof.histories import notification
from niteoweb.click2sell.tests.proof.histories import SWEEP
from niteoweb.click2sell.tests.proof.histories import tales
from typing import Any

import transaction


class TestErasure(ProofCase):
    """Of the first of two buyers, after any history."""

    def entitled(self, run: str) -> tuple[Any, list[str]]:
        """The outcome of the first buyer's entries, and their keys in the buyer's order."""
        transaction.begin()
        buyer = buyers.of_address(self.portal, address(run, 0))
        found = history.entries(self.portal, buyer)
        return compute(history.facts(found, {}), Policy()), list(buyer["keys"])

    def erase(self, run: str, delete_member: bool) -> None:
        """Erase the first buyer, and compare what the entries compute to."""
        before, keys = self.entitled(run)
        erasure.erase(address(run, 0), "proof", "owner", delete_member)
        after, hashes = self.entitled(run)
        self.assertEqual(_renamed(before, dict(zip(keys, hashes, strict=True))), after)

    def assertNobodyCame(self, run: str) -> None:
        transaction.begin()
        name = address(run, 0)
        self.assertNotIn(name, repr(dict(trees.tree(self.portal, "buyer_by_address"))))
        record = buyers.of_address(self.portal, name)
        self.assertEqual((record["user_id"], record["grants"]), ("", {}))

    @tried(60)
    @given(tales(2), st.booleans(), st.booleans(), st.randoms(use_true_random=False))
    def test_histories(self, tale, existing, delete_member, random):
        history_, [order, again] = tale
        assume(any(event.buyer == 0 for event in history_))
        run = self.deliver(history_, order, existing)
        other = dump.buyer(self.portal, address(run, 1))
        self.now += timedelta(hours=1)
        self.erase(run, delete_member)
        self.assertEqual(dump.contradictions(self.portal), [])
        transaction.begin()
        before, events = dump.everything(self.portal), len(self.events)
        numbers = [number for number in again if number != SWEEP]
        for number in numbers:
            pipeline.process(notification(history_[number], run, number))
        for number in numbers:
            pipeline.replay(key(run, number))
        transaction.begin()
        self.assertEqual(dump.everything(self.portal), before)
        self.assertEqual(len(self.events), events)
        self.assertEqual(dump.buyer(self.portal, address(run, 1)), other)
        self.assertNobodyCame(run)

    @tried(60)
    @given(tales(1), tales(1), st.booleans())
    def test_what_comes_later_waits(self, tale, later, delete_member):
        """It makes nobody a member, until it is erased too."""
        (history_, [order]), (more, [order_of_more]) = tale, later
        assume(any(event.buyer == 0 for event in history_))
        run = self.deliver(history_, order)
        self.erase(run, delete_member)
        self.now += timedelta(hours=1)
        for number in order_of_more:
            event = replace(more[max(number, 0)], buyer=0)
            pipeline.process(notification(event, run, 50 + max(number, 0)))
            self.assertNobodyCame(run)
        self.erase(run, delete_member)
        self.assertNobodyCame(run)
        self.assertEqual(dump.contradictions(self.portal), [])

    @tried(40)
    @given(tales(1), tales(1))
    def test_who_is_taken_in_again_is_as_if_never_erased(self, tale, later):
        """All that was paid for counts, once an owner has decided so."""
        (history_, [order]), (more, _orders) = tale, later
        assume(any(event.buyer == 0 for event in history_))
        more = [replace(event, buyer=0) for event in more]

        def told(erasing: bool) -> Any:
            run = self.deliver(history_, order)
            self.now += timedelta(hours=1)
            if erasing:
                self.erase(run, delete_member=True)
            self.now += timedelta(hours=1)
            for number, event in enumerate(more):
                pipeline.process(notification(event, run, 50 + number))
            if erasing:
                erasure.take_in(address(run, 0), "proof", "owner")
            outcome, keys = self.entitled(run)
            return _renamed(outcome, {one: str(at) for at, one in enumerate(keys)})

        self.assertEqual(told(True), told(False))


def _renamed(outcome: Outcome, names: dict[str, str]) -> Outcome:
    return Outcome(
        tuple(
            replace(entitlement, keys=tuple(names[one] for one in entitlement.keys))
            for entitlement in outcome.entitlements
        ),
        {names[one]: reason for one, reason in outcome.attention.items()},
        frozenset(names[one] for one in outcome.waiting),
    )
