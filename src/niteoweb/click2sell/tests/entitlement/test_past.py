"""A past that is summed up gives what all events give, whatever came before."""

from dataclasses import replace
from datetime import timedelta
from hypothesis import given
from hypothesis import strategies as st
from niteoweb.click2sell.entitlement import BillingEvent
from niteoweb.click2sell.entitlement import compute
from niteoweb.click2sell.entitlement import past as pasts
from niteoweb.click2sell.entitlement import Policy
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.tests.cases import tried
from niteoweb.click2sell.tests.cases.billing import DAY_0
from niteoweb.click2sell.tests.cases.billing import facts
from niteoweb.click2sell.tests.cases.billing import instants
from niteoweb.click2sell.tests.cases.billing import policies

import json
import unittest


def in_order(events):
    return list(compute(events, Policy()).events)


def summed_up(events, policy, before=None):
    outcome = compute(events, policy, before)
    plain = pasts.sum_up(
        outcome.events, outcome.timelines, outcome.attention, outcome.waiting, before
    )
    if plain is None:
        return None
    # As it is stored: lists for tuples make no difference but for the names.
    plain = json.loads(json.dumps(plain))
    return plain | {"named": [tuple(name) for name in plain["named"]]}


def shown(outcome, of):
    """All of an outcome but the keys of events that were summed up."""
    return (
        [replace(one, keys=one.keys[-1:]) for one in outcome.entitlements],
        {key: reason for key, reason in outcome.attention.items() if key in of},
        sorted(outcome.waiting),
    )


def last_statement(chain, product_id):
    """The key of the statement that names all ids of a chain's product."""
    own = (one for one, elsewhere in chain.events if not elsewhere)
    states = [one for one in own if one.states and one.plausible]
    full = [
        one for one in states if one.kind is not Kind.RENEWAL and one.product_id == product_id
    ]
    return (full or states)[-1].key if states else ""


#: What happens before: nothing that keeps a past from being summed up.
usual = st.lists(
    facts.filter(lambda one: one.kind is not Kind.PROVISIONAL).map(
        lambda one: replace(one, terms_known=True)
    ),
    min_size=1,
    max_size=9,
)
#: More payments, later, of which many go on with the past.
later = st.lists(
    st.tuples(
        st.sampled_from((Kind.PURCHASE, Kind.RENEWAL, Kind.RENEWAL, Kind.PAYMENT_FAILED)),
        facts,
        st.sampled_from((1, 2, 10, 25, 30, 31, 60)),
        st.sampled_from(("", "T1", "T2", "N1", "N2")),
    ),
    max_size=6,
)


def _numbered(history, start):
    return [
        replace(one, key=f"{number * 7 % 10}-{number}")
        for number, one in enumerate(history, start)
    ]


class TestPast(unittest.TestCase):
    def compare(self, events, split, policy, before=None, first=()):
        """Compare going on after so many events with all events; the past, None for none."""
        plain = summed_up(events[:split], policy, before)
        if plain is None:
            return None
        everything = [*first, *events]
        known = {event.key: event for event in everything}
        past = pasts.read(plain, {key: known[key] for key in pasts.keys(plain)})
        tail = events[split:]
        if not past.goes_on_with(tail):
            return None
        whole, quick = compute(everything, policy), compute(tail, policy, past)
        of = {event.key for event in tail} | pasts.keys(plain)
        self.assertEqual(shown(quick, of), shown(whole, of))
        for moment in instants(whole, quick):
            for one in whole.entitlements:
                self.assertEqual(
                    *(
                        [
                            (chain.first.key, last_statement(chain, one.product_id))
                            for chain in outcome.giving(one.product, moment)
                        ]
                        for outcome in (quick, whole)
                    )
                )
        return pasts.read(plain, {key: known[key] for key in pasts.keys(plain)})

    @given(usual, later, st.integers(0, 3), policies)
    @tried(2000)
    def test_going_on_is_the_whole(self, history, following, more, policy):
        events, moment = _numbered(history, 0), DAY_0 + timedelta(days=91)
        for kind, one, days, transaction in following:
            moment += timedelta(days=days)
            events.append(
                replace(
                    one,
                    kind=kind,
                    key=f"later {len(events)}",
                    transaction=transaction,
                    occurred_at=moment,
                    received_at=moment + (one.received_at - one.occurred_at),
                    by_owner=False,
                    valid_until=one.valid_until and moment + timedelta(days=30),
                )
            )
        events = in_order(events)
        split = min(len(history) + more, len(events))
        before = self.compare(events, split, policy)
        if before is not None and split + 2 < len(events):
            # And on from there, once more.
            self.compare(events[split:], 2, policy, before, events[:split])


class TestGoesOnWith(unittest.TestCase):
    """Each kind of event for which all events are needed."""

    def setUp(self):
        self.events = [
            event(Kind.PURCHASE, 0, "T1", receipt="R1"),
            event(Kind.RENEWAL, 30, "T2"),
            event(Kind.CANCELLATION, 40, "T3", receipt="R3"),
            event(Kind.RENEWAL, 60, "T1"),
        ]
        known = {one.key: one for one in self.events}
        self.past = pasts.read(summed_up(self.events, Policy()), known)

    def assert_goes_on(self, expected, kind, day, transaction, **values):
        one = event(kind, day, transaction, **values)
        self.assertIs(self.past.goes_on_with([one]), expected)

    def test_payments(self):
        for kind, transaction in (
            *((Kind.RENEWAL, "T1"), (Kind.RENEWAL, "T2"), (Kind.RENEWAL, "T4")),
            *((Kind.PURCHASE, "T4"), (Kind.PURCHASE, ""), (Kind.PAYMENT_FAILED, "T3")),
        ):
            with self.subTest(kind=kind, transaction=transaction):
                self.assert_goes_on(True, kind, 61, transaction)

    def test_statements(self):
        self.assert_goes_on(True, Kind.REACTIVATION, 61, "T1", snapshot=True)
        self.assert_goes_on(False, Kind.REACTIVATION, 61, "T1")

    def test_others(self):
        ahead = DAY_0 + timedelta(days=59)
        for kind, day, transaction, values in (
            (Kind.RENEWAL, 60, "T1", {}),
            (Kind.RENEWAL, 61, "T1", {"received_at": ahead}),
            (Kind.RENEWAL, 69, "T1", {"received_at": DAY_0 + timedelta(days=61)}),
            (Kind.PURCHASE, 61, "T1", {}),
            (Kind.PURCHASE, 61, "T4", {"exclusive": True}),
            (Kind.PURCHASE, 61, "T4", {"by_owner": True}),
            (Kind.PURCHASE, 61, "T4", {"receipt": "R3"}),
            (Kind.PURCHASE, 61, "T4", {"earliest": ahead}),
            (Kind.RENEWAL, 61, "T3", {}),
            (Kind.RENEWAL, 61, "T1", {"product_id": "B"}),
            (Kind.INFORMATION, 61, "T1", {"customer_suspended": True}),
            (Kind.EXPIRY, 61, "T1", {"for_all": True}),
            *((kind, 61, "T1", {}) for kind in (Kind.REFUND, Kind.CANCELLATION, Kind.EXPIRY)),
            *((kind, 61, "T1", {}) for kind in (Kind.PLAN_CHANGE, Kind.PROVISIONAL)),
        ):
            with self.subTest(kind=kind, day=day, transaction=transaction, **values):
                self.assert_goes_on(False, kind, day, transaction, **values)

    def test_a_past_that_later_events_may_change_is_not_summed_up(self):
        for unusual in (
            event(Kind.PROVISIONAL, 5, "P", external_subscription_id="V"),
            event(Kind.INFORMATION, 5, "T1", customer_suspended=True),
            event(Kind.EXPIRY, 5, "T1", for_all=True),
            event(Kind.RENEWAL, 5, "T1", terms_known=False),
        ):
            with self.subTest(unusual.kind):
                self.assertIsNone(summed_up([*self.events, unusual], Policy()))
        sales = [event(Kind.PURCHASE, day, f"S{day}") for day in range(pasts.MOST_CHAINS + 1)]
        self.assertIsNone(summed_up(sales, Policy()))
        self.assertIsNotNone(summed_up(sales[1:], Policy()))

    def test_an_event_that_is_not_there_any_more(self):
        self.assertIsNone(pasts.read(summed_up(self.events, Policy()), {}))


def event(kind, day, transaction, **values):
    at = DAY_0 + timedelta(days=day)
    return BillingEvent(
        **{
            "key": f"{kind} {day}",
            "provider": "click2sell",
            "kind": kind,
            "transaction": transaction,
            "receipt": "",
            "product_id": "A",
            "occurred_at": at,
            "received_at": at,
            "days": 30,
            **values,
        }
    )
