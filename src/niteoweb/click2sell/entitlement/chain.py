"""Chains of events: a purchase, and all later events that belong to it.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A chain is a purchase and the renewals that follow it. Belonging never depends on refunds or
cancellations, only on payments and plan changes: so a refund cannot give access by moving a
payment to another chain. The rules, where there is a choice:

* Chains, receipts and products are told apart by provider.
* A renewal belongs to the chain that has a payment of its transaction and is on its product;
  else to the latest chain on its product; else it starts one. A renewal whose purchase is
  known, but dated later by a wrong clock, never goes to another chain, nor does one of a
  provider that always names the subscription.
* A purchase of a transaction and product that a chain has already joins that chain: it is the
  same sale told twice, or a signature used again. Everything else that is a purchase starts a
  chain.
* A plan change belongs to the chain of its transaction, of several to the chain that is on its
  product already: that one keeps its product and takes the end that is stated.
* An event that states all of a subscription belongs to the chain of its transaction, whatever
  the product, and starts one where there is none: the chain goes on with the product stated.
* A payment that names another product than the chain of its transaction, without a plan
  change, is a chain of its own, and gives its product.
* Refund, chargeback, cancellation, reactivation and expiry look for a payment of their
  transaction, then of their receipt, then for the latest chain begun by then that was ever on
  their product. Where several chains have the transaction or receipt (a cart with one
  receipt), the product decides. A provider that always names the subscription means no other.
* A refund or cancellation that names no payment, and comes before all that it could mean only
  because their times are in the hour that clocks show twice, needs a person.
* A refund that names a payment and no product undoes all chains of it, if that is all signed.
* A refund or chargeback that a later reactivation takes back is as if it had never been.
* Two refunds that name no payment undo two chains: the one undone already is not meant again.
"""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from itertools import zip_longest
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.event import NEVER
from niteoweb.click2sell.entitlement.event import OPEN
from niteoweb.click2sell.entitlement.reason import Reason
from niteoweb.click2sell.notification import GIVING
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.notification import UNDOING
from operator import attrgetter
from typing import Any


_STEERING = frozenset({Kind.CANCELLATION, Kind.REACTIVATION, Kind.EXPIRY})

_place = attrgetter("place")


class Chain:
    """A purchase, or a renewal without one, and the events that belong to it.

    :ivar place: number of the chain, by its beginning; the latest chain has the highest.
    :ivar product_id: the product that it is on after all events that were read so far.
    :ivar events: its events in order, each with whether it is an exclusive purchase elsewhere,
        which ends this chain.
    :ivar undone_by: the first refund or chargeback of it.
    :ivar transactions: those of its payments.
    :ivar reached: the state of its access after its first events, as plain values, where the
        history before was summed up; see :mod:`niteoweb.click2sell.entitlement.past`.
    :ivar summed_up: how many of its events are among those.
    """

    def __init__(self, place: int, first: BillingEvent) -> None:
        self.place = place
        self.first = first
        self.product_id = first.product_id
        self.events: list[tuple[BillingEvent, bool]] = []
        self.undone_by: BillingEvent | None = None
        self.transactions: set[str] = set()
        self.reached: Mapping[str, Any] | None = None
        self.summed_up = 0
        self._products = [(NEVER, first.product_id)]

    def change_product(self, event: BillingEvent) -> None:
        """Go on with the product of a plan change."""
        self.product_id = event.product_id
        self._products.append((event.occurred_at, event.product_id))

    def had(self, product_id: str, moment: datetime) -> bool:
        """Whether it was on a product at a moment or before."""
        return any(name == product_id and since <= moment for since, name in self._products)


class History:
    """All entries of a buyer, sorted into chains.

    :param events: the accepted entries, in any order; of several with one key the first to
        arrive counts.
    :param undo_unmatched: whether a refund that names no payment undoes the latest chain.
    :param begun: chains that earlier events began, which are summed up.
    :ivar events: the entries in order, each once.
    :ivar attention: entries that need a person, by key, with the code of the reason.
    :ivar waiting: keys of refunds whose purchase is not known yet.
    :ivar choices: events that several chains could have, each with the chains that it was not
        given to; one of those that was live at its time makes it ambiguous.
    """

    def __init__(
        self,
        events: Iterable[BillingEvent],
        undo_unmatched: bool = True,
        begun: Iterable[Chain] = (),
    ) -> None:
        self.chains: list[Chain] = list(begun)
        self.attention: dict[str, str] = {}
        self.waiting: set[str] = set()
        self.choices: list[tuple[BillingEvent, list[Chain]]] = []
        self._by_transaction: dict[tuple[str, str], list[Chain]] = defaultdict(list)
        self._by_receipt: dict[tuple[str, str], list[Chain]] = defaultdict(list)
        self._by_product: dict[tuple[str, str], list[Chain]] = defaultdict(list)
        for chain in self.chains:
            self._by_product[chain.first.provider, chain.product_id].append(chain)
            for transaction in chain.transactions:
                self._by_transaction[chain.first.provider, transaction].append(chain)
        self.events = ordered = _in_order(events)
        purchases = [event for event in ordered if event.kind is Kind.PURCHASE]
        self._sales = {event.sale for event in purchases if event.transaction}
        for event in ordered:
            if not event.plausible:
                self.attention[event.key] = Reason.FUTURE
            if event.states:
                self._state(event)
            elif event.kind in PAYMENTS:
                self._join(event, self._paid_chain(event) or self._begin(event))
            elif event.kind is Kind.PLAN_CHANGE:
                self._change_plan(event)
            elif event.kind is Kind.UNKNOWN:
                self.attention[event.key] = Reason.UNKNOWN_KIND
        # Only now are all payments known that these can name, whatever their dates.
        for event in ordered:
            if event.for_all:
                self._end_all(event)
            elif event.kind in _STEERING and not event.states and not event.undoing:
                self._steer(event)
            elif event.kind in UNDOING and not _is_taken_back(event, ordered):
                self._undo(event, undo_unmatched)
        # Whether they are refunded later does not matter: that brings nothing back.
        exclusive = [event for event in purchases if event.exclusive and event.plausible]
        for chain in self.chains:
            chain.events.sort(key=_event_order)
            if exclusive:
                _end_by_others(chain, exclusive)

    def _state(self, event: BillingEvent) -> None:
        chains = self._by_transaction.get((event.provider, event.transaction), ())
        chain = max(chains, key=_place, default=None) or self._begin(event)
        self._join(event, chain)
        self._move(chain, event)

    def _begin(self, event: BillingEvent) -> Chain:
        chain = Chain(len(self.chains), event)
        self.chains.append(chain)
        self._by_product[event.product].append(chain)
        return chain

    def _join(self, event: BillingEvent, chain: Chain) -> None:
        chain.events.append((event, False))
        if event.transaction:
            chain.transactions.add(event.transaction)
        for index, name in (
            (self._by_transaction, event.transaction),
            (self._by_receipt, event.receipt),
        ):
            chains = index[event.provider, name]
            if name and chain not in chains:
                chains.append(chain)

    def _paid_chain(self, event: BillingEvent) -> Chain | None:
        chains = self._by_transaction.get((event.provider, event.transaction), ())
        same = [chain for chain in chains if chain.product_id == event.product_id]
        unnamed = event.kind is Kind.RENEWAL and not event.fully_signed
        if not same and unnamed and event.sale not in self._sales:
            of_product = self._by_product.get(event.product, ())
            same = [chain for chain in of_product if chain.product_id == event.product_id]
        return max(same, key=_place, default=None)

    def _change_plan(self, event: BillingEvent) -> None:
        chains = self._by_transaction.get((event.provider, event.transaction), ())
        same = [chain for chain in chains if chain.product_id == event.product_id]
        chain = max(same or chains, key=_place, default=None)
        if chain is None:
            self.attention.setdefault(event.key, Reason.NO_PURCHASE)
            return
        chain.events.append((event, False))
        self._move(chain, event)

    def _move(self, chain: Chain, event: BillingEvent) -> None:
        if event.changes_product and event.product_id != chain.product_id:
            chain.change_product(event)
            of_product = self._by_product[event.product]
            if chain not in of_product:
                of_product.append(chain)

    def _steer(self, event: BillingEvent) -> None:
        candidates, _ = self._candidates(event)
        chain = max(candidates, key=_place, default=None)
        if chain is not None:
            chain.events.append((event, False))
            self._choose(event, chain, candidates)
        elif event.kind is Kind.REACTIVATION:
            self.attention.setdefault(event.key, Reason.NO_PURCHASE)
        elif self._may_follow(event):
            self.attention.setdefault(event.key, Reason.UNMATCHED_REFUND)

    def _end_all(self, event: BillingEvent) -> None:
        self.attention.setdefault(event.key, Reason.CUSTOMER_DELETED)
        for chain in self.chains:
            if chain.first.provider == event.provider:
                chain.events.append((event, False))

    def _undo(self, event: BillingEvent, undo_unmatched: bool) -> None:
        candidates, named = self._candidates(event)
        live = [chain for chain in candidates if chain.undone_by is None]
        if not candidates and self._may_follow(event):
            self.attention.setdefault(event.key, Reason.UNMATCHED_REFUND)
        elif not candidates:
            self.waiting.add(event.key)
        elif not named and not undo_unmatched:
            self.attention.setdefault(event.key, Reason.UNMATCHED_REFUND)
        elif event.fully_signed and not event.product_id:
            for chain in live:
                chain.undone_by = event
        elif live:
            chain = max(live, key=_place)
            chain.undone_by = event
            if chain is not max(candidates, key=_place):
                self.attention.setdefault(event.key, Reason.AMBIGUOUS)
            self._choose(event, chain, live)

    def _candidates(self, event: BillingEvent) -> tuple[list[Chain], bool]:
        """The chains that an entry can mean, and whether it names a payment of them."""
        for index, name in (
            (self._by_transaction, event.transaction),
            (self._by_receipt, event.receipt),
        ):
            chains = index.get((event.provider, name)) if name else None
            if chains:
                return [
                    chain for chain in chains if chain.had(event.product_id, OPEN)
                ] or chains, True
            if event.fully_signed and (name == event.receipt or event.kind not in UNDOING):
                return [], True
        of_product = self._by_product.get(event.product, ())
        return [
            chain
            for chain in of_product
            if chain.first.occurred_at <= event.occurred_at
            and chain.had(event.product_id, event.occurred_at)
        ], False

    def _may_follow(self, event: BillingEvent) -> bool:
        """Whether a chain of the product may have begun by then, at its earlier time."""
        return not event.fully_signed and any(
            chain.first.earliest is not None and chain.first.earliest <= event.occurred_at
            for chain in self._by_product.get(event.product, ())
        )

    def _choose(self, event: BillingEvent, chain: Chain, candidates: list[Chain]) -> None:
        self.choices.append((event, [other for other in candidates if other is not chain]))


def _end_by_others(chain: Chain, exclusive: list[BillingEvent]) -> None:
    """Tell a chain which exclusive purchases of other products end it.

    After each event that can give access only the next such purchase matters: those that follow
    find the chain ended, or over.
    """
    product_id = chain.first.product_id
    own = {event.key for event, _ in chain.events}
    orders = [event.order for event in exclusive]
    ends: list[BillingEvent] = []
    giving = [event for event, _ in chain.events if event.kind in GIVING or event.states]
    for event, following in zip_longest(giving, giving[1:]):
        if event.changes_product:
            product_id = event.product_id
        start = bisect(orders, event.order)
        stop = bisect(orders, following.order) if following else len(orders)
        for purchase in islice(exclusive, start, stop):
            other = purchase.product_id != product_id and purchase.key not in own
            if purchase.provider == event.provider and other:
                ends.append(purchase)
                if purchase.begins_at == purchase.occurred_at:
                    break
    chain.events.extend((event, True) for event in ends)
    chain.events.sort(key=_event_order)


def _event_order(of_chain: tuple[BillingEvent, bool]) -> tuple[datetime, int, str]:
    return of_chain[0].order


def _in_order(events: Iterable[BillingEvent]) -> list[BillingEvent]:
    by_key: dict[str, BillingEvent] = {}
    for event in events:
        known = by_key.setdefault(event.key, event)
        if known != event and (event.received_at, repr(event)) < (
            known.received_at,
            repr(known),
        ):
            by_key[event.key] = event
    return sorted(by_key.values(), key=lambda event: event.order)


def _is_taken_back(event: BillingEvent, ordered: Iterable[BillingEvent]) -> bool:
    """Whether a reactivation after it takes a refund or chargeback back."""
    return bool(event.undoing) and any(
        (other.kind, other.provider) == (Kind.REACTIVATION, event.provider)
        and other.undoing == event.undoing
        and other.order > event.order
        for other in ordered
    )
