"""The entitlements of a buyer: a function of all that providers told, in any order.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A purchase that only an app has told of gives access for some minutes, see
:mod:`niteoweb.click2sell.entitlement.provisional`; everything else is a matter of chains:
:mod:`niteoweb.click2sell.entitlement.chain` says which entries belong together, and
:mod:`niteoweb.click2sell.entitlement.access` the access that each chain gives; both list the
rules they follow where there is a choice. Here the chains are put together:

* A buyer has access to a product while any chain gives it; refunding one keeps the others.
* A chain that was refunded gives nothing at any time. A payment that goes on with it after the
  refund needs attention; a new purchase has a transaction of its own.
* An event dated more than a day after its arrival needs attention and grants nothing; an event
  that ends access does so all the same.
"""

from collections import defaultdict
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import datetime
from niteoweb.click2sell.entitlement.access import AccessTimeline
from niteoweb.click2sell.entitlement.chain import Chain
from niteoweb.click2sell.entitlement.chain import History
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.event import OPEN
from niteoweb.click2sell.entitlement.mapping import Product
from niteoweb.click2sell.entitlement.past import Past
from niteoweb.click2sell.entitlement.period import joined
from niteoweb.click2sell.entitlement.period import ProductPeriod
from niteoweb.click2sell.entitlement.period import State
from niteoweb.click2sell.entitlement.provisional import bridges
from niteoweb.click2sell.entitlement.reason import Reason
from niteoweb.click2sell.entitlement.suspension import suspensions
from niteoweb.click2sell.entitlement.suspension import without
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import PAYMENTS


@dataclass(frozen=True)
class Policy:
    """The settings that matter.

    :ivar grace_days: for how many days after its end a subscription waits for its renewal.
    :ivar unmatched_refund_needs_attention: whether a refund that names no known payment waits
        for a person, instead of undoing the latest chain of its product.
    """

    grace_days: int = 3
    unmatched_refund_needs_attention: bool = False


@dataclass(frozen=True)
class Entitlement:
    """A buyer's access to one product of one provider, by the best of its chains.

    :ivar state: never depends on the clock; :meth:`state_at` does.
    :ivar since: when the best chain came to the product, by the provider's time.
    :ivar until: end of access without grace; None when there is none.
    :ivar access_until: end of access with grace, where grace applies.
    :ivar keys: the entries that explain it, in order.
    :ivar renewable: a subscription that ends only because no renewal comes.
    :ivar suspended: its provider keeps the buyer out.
    :ivar subscription: it could be renewed, whether or not it will be.
    :ivar spans: when there is access by all chains together, each from a moment to just before
        another, or to None; in order, with gaps between them.
    """

    product_id: str
    provider: str
    state: State
    since: datetime
    until: datetime | None
    access_until: datetime | None
    keys: tuple[str, ...]
    renewable: bool = False
    suspended: bool = False
    subscription: bool = False
    spans: tuple[tuple[datetime, datetime | None], ...] = ()

    @property
    def product(self) -> Product:
        """Provider and product id."""
        return self.provider, self.product_id

    def gives_access(self, now: datetime) -> bool:
        """Whether the buyer has access to the product at a moment."""
        return any(start <= now and (stop is None or now < stop) for start, stop in self.spans)

    def state_at(self, now: datetime) -> State:
        """The state as it is at a moment, which tells grace and lapsed access too."""
        if self.state not in (State.ACTIVE, State.CANCELLED, State.PROVISIONAL):
            return self.state
        if not self.gives_access(now):
            if any(start > now for start, _stop in self.spans):
                return State.UPCOMING
            if self.until is not None and self.until <= now:
                return State.LAPSED
            return State.SUSPENDED if self.suspended else self.state
        late = self.state is State.ACTIVE and self.until is not None and self.until <= now
        return State.GRACE if late else self.state


@dataclass(frozen=True)
class Outcome:
    """The result of a history.

    :ivar entitlements: one for each provider and product that a chain ever was on, sorted.
    :ivar attention: key of an entry that needs a person, and the code of the reason, one of
        :class:`niteoweb.click2sell.entitlement.reason.Reason`.
    :ivar waiting: keys of refunds whose purchase is not known yet.
    :ivar events: the billing events in order, each once.
    :ivar timelines: the access that each chain of them gives.
    """

    entitlements: tuple[Entitlement, ...]
    attention: Mapping[str, str]
    waiting: frozenset[str]
    events: Sequence[BillingEvent] = field(default=(), compare=False, repr=False)
    timelines: Collection[AccessTimeline] = field(default=(), compare=False, repr=False)

    def giving(self, product: Product, moment: datetime) -> list[Chain]:
        """The chains that give access to a product at a moment."""
        provider, product_id = product
        return [
            timeline.chain
            for timeline in self.timelines
            if timeline.chain.first.provider == provider
            and timeline.gives_access(moment, product_id)
        ]

    def renewing(self, product: Product) -> list[AccessTimeline]:
        """The chains whose access to a product ends only because no renewal comes."""
        return [
            timeline
            for timeline in self.timelines
            if timeline.chain.first.provider == product[0] and timeline.renews(product[1])
        ]

    def lives(self, provider: str, subscription: str, moment: datetime) -> bool:
        """Whether a provider's subscription gives access to anything at a moment."""
        return any(
            timeline.gives_access(moment)
            for timeline in self.timelines
            if any(
                (event.provider, event.transaction) == (provider, subscription)
                for event, _elsewhere in timeline.chain.events
            )
        )

    def products(self, now: datetime) -> frozenset[Product]:
        """Provider and product of everything that gives access at a moment."""
        return frozenset(
            entitlement.product
            for entitlement in self.entitlements
            if entitlement.gives_access(now)
        )

    def renewals(self) -> dict[Product, datetime]:
        """When the next renewal of each subscription has to be there, without grace.

        :returns: by provider and product.
        """
        return {
            entitlement.product: entitlement.until
            for entitlement in self.entitlements
            if entitlement.renewable and entitlement.until is not None
        }

    def next_change(self, now: datetime) -> datetime | None:
        """The next moment at which access to a product begins or ends, or None."""
        return min(
            (
                moment
                for entitlement in self.entitlements
                for span in entitlement.spans
                for moment in span
                if moment is not None and moment > now
            ),
            default=None,
        )


def compute(
    events: Iterable[BillingEvent], policy: Policy, past: Past | None = None
) -> Outcome:
    """The entitlements of a buyer.

    The result is the same for any order and any repetition of the events. One more refund,
    chargeback or cancellation never gives access to anything at any moment.

    :param events: all accepted entries of one buyer.
    :param policy: the settings.
    :param past: earlier events that are summed up and go on with these; see :mod:`.past`.
        Entitlements have the last of the keys that explain them then.
    """
    undo_unmatched, begun = not policy.unmatched_refund_needs_attention, past and past.chains
    history = History(events, undo_unmatched, begun or ())
    attention = {**(past.attention if past else {}), **history.attention}
    timelines = {chain: AccessTimeline(chain, policy.grace_days) for chain in history.chains}
    for chain, timeline in timelines.items():
        if chain.undone_by is None:
            for key, reason in timeline.attention.items():
                attention.setdefault(key, reason)
        else:
            for event in _granting_after(chain, chain.undone_by):
                attention[event.key] = Reason.AFTER_REFUND
    for event, others in history.choices:
        if any(timelines[other].gives_access(event.occurred_at) for other in others):
            attention.setdefault(event.key, Reason.AMBIGUOUS)
    # Access that is given until a provider has confirmed it comes on top.
    entitlements = {one.product: one for one in _entitlements(timelines.values())}
    for event, stop in bridges(history.events):
        known = entitlements.get(event.product)
        entitlements[event.product] = _bridged(known, event, stop)
    for provider, out in suspensions(history.events).items():
        for product, one in entitlements.items():
            if product[0] == provider:
                entitlements[product] = _suspended(one, out)
    return Outcome(
        entitlements=tuple(one for _product, one in sorted(entitlements.items())),
        attention=dict(sorted(attention.items())),
        waiting=frozenset(history.waiting).union(past.waiting if past else ()),
        events=history.events,
        timelines=timelines.values(),
    )


def _granting_after(chain: Chain, refund: BillingEvent) -> Iterable[BillingEvent]:
    """The events that would go on with a chain after its refund."""
    for event, elsewhere in chain.events:
        goes_on = event.kind in PAYMENTS or event.kind in (Kind.PLAN_CHANGE, Kind.REACTIVATION)
        if (
            goes_on
            and not elsewhere
            and event is not chain.first
            and event.order > refund.order
        ):
            yield event


def _entitlements(timelines: Iterable[AccessTimeline]) -> Iterable[Entitlement]:
    by_product: dict[Product, list[tuple[AccessTimeline, ProductPeriod]]] = defaultdict(list)
    for timeline in timelines:
        for product_id, period in timeline.periods.items():
            by_product[timeline.chain.first.provider, product_id].append((timeline, period))
    for (provider, product_id), periods in sorted(by_product.items(), key=lambda item: item[0]):
        timeline, period = max(periods, key=_rank)
        state, until, limit, keys = period.state, period.until, period.limit, timeline.keys
        refund = timeline.chain.undone_by
        if refund is not None:
            state, until, limit = State.REFUNDED, refund.occurred_at, refund.occurred_at
            keys = [*keys, refund.key]
        yield Entitlement(
            product_id=product_id,
            provider=provider,
            state=state,
            since=period.since,
            until=_or_none(until),
            access_until=_or_none(limit),
            keys=tuple(keys),
            renewable=timeline.renews(product_id),
            subscription=timeline.subscription,
            spans=merged(
                span
                for timeline, period in periods
                if timeline.chain.undone_by is None
                for span in period.spans
            ),
        )


def _bridged(known: Entitlement | None, event: BillingEvent, until: datetime) -> Entitlement:
    """An entitlement with the access that an event gives in the meantime."""
    spans = [(event.occurred_at, until)]
    if known is not None:
        spans += ((start, stop or OPEN) for start, stop in known.spans)
        if known.state is not State.REFUNDED and until <= (known.access_until or OPEN):
            return replace(known, spans=merged(spans))
    return Entitlement(
        product_id=event.product_id,
        provider=event.provider,
        state=State.PROVISIONAL,
        since=event.occurred_at,
        until=until,
        access_until=until,
        keys=(event.key,),
        spans=merged(spans),
    )


def _suspended(one: Entitlement, out: Sequence[tuple[datetime, datetime]]) -> Entitlement:
    """An entitlement without the time for which its provider keeps the buyer out."""
    spans = without(((start, stop or OPEN) for start, stop in one.spans), out)
    return replace(one, spans=merged(spans), suspended=bool(out) and out[-1][1] == OPEN)


def _rank(reached: tuple[AccessTimeline, ProductPeriod]) -> tuple[bool, datetime, int]:
    timeline, period = reached
    return timeline.chain.undone_by is None, period.limit, timeline.chain.place


def merged(
    spans: Iterable[tuple[datetime, datetime]],
) -> tuple[tuple[datetime, datetime | None], ...]:
    """Spans that overlap or touch, as one; the others in order.

    :param spans: each from a moment to just before another, :data:`~.event.OPEN` for no end.
    :returns: the spans, with None for no end.
    """
    return tuple((start, _or_none(stop)) for start, stop in joined(spans))


def _or_none(moment: datetime) -> datetime | None:
    return None if moment == OPEN else moment
