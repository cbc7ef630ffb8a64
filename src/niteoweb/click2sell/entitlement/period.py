"""The time that a chain gives access to one product, and the state of that access."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """The state of an entitlement. The values may be stored, so they never change."""

    ACTIVE = "active"
    #: Cancelled: it gives access until its end.
    CANCELLED = "cancelled"
    #: Ended by an expiry, a plan change or an exclusive purchase.
    ENDED = "ended"
    REFUNDED = "refunded"
    #: Paid, but the product has no mapping line yet, so its terms are not known.
    UNMAPPED = "unmapped"
    #: An app says that it was bought; the provider has not confirmed it yet.
    PROVISIONAL = "provisional"
    #: Only at a given moment: access begins later.
    UPCOMING = "upcoming"
    #: Only at a given moment: the provider keeps the buyer out.
    SUSPENDED = "suspended"
    #: Only at a given moment: the end is over, the renewal is late, access goes on.
    GRACE = "grace"
    #: Only at a given moment: the end is over.
    LAPSED = "lapsed"


class ProductPeriod:
    """A chain's time on one product."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self.until = since
        self.limit = since
        self.state = State.UNMAPPED
        self.spans: list[tuple[datetime, datetime]] = []


def joined(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Spans that overlap or touch, as one; the others in order.

    :param spans: each from a moment to just before another.
    """
    union: list[tuple[datetime, datetime]] = []
    for start, stop in sorted(spans):
        if union and start <= union[-1][1]:
            stop = max(stop, union[-1][1])
            start = union.pop()[0]
        union.append((start, stop))
    return union
