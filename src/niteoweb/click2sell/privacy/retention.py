"""Retention: the payloads of old entries are removed.

The notification itself stays, so that history computes as before; only the payload goes, the
parameters as they arrived. It stays while an entry needs attention: the owner who decides has
to see it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from itertools import islice
from itertools import takewhile
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from typing import Any


#: Entries that are changed in one commit.
BATCH = 200
#: The payload of an entry whose payload was removed.
REDACTED = "{}"


def redact(now: datetime) -> int:
    """Remove the payloads of entries that are old enough.

    :param now: in UTC.
    :returns: how many there were.
    :raises niteoweb.click2sell.storage.transactions.Busy: another process was at the same data.
    """
    days = plone_site.settings().retention_days
    if not days:
        return 0
    before = timestamps.microseconds(now - timedelta(days=days))
    total = 0
    for batch in (lambda site: _old(site, before), _decided):
        while (done := _run(batch)).looked_at:
            total += done.redacted
    return total


@dataclass
class _Batch:
    looked_at: int = 0
    redacted: int = 0


def _run(batch: Callable[[Any], _Batch]) -> _Batch:
    return writer.run(batch)


def _old(site: Any, before: int) -> _Batch:
    """Redact entries that became old enough, and note those that wait for an owner."""
    batch = _Batch()
    remarks, kept = trees.tree(site, "remarks"), trees.tree(site, "payloads_kept")
    old = takewhile(
        lambda place: place > -before,
        ledger.filed(site).last_first(-remarks.get("redacted_until", 0)),
    )
    for place in old:
        entry = entries.at(site, place)
        if not entry["payload"] or place in kept:
            continue
        if entry["outcome"] == Outcome.ATTENTION:
            kept.insert(place)
        else:
            ledger.remove_payload(site, entry)
            batch.redacted += 1
        remarks["redacted_until"] = -place
        batch.looked_at += 1
        if batch.looked_at == BATCH:
            break
    return batch


def _decided(site: Any) -> _Batch:
    """Redact old entries that do not need attention any more."""
    batch = _Batch()
    kept = trees.tree(site, "payloads_kept")
    undecided = ledger.filed(site, outcome=Outcome.ATTENTION)
    decided = (place for place in kept if place not in undecided)
    for place in list(islice(decided, BATCH)):
        ledger.remove_payload(site, entries.at(site, place))
        kept.remove(place)
        batch.looked_at += 1
        batch.redacted += 1
    return batch
