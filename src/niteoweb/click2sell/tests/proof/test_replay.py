"""Replaying the whole ledger, in any order, changes nothing."""

from datetime import timedelta
from hypothesis import given
from hypothesis import strategies as st
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases import tried
from niteoweb.click2sell.tests.proof import dump
from niteoweb.click2sell.tests.proof.case import ProofCase
from niteoweb.click2sell.tests.proof.histories import key
from niteoweb.click2sell.tests.proof.histories import NAMED
from niteoweb.click2sell.tests.proof.histories import SWEEP
from niteoweb.click2sell.tests.proof.histories import tales
from random import Random

import transaction


class TestReplay(ProofCase):
    """The entries enter below the check whether they were delivered before."""

    def assertReplayChangesNothing(self, keys: list[str]) -> None:
        transaction.begin()
        before, told, mailed = dump.everything(self.portal), self.told(), len(self.mailed)
        outcomes = {}
        for entry_key in keys:
            outcomes[entry_key] = pipeline.replay(entry_key).outcome
        transaction.begin()
        self.assertEqual(dump.everything(self.portal), before)
        self.assertEqual(self.told(), told)
        self.assertEqual(len(self.mailed), mailed)
        for entry_key, outcome in outcomes.items():
            self.assertEqual(ledger.get(self.portal, entry_key)["outcome"], outcome)

    def told(self) -> list[tuple[str, str]]:
        """Events that say that something changed."""
        return [(type(event).__name__, event.user_id) for event in self.events]

    def test_whole_ledger(self):
        """A replay of the entries of many buyers."""
        keys = []
        for number, history in enumerate(NAMED.values()):
            order = [*range(len(history)), SWEEP]
            run = self.deliver(history, order, existing=bool(number % 2))
            keys += [key(run, n) for n in range(len(history))]
        random = Random(3)
        for _ in range(3):
            random.shuffle(keys)
            self.assertReplayChangesNothing(keys)

    @tried(60)
    @given(tales(1), st.booleans(), st.randoms(use_true_random=False))
    def test_histories(self, tale, existing, random):
        history, [order] = tale
        run = self.deliver(history, order, existing, timedelta(hours=random.choice((0, 30))))
        self.sweep()
        keys = [key(run, n) for n in range(len(history))]
        random.shuffle(keys)
        self.assertReplayChangesNothing([*keys, keys[0]])

    def test_outcomes_that_ask_for_a_person(self):
        """Refused entries and those that need attention stay so, and are told of once."""
        self.new_run()
        self.buy()
        self.buy(buyer_email="other@example.org", c2s_transaction_id="R-9")
        self.buy_again(product_id="2", transaction_type="Subscription")
        self.buy_again(3, payment_status="Failed")
        transaction.begin()
        keys = list(ledger.newest_first(self.portal))
        found = {ledger.get(self.portal, one)["outcome"] for one in keys}
        self.assertEqual(
            found, {Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ATTENTION, Outcome.NOTHING}
        )
        with self.assertNoLogs("niteoweb.click2sell", "ERROR"):
            self.assertReplayChangesNothing(keys)
