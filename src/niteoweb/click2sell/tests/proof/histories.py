"""Whole histories of deliveries: named ones, and strategies that make them up."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from hypothesis import strategies as st
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.mapping import Terms
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.tests.cases.billing import of_notification
from niteoweb.click2sell.tests.cases.layers import NOW

import math


#: Product -> its lines in the mapping. "gone" is not there; product 6 has no line.
LINES = {
    "1": ("1|premium",),
    "2": ("2|course|30",),
    "3": ("3|club|7|exclusive",),
    "4": ("4|course|10", "4|premium|10"),
    "5": ("5|gone|20",),
}
TERMS: Mapping[str, Terms] = {
    "1": Terms(),
    "2": Terms(30),
    "3": Terms(7, True),
    "4": Terms(10),
    "5": Terms(20),
}
GROUPS: Mapping[str, tuple[str, ...]] = {
    "1": ("premium",),
    "2": ("course",),
    "3": ("club",),
    "4": ("course", "premium"),
}

#: A place in an order that is no delivery.
SWEEP = -1


@dataclass(frozen=True)
class Event:
    """A notification, up to its buyer's address and its time of arrival.

    :ivar day: when it happened, in days from :data:`~niteoweb.click2sell.tests.cases.site.NOW`.
    :ivar transaction: a transaction belongs to one buyer and product here: what happens when
        it does not is decided by arrival, and tested elsewhere.
    :ivar receipt: one of the buyer's; a cart has one for several products.
    """

    kind: Kind
    product: str = "2"
    day: float = -5
    transaction: str = "a"
    receipt: str = ""
    subscription: bool = False
    buyer: int = 0

    @property
    def occurred_at(self) -> datetime:
        return NOW + timedelta(days=self.day)


def address(run: str, buyer: int) -> str:
    """The address of a buyer in one run."""
    return f"b{buyer}-{run}@example.org"


def key(run: str, number: int) -> str:
    """The key of an entry: in one history, in the order of the events."""
    return f"{run}-{number:02}"


def notification(event: Event, run: str, number: int) -> Notification:
    """An event as a provider's module hands it over."""
    email = address(run, event.buyer)
    return Notification(
        key=key(run, number),
        provider="click2sell",
        kind=event.kind,
        transaction=f"{run}-{event.buyer}-{event.product}-{event.transaction}",
        receipt=event.receipt and f"R{event.buyer}-{event.receipt}",
        occurred_at=event.occurred_at,
        buyer=email,
        email=email,
        product_id=event.product,
        product_name=f"Product {event.product}",
        first_name="John",
        last_name="Smith",
        # Fields come from one notification each, so every one says something else.
        affiliate=f"affiliate {number}",
        subscription=event.subscription,
    )


def fact(event: Event, run: str, number: int, received_at: datetime) -> BillingEvent:
    """The billing event of a delivery, made without the ledger."""
    told = notification(event, run, number)
    terms = TERMS.get(event.product)
    return of_notification(
        told,
        received_at=received_at,
        days=terms.days if terms else None,
        exclusive=bool(terms and terms.exclusive),
        terms_known=terms is not None,
    )


def _event(**values) -> Event:
    return Event(**values)


SALE = _event(kind=Kind.PURCHASE, day=-20, receipt="1")
RENEWAL = _event(kind=Kind.RENEWAL, day=-2, receipt="1", subscription=True)
CANCEL = _event(kind=Kind.CANCELLATION, day=-1, subscription=True)
REFUND = _event(kind=Kind.REFUND, day=-1, receipt="1")

#: The histories that a list of known mistakes would name.
NAMED: Mapping[str, Sequence[Event]] = {
    "purchase, renewal, refund, another purchase": (
        SALE,
        RENEWAL,
        REFUND,
        _event(kind=Kind.PURCHASE, day=-1, transaction="b", receipt="2"),
    ),
    "equal timestamps": (
        _event(kind=Kind.PURCHASE),
        _event(kind=Kind.RENEWAL, subscription=True),
        _event(kind=Kind.CANCELLATION),
        _event(kind=Kind.REFUND),
    ),
    "two sales at the same second": (
        _event(kind=Kind.PURCHASE, product="1", receipt="1"),
        _event(kind=Kind.PURCHASE, product="2", receipt="2"),
        _event(kind=Kind.PURCHASE, product="4", receipt="3"),
    ),
    "a refund dated like its sale": (
        SALE,
        _event(kind=Kind.REFUND, day=SALE.day, receipt="1"),
        _event(kind=Kind.PURCHASE, product="1", day=SALE.day, receipt="2"),
    ),
    "a refund with a transaction of its own": (
        SALE,
        _event(kind=Kind.REFUND, day=-1, transaction="refund"),
        RENEWAL,
    ),
    "a refund dated before its sale": (SALE, _event(kind=Kind.REFUND, day=-25, receipt="1")),
    "a renewal without a purchase": (
        RENEWAL,
        _event(kind=Kind.REFUND, day=-1, transaction="refund", receipt="1"),
        _event(kind=Kind.RENEWAL, day=-1, transaction="r", subscription=True),
    ),
    "an old renewal": (
        _event(kind=Kind.PURCHASE, day=-62, subscription=True),
        _event(kind=Kind.RENEWAL, day=-31, transaction="r1", subscription=True),
        _event(kind=Kind.RENEWAL, day=-1, transaction="r2", subscription=True),
    ),
    "a renewal that comes much too early": (
        _event(kind=Kind.PURCHASE, day=-1, subscription=True),
        _event(kind=Kind.RENEWAL, day=-1, transaction="r1", subscription=True),
        _event(kind=Kind.RENEWAL, day=0, transaction="r2", subscription=True),
    ),
    "an exclusive product in between": (
        _event(kind=Kind.PURCHASE, product="1", day=-9),
        _event(kind=Kind.PURCHASE, product="3", day=-5),
        _event(kind=Kind.REFUND, product="3", day=-4),
        _event(kind=Kind.PURCHASE, product="4", day=-3),
    ),
    "one group for two products": (
        _event(kind=Kind.PURCHASE, product="2", receipt="1"),
        _event(kind=Kind.PURCHASE, product="4", receipt="1"),
        _event(kind=Kind.REFUND, product="2", day=-1),
        _event(kind=Kind.REFUND, product="1", day=-1, receipt="1"),
    ),
    "a product whose group is gone, one that has no line": (
        _event(kind=Kind.PURCHASE, product="5"),
        _event(kind=Kind.RENEWAL, product="5", day=-4, transaction="r"),
        _event(kind=Kind.PURCHASE, product="6", day=-3),
        _event(kind=Kind.REFUND, product="6", day=-2),
    ),
    "a clock that is days ahead": (
        _event(kind=Kind.PURCHASE, product="1", day=3),
        SALE,
        _event(kind=Kind.REFUND, product="1", day=4),
    ),
    "two buyers": (
        SALE,
        _event(kind=Kind.PURCHASE, buyer=1, receipt="1"),
        _event(kind=Kind.REFUND, buyer=1, transaction="refund", day=-1),
        CANCEL,
    ),
}

#: What the values of an event are drawn from; what stands here twice comes twice as often.
_VALUES = {
    "kind": (
        *[Kind.PURCHASE] * 5,
        *[Kind.RENEWAL] * 4,
        *[Kind.CANCELLATION] * 2,
        *[Kind.REFUND] * 3,
        Kind.CHARGEBACK,
        Kind.PAYMENT_FAILED,
    ),
    "product": ("1", "2", "2", "2", "3", "4", "4", "5", "6"),
    "day": (-40, -31, -30, -20, -10, -9, -8, -7.5, -7, -5, -5, -1, -1, -0.25, 0, 0.5, 2),
    "transaction": ("a", "a", "a", "b", "c"),
    "receipt": ("", "", "1", "1", "2"),
    "subscription": (False, True),
    "buyer": (0, 0, 0, 1),
}


def _event_of(number: int) -> Event:
    """The event with a number: drawing one number is much faster than drawing each value."""
    values = {}
    for name, choices in _VALUES.items():
        number, position = divmod(number, len(choices))
        values[name] = choices[position]
    return Event(**values)


events = st.integers(0, math.prod(len(choices) for choices in _VALUES.values()) - 1).map(
    _event_of
)
histories = st.lists(events, min_size=1, max_size=6)


@st.composite
def orders(draw, size: int) -> list[int]:
    """Every event once or more, in any order, with sweeps anywhere."""
    more = draw(st.lists(st.integers(SWEEP, size - 1), max_size=4))
    return draw(st.permutations([*range(size), *more]))


@st.composite
def tales(draw, count: int) -> tuple[list[Event], list[list[int]]]:
    """A history, and orders in which it arrives.

    :param count: how many orders.
    """
    history = draw(histories)
    return history, [draw(orders(len(history))) for _ in range(count)]
