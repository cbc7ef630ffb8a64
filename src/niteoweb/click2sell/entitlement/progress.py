"""The state of a chain's access after some of its events, and the time that it has given.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.entitlement.chain import Chain
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.event import NEVER
from niteoweb.click2sell.entitlement.event import OPEN
from niteoweb.click2sell.entitlement.event import plus
from niteoweb.click2sell.entitlement.period import joined
from niteoweb.click2sell.entitlement.period import ProductPeriod
from niteoweb.click2sell.entitlement.period import State
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import PAYMENTS
from typing import Any


#: The parts of the state that are moments, and those that are plain anyway.
_MOMENTS = ("paid", "end", "_paid_at", "_start")
_VALUES = ("_moved", "_days", "_product_id", "_subscription", "_cancelled", "_stopped")


class Progress:
    """The state of a chain's access after its first events; :mod:`.access` has the rules.

    :ivar paid: the end by payments alone. Whether a renewal comes too early is measured by it,
        so that a cancellation cannot make a renewal count that did not count without it.
    :ivar end: the end with cancellations, never later than ``paid``.
    :ivar keys: the events that explain it, in order; of those that are summed up the last one.
    """

    def __init__(self, chain: Chain, grace_days: int) -> None:
        self.chain = chain
        self.attention: dict[str, str] = {}
        self.keys: list[str] = []
        self.periods: dict[str, ProductPeriod] = {}
        self.paid = self.end = NEVER
        self._grace_days = max(grace_days, 0)
        self._product_id = chain.first.product_id
        self._days: int | None = None
        # By how many days ends that were stated moved the end; when the last payment was made.
        self._moved = 0
        self._paid_at = NEVER
        # The start that was stated last, and earlier access, by product, that it left alone.
        self._start = NEVER
        self._earlier: list[tuple[str, datetime, datetime]] = []
        self._purchase: BillingEvent | None = None
        self._subscription = self._cancelled = False
        self._stopped = ""
        if chain.reached is not None:
            self._resume(chain.reached)

    @property
    def purchase(self) -> BillingEvent | None:
        """The last purchase that counted."""
        return self._purchase

    def plain(self) -> dict[str, Any]:
        """The state as plain values."""
        return {
            **{name: getattr(self, name).isoformat() for name in _MOMENTS},
            **{name: _text(getattr(self, name)) for name in _VALUES},
            "earlier": tuple((name, *_texts(span)) for name, *span in self._earlier),
            "purchase": self._purchase.key if self._purchase else "",
            "keys": tuple(self.keys[-1:]),
            "periods": tuple(
                (
                    *(product_id, str(period.state)),
                    _texts((period.since, period.until, period.limit)),
                    tuple(map(_texts, joined(period.spans))),
                )
                for product_id, period in self.periods.items()
            ),
        }

    def cut(self, moment: datetime) -> None:
        """End access at a moment, at which the next event may change it."""
        for period in self.periods.values():
            period.spans = [
                (start, min(stop, moment)) for start, stop in period.spans if start < moment
            ]

    def _resume(self, reached: Mapping[str, Any]) -> None:
        for name in _MOMENTS:
            setattr(self, name, datetime.fromisoformat(reached[name]))
        for name in _VALUES:
            setattr(self, name, reached[name])
        self.keys = list(reached["keys"])
        self._earlier = [(name, *_moments(span)) for name, *span in reached["earlier"]]
        known = {event.key: event for event, _elsewhere in self.chain.events}
        self._purchase = known.get(reached["purchase"])
        for product_id, state, moments, spans in reached["periods"]:
            since, until, limit = _moments(moments)
            period = self.periods[product_id] = ProductPeriod(since)
            period.until, period.limit, period.state = until, limit, State(state)
            period.spans = [(start, stop) for start, stop in map(_moments, spans)]

    @property
    def subscription(self) -> bool:
        """Whether a payment of it was one of a subscription."""
        return self._subscription

    @property
    def renewable(self) -> bool:
        """Whether it ends only because no renewal comes."""
        return self._subscription and not self._cancelled and not self._stopped

    def renews(self, product_id: str) -> bool:
        """Whether access to a product ends only because no renewal comes, and is not undone."""
        period = self.periods.get(product_id)
        is_active = period is not None and period.state is State.ACTIVE
        return is_active and self.renewable and self.chain.undone_by is None

    @property
    def limit(self) -> datetime:
        """End of access with grace, as it stands."""
        graced = self.renewable and self.end != NEVER
        return plus(self.end, self._grace_days) if graced else self.end

    def gives_access(self, moment: datetime, product_id: str | None = None) -> bool:
        """Whether the chain gives access at a moment; an undone chain gives none.

        :param product_id: None for access to any product.
        """
        return self.chain.undone_by is None and any(
            start <= moment < stop
            for name, period in self.periods.items()
            if product_id in (None, name)
            for start, stop in period.spans
        )

    def _note(self, event: BillingEvent, following: datetime, begins: bool) -> None:
        """Write down the access from an event to the next."""
        start = event.occurred_at
        if begins and (event.kind in (*PAYMENTS, Kind.REACTIVATION) or event.states):
            start = min(start, event.received_at)
        period = self.periods.get(self._product_id)
        may_begin = event.kind in (*PAYMENTS, Kind.PLAN_CHANGE) or event.states
        if period is None and begins and may_begin:
            since = max(event.occurred_at, self._start)
            period = self.periods[self._product_id] = ProductPeriod(since)
        if period is None or self.end == NEVER:
            return
        limit = self.limit
        for product_id, first, last in self._earlier:
            last = min(last, limit, following)
            if (first := max(first, event.occurred_at)) < last:
                self.periods[product_id].spans.append((first, last))
        period.until, period.limit = self.end, limit
        period.state = State.CANCELLED if self._cancelled else State.ACTIVE
        if self._stopped:
            ahead = self.end > event.occurred_at
            period.state = State.CANCELLED if ahead else State.ENDED
        start, stop = max(start, self._start), min(limit, following)
        if start < stop:
            period.spans.append((start, stop))

    def _leave_product(self, event: BillingEvent) -> None:
        """Go on with the product of an event; the one so far is over."""
        old = self.periods.get(self._product_id)
        if old is not None and event.product_id != self._product_id:
            old.until = min(old.until, event.begins_at)
            old.limit = min(old.limit, event.begins_at)
            old.state = State.ENDED
        self._product_id = event.product_id

    def _state_end(self, event: BillingEvent, valid_until: datetime) -> None:
        """Take the end that an event states, and remember by how much it is later."""
        if self.paid != OPEN:
            later = valid_until - max(self.paid, event.occurred_at)
            self._moved += max(-(-later // timedelta(days=1)), 0)
        self.paid = max(self.paid, valid_until) if event.by_owner else valid_until

    def _begin(self, event: BillingEvent) -> None:
        """Take the start that an event states, and keep the access that it leaves alone."""
        if event.valid_from is None:
            return
        if event.valid_from > event.occurred_at and self._product_id in self.periods:
            stop = min(self.limit, event.valid_from)
            self._earlier.append((self._product_id, self._start, stop))
        self._start = event.valid_from


def _text(value: Any) -> Any:
    """A value without a class of ours, such as a code."""
    return str(value) if isinstance(value, str) else value


def _texts(moments: Iterable[datetime]) -> tuple[str, ...]:
    return tuple(moment.isoformat() for moment in moments)


def _moments(texts: Iterable[str]) -> tuple[datetime, ...]:
    return tuple(datetime.fromisoformat(text) for text in texts)
