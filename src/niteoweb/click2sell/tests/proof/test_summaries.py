"""A run that goes on from a buyer's summary plans what a run of the whole history plans."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import timedelta
from hypothesis import given
from hypothesis import strategies as st
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import summary
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan as plans
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases import tried
from niteoweb.click2sell.tests.cases.layers import NOW
from niteoweb.click2sell.tests.proof.case import ProofCase
from niteoweb.click2sell.tests.proof.histories import address
from niteoweb.click2sell.tests.proof.histories import Event
from niteoweb.click2sell.tests.proof.histories import histories
from niteoweb.click2sell.tests.proof.histories import notification
from typing import Any
from unittest import mock

import json
import transaction


#: What comes after the first events: mostly renewals, some days apart.
more = st.lists(
    st.tuples(
        st.sampled_from(
            (*[Kind.RENEWAL] * 6, Kind.PURCHASE, Kind.PAYMENT_FAILED, Kind.CANCELLATION)
        ),
        st.sampled_from(("2", "2", "2", "4", "1", "5")),
        st.sampled_from(("a", "a", "b", "new", "")),
        st.sampled_from((0, 1, 9, 29, 31)),
    ),
    min_size=4,
    max_size=9,
)


class TestSummaries(ProofCase):
    def setUp(self):
        super().setUp()
        for place, name, number in (
            (buyers, "FEW", 2),
            (summary, "AT_ONCE", 2),
            (summary, "APART", 1),
        ):
            self.enterContext(mock.patch.object(place, name, number))
        self.quick = 0
        self._make = plans.make
        self.enterContext(mock.patch.object(plans, "make", self.make))

    def make(self, site: Any, *args: Any, **rules: Any) -> plans.Plan:
        """A plan; the same as without the summary."""
        plan = self._make(site, *args, **rules)
        if plan.whole:
            return plan
        self.quick += 1
        with mock.patch.object(summary, "outcome", lambda *args: None):
            whole = self._make(site, *args, **rules)
        self.assertTrue(whole.whole)
        for name in {field.name for field in fields(plan)} - {"verdicts", "whole"}:
            self.assertEqual(getattr(plan, name), getattr(whole, name), name)
        for key, verdict in whole.verdicts.items():
            entry = ledger.get(site, key)
            written = plans.Verdict(entry["outcome"], entry["reason"], entry["subject"])
            self.assertEqual(plan.verdicts.get(key, written).reason, verdict.reason, key)
            self.assertEqual(plan.verdicts.get(key, written).outcome, verdict.outcome, key)
        return plan

    def go_on(self, run: str, following: Any, number: int = 100) -> None:
        """Let more come, each some days later."""
        for place, (kind, product, name, days) in enumerate(following, number):
            self.now += timedelta(days=days, seconds=1)
            event = Event(
                kind=kind,
                product=product,
                day=(self.now - NOW) / timedelta(days=1),
                transaction=f"new{place}" if name == "new" else name,
                receipt=f"R{place}",
                subscription=True,
            )
            with self.unexpected_errors_shown():
                pipeline.process(notification(event, run, place))
            self.assert_indexed(run)

    def assert_indexed(self, run: str) -> None:
        """The buyer's rows are those of the whole history."""
        transaction.begin()
        record = buyers.find(self.portal, address(run, 0))
        if record is None:
            return
        kind = indexes._KINDS["buyers"]
        self.assertEqual(record["filed"], kind.rows(self.portal, record))
        with mock.patch.object(buyers, "telling", buyers.entries):
            self.assertEqual(record["filed"], kind.rows(self.portal, record))

    @contextmanager
    def renewing(self) -> Iterator[str]:
        """A buyer with a summary, which is gone afterwards."""
        run = self.deliver([Event(Kind.PURCHASE, product="2", day=0, transaction="a")], [0])
        self.go_on(run, [(Kind.RENEWAL, "2", "a", 30)] * 6)
        self.assertIn("summary", self.record(run))
        self.assertGreater(self.quick, 1)
        yield run
        transaction.begin()

    def record(self, run: str) -> buyers.Buyer:
        transaction.begin()
        return buyers.find(self.portal, address(run, 0))

    @tried(60)
    @given(histories, more)
    def test_histories(self, history, following):
        run = self.deliver(history, range(len(history)))
        self.go_on(run, following)

    def test_a_renewal_goes_on_from_it(self):
        with self.renewing() as run:
            before = self.quick
            self.go_on(run, [(Kind.RENEWAL, "2", "a", 30)] * 3, 200)
            self.assertEqual(self.quick, before + 3)

    def test_a_refund_of_a_payment_that_is_summed_up(self):
        with self.renewing() as run:
            self.go_on(run, [(Kind.REFUND, "2", "a", 1)], 200)
            self.assertEqual(self.record(run)["live"], ())

    def test_another_grace(self):
        with self.renewing() as run:
            before = self.quick
            self.settings(grace_days=9)
            self.go_on(run, [(Kind.RENEWAL, "2", "a", 30)], 200)
            self.assertEqual(self.quick, before)
            self.go_on(run, [(Kind.RENEWAL, "2", "a", 30)], 300)
            self.assertEqual(self.quick, before + 1)

    def test_a_late_payment(self):
        """It is older than what is summed up."""
        with self.renewing() as run:
            before, self.now = self.quick, self.now + timedelta(days=1)
            late = Event(Kind.PURCHASE, product="1", day=40, transaction="late", receipt="L")
            pipeline.process(notification(late, run, 200))
            self.assertEqual(self.quick, before)
            self.assertIn(("click2sell", "1"), self.record(run)["live"])
            self.assert_indexed(run)
            self.go_on(run, [(Kind.RENEWAL, "2", "a", 29)], 300)
            self.assertEqual(self.quick, before + 1)

    def test_what_changes_an_entry_removes_it(self):
        with self.renewing() as run:
            first = sorted(self.record(run)["keys"])[0]
            ledger.change(self.portal, ledger.get(self.portal, first), subject="changed")
            transaction.commit()
            self.assertNotIn("summary", self.record(run))

    def test_a_replay_of_an_entry_that_is_summed_up(self):
        with self.renewing() as run:
            before = self.quick
            pipeline.replay(sorted(self.record(run)["keys"])[1])
            self.assertEqual(self.quick, before)

    def test_it_is_not_exported(self):
        """The entries that it sums up are."""
        with self.renewing() as run:
            exported = json.dumps(export.export(self.portal, address(run, 0), self.now))
            self.assertNotIn('"summary"', exported)
            self.assertNotIn('"recent"', exported)

    def test_erasure_leaves_none(self):
        with self.renewing() as run:
            erasure.erase(address(run, 0), "Asked for by letter", "owner")
            records = [*trees.tree(self.portal, "buyers").values()]
            self.assertFalse([record for record in records if "summary" in record])

    def test_an_account_that_is_deleted(self):
        with self.renewing() as run:
            before = self.quick
            with self.owner():
                self.portal.portal_membership.deleteMembers([address(run, 0)])
            self.go_on(run, [(Kind.RENEWAL, "2", "a", 30)], 200)
            self.assertEqual(self.quick, before)
            self.assertEqual(self.record(run)["user_id"], address(run, 0))
