"""Which notifications belong together: a purchase, and what later befell it.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A chain is a purchase and the renewals that follow it. Belonging never depends on refunds or
cancellations, only on payments and plan changes; that is what makes sure that a refund cannot
give access by moving a payment to another chain. The rules, where there is a choice:

* Chains, receipts and products are told apart by provider.
* A renewal belongs to the chain that has a payment of its transaction and is on its product;
  else to the latest chain on its product; else it starts one. A renewal whose purchase is
  known, but dated later by a wrong clock, never goes to another chain, nor does one of a
  provider that always names the subscription.
* A purchase of a transaction and product that a chain has already joins that chain: it is the
  same sale told twice, or a signature used again. Everything else that is a purchase starts a
  chain.
* A plan change belongs to the chain of its transaction, of several to the one that is on its
  product already: that one keeps its product and takes the end that is stated.
* What states all of a subscription belongs to the chain of its transaction, whatever the
  product, and starts one where there is none: the chain goes on with the product stated.
* A payment that names another product than the chain of its transaction, without a plan
  change, is a chain of its own: it gives what was paid for.
* Refund, chargeback, cancellation, reactivation and expiry look for a payment of their
  transaction, then of their receipt, then for the latest chain begun by then that was ever on
  their product. Where several chains have the transaction or receipt (a cart with one
  receipt), the product decides. A provider that always names the subscription means no other.
* Two refunds that name no payment undo two chains: the one undone already is not meant again.
"""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from itertools import zip_longest
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.event import CUSTOMER_DELETED
from niteoweb.click2sell.entitlement.event import FUTURE
from niteoweb.click2sell.entitlement.event import NEVER
from niteoweb.click2sell.entitlement.event import NO_PURCHASE
from niteoweb.click2sell.entitlement.event import OPEN
from niteoweb.click2sell.entitlement.event import UNKNOWN_KIND
from niteoweb.click2sell.entitlement.event import UNMATCHED_REFUND
from niteoweb.click2sell.notification import GIVING
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import PAYMENTS


_UNDOING = frozenset({Kind.REFUND, Kind.CHARGEBACK})
_STEERING = frozenset({Kind.CANCELLATION, Kind.REACTIVATION, Kind.EXPIRY})


class Chain:
    """A purchase, or a renewal without one, and what belongs to it.

    :ivar place: number of the chain, by its beginning; the latest chain has the highest.
    :ivar product_id: the product that it is on after everything that was read so far.
    :ivar events: what happened to it, in order: the fact, and whether that fact is an exclusive
        purchase elsewhere, which ends this chain.
    :ivar undone_by: the first refund or chargeback of it.
    """

    def __init__(self, place: int, first: BillingEvent) -> None:
        self.place = place
        self.first = first
        self.product_id = first.product_id
        self.events: list[tuple[BillingEvent, bool]] = []
        self.undone_by: BillingEvent | None = None
        self._products = [(NEVER, first.product_id)]

    def change_product(self, fact: BillingEvent) -> None:
        """Go on with the product of a plan change."""
        self.product_id = fact.product_id
        self._products.append((fact.occurred_at, fact.product_id))

    def had(self, product_id: str, moment: datetime) -> bool:
        """Whether it was on a product at a moment or before."""
        return any(name == product_id and since <= moment for since, name in self._products)


@dataclass(frozen=True)
class Choice:
    """What an entry was taken to mean, where it could have meant something else.

    :ivar others: chains that would have been possible too; only a live one makes it ambiguous.
    :ivar certain: False when a chain was taken that was not the latest.
    """

    fact: BillingEvent
    others: tuple[Chain, ...]
    certain: bool


class History:
    """All entries of a buyer, sorted into chains.

    :param facts: the accepted entries, in any order; of several with one key the one that
        arrived first counts.
    :param undo_unmatched: whether a refund that names no payment undoes the latest chain.
    :ivar facts: the entries in order, each once.
    :ivar attention: entries that need a person, by key, with the code of the reason.
    :ivar waiting: keys of refunds whose purchase is not known yet.
    :ivar choices: entries that are ambiguous when another chain was live at their time.
    """

    def __init__(self, facts: Iterable[BillingEvent], undo_unmatched: bool = True) -> None:
        self.chains: list[Chain] = []
        self.attention: dict[str, str] = {}
        self.waiting: set[str] = set()
        self.choices: list[Choice] = []
        self._by_transaction: dict[tuple[str, str], list[Chain]] = defaultdict(list)
        self._by_receipt: dict[tuple[str, str], list[Chain]] = defaultdict(list)
        self._by_product: dict[tuple[str, str], list[Chain]] = defaultdict(list)
        self.facts = ordered = _in_order(facts)
        self._sales = {
            _sale(fact) for fact in ordered if fact.kind is Kind.PURCHASE and fact.transaction
        }
        for fact in ordered:
            if not fact.plausible:
                self.attention[fact.key] = FUTURE
            if fact.states:
                self._state(fact)
            elif fact.kind in PAYMENTS:
                self._pay(fact)
            elif fact.kind is Kind.PLAN_CHANGE:
                self._change_plan(fact)
            elif fact.kind is Kind.UNKNOWN:
                self.attention[fact.key] = UNKNOWN_KIND
        # Only now are all payments known that these can name, whatever their dates.
        for fact in ordered:
            if fact.for_all:
                self._end_all(fact)
            elif fact.kind in _STEERING and not fact.states:
                self._steer(fact)
            elif fact.kind in _UNDOING:
                self._undo(fact, undo_unmatched)
        # Whether they are refunded later does not matter: that brings nothing back.
        exclusive = [
            fact
            for fact in ordered
            if fact.kind is Kind.PURCHASE and fact.exclusive and fact.plausible
        ]
        for chain in self.chains:
            chain.events.sort(key=_event_order)
            if exclusive:
                _end_by_others(chain, exclusive)

    def _pay(self, fact: BillingEvent) -> None:
        self._join(fact, self._paid_chain(fact) or self._begin(fact))

    def _state(self, fact: BillingEvent) -> None:
        found = self._by_transaction.get((fact.provider, fact.transaction), ())
        chain = max(found, key=_place, default=None) or self._begin(fact)
        self._join(fact, chain)
        self._move(chain, fact)

    def _begin(self, fact: BillingEvent) -> Chain:
        chain = Chain(len(self.chains), fact)
        self.chains.append(chain)
        self._by_product[fact.provider, fact.product_id].append(chain)
        return chain

    def _join(self, fact: BillingEvent, chain: Chain) -> None:
        chain.events.append((fact, False))
        for index, name in (
            (self._by_transaction, fact.transaction),
            (self._by_receipt, fact.receipt),
        ):
            found = index[fact.provider, name]
            if name and chain not in found:
                found.append(chain)

    def _paid_chain(self, fact: BillingEvent) -> Chain | None:
        found = self._by_transaction.get((fact.provider, fact.transaction), ())
        same = [chain for chain in found if chain.product_id == fact.product_id]
        unnamed = fact.kind is Kind.RENEWAL and not fact.fully_signed
        if not same and unnamed and _sale(fact) not in self._sales:
            known = self._by_product.get((fact.provider, fact.product_id), ())
            same = [chain for chain in known if chain.product_id == fact.product_id]
        return max(same, key=_place, default=None)

    def _change_plan(self, fact: BillingEvent) -> None:
        found = self._by_transaction.get((fact.provider, fact.transaction), ())
        same = [chain for chain in found if chain.product_id == fact.product_id]
        chain = max(same or found, key=_place, default=None)
        if chain is None:
            self.attention.setdefault(fact.key, NO_PURCHASE)
            return
        chain.events.append((fact, False))
        self._move(chain, fact)

    def _move(self, chain: Chain, fact: BillingEvent) -> None:
        if fact.changes_product and fact.product_id != chain.product_id:
            chain.change_product(fact)
            known = self._by_product[fact.provider, fact.product_id]
            if chain not in known:
                known.append(chain)

    def _steer(self, fact: BillingEvent) -> None:
        candidates, _ = self._candidates(fact)
        chain = max(candidates, key=_place, default=None)
        if chain is not None:
            chain.events.append((fact, False))
            self._choose(fact, chain, candidates, certain=True)
        elif fact.kind is Kind.REACTIVATION:
            self.attention.setdefault(fact.key, NO_PURCHASE)

    def _end_all(self, fact: BillingEvent) -> None:
        self.attention.setdefault(fact.key, CUSTOMER_DELETED)
        for chain in self.chains:
            if chain.first.provider == fact.provider:
                chain.events.append((fact, False))

    def _undo(self, fact: BillingEvent, undo_unmatched: bool) -> None:
        candidates, named = self._candidates(fact)
        live = [chain for chain in candidates if chain.undone_by is None]
        if not candidates:
            self.waiting.add(fact.key)
        elif not named and not undo_unmatched:
            self.attention.setdefault(fact.key, UNMATCHED_REFUND)
        elif live:
            chain = max(live, key=_place)
            chain.undone_by = fact
            self._choose(fact, chain, live, certain=chain is max(candidates, key=_place))

    def _candidates(self, fact: BillingEvent) -> tuple[list[Chain], bool]:
        """The chains that an entry can mean, and whether it names a payment of them."""
        for index, name in (
            (self._by_transaction, fact.transaction),
            (self._by_receipt, fact.receipt),
        ):
            found = index.get((fact.provider, name)) if name else None
            if found:
                return [
                    chain for chain in found if chain.had(fact.product_id, OPEN)
                ] or found, True
            if fact.fully_signed:
                return [], True
        known = self._by_product.get((fact.provider, fact.product_id), ())
        return [
            chain
            for chain in known
            if chain.first.occurred_at <= fact.occurred_at
            and chain.had(fact.product_id, fact.occurred_at)
        ], False

    def _choose(
        self, fact: BillingEvent, chain: Chain, candidates: Iterable[Chain], certain: bool
    ) -> None:
        others = tuple(other for other in candidates if other is not chain)
        if others or not certain:
            self.choices.append(Choice(fact, others, certain))


def _end_by_others(chain: Chain, exclusive: list[BillingEvent]) -> None:
    """Tell a chain which exclusive purchases of other products end it.

    After each event that can give access only the next such purchase matters: those that follow
    find the chain ended, or over.
    """
    product_id = chain.first.product_id
    own = {fact.key for fact, _ in chain.events}
    orders = [fact.order for fact in exclusive]
    ends: list[BillingEvent] = []
    giving = [event for event, _ in chain.events if event.kind in GIVING]
    for event, following in zip_longest(giving, giving[1:]):
        if event.changes_product:
            product_id = event.product_id
        start = bisect(orders, event.order)
        stop = bisect(orders, following.order) if following else len(orders)
        for fact in islice(exclusive, start, stop):
            other = fact.product_id != product_id and fact.key not in own
            if fact.provider == event.provider and other:
                ends.append(fact)
                break
    chain.events.extend((fact, True) for fact in ends)
    chain.events.sort(key=_event_order)


def _event_order(event: tuple[BillingEvent, bool]) -> tuple[datetime, int, str]:
    return event[0].order


def _in_order(facts: Iterable[BillingEvent]) -> list[BillingEvent]:
    by_key: dict[str, BillingEvent] = {}
    for fact in facts:
        known = by_key.setdefault(fact.key, fact)
        if known != fact and (fact.received_at, repr(fact)) < (known.received_at, repr(known)):
            by_key[fact.key] = fact
    return sorted(by_key.values(), key=lambda fact: fact.order)


def _sale(fact: BillingEvent) -> tuple[str, str, str]:
    return fact.provider, fact.transaction, fact.product_id


def _place(chain: Chain) -> int:
    return chain.place
