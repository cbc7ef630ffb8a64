"""Payments at other providers, by their notifications in the ledger: how they stand."""

from collections.abc import Iterator
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import OPEN
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.providers.webtv import questions
from typing import Any
from typing import NamedTuple


class Standing(NamedTuple):
    """The state of recurring payments, in the store's words.

    :ivar last: Unix seconds of the latest payment, 0 for none.
    :ivar next: Unix seconds of the next one, 0 where it is not known.
    """

    status: str
    last: int
    next: int


def accepted(since: datetime, **wanted: str) -> Iterator[ledger.Entry]:
    """The accepted entries since a moment, the latest first.

    :param wanted: fields that they have to have, ``kind`` for example.
    """
    site, last = plone_site.get(), -timestamps.microseconds(since)
    filed = ledger.filed(site, outcome=Outcome.ACCEPTED, **wanted)
    for place in list(filed.between(None, last)):
        yield entries.at(site, place)


def of_payment(site: Any, key: str, now: datetime) -> Standing | None:
    """The state of the subscription that began with a payment, None where it is not known.

    :param key: of the payment's entry.
    :param now: in UTC.
    """
    found = _history(site, key, now)
    if found is None:
        return None
    entry, outcome, timeline, events = found
    last = max(event.occurred_at for event in events if event.kind in PAYMENTS)
    failed = any(
        event.kind is Kind.PAYMENT_FAILED and event.occurred_at > last
        for event in outcome.events
        if (event.provider, event.transaction) == (entry["provider"], entry["transaction"])
    )
    if timeline.chain.undone_by is not None or not timeline.renewable:
        status = questions.CANCELLED
    elif not timeline.gives_access(now):
        status = questions.EXPIRED
    else:
        status = questions.SUSPENDED if failed else questions.ACTIVE
    following = 0 if timeline.end >= OPEN else int(timeline.end.timestamp())
    return Standing(status, int(last.timestamp()), following)


def is_undone(site: Any, key: str, now: datetime) -> bool:
    """Whether a payment was refunded, or charged back.

    :param key: of the payment's entry, "" for none.
    :param now: in UTC.
    """
    found = _history(site, key, now) if key else None
    return found is not None and found[2].chain.undone_by is not None


def _history(site: Any, key: str, now: datetime) -> tuple[Any, ...] | None:
    """The entry of a payment, all that its buyer has, its timeline, and the events in it."""
    entry = ledger.get(site, key)
    buyer = buyers.get(site, entry["buyer_id"]) if entry is not None else None
    if buyer is None:
        return None
    outcome = history.outcome(site, buyer, now)
    for timeline in outcome.timelines:
        events = [event for event, elsewhere in timeline.chain.events if not elsewhere]
        if any(event.key == entry["key"] for event in events):
            return entry, outcome, timeline, events
    return None
