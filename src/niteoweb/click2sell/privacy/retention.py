"""Retention: the payloads of old entries are removed.

The notification itself stays, so that history computes as before; only the payload goes, the
parameters as they arrived. It stays while an entry needs attention: the owner who decides has
to see it.
"""

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
        looked_at = BATCH
        while looked_at:
            looked_at, redacted = writer.run(batch)
            total += redacted
    return total


def _old(site: Any, before: int) -> tuple[int, int]:
    """Redact entries that became old enough, and note those that wait for an owner.

    :returns: the number of entries looked at, and of those redacted.
    """
    looked_at = redacted = 0
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
            redacted += 1
        remarks["redacted_until"] = -place
        looked_at += 1
        if looked_at == BATCH:
            break
    return looked_at, redacted


def _decided(site: Any) -> tuple[int, int]:
    """Redact old entries that do not need attention any more, all that it looks at."""
    kept = trees.tree(site, "payloads_kept")
    undecided = ledger.filed(site, outcome=Outcome.ATTENTION)
    decided = list(islice((place for place in kept if place not in undecided), BATCH))
    for place in decided:
        ledger.remove_payload(site, entries.at(site, place))
        kept.remove(place)
    return len(decided), len(decided)
