"""Suspended customers: a provider keeps a customer out, and lets the customer in again later.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

Meanwhile no subscription of that provider gives the buyer access, and nothing that is bought
meanwhile either. Chains are what they would be without it: access goes on as it stands when the
suspension is lifted. A buyer who is several customers is suspended while one of them is.
"""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.event import OPEN


Span = tuple[datetime, datetime]


def suspensions(events: Iterable[BillingEvent]) -> Mapping[str, list[Span]]:
    """The time for which each provider keeps the buyer out.

    :param events: all accepted entries of one buyer, in order, each once.
    """
    spans: dict[str, list[Span]] = defaultdict(list)
    out: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if event.customer_suspended is None:
            continue
        customers, begun = out[event.provider], spans[event.provider]
        if event.customer_suspended:
            if not customers:
                begun.append((event.occurred_at, OPEN))
            customers.add(event.transaction)
        elif event.transaction in customers:
            customers.remove(event.transaction)
            if not customers:
                begun[-1] = begun[-1][0], event.occurred_at
    return spans


def without(spans: Iterable[Span], suspended: Sequence[Span]) -> Iterable[Span]:
    """The parts of spans in which nobody is kept out.

    :param suspended: in order, without overlaps.
    """
    for start, stop in spans:
        for first, last in suspended:
            if start < min(first, stop):
                yield start, min(first, stop)
            start = max(start, last)
        if start < stop:
            yield start, stop
