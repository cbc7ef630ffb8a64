"""Properties of every history, tried with made-up ones.

Few transactions, products and days, so that entries meet, tie and contradict each other often.
"""

from dataclasses import replace
from datetime import timedelta
from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st
from niteoweb.click2sell.entitlement import GRANTS_NOTHING
from niteoweb.click2sell.entitlement import TAKES_EFFECT
from niteoweb.click2sell.entitlement.outcome import BillingEvent
from niteoweb.click2sell.entitlement.outcome import compute
from niteoweb.click2sell.entitlement.outcome import Outcome
from niteoweb.click2sell.entitlement.outcome import Policy
from niteoweb.click2sell.entitlement.outcome import State
from niteoweb.click2sell.entitlement.provisional import AT_MOST
from niteoweb.click2sell.notification import GIVING
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.tests.cases import tried
from niteoweb.click2sell.tests.cases.billing import DAY_0
from niteoweb.click2sell.tests.cases.billing import DAYS
from niteoweb.click2sell.tests.cases.billing import facts
from niteoweb.click2sell.tests.cases.billing import instants
from niteoweb.click2sell.tests.cases.billing import policies

import sys
import unittest


#: What happens to a subscription, and is not only worth knowing.
REAL = frozenset(Kind) - {
    *(Kind.PROVISIONAL, Kind.CORRECTION, Kind.INFORMATION, Kind.PAYMENT_FAILED, Kind.UNKNOWN)
}
UNDOING = (Kind.REFUND, Kind.CHARGEBACK)


def one_of(*kinds: Kind):
    """An entry of one of these kinds, with a key that no history has."""
    return st.builds(
        lambda one, kind: replace(one, kind=kind, key="5-x"), facts, st.sampled_from(kinds)
    )


def keyed(history: list[BillingEvent]) -> list[BillingEvent]:
    """Keys in an order that has nothing to do with that of the entries."""
    return [
        replace(one, key=f"{number * 7 % 10}-{number}") for number, one in enumerate(history)
    ]


histories = st.lists(facts, max_size=9).map(keyed)
#: Every notification of a sale has the sale's transaction, and none ends another product.
sales = st.lists(
    facts.filter(lambda one: one.transaction).map(
        lambda one: replace(
            one, provider="click2sell", exclusive=False, receipt="", external_subscription_id=""
        )
    ),
    max_size=9,
).map(keyed)


class TestProperties(unittest.TestCase):
    def assert_adds_nothing(self, without: Outcome, added: Outcome) -> None:
        for now in instants(without, added):
            self.assertLessEqual(added.products(now), without.products(now), now)

    @given(histories, policies, st.randoms(use_true_random=False))
    @tried(150)
    def test_any_order_and_any_duplication_give_the_same(self, history, policy, random):
        again = [*history, *random.choices(history, k=len(history))] if history else []
        random.shuffle(again)
        self.assertEqual(compute(history, policy), compute(again, policy))

    @given(histories, policies, one_of(*UNDOING))
    @tried(500)
    def test_a_refund_never_adds_access(self, history, policy, refund):
        self.assert_adds_nothing(compute(history, policy), compute([*history, refund], policy))

    @given(
        histories,
        policies,
        # One that states all of a subscription gives access where no purchase is known.
        one_of(Kind.CANCELLATION).map(lambda one: replace(one, snapshot=False)),
    )
    @tried(500)
    @example(
        # A reactivation may not open what only the added cancellation has closed.
        keyed(
            [
                BillingEvent("", "p", Kind.PURCHASE, "T1", "", "A", DAY_0, DAY_0, None),
                BillingEvent(
                    "", "p", Kind.REACTIVATION, "T1", "", "A", *[DAY_0 + timedelta(20)] * 2, 30
                ),
            ]
        ),
        Policy(),
        BillingEvent(
            "c", "p", Kind.CANCELLATION, "T1", "", "A", *[DAY_0 + timedelta(10)] * 2, 5
        ),
    )
    def test_a_cancellation_never_adds_access(self, history, policy, cancellation):
        self.assert_adds_nothing(
            compute(history, policy), compute([*history, cancellation], policy)
        )

    @given(histories, policies, one_of(Kind.PAYMENT_FAILED, Kind.INFORMATION, Kind.UNKNOWN))
    @tried(100)
    def test_what_means_nothing_changes_nothing(self, history, policy, nothing):
        self.assertEqual(
            compute(history, policy).entitlements,
            compute([*history, nothing], policy).entitlements,
        )

    @given(st.lists(facts, max_size=9), policies)
    @tried(100)
    def test_nothing_is_given_that_nobody_paid(self, history, policy):
        unpaid = keyed(
            [
                one
                for one in history
                if one.kind not in (*PAYMENTS, Kind.PROVISIONAL) and not one.states
            ]
        )
        self.assertEqual((), compute(unpaid, policy).entitlements)
        named = {(one.provider, one.product_id) for one in history}
        for entitlement in compute(keyed(history), policy).entitlements:
            self.assertIn((entitlement.provider, entitlement.product_id), named)

    @given(histories, policies, one_of(Kind.PROVISIONAL))
    @tried(300)
    def test_what_is_provisional_adds_some_minutes_and_nothing_else(
        self, history, policy, added
    ):
        added = replace(added, external_subscription_id="V9")
        without, with_it = compute(history, policy), compute([*history, added], policy)
        end = min(added.occurred_at, added.received_at) + AT_MOST
        for now in instants(without, with_it):
            more = with_it.products(now) - without.products(now)
            self.assertLessEqual(without.products(now), with_it.products(now))
            self.assertLessEqual(more, {(added.provider, added.product_id)})
            if more:
                self.assertTrue(added.occurred_at <= now < end)
        known = {**with_it.attention}
        known.pop(added.key, None)
        self.assertEqual(without.attention, known)

    @given(histories, policies, one_of(Kind.PROVISIONAL), one_of(*sorted(REAL)))
    @tried(300)
    def test_what_happened_to_the_subscription_takes_its_place(
        self, history, policy, given_before, real
    ):
        given_before = replace(
            given_before, external_subscription_id="V9", provider=real.provider
        )
        real = replace(real, external_subscription_id="V9", key="6-x")
        self.assertEqual(
            compute([*history, real, given_before], policy).entitlements,
            compute([*history, real], policy).entitlements,
        )

    @given(histories, policies, one_of(Kind.PROVISIONAL), one_of(Kind.PROVISIONAL))
    @tried(200)
    def test_once_for_each_subscription(self, history, policy, first, again):
        first = replace(first, external_subscription_id="V9")
        again = replace(
            again, external_subscription_id="V9", provider=first.provider, key="6-x"
        )
        if again.order > first.order:
            self.assertEqual(
                compute([*history, first, again], policy).entitlements,
                compute([*history, first], policy).entitlements,
            )

    @given(sales, policies)
    @tried(300)
    def test_a_product_that_any_live_chain_gives_is_kept(self, history, policy):
        # Every sale has its purchase and every other entry its sale, so that entries find each
        # other by transaction alone: each sale is a world of its own.
        sold = {
            (one.transaction, one.product_id) for one in history if one.kind is Kind.PURCHASE
        }
        known = {transaction for transaction, _ in sold}
        history = [
            one
            for one in history
            if one.transaction in known
            and (one.kind is not Kind.RENEWAL or (one.transaction, one.product_id) in sold)
        ]
        worlds = [
            [one for one in history if one.transaction == transaction] for transaction in known
        ]
        whole = compute(history, policy)
        parts = [compute(world, policy) for world in worlds]
        for now in instants(whole, *parts):
            self.assertEqual(
                whole.products(now), frozenset().union(*(part.products(now) for part in parts))
            )

    @given(histories, policies, one_of(Kind.PURCHASE))
    @tried(200)
    def test_after_an_exclusive_purchase_nothing_else_of_its_provider_is_left(
        self, history, policy, last
    ):
        last = replace(last, exclusive=True, received_at=last.occurred_at)
        before = [one for one in history if one.order < last.order]
        outcome = compute([*before, last], policy)
        for now in instants(outcome):
            if now >= last.begins_at:
                left = {
                    name
                    for provider, name in outcome.products(now)
                    if provider == last.provider
                }
                self.assertLessEqual(left, {last.product_id})

    @given(histories, policies, st.sampled_from(DAYS))
    @tried(150)
    def test_nothing_is_given_before_a_start_that_all_state(self, history, policy, start):
        begins = DAY_0 + timedelta(days=start)
        history = [
            replace(one, valid_from=max(begins, one.valid_from or begins))
            for one in history
            if one.kind is not Kind.PROVISIONAL
        ]
        outcome = compute(history, policy)
        for now in instants(outcome):
            if now < begins:
                self.assertEqual(frozenset(), outcome.products(now))

    @given(histories, policies, one_of(*PAYMENTS, Kind.PLAN_CHANGE, Kind.REACTIVATION))
    @tried(500)
    def test_a_start_to_come_takes_nothing_before_it(self, history, policy, last):
        # A refund, or a renewal, may have waited for the transaction of one more payment.
        history = [one for one in history if one.kind in GIVING]
        if last.kind is Kind.PURCHASE:
            last = replace(last, transaction="T9")
        latest = max([one.occurred_at for one in history], default=DAY_0)
        at = max(latest, last.occurred_at) + timedelta(days=2)
        start = at + timedelta(days=20)
        last = replace(
            last,
            occurred_at=at,
            received_at=at,
            valid_from=start,
            valid_until=None,
            snapshot=False,
        )
        without, with_it = compute(history, policy), compute([*history, last], policy)
        for now in instants(without, with_it):
            if now < start:
                self.assertEqual(without.products(now), with_it.products(now))

    @given(histories, policies)
    @tried(150)
    def test_access_follows_the_written_dates(self, history, policy):
        outcome = compute(history, policy)
        for now in instants(outcome):
            moment = outcome.next_change(now)
            if moment is None:
                continue
            just_before = moment - timedelta(microseconds=1)
            self.assertEqual(outcome.products(now), outcome.products(just_before))
            self.assertNotEqual(outcome.products(now), outcome.products(moment))
        for entitlement in outcome.entitlements:
            if entitlement.access_until is None:
                self.assertTrue(entitlement.gives_access(DAY_0 + timedelta(days=9999)))
            if entitlement.state is State.REFUNDED:
                self.assertEqual((), entitlement.spans)

    @given(histories, policies)
    @tried(150)
    def test_attention_names_entries_and_known_reasons(self, history, policy):
        outcome = compute(history, policy)
        keys = {one.key for one in history}
        self.assertLessEqual(set(outcome.attention), keys)
        self.assertLessEqual(set(outcome.attention.values()), GRANTS_NOTHING | TAKES_EFFECT)
        self.assertLessEqual(
            outcome.waiting, {one.key for one in history if one.kind in UNDOING}
        )
        for entitlement in outcome.entitlements:
            self.assertLessEqual(set(entitlement.keys), keys)
            self.assertEqual(len(set(entitlement.keys)), len(entitlement.keys))

    @given(histories, policies)
    @tried(50)
    def test_nothing_dated_far_ahead_grants(self, history, policy):
        ahead = [
            replace(one, received_at=one.occurred_at - timedelta(days=2)) for one in history
        ]
        self.assertEqual((), compute(ahead, policy).entitlements)


class TestCost(unittest.TestCase):
    def test_it_grows_with_the_entries_and_not_faster(self):
        few, many = self.calls(100), self.calls(400)
        self.assertLess(many / few, 4.5)

    def calls(self, length: int) -> int:
        """The number of calls that the outcome of a long history takes."""
        history = keyed(
            [
                BillingEvent(
                    key="",
                    provider="click2sell",
                    kind=Kind.RENEWAL if number % 10 else Kind.PURCHASE,
                    transaction=f"T{number // 10}",
                    receipt=f"r{number}",
                    product_id=f"P{number // 10}",
                    occurred_at=DAY_0 + timedelta(days=30 * number),
                    received_at=DAY_0 + timedelta(days=30 * number),
                    days=30,
                    exclusive=True,
                    subscription=True,
                )
                for number in range(length)
            ]
        )
        counted = [0]

        def count(_frame: object, event: str, _argument: object) -> None:
            counted[0] += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            compute(history, Policy())
        finally:
            sys.setprofile(before)
        return counted[0]
