"""Billing events that are made up, for properties of every history.

Few transactions, products and days, so that entries meet, tie and contradict each other often.
"""

from dataclasses import fields
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from hypothesis import strategies as st
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.outcome import Outcome
from niteoweb.click2sell.entitlement.outcome import Policy
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from typing import Any

import math


DAY_0 = datetime(2026, 1, 1, tzinfo=timezone.utc)
DAYS = (0, 1, 2, 10, 20, 29, 30, 31, 33, 40, 60, 61, 90)
#: What the values of an entry are drawn from; what stands here twice comes twice as often.
VALUES = {
    # Payments are half of everything, or little would happen.
    "kind": (*[Kind.PURCHASE, Kind.RENEWAL] * 4, *Kind),
    "snapshot": (*[False] * 4, True),
    "fully_signed": (*[False] * 4, True),
    "occurred_at": DAYS,
    "transaction": ("T1", "T1", "T2", "T3", ""),
    "product_id": ("A", "A", "B", "C"),
    "days": (30, 30, 10, None),
    "subscription": (False, True),
    "received_at": (0, 0, 0, 1, 40, -0.5, -1, -2),
    "receipt": ("", "", "r1", "r2"),
    "valid_until": (*[None] * 30, *DAYS),
    "valid_from": (*[None] * 30, *DAYS),
    "exclusive": (False, False, False, False, True),
    "provider": (*["click2sell"] * 4, "plenigo"),
    "terms_known": (*[True] * 5, False),
    "by_owner": (False, False, False, True),
    "external_subscription_id": ("", "", "V1", "V1", "V2"),
}


def of_notification(told: Notification, **others: Any) -> BillingEvent:
    """The billing event of a notification, made without the ledger.

    :param others: fields that a notification does not have; it arrived when it occurred.
    """
    names = {field.name for field in fields(BillingEvent)} & set(vars(told))
    values = {name: getattr(told, name) for name in names}
    return BillingEvent(**{"received_at": told.occurred_at, "days": None, **values, **others})


def fact_of(number: int) -> BillingEvent:
    """The entry with a number: drawing one number is much faster than drawing each value."""
    values = {}
    for name, choices in VALUES.items():
        number, position = divmod(number, len(choices))
        values[name] = choices[position]
    values["occurred_at"] = DAY_0 + timedelta(days=values["occurred_at"])
    values["received_at"] = values["occurred_at"] + timedelta(days=values["received_at"])
    for name in ("valid_from", "valid_until"):
        if values[name] is not None:
            values[name] = DAY_0 + timedelta(days=values[name])
    return BillingEvent(key="", **values)


facts = st.integers(0, math.prod(len(choices) for choices in VALUES.values()) - 1).map(fact_of)


policies = st.builds(
    Policy,
    grace_days=st.sampled_from((0, 3, 14)),
    unmatched_refund_needs_attention=st.booleans(),
)


def instants(*outcomes: Outcome) -> list[datetime]:
    """Moments between which access cannot change: all begins and ends, and one before."""
    found = {DAY_0 - timedelta(days=9)}
    for outcome in outcomes:
        for entitlement in outcome.entitlements:
            for span in entitlement.spans:
                found.update(moment for moment in span if moment is not None)
    return sorted(found)
