"""The past of a buyer, summed up, so that a long history need not be gone through each time.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

:func:`niteoweb.click2sell.entitlement.compute` of all events is the definition. It may go on
from a past that was summed up, where no later event can change what became of an earlier one:
payments, and statements of a subscription, that come strictly after it and that no refund or
cancellation of the past could have meant. For everything else, and for a past with anything
unusual in it, all events are needed.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell.entitlement.access import AccessTimeline
from niteoweb.click2sell.entitlement.chain import Chain
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.notification import TELLING_NOTHING
from operator import attrgetter
from typing import Any


#: Chains that a past has at most.
MOST_CHAINS = 20

#: Kinds that name no payment of another event.
_NAMING_NOTHING = TELLING_NOTHING | PAYMENTS


@dataclass(frozen=True)
class Past:
    """All events up to a moment.

    :ivar last: the time of the last one.
    :ivar chains: as they were then.
    :ivar named: providers, with the transactions and receipts that events other than payments
        name.
    :ivar attention: entries that need a person, by key, with the code of the reason.
    :ivar waiting: keys of refunds whose purchase is not known.
    """

    last: datetime
    chains: tuple[Chain, ...]
    named: frozenset[tuple[str, str]]
    attention: Mapping[str, str]
    waiting: frozenset[str]

    def goes_on_with(self, events: Iterable[BillingEvent]) -> bool:
        """Whether later events, all of them, leave it as it is."""
        return all(map(self._is_left_alone, events))

    def _is_left_alone(self, event: BillingEvent) -> bool:
        if (
            min(event.occurred_at, event.received_at) <= self.last
            or (not event.plausible or event.by_owner or event.undoing or event.for_all)
            or (event.kind is Kind.PURCHASE and event.exclusive)
            or (event.customer_suspended, event.earliest) != (None, None)
        ):
            return False
        if event.kind in TELLING_NOTHING:
            return True
        if event.kind not in PAYMENTS and not event.states:
            return False
        chains = [
            chain
            for chain in self.chains
            if chain.first.provider == event.provider
            and event.transaction in chain.transactions
        ]
        if event.receipt and (event.provider, event.receipt) in self.named:
            return False
        if not chains:
            return (event.provider, event.transaction) not in self.named
        goes_on = len(chains) == 1 and chains[0].product_id == event.product_id
        return goes_on and event.kind is not Kind.PURCHASE


def read(plain: Mapping[str, Any], known: Mapping[str, BillingEvent]) -> Past | None:
    """A past that was summed up.

    :param plain: see :func:`sum_up`.
    :param known: the events that it names, by key.
    :returns: None when one of them is not there.
    """
    chains = []
    for place, one in enumerate(plain["chains"]):
        keys = (one["first"], *one["events"], *filter(None, [one["undone_by"]]))
        if not known.keys() >= set(keys):
            return None
        chain = Chain(place, known[one["first"]])
        chain.product_id = one["product_id"]
        chain.events = [(known[key], False) for key in one["events"]]
        chain.summed_up = len(chain.events)
        chain.undone_by = known.get(one["undone_by"])
        chain.transactions = set(one["transactions"])
        chain.reached = one["reached"]
        chains.append(chain)
    return Past(
        datetime.fromisoformat(plain["last"]),
        tuple(chains),
        frozenset(plain["named"]),
        plain["attention"],
        frozenset(plain["waiting"]),
    )


def sum_up(
    events: Sequence[BillingEvent],
    timelines: Collection[AccessTimeline],
    attention: Mapping[str, str],
    waiting: Iterable[str],
    before: Past | None = None,
) -> dict[str, Any] | None:
    """A past as plain values.

    :param events: in order; those after `before`, or all.
    :param timelines: of all chains.
    :param attention: of all events.
    :param before: the past that was gone on from.
    :returns: None when one of the events may change by later ones in other ways than a past
        tells.
    """
    if not events or len(timelines) > MOST_CHAINS or any(map(_is_unusual, events)):
        return None
    named = {
        (event.provider, name)
        for event in events
        if event.kind not in _NAMING_NOTHING
        for name in (event.transaction, event.receipt)
        if name
    }
    return {
        "last": events[-1].occurred_at.isoformat(),
        "chains": tuple(map(_plain, timelines)),
        "named": tuple(sorted(named.union(before.named if before else ()))),
        "attention": {key: str(reason) for key, reason in attention.items()},
        "waiting": tuple(sorted(waiting)),
    }


def keys(plain: Mapping[str, Any]) -> set[str]:
    """The keys of the events that a past names."""
    return {
        key
        for one in plain["chains"]
        for key in (one["first"], one["undone_by"], *one["events"], *one["reached"]["keys"])
        if key
    }


def _is_unusual(event: BillingEvent) -> bool:
    return (
        event.kind is Kind.PROVISIONAL
        or event.for_all
        or event.customer_suspended is not None
        or not event.terms_known
    )


def _plain(timeline: AccessTimeline) -> dict[str, Any]:
    chain = timeline.chain
    own = [event for event, elsewhere in chain.events if not elsewhere]
    # The last statements: they name the ids of the product.
    states = [event for event in own if event.states and event.plausible]
    full = {e.product_id: e for e in states if e.kind is not Kind.RENEWAL}
    kept = [*states[-1:], *full.values(), *filter(None, [timeline.purchase])]
    return {
        "first": chain.first.key,
        "product_id": chain.product_id,
        "undone_by": chain.undone_by.key if chain.undone_by else "",
        "transactions": tuple(sorted(chain.transactions)),
        "events": tuple(dict.fromkeys(e.key for e in sorted(kept, key=attrgetter("order")))),
        "reached": timeline.plain(),
    }
