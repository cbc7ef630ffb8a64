"""Each sentence of the model as an example."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import entitlement
from niteoweb.click2sell import notification
from niteoweb.click2sell.entitlement import GRANTS_NOTHING
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.entitlement import TAKES_EFFECT
from niteoweb.click2sell.entitlement.outcome import BillingEvent
from niteoweb.click2sell.entitlement.outcome import compute
from niteoweb.click2sell.entitlement.outcome import Outcome
from niteoweb.click2sell.entitlement.outcome import Policy
from niteoweb.click2sell.entitlement.outcome import State
from niteoweb.click2sell.notification import Kind

import ast
import itertools
import pathlib
import sys
import unittest


DAY_0 = datetime(2026, 1, 1, tzinfo=timezone.utc)


def day(number: float) -> datetime:
    """A moment some days after the first day of the examples."""
    return DAY_0 + timedelta(days=number)


def fact(kind: Kind, at: float, transaction: str = "T1", **values) -> BillingEvent:
    """An entry that arrives when it happens, of product A, which has 30 days."""
    days_late = values.pop("late", 0)
    values = {
        "key": f"{kind} {transaction} {at}",
        "provider": "click2sell",
        "receipt": "",
        "product_id": "A",
        "days": 30,
        **values,
    }
    return BillingEvent(
        kind=kind,
        transaction=transaction,
        occurred_at=day(at),
        received_at=day(at + days_late),
        **values,
    )


def purchase(at: float, transaction: str = "T1", **values) -> BillingEvent:
    return fact(Kind.PURCHASE, at, transaction, **values)


def subscription(at: float, transaction: str = "T1", **values) -> BillingEvent:
    return fact(Kind.PURCHASE, at, transaction, subscription=True, **values)


def renewal(at: float, transaction: str = "T1", **values) -> BillingEvent:
    return fact(Kind.RENEWAL, at, transaction, **values)


def refund(at: float, transaction: str = "T1", **values) -> BillingEvent:
    return fact(Kind.REFUND, at, transaction, **values)


def cancellation(at: float, transaction: str = "T1", **values) -> BillingEvent:
    return fact(Kind.CANCELLATION, at, transaction, **values)


class Case(unittest.TestCase):
    policy = Policy()

    def outcome(self, *facts: BillingEvent, policy: Policy | None = None) -> Outcome:
        """The outcome, after a look at every order of a short history."""
        policy = policy or self.policy
        outcome = compute(facts, policy)
        for order in itertools.islice(itertools.permutations(facts), 24):
            self.assertEqual(outcome, compute([*order, *facts], policy))
        return outcome

    def spans(self, outcome: Outcome, product_id: str = "A", provider: str = "click2sell"):
        """When there is access, in days."""
        for found in outcome.entitlements:
            if (found.provider, found.product_id) == (provider, product_id):
                return [
                    tuple(
                        None if moment is None else (moment - DAY_0) / timedelta(days=1)
                        for moment in span
                    )
                    for span in found.spans
                ]
        return []

    def assert_access(self, facts, spans, attention=(), product_id="A", policy=None):
        outcome = self.outcome(*facts, policy=policy)
        self.assertEqual(spans, self.spans(outcome, product_id))
        self.assertEqual(dict(attention), dict(outcome.attention))
        self.assertLessEqual(set(outcome.attention.values()), GRANTS_NOTHING | TAKES_EFFECT)
        return outcome


class TestPayments(Case):
    def test_nothing_gives_nothing(self):
        outcome = compute([], Policy())
        self.assertEqual(Outcome((), {}, frozenset()), outcome)
        self.assertEqual(frozenset(), outcome.products(DAY_0))
        self.assertIsNone(outcome.next_change(DAY_0))

    def test_a_purchase_gives_its_days_from_its_own_time(self):
        outcome = self.assert_access([purchase(0)], [(0, 30)])
        (one,) = outcome.entitlements
        self.assertEqual(("click2sell", "A"), (one.provider, one.product_id))
        self.assertEqual(State.ACTIVE, one.state)
        self.assertEqual((day(0), day(30), day(30)), self.ends(one))
        self.assertEqual(("purchase T1 0",), one.keys)

    def ends(self, one):
        return one.since, one.until, one.access_until

    def test_without_days_the_end_is_open(self):
        outcome = self.assert_access([purchase(0, days=None)], [(0, None)])
        self.assertEqual((day(0), None, None), self.ends(outcome.entitlements[0]))

    def test_the_end_itself_is_no_longer_access(self):
        (one,) = compute([purchase(0)], Policy()).entitlements
        self.assertFalse(one.gives_access(day(-0.001)))
        self.assertTrue(one.gives_access(day(0)))
        self.assertTrue(one.gives_access(day(29.999)))
        self.assertFalse(one.gives_access(day(30)))

    def test_a_renewal_adds_to_the_end_so_far(self):
        outcome = self.assert_access([subscription(0), renewal(28)], [(0, 63)])
        self.assertEqual(day(60), outcome.entitlements[0].until)

    def test_a_late_renewal_gives_its_days_from_its_own_time(self):
        self.assert_access([subscription(0), renewal(40)], [(0, 33), (40, 73)])

    def test_an_old_renewal_delivered_last_counts_from_its_place(self):
        self.assert_access([subscription(0), renewal(60), renewal(30, late=35)], [(0, 93)])

    def test_a_renewal_without_days_opens_the_end(self):
        self.assert_access([subscription(0), renewal(28, days=None)], [(0, None)])

    def test_a_renewal_with_days_keeps_an_open_end_open(self):
        self.assert_access([subscription(0, days=None), renewal(28)], [(0, None)])

    def test_a_date_that_the_provider_states_wins(self):
        for until in (10, 300):
            with self.subTest(until=until):
                self.assert_access([purchase(0, valid_until=day(until))], [(0, until)])

    def test_a_date_that_the_provider_states_wins_over_the_limit_of_renewals(self):
        self.assert_access(
            [subscription(0), renewal(28, valid_until=day(400))],
            [(0, 403)],
        )

    def test_a_renewal_without_a_purchase_starts_a_chain(self):
        self.assert_access([renewal(0)], [(0, 33)])

    def test_a_purchase_that_arrives_after_its_renewals_joins_them(self):
        self.assert_access([renewal(30), renewal(60), subscription(0, late=70)], [(0, 93)])

    def test_a_renewal_with_a_transaction_of_its_own_follows_the_latest_purchase(self):
        facts = [subscription(0), subscription(10, "T2"), renewal(38, "R1")]
        outcome = self.assert_access(facts, [(0, 73)])
        self.assertEqual(
            ("purchase T2 10", "renewal R1 38"),
            outcome.entitlements[0].keys,
        )

    def test_a_renewal_with_the_transaction_of_an_older_purchase_follows_that(self):
        facts = [subscription(0), subscription(10, "T2"), renewal(28), refund(29, "T2")]
        outcome = self.assert_access(facts, [(0, 63)])
        self.assertEqual(("purchase T1 0", "renewal T1 28"), outcome.entitlements[0].keys)

    def test_a_renewal_dated_before_its_purchase_does_not_join_another(self):
        facts = [purchase(0), renewal(20, "T2"), purchase(21, "T2"), refund(25)]
        self.assert_access(facts, [(20, 54)])

    def test_the_same_sale_told_twice_does_not_add_up(self):
        facts = [purchase(0, receipt="r1"), purchase(1, receipt="r2")]
        self.assert_access(facts, [(0, 31)])

    def test_the_same_sale_told_again_takes_nothing_back(self):
        facts = [subscription(0), renewal(28), purchase(29, receipt="r2")]
        self.assert_access(facts, [(0, 63)])
        facts = [subscription(0), renewal(28), cancellation(28.5), purchase(29, receipt="r2")]
        self.assert_access(facts, [(0, 63)])
        self.assert_access([*facts, fact(Kind.REACTIVATION, 30)], [(0, 63)])

    def test_purchases_without_a_transaction_are_chains_of_their_own(self):
        facts = [purchase(0, ""), purchase(10, "", receipt="r"), refund(11, "X", receipt="r")]
        self.assert_access(facts, [(0, 30)])

    def test_two_purchases_of_a_product_overlap(self):
        outcome = self.assert_access([purchase(0), purchase(10, "T2")], [(0, 40)])
        self.assertEqual(1, len(outcome.entitlements))
        self.assertEqual(("purchase T2 10",), outcome.entitlements[0].keys)

    def test_products_of_two_providers_are_two_things(self):
        facts = [purchase(0), purchase(5, provider="plenigo", key="p", days=None), refund(6)]
        outcome = self.outcome(*facts)
        self.assertEqual({("plenigo", "A")}, outcome.products(day(7)))

    def test_access_begins_at_arrival_when_the_providers_clock_is_ahead(self):
        outcome = self.assert_access([purchase(1, late=-0.5)], [(0.5, 31)])
        self.assertEqual(day(1), outcome.entitlements[0].since)

    def test_a_time_more_than_a_day_after_arrival_grants_nothing(self):
        self.assert_access([purchase(1, late=-1)], [(0, 31)])
        late = purchase(1, late=-1.001)
        outcome = self.assert_access([late], [], {late.key: Reason.FUTURE})
        self.assertEqual((), outcome.entitlements)

    def test_a_renewal_more_than_a_week_early_grants_nothing(self):
        self.assert_access([subscription(0), renewal(23)], [(0, 63)])
        early = renewal(22.9)
        outcome = self.assert_access([subscription(0), early], [(0, 33)], {early.key: "beyond"})
        self.assertNotIn(early.key, outcome.entitlements[0].keys)

    def test_a_first_payment_told_as_new_and_as_recurring_is_one(self):
        for days, span in ((30, 30), (365, 365), (7, 7), (1, 1)):
            for new, recurring in ((0, 0), (0, 25), (25, 0), (25, 25), (100, 100), (0, 400)):
                # The same moment, and some minutes later by a clock of its own.
                for later in (0, 0.01, 0.4):
                    facts = [
                        subscription(0, days=days, late=new),
                        renewal(later, days=days, late=recurring),
                    ]
                    with self.subTest(days, late=(new, recurring), later=later):
                        (found,) = self.outcome(*facts).entitlements
                        self.assertEqual(found.until, day(span))
                        self.assertEqual(dict(self.outcome(*facts).attention), {})

    def test_a_first_payment_told_with_two_transactions_is_one(self):
        for late in (0, 25, 100):
            facts = [subscription(0, "T1", late=late), renewal(0, "T2", late=late)]
            (found,) = self.outcome(*facts).entitlements
            self.assertEqual(found.until, day(30))
        self.assert_access(
            [subscription(0, late=25), renewal(10, "T2", late=15)],
            [(0, 33)],
            {"renewal T2 10": Reason.BEYOND},
        )

    def test_renewals_are_judged_by_the_times_of_the_provider(self):
        on_time = [subscription(0), *(renewal(30 * number) for number in range(1, 6))]
        expected = self.spans(compute(on_time, self.policy))
        self.assertEqual(expected, [(0, 183)])
        for late in (1, 29, 31, 200):
            facts = [
                subscription(0, late=late),
                *(renewal(30 * number, late=late) for number in range(1, 6)),
            ]
            self.assertEqual(self.spans(compute(facts, self.policy)), expected)

    def test_a_renewal_after_half_of_its_days_is_one(self):
        self.assert_access([subscription(0, days=1), renewal(1, days=1)], [(0, 5)])
        self.assert_access([subscription(0, days=7), renewal(7, days=7)], [(0, 17)])

    def test_a_refund_in_the_hour_that_comes_twice(self):
        hour = 1 / 24
        bought = purchase(hour, earliest=day(0))
        for undo in (refund, cancellation):
            asked = undo(hour / 2, "T9")
            with self.subTest(undo):
                self.assert_access(
                    [bought, asked], [(hour, 30 + hour)], {asked.key: Reason.UNMATCHED_REFUND}
                )
        # It names its purchase; it comes after both times; it comes before both.
        self.assert_access([bought, refund(hour / 2)], [])
        self.assert_access([bought, refund(2 * hour, "T9")], [])
        early = refund(-1, "T9")
        outcome = self.assert_access([bought, early], [(hour, 30 + hour)])
        self.assertEqual(outcome.waiting, {early.key})
        # A purchase of another product is not meant.
        other = refund(hour / 2, "T9", product_id="B")
        self.assertEqual(self.outcome(bought, other).waiting, {other.key})

    def test_a_hundred_renewals_at_once_grant_one(self):
        facts = [subscription(0)] + [renewal(29 + n / 1000, key=f"k{n}") for n in range(98)]
        outcome = compute(facts, Policy())
        self.assertEqual([(0, 63)], self.spans(outcome))
        self.assertEqual(97, len(outcome.attention))

    def test_paying_each_month_for_more_days_than_a_month_has(self):
        # The days add up to more than a week with time; whoever pays on time must not stay out.
        facts = [subscription(0, days=31)]
        facts += [renewal(30.4 * number, days=31) for number in range(1, 60)]
        outcome = compute(facts, Policy())
        self.assertEqual({}, dict(outcome.attention))
        self.assertEqual([(0, 30.4 * 59 + 31 + 7 + 3)], self.spans(outcome))

    def test_what_was_given_on_top_makes_no_renewal_come_too_early(self):
        extended = fact(Kind.PLAN_CHANGE, 10, key="by hand", valid_until=day(75))
        facts = [subscription(0), extended]
        facts += [renewal(30 * number) for number in range(1, 12)]
        outcome = self.assert_access(facts, [(0, 75 + 330 + 3)])
        self.assertEqual(13, len(outcome.entitlements[0].keys))

    def test_a_stated_end_is_for_the_chain_that_is_on_the_product(self):
        cart = [purchase(0), purchase(0, product_id="B", key="other")]
        extended = fact(Kind.PLAN_CHANGE, 10, valid_until=day(75))
        self.assert_access([*cart, extended], [(0, 75)])
        self.assert_access([*cart, extended], [(0, 30)], product_id="B")

    def test_kinds_that_grant_nothing_grant_nothing(self):
        paying = {Kind.PURCHASE, Kind.RENEWAL}
        for kind in set(Kind) - paying:
            with self.subTest(kind=kind):
                outcome = self.outcome(fact(kind, 0, valid_until=day(99)))
                self.assertEqual((), outcome.entitlements)

    def test_an_unknown_kind_needs_attention(self):
        self.assert_access([fact(Kind.UNKNOWN, 0)], [], {"unknown T1 0": Reason.UNKNOWN_KIND})

    def test_the_calendar_ends_without_an_error(self):
        for days in (10**7, 10**12):
            with self.subTest(days=days):
                self.assert_access([purchase(0, days=days), renewal(1, days=days)], [(0, None)])


class TestTerms(Case):
    def test_a_product_without_a_line_gives_nothing_yet(self):
        unmapped = purchase(0, days=None, terms_known=False)
        outcome = self.assert_access([unmapped], [])
        self.assertEqual(State.UNMAPPED, outcome.entitlements[0].state)
        self.assertEqual((unmapped.key,), outcome.entitlements[0].keys)

    def test_a_product_without_a_line_gives_what_the_provider_states(self):
        unmapped = purchase(0, days=None, terms_known=False, valid_until=day(9))
        self.assert_access([unmapped], [(0, 9)])

    def test_terms_differ_from_payment_to_payment(self):
        self.assert_access([subscription(0, days=30), renewal(30, days=10)], [(0, 43)])


class TestRefunds(Case):
    def test_a_refund_undoes_the_whole_chain_whatever_the_times(self):
        for kind in (Kind.REFUND, Kind.CHARGEBACK):
            for at in (-5, 0, 15, 28, 500):
                with self.subTest(kind=kind, at=at):
                    undoing = fact(kind, at)
                    outcome = self.outcome(subscription(0), renewal(28), undoing)
                    (one,) = outcome.entitlements
                    self.assertEqual(State.REFUNDED, one.state)
                    self.assertEqual((), one.spans)
                    self.assertEqual(day(at), one.until)
                    self.assertEqual(undoing.key, one.keys[-1])

    def test_a_refund_with_the_transaction_of_a_renewal_undoes_the_chain(self):
        self.assert_access([subscription(0), renewal(28, "R1"), refund(29, "R1")], [])

    def test_a_refund_with_the_receipt_of_the_purchase_undoes_it(self):
        facts = [purchase(0, receipt="r1"), purchase(5, "T2", receipt="r2")]
        outcome = self.assert_access([*facts, refund(9, "X", receipt="r1")], [(5, 35)])
        self.assertEqual(frozenset(), outcome.waiting)

    def test_the_transaction_counts_more_than_the_receipt(self):
        facts = [purchase(0, receipt="r"), purchase(5, "T2", receipt="r")]
        self.assert_access([*facts, refund(9, "T1", receipt="r")], [(5, 35)])

    def test_one_receipt_for_two_products_undoes_the_refunded_product(self):
        facts = [
            purchase(0, receipt="r"),
            purchase(0, "T2", receipt="r", product_id="B"),
            refund(9, "X", receipt="r"),
        ]
        self.assert_access(facts, [])
        self.assert_access(facts, [(0, 30)], product_id="B")

    def test_a_refund_that_names_a_payment_of_another_product_undoes_its_chain(self):
        self.assert_access([purchase(0), refund(9, product_id="B")], [])

    def test_an_empty_receipt_matches_nothing(self):
        facts = [purchase(0, product_id="B"), refund(9, "X", product_id="A")]
        outcome = self.assert_access(facts, [(0, 30)], product_id="B")
        self.assertEqual({"refund X 9"}, outcome.waiting)

    def test_an_empty_transaction_matches_nothing(self):
        facts = [purchase(0, ""), purchase(1, "", product_id="B", key="b")]
        facts += [refund(9, "", product_id="C")]
        self.assertEqual({"refund  9"}, self.outcome(*facts).waiting)

    def test_a_refund_that_names_no_payment_undoes_the_latest_chain_begun_by_then(self):
        facts = [purchase(0), refund(40, "X"), purchase(41, "T2")]
        self.assert_access(facts, [(41, 71)])
        self.assert_access([purchase(0), refund(0, "X")], [])

    def test_the_setting_turns_that_into_needs_attention(self):
        strict = Policy(unmatched_refund_needs_attention=True)
        facts = [purchase(0), refund(9, "X")]
        reason = {"refund X 9": Reason.UNMATCHED_REFUND}
        self.assert_access(facts, [(0, 30)], reason, policy=strict)
        self.assert_access([purchase(0), refund(9)], [], policy=strict)

    def test_a_refund_without_a_purchase_waits_for_it(self):
        early = refund(9, "T1")
        self.assertEqual({early.key}, compute([early], Policy()).waiting)
        later = purchase(12, product_id="A")
        self.assertEqual(frozenset(), self.assert_access([early, later], []).waiting)

    def test_a_refund_does_not_undo_a_later_purchase_that_it_does_not_name(self):
        outcome = self.assert_access([refund(9, "X"), purchase(12)], [(12, 42)])
        self.assertEqual({"refund X 9"}, outcome.waiting)

    def test_more_than_one_live_chain_undoes_the_latest_and_needs_attention(self):
        facts = [purchase(0), purchase(5, "T2"), refund(9, "X")]
        self.assert_access(facts, [(0, 30)], {"refund X 9": Reason.AMBIGUOUS})

    def test_a_lapsed_chain_does_not_make_a_refund_ambiguous(self):
        self.assert_access([purchase(0), purchase(50, "T2"), refund(51, "X")], [(0, 30)])

    def test_a_refunded_chain_does_not_make_a_refund_ambiguous(self):
        facts = [purchase(0), refund(1), purchase(5, "T2"), refund(9, "X")]
        self.assert_access(facts, [])

    def test_two_refunds_that_name_nothing_undo_two_chains(self):
        facts = [purchase(0), purchase(5, "T2"), refund(9, "X"), refund(10, "Y")]
        self.assert_access(facts, [], {"refund Y 10": Reason.AMBIGUOUS})

    def test_a_chargeback_after_the_refund_undoes_nothing_else(self):
        facts = [purchase(0), purchase(5, "T2"), refund(9, "T2")]
        self.assert_access([*facts, fact(Kind.CHARGEBACK, 20, "T2")], [(0, 30)])

    def test_a_renewal_dated_after_the_refund_needs_attention(self):
        for transaction in ("T1", "R9"):
            with self.subTest(transaction=transaction):
                late = renewal(28, transaction)
                facts = [subscription(0), refund(20), late]
                self.assert_access(facts, [], {late.key: Reason.AFTER_REFUND})

    def test_a_renewal_dated_before_the_refund_goes_with_it(self):
        self.assert_access([subscription(0), refund(29), renewal(28, late=9)], [])

    def test_a_new_purchase_starts_a_new_chain(self):
        facts = [purchase(0), refund(9), purchase(10, "T2")]
        outcome = self.assert_access(facts, [(10, 40)])
        self.assertEqual(State.ACTIVE, outcome.entitlements[0].state)

    def test_a_purchase_of_a_refunded_transaction_needs_attention(self):
        again = purchase(10, receipt="r2")
        self.assert_access([purchase(0), refund(9), again], [], {again.key: "after refund"})

    def test_other_chains_keep_giving_access(self):
        facts = [purchase(0), purchase(5, "T2"), purchase(6, "T3", product_id="B"), refund(9)]
        self.assert_access(facts, [(5, 35)])
        self.assert_access(facts, [(6, 36)], product_id="B")

    def test_a_live_chain_explains_more_than_a_longer_one_that_was_refunded(self):
        outcome = self.assert_access(
            [purchase(0), purchase(5, "T2"), refund(9, "T2")], [(0, 30)]
        )
        (one,) = outcome.entitlements
        self.assertEqual((State.ACTIVE, ("purchase T1 0",)), (one.state, one.keys))

    def test_a_refund_dated_too_far_ahead_undoes_and_needs_attention(self):
        ahead = refund(9, late=-5)
        self.assert_access([purchase(0), ahead], [], {ahead.key: Reason.FUTURE})


class TestCancellation(Case):
    def test_it_keeps_the_end_that_was_paid_for(self):
        outcome = self.assert_access([subscription(0), cancellation(10)], [(0, 30)])
        (one,) = outcome.entitlements
        self.assertEqual(State.CANCELLED, one.state)
        self.assertEqual(day(30), one.access_until)
        self.assertEqual(State.CANCELLED, one.state_at(day(20)))
        self.assertEqual(State.LAPSED, one.state_at(day(30)))

    def test_with_an_open_end_access_ends_after_the_products_days(self):
        facts = [subscription(0, days=None), cancellation(10, days=30)]
        self.assert_access(facts, [(0, 40)])
        facts = [subscription(0), renewal(28, days=None), cancellation(50, days=None)]
        self.assert_access(facts, [(0, 80)])

    def test_with_an_open_end_and_no_days_it_needs_attention(self):
        end = cancellation(10, days=None)
        self.assert_access(
            [subscription(0, days=None), end], [(0, None)], {end.key: "open end"}
        )

    def test_days_of_unknown_terms_do_not_count(self):
        end = cancellation(10, days=5, terms_known=False)
        self.assert_access(
            [subscription(0, days=None), end], [(0, None)], {end.key: "open end"}
        )

    def test_an_earlier_end_that_the_provider_states_wins_and_a_later_one_does_not(self):
        for until, expected in ((20, 20), (99, 30)):
            with self.subTest(until=until):
                facts = [subscription(0), cancellation(10, valid_until=day(until))]
                self.assert_access(facts, [(0, expected)])
        facts = [subscription(0, days=None), cancellation(10, valid_until=day(99))]
        self.assert_access(facts, [(0, 99)])

    def test_of_two_the_earlier_end_counts(self):
        facts = [subscription(0, days=None), cancellation(10), cancellation(12, days=5)]
        self.assert_access(facts, [(0, 17)])

    def test_renewals_after_it_go_no_further_than_any_renewal(self):
        facts = [subscription(0, days=None), cancellation(10)]
        facts += [renewal(38 + n / 1000, key=f"r{n}") for n in range(20)]
        outcome = compute(facts, Policy(grace_days=0))
        ((_, until),) = self.spans(outcome)
        self.assertAlmostEqual(38.019 + 37, until, 6)

    def test_in_the_days_of_grace_it_ends_access_at_once(self):
        self.assert_access([subscription(0), cancellation(31)], [(0, 31)])

    def test_of_an_unknown_purchase_it_does_nothing(self):
        self.assertEqual(Outcome((), {}, frozenset()), self.outcome(cancellation(3)))

    def test_its_own_transaction_means_the_latest_chain(self):
        facts = [subscription(0), cancellation(10, "X")]
        self.assert_access(facts, [(0, 30)])
        facts = [subscription(0), subscription(5, "T2"), cancellation(10, "X")]
        self.assert_access(facts, [(0, 35)], {"cancellation X 10": Reason.AMBIGUOUS})

    def test_a_reactivation_takes_it_back(self):
        back = fact(Kind.REACTIVATION, 20)
        outcome = self.assert_access([subscription(0), cancellation(10), back], [(0, 33)])
        self.assertEqual(State.ACTIVE, outcome.entitlements[0].state)
        self.assert_access([subscription(0, days=None), cancellation(10), back], [(0, None)])

    def test_a_reactivation_long_after_leaves_the_gap(self):
        back = fact(Kind.REACTIVATION, 80)
        facts = [subscription(0, days=None), cancellation(10), back]
        self.assert_access(facts, [(0, 40), (80, None)])

    def test_a_reactivation_gives_nothing_that_was_not_paid(self):
        back = fact(Kind.REACTIVATION, 80)
        self.assert_access([subscription(0), cancellation(10), back], [(0, 30)])
        lone = fact(Kind.REACTIVATION, 80, "T9", product_id="B")
        self.assert_access([purchase(0), lone], [(0, 30)], {lone.key: Reason.NO_PURCHASE})

    def test_neither_does_one_of_a_purchase_that_grants_nothing(self):
        bad = purchase(0, late=-2)
        for kind in (Kind.REACTIVATION, Kind.PLAN_CHANGE):
            with self.subTest(kind=kind):
                back = fact(kind, 20, valid_until=day(90))
                reasons = {bad.key: Reason.FUTURE, back.key: Reason.NO_PURCHASE}
                self.assert_access([bad, back], [], reasons)

    def test_a_reactivation_after_the_refund_needs_attention(self):
        back = fact(Kind.REACTIVATION, 20, valid_until=day(90))
        self.assert_access([subscription(0), refund(9), back], [], {back.key: "after refund"})

    def test_a_payment_after_it_shows_that_the_subscription_goes_on(self):
        self.assert_access([subscription(0), cancellation(10), renewal(28)], [(0, 63)])


class TestGrace(Case):
    def test_it_is_for_subscriptions_whose_renewal_does_not_come(self):
        outcome = self.assert_access([subscription(0)], [(0, 33)])
        (one,) = outcome.entitlements
        self.assertEqual((day(30), day(33)), (one.until, one.access_until))
        states = [one.state_at(day(at)) for at in (29, 30, 32.9, 33)]
        self.assertEqual([State.ACTIVE, State.GRACE, State.GRACE, State.LAPSED], states)

    def test_never_for_a_single_sale(self):
        self.assert_access([purchase(0)], [(0, 30)])

    def test_a_renewal_makes_a_subscription(self):
        self.assert_access([purchase(0), renewal(30)], [(0, 63)])

    def test_the_setting_says_how_long(self):
        self.assert_access([subscription(0)], [(0, 30)], policy=Policy(grace_days=0))
        self.assert_access([subscription(0)], [(0, 44)], policy=Policy(grace_days=14))

    def test_a_failed_payment_changes_nothing(self):
        self.assert_access([subscription(0), fact(Kind.PAYMENT_FAILED, 30)], [(0, 33)])

    def test_a_renewal_within_grace_leaves_no_gap(self):
        self.assert_access([subscription(0), renewal(32)], [(0, 65)])


class TestExpiryAndPlanChange(Case):
    def test_expiry_ends_access_at_its_time(self):
        for at in (10, 30, 31):
            with self.subTest(at=at):
                outcome = self.assert_access(
                    [subscription(0), fact(Kind.EXPIRY, at)], [(0, at)]
                )
                self.assertEqual(State.ENDED, outcome.entitlements[0].state)
        self.assert_access([purchase(0, days=None), fact(Kind.EXPIRY, 10)], [(0, 10)])

    def test_a_renewal_after_an_expiry_gives_its_days(self):
        facts = [subscription(0), fact(Kind.EXPIRY, 10), renewal(20)]
        self.assert_access(facts, [(0, 10), (20, 53)])

    def test_a_reactivation_after_an_expiry_needs_a_stated_end(self):
        facts = [subscription(0), fact(Kind.EXPIRY, 10)]
        back = fact(Kind.REACTIVATION, 20)
        self.assert_access([*facts, back], [(0, 10)], {back.key: Reason.ENDED})
        back = fact(Kind.REACTIVATION, 20, valid_until=day(50))
        self.assert_access([*facts, back], [(0, 10), (20, 53)])

    def test_a_plan_change_takes_the_old_product_out_and_the_new_one_in(self):
        facts = [subscription(0), fact(Kind.PLAN_CHANGE, 10, product_id="B")]
        outcome = self.assert_access(facts, [(0, 10)])
        self.assertEqual([(10, 33)], self.spans(outcome, "B"))
        old, new = outcome.entitlements
        self.assertEqual((State.ENDED, day(10)), (old.state, old.until))
        self.assertEqual((day(10), day(33)), (old.access_until, new.access_until))
        self.assertEqual((State.ACTIVE, day(10), day(30)), (new.state, new.since, new.until))

    def test_a_renewal_after_a_plan_change_extends_the_new_product(self):
        for transaction in ("T1", "R1"):
            with self.subTest(transaction=transaction):
                facts = [
                    subscription(0),
                    fact(Kind.PLAN_CHANGE, 10, product_id="B"),
                    renewal(30, transaction, product_id="B"),
                ]
                self.assert_access(facts, [(10, 63)], product_id="B")

    def test_a_refund_of_either_product_undoes_a_changed_chain(self):
        for product_id in ("A", "B"):
            with self.subTest(product_id=product_id):
                facts = [
                    subscription(0),
                    fact(Kind.PLAN_CHANGE, 10, product_id="B"),
                    refund(20, "X", product_id=product_id),
                ]
                self.assertEqual(frozenset(), self.outcome(*facts).products(day(5)))
                self.assertEqual(frozenset(), self.outcome(*facts).products(day(15)))

    def test_a_refund_at_the_moment_of_the_change_finds_the_new_product(self):
        facts = [
            subscription(0),
            fact(Kind.PLAN_CHANGE, 10, product_id="B"),
            refund(10, "X", product_id="B"),
        ]
        self.assert_access(facts, [])

    def test_a_plan_change_dated_far_ahead_changes_nothing(self):
        ahead = fact(Kind.PLAN_CHANGE, 10, product_id="B", late=-2)
        facts = [subscription(0), ahead, renewal(28, "R1")]
        self.assert_access(facts, [(0, 63)], {ahead.key: Reason.FUTURE})

    def test_there_and_back_again(self):
        facts = [
            subscription(0),
            fact(Kind.PLAN_CHANGE, 10, product_id="B"),
            fact(Kind.PLAN_CHANGE, 20, product_id="A"),
        ]
        self.assert_access(facts, [(0, 10), (20, 33)])

    def test_an_end_stated_by_a_plan_change_wins(self):
        change = fact(Kind.PLAN_CHANGE, 10, product_id="B", valid_until=day(50))
        self.assert_access([subscription(0), change], [(10, 53)], product_id="B")

    def test_a_plan_change_gives_nothing_that_was_not_paid(self):
        change = fact(Kind.PLAN_CHANGE, 10, "T9", product_id="B", valid_until=day(50))
        self.assert_access([purchase(0), change], [(0, 30)], {change.key: Reason.NO_PURCHASE})

    def test_a_plan_change_of_an_expired_chain_gives_nothing(self):
        change = fact(Kind.PLAN_CHANGE, 10, product_id="B", valid_until=day(50))
        facts = [subscription(0), fact(Kind.EXPIRY, 5), change]
        self.assert_access(facts, [(0, 5)], {change.key: Reason.ENDED})

    def test_a_payment_of_another_product_is_a_chain_of_its_own(self):
        facts = [subscription(0), renewal(10, product_id="B")]
        self.assert_access(facts, [(0, 33)])
        self.assert_access(facts, [(10, 43)], product_id="B")


class TestExclusivity(Case):
    exclusive = purchase(10, "T2", product_id="B", exclusive=True)

    def test_a_purchase_ends_other_products_from_its_own_time(self):
        outcome = self.assert_access([subscription(0), self.exclusive], [(0, 10)])
        self.assertEqual([(10, 40)], self.spans(outcome, "B"))
        self.assertEqual(State.ENDED, outcome.entitlements[0].state)
        self.assertEqual(self.exclusive.key, outcome.entitlements[0].keys[-1])

    def test_off_by_default(self):
        facts = [subscription(0), purchase(10, "T2", product_id="B")]
        self.assert_access(facts, [(0, 33)])

    def test_refunding_it_brings_nothing_back(self):
        facts = [subscription(0), self.exclusive, refund(11, "T2", product_id="B")]
        outcome = self.assert_access(facts, [(0, 10)])
        self.assertEqual([], self.spans(outcome, "B"))

    def test_a_later_purchase_is_not_ended(self):
        self.assert_access([purchase(11), self.exclusive], [(11, 41)])

    def test_another_chain_of_the_same_product_is_not_ended(self):
        facts = [purchase(0, product_id="B"), self.exclusive]
        self.assert_access(facts, [(0, 40)], product_id="B")

    def test_products_of_other_providers_are_not_ended(self):
        other = purchase(0, provider="plenigo", key="other")
        self.assertIn(("plenigo", "A"), self.outcome(other, self.exclusive).products(day(20)))

    def test_a_later_renewal_of_an_ended_product_grants_and_needs_attention(self):
        late = renewal(30)
        facts = [subscription(0), self.exclusive, late]
        self.assert_access(facts, [(0, 10), (30, 63)], {late.key: Reason.DISPLACED})

    def test_a_lapsed_product_was_not_ended_by_it(self):
        facts = [purchase(-60), self.exclusive]
        outcome = self.assert_access(facts, [(-60, -30)])
        self.assertEqual(State.ACTIVE, outcome.entitlements[0].state)
        self.assertEqual(State.LAPSED, outcome.entitlements[0].state_at(day(10)))

    def test_each_payment_in_between_is_ended_by_the_next_one(self):
        facts = [
            subscription(0),
            self.exclusive,
            renewal(30),
            purchase(35, "T3", product_id="B", exclusive=True),
            purchase(36, "T4", product_id="C", exclusive=True),
        ]
        reasons = {"renewal T1 30": Reason.DISPLACED}
        outcome = self.assert_access(facts, [(0, 10), (30, 35)], reasons)
        self.assertEqual([(10, 36)], self.spans(outcome, "B"))
        self.assertNotIn("purchase T4 36", outcome.entitlements[0].keys)

    def test_a_changed_product_is_ended_by_the_next_one_of_another(self):
        change = fact(Kind.PLAN_CHANGE, 5, product_id="B")
        other = purchase(20, "T3", product_id="C", exclusive=True)
        self.assert_access([subscription(0), change, self.exclusive], [(5, 40)], product_id="B")
        facts = [subscription(0), change, self.exclusive, other]
        self.assert_access(facts, [(5, 20)], product_id="B")

    def test_a_chain_that_changed_to_the_exclusive_product_before_is_not_ended(self):
        facts = [
            subscription(0),
            fact(Kind.PLAN_CHANGE, 5, product_id="B"),
            purchase(10, product_id="B", exclusive=True),
        ]
        outcome = self.assert_access(facts, [(5, 43)], product_id="B")
        self.assertEqual([(0, 5)], self.spans(outcome))
        self.assertEqual(3, len(outcome.entitlements[1].keys))

    def test_an_expired_product_was_not_ended_by_it(self):
        facts = [subscription(0), fact(Kind.EXPIRY, 9), self.exclusive, renewal(30)]
        self.assert_access(facts, [(0, 9), (30, 63)])

    def test_a_refunded_product_was_not_ended_by_it(self):
        self.assert_access([subscription(0), refund(5), self.exclusive], [])

    def test_a_cancellation_before_it_opens_no_way_back(self):
        facts = [subscription(-21), self.exclusive, fact(Kind.REACTIVATION, 11)]
        self.assert_access(facts, [(-21, 10)], {"reactivation T1 11": Reason.ENDED})
        facts.append(cancellation(0))
        self.assert_access(facts, [(-21, 9)], {"reactivation T1 11": Reason.ENDED})

    def test_a_purchase_that_grants_nothing_ends_nothing(self):
        bad = purchase(10, "T2", product_id="B", exclusive=True, late=-3)
        self.assert_access([purchase(0), bad], [(0, 30)], {bad.key: Reason.FUTURE})


def stated(kind: Kind, at: float, transaction: str = "T1", **values) -> BillingEvent:
    values = {
        "provider": "plenigo",
        "days": None,
        "snapshot": True,
        "fully_signed": True,
        **values,
    }
    return fact(kind, at, transaction, **values)


class TestSnapshots(Case):
    """A provider that states all of a subscription whenever something happens to it."""

    def assert_spans(self, facts: list[BillingEvent], **spans) -> Outcome:
        outcome = self.outcome(*facts)
        found = {
            one.product_id: [
                (start and (start - DAY_0).days, stop and (stop - DAY_0).days)
                for start, stop in one.spans
            ]
            for one in outcome.entitlements
        }
        self.assertEqual(found, spans)
        return outcome

    def test_without_an_end_there_is_none(self):
        self.assert_spans([stated(Kind.PURCHASE, 0)], A=[(0, None)])
        self.assert_spans([stated(Kind.PURCHASE, 0, days=30)], A=[(0, None)])

    def test_each_gives_access_where_no_purchase_is_known(self):
        for kind in Kind.PURCHASE, Kind.RENEWAL, Kind.PLAN_CHANGE, Kind.REACTIVATION:
            with self.subTest(kind):
                self.assert_spans([stated(kind, 5, valid_until=day(9))], A=[(5, 9)])

    def test_the_latest_counts(self):
        begin = stated(Kind.PURCHASE, 0)
        end = stated(Kind.PLAN_CHANGE, 5, valid_until=day(20))
        self.assert_spans([begin, end], A=[(0, 20)])
        self.assert_spans([begin, end, stated(Kind.REACTIVATION, 9)], A=[(0, None)])
        later = stated(Kind.PLAN_CHANGE, 30)
        self.assert_spans([begin, end, later], A=[(0, 20), (30, None)])

    def test_another_product_takes_the_place_of_the_first(self):
        begin = stated(Kind.PURCHASE, 0)
        change = stated(Kind.PLAN_CHANGE, 5, product_id="B", valid_until=day(50))
        self.assert_spans([begin, change], A=[(0, 5)], B=[(5, 50)])
        back = stated(Kind.PLAN_CHANGE, 9)
        self.assert_spans([begin, change, back], A=[(0, 5), (9, None)], B=[(5, 9)])

    def test_it_ends_by_a_cancellation_an_expiry_and_a_chargeback(self):
        begin = stated(Kind.PURCHASE, 0)
        for kind, end in (
            (Kind.CANCELLATION, {"valid_until": day(12)}),
            (Kind.EXPIRY, {"valid_until": day(12)}),
        ):
            with self.subTest(kind):
                self.assert_spans([begin, stated(kind, 12, **end)], A=[(0, 12)])
        outcome = self.assert_spans([begin, stated(Kind.CHARGEBACK, 12)], A=[])
        self.assertEqual(outcome.entitlements[0].state, State.REFUNDED)

    def test_a_cancellation_gives_access_up_to_its_end_where_no_purchase_is_known(self):
        cancelled = stated(Kind.CANCELLATION, 5, valid_until=day(9), subscription=True)
        outcome = self.assert_spans([cancelled], A=[(5, 9)])
        self.assertEqual(outcome.entitlements[0].state, State.CANCELLED)
        self.assert_spans([stated(Kind.CANCELLATION, 5)])

    def test_a_payment_for_the_rest_of_a_cancelled_one_does_not_renew_it(self):
        """A direct debit arrives days after the subscription was cancelled."""
        end = {"valid_until": day(30), "subscription": True}
        facts = [
            stated(Kind.PURCHASE, 0, **end),
            stated(Kind.CANCELLATION, 2, valid_until=day(30)),
            stated(Kind.RENEWAL, 7, **end),
        ]
        outcome = self.assert_spans(facts, A=[(0, 30)])
        self.assertEqual(outcome.entitlements[0].state, State.CANCELLED)
        self.assertEqual(outcome.renewals(), {})
        further = stated(Kind.RENEWAL, 29, subscription=True, valid_until=day(60))
        outcome = self.assert_spans([*facts, further], A=[(0, 63)])
        self.assertEqual(outcome.entitlements[0].state, State.ACTIVE)

    def test_after_an_expiry_a_statement_gives_access_again(self):
        facts = [stated(Kind.PURCHASE, 0), stated(Kind.EXPIRY, 5), stated(Kind.REACTIVATION, 9)]
        self.assert_spans(facts, A=[(0, 5), (9, None)])

    def test_no_other_subscription_is_meant(self):
        """Although it is of the same product, and by the same provider."""
        begin = stated(Kind.PURCHASE, 0)
        for kind in Kind.CHARGEBACK, Kind.EXPIRY, Kind.CANCELLATION:
            with self.subTest(kind):
                self.assert_spans([begin, stated(kind, 9, "T2")], A=[(0, None)])

    def test_a_renewal_joins_no_other_subscription(self):
        begin = stated(Kind.PURCHASE, 0)
        end = {"snapshot": False, "valid_until": day(30)}
        facts = [begin, stated(Kind.RENEWAL, 5, "T2", **end), stated(Kind.EXPIRY, 9, "T2")]
        self.assert_spans(facts, A=[(0, None)])

    def test_days_of_grace_only_where_the_provider_speaks_of_a_subscription(self):
        end = {"valid_until": day(10)}
        self.assert_spans([stated(Kind.PURCHASE, 0, **end)], A=[(0, 10)])
        self.assert_spans([stated(Kind.PURCHASE, 0, subscription=True, **end)], A=[(0, 13)])

    def test_dated_far_ahead_it_grants_nothing(self):
        ahead = stated(Kind.PLAN_CHANGE, 5, late=-3)
        self.assertEqual(self.outcome(ahead).attention, {ahead.key: Reason.FUTURE})
        self.assert_spans([stated(Kind.PURCHASE, 0), ahead], A=[(0, None)])


class TestStartToCome(Case):
    """A provider states when access begins."""

    def test_nothing_before_it_and_its_days_from_it(self):
        outcome = self.assert_access([purchase(0, valid_from=day(10))], [(10, 40)])
        (one,) = outcome.entitlements
        states = [one.state_at(day(at)) for at in (0, 9.9, 10, 40)]
        self.assertEqual(states, [State.UPCOMING, State.UPCOMING, State.ACTIVE, State.LAPSED])
        self.assertEqual(outcome.next_change(day(0)), day(10))
        self.assertEqual(one.since, day(10))

    def test_in_the_past_it_changes_nothing(self):
        self.assert_access([purchase(5, valid_from=day(0), days=None)], [(5, None)])

    def test_a_payment_in_advance_takes_nothing_back(self):
        early = renewal(20, valid_from=day(30), valid_until=day(60))
        self.assert_access([purchase(0), early], [(0, 63)])
        late = renewal(20, valid_from=day(40), valid_until=day(60))
        self.assert_access([purchase(0), late], [(0, 30), (40, 63)])

    def test_a_refund_a_cancellation_and_an_expiry_before_it(self):
        begin = purchase(0, valid_from=day(10))
        self.assert_access([begin, refund(5)], [])
        self.assert_access([begin, cancellation(5)], [(10, 40)])
        self.assert_access([begin, fact(Kind.EXPIRY, 5)], [])
        self.assert_access([begin, fact(Kind.EXPIRY, 5), renewal(20)], [(20, 53)])

    def test_another_purchase_goes_on_beside_it(self):
        self.assert_access(
            [purchase(0), purchase(5, "T2", valid_from=day(50))], [(0, 30), (50, 80)]
        )

    def test_a_change_of_plan_to_come_leaves_the_product_until_then(self):
        change = fact(Kind.PLAN_CHANGE, 5, product_id="B", valid_from=day(20))
        self.assert_access([purchase(0), change], [(0, 20)])
        self.assert_access([purchase(0), change], [(20, 30)], product_id="B")

    def test_an_exclusive_purchase_ends_others_when_it_begins(self):
        other = purchase(5, "T2", product_id="B", valid_from=day(20), exclusive=True)
        self.assert_access([purchase(0), other], [(0, 20)])
        soon = purchase(9, "T3", product_id="C", exclusive=True)
        self.assert_access([purchase(0), other, soon], [(0, 9)])

    def test_a_statement_of_a_subscription_sets_it(self):
        def stated(at, **values):
            return fact(Kind.PLAN_CHANGE, at, snapshot=True, days=None, **values)

        ahead, begun = stated(0, valid_from=day(10)), stated(4)
        self.assert_access([ahead], [(10, None)])
        self.assert_access([ahead, begun], [(4, None)])
        self.assert_access([stated(0), stated(4, valid_from=day(10))], [(0, 4), (10, None)])


#: Fifteen minutes, in days.
QUARTER = 15 / (24 * 60)


def bridge(at: float, external_subscription_id: str = "V1", **values) -> BillingEvent:
    """A notification of an app about a purchase in another provider's shop."""
    key = values.pop("key", f"bridge {external_subscription_id}")
    return fact(
        Kind.PROVISIONAL,
        at,
        "",
        external_subscription_id=external_subscription_id,
        key=key,
        fully_signed=True,
        **values,
    )


class TestProvisional(Case):
    """Access until the provider has confirmed what was bought."""

    def assert_minutes(self, facts, spans, **values):
        outcome = self.outcome(*facts, **values)
        found = [tuple(round(at, 6) for at in span) for span in self.spans(outcome)]
        self.assertEqual([tuple(round(at, 6) for at in span) for span in spans], found)
        return outcome

    def test_it_lasts_fifteen_minutes(self):
        outcome = self.assert_minutes([bridge(0)], [(0, QUARTER)])
        (found,) = outcome.entitlements
        self.assertEqual(found.state, State.PROVISIONAL)
        self.assertEqual(found.keys, ("bridge V1",))
        self.assertFalse(found.renewable)
        self.assertEqual(found.state_at(day(0)), State.PROVISIONAL)
        self.assertEqual(found.state_at(day(1)), State.LAPSED)
        self.assertEqual(outcome.next_change(day(0)), found.until)

    def test_an_end_that_is_stated_makes_it_shorter_and_never_longer(self):
        self.assert_minutes([bridge(0, valid_until=day(9))], [(0, QUARTER)])
        self.assert_minutes([bridge(0, valid_until=day(QUARTER / 3))], [(0, QUARTER / 3)])

    def test_a_clock_that_is_ahead_gives_no_more(self):
        self.assert_minutes([bridge(0, late=-QUARTER / 3)], [(0, QUARTER * 2 / 3)])
        self.assert_minutes([bridge(0, late=-QUARTER)], [])
        outcome = self.assert_minutes([bridge(0, late=-2)], [])
        self.assertEqual(dict(outcome.attention), {"bridge V1": Reason.FUTURE})

    def test_once_for_each_subscription(self):
        again = bridge(1, key="again")
        self.assert_minutes([bridge(0), again], [(0, QUARTER)])
        other = bridge(1, "V2")
        self.assert_minutes([bridge(0), other], [(0, QUARTER), (1, 1 + QUARTER)])

    def test_what_names_no_subscription_gives_nothing(self):
        self.assert_minutes([bridge(0, "")], [])

    def test_the_purchase_takes_its_place(self):
        outcome = self.assert_minutes(
            [bridge(0), purchase(0.001, external_subscription_id="V1", valid_until=day(30))],
            [(0.001, 30)],
        )
        self.assertEqual(outcome.entitlements[0].state, State.ACTIVE)

    def test_whatever_happened_to_the_subscription_takes_its_place(self):
        for kind in (Kind.EXPIRY, Kind.REFUND, Kind.CANCELLATION, Kind.CHARGEBACK):
            for at in -9, 0.001:
                with self.subTest(kind, at=at):
                    real = fact(
                        kind, at, "S1", external_subscription_id="V1", fully_signed=True
                    )
                    self.assert_minutes([bridge(0), real], [])

    def test_what_is_only_worth_knowing_does_not(self):
        for kind in Kind.INFORMATION, Kind.PAYMENT_FAILED, Kind.UNKNOWN, Kind.CORRECTION:
            with self.subTest(kind):
                other = fact(kind, 0.001, "S1", external_subscription_id="V1")
                self.assert_minutes([bridge(0), other], [(0, QUARTER)])

    def test_another_subscription_and_another_provider_do_not(self):
        other = fact(Kind.EXPIRY, 0.001, "S1", external_subscription_id="V2")
        stranger = fact(
            Kind.EXPIRY, 0.001, "S1", external_subscription_id="V1", provider="plenigo"
        )
        self.assert_minutes([bridge(0), other, stranger], [(0, QUARTER)])

    def test_beside_access_that_was_paid_for_it_is_nothing(self):
        paid = purchase(-1)
        outcome = self.assert_minutes([paid, bridge(0)], [(-1, 29)])
        self.assertEqual(outcome.entitlements, self.outcome(paid).entitlements)

    def test_after_a_refund_of_another_purchase(self):
        facts = [purchase(-1), refund(-0.5), bridge(0)]
        outcome = self.assert_minutes(facts, [(0, QUARTER)])
        self.assertEqual(outcome.entitlements[0].state, State.PROVISIONAL)

    def test_an_exclusive_purchase_ends_it(self):
        other = purchase(QUARTER / 3, product_id="B", exclusive=True)
        self.assert_minutes([bridge(0), other], [(0, QUARTER / 3)])
        before = purchase(-1, product_id="B", exclusive=True)
        self.assert_minutes([bridge(0), before], [(0, QUARTER)])

    def test_a_customer_who_is_deleted(self):
        deleted = fact(Kind.EXPIRY, QUARTER / 3, "", for_all=True)
        self.assert_minutes([bridge(0), deleted], [(0, QUARTER / 3)])


class TestOrder(Case):
    def test_equal_times_go_by_kind(self):
        kinds = [kind for kind in Kind if kind is not Kind.UNKNOWN]
        order = sorted((fact(kind, 0) for kind in kinds), key=lambda one: one.order)
        self.assertEqual(
            "purchase, renewal, plan change, cancellation, reactivation, refund, chargeback, "
            "payment failed, expiry, provisional, correction, information",
            ", ".join(one.kind for one in order),
        )

    def test_equal_times_and_kinds_go_by_key(self):
        one = purchase(0, "T1", product_id="A", exclusive=True, key="1")
        two = purchase(0, "T2", product_id="B", exclusive=True, key="2")
        self.assertEqual({("click2sell", "B")}, self.outcome(one, two).products(day(1)))

    def test_a_refund_dated_like_its_sale_undoes_it(self):
        self.assert_access([purchase(0), refund(0)], [])

    def test_of_two_entries_with_one_key_the_first_to_arrive_counts(self):
        first = purchase(0, key="same", days=5)
        again = purchase(0, key="same", days=50, late=1)
        self.assert_access([again, first], [(0, 5)])

    def test_every_kind_has_its_place(self):
        for kind in Kind:
            with self.subTest(kind=kind):
                self.assertIsInstance(fact(kind, 0).order[1], int)


class TestNextChange(Case):
    def test_every_begin_and_end_in_turn(self):
        outcome = compute(
            [subscription(0), renewal(40), purchase(20, "T2", product_id="B")], Policy()
        )
        moments = []
        now = day(-1)
        while (now := outcome.next_change(now)) is not None:
            moments.append(now)
        self.assertEqual([day(at) for at in (0, 20, 33, 40, 50, 73)], moments)

    def test_overlapping_chains_change_nothing_in_between(self):
        outcome = compute([purchase(0), purchase(10, "T2")], Policy())
        self.assertEqual(day(40), outcome.next_change(day(0)))


class TestPurity(unittest.TestCase):
    def test_only_the_standard_library_and_pure_modules_are_imported(self):
        pure = ("niteoweb.click2sell.notification", "niteoweb.click2sell.entitlement")
        folder = pathlib.Path(entitlement.__file__).parent
        for path in (pathlib.Path(notification.__file__), *folder.glob("*.py")):
            tree = ast.parse(path.read_text())
            imported = {
                node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
            } | {
                name.name
                for node in ast.walk(tree)
                if isinstance(node, ast.Import)
                for name in node.names
            }
            foreign = {
                name
                for name in imported
                if name not in sys.stdlib_module_names and not name.startswith(pure)
            }
            with self.subTest(path.stem):
                self.assertLessEqual(foreign, {"collections.abc"})
