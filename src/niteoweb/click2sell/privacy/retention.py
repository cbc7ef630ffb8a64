"""Remove payloads that are older than the settings keep them.

What was bought, when, for how much and by which address stays, so that history computes as
before; only what arrived word for word goes. It stays while an entry needs attention: whoever
decides has to see what was broken.
"""

from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from itertools import islice
from itertools import takewhile
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from typing import Any


#: Entries that are changed in one commit.
BATCH = 200
#: What stands where a payload was.
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
        while (found := transactions.run(batch)).looked_at:
            total += found.redacted
    return total


@dataclass
class _Batch:
    looked_at: int = 0
    redacted: int = 0


def _old(site: Any, before: int) -> _Batch:
    """Redact what became old enough, and note what has to wait for a person."""
    found = _Batch()
    remarks, kept = trees.tree(site, "remarks"), trees.tree(site, "payloads_kept")
    old = takewhile(
        lambda place: place > -before,
        ledger.filed(site).last_first(-remarks.get("redacted_until", 0)),
    )
    for place in old:
        entry = entries.at(site, place)
        if not entry["payload"] or place in kept:
            continue
        if entry["outcome"] == ledger.ATTENTION:
            kept.insert(place)
        else:
            ledger.remove_payload(site, entry)
            found.redacted += 1
        remarks["redacted_until"] = -place
        found.looked_at += 1
        if found.looked_at == BATCH:
            break
    return found


def _decided(site: Any) -> _Batch:
    """Redact what does not need attention any more."""
    found = _Batch()
    kept = trees.tree(site, "payloads_kept")
    undecided = ledger.filed(site, "outcome", ledger.ATTENTION)
    decided = (place for place in kept if place not in undecided)
    for place in list(islice(decided, BATCH)):
        ledger.remove_payload(site, entries.at(site, place))
        kept.remove(place)
        found.looked_at += 1
        found.redacted += 1
    return found
