"""Remove payloads that are older than the settings keep them.

What was bought, when, for how much and by which address stays, so that history computes as
before; only what arrived word for word goes.
"""

from datetime import datetime
from datetime import timedelta
from itertools import islice
from itertools import takewhile
from niteoweb.click2sell import commit
from niteoweb.click2sell import ledger
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import store
from typing import Any


#: Entries that are changed in one commit.
BATCH = 200
#: What stands where a payload was.
REDACTED = "{}"


def redact(now: datetime) -> int:
    """Remove the payloads of entries that are old enough.

    :param now: in UTC.
    :returns: how many there were.
    :raises niteoweb.click2sell.commit.Busy: another process was at the same data.
    """
    days = plone_site.settings().retention_days
    if not days:
        return 0
    before = ledger.microseconds(now - timedelta(days=days))
    total = 0
    while done := commit.run(lambda site: _batch(site, before)):
        total += done
    return total


def _batch(site: Any, before: int) -> int:
    remarks = store.tree(site, "remarks")
    places = store.tree(site, "facets").get("all=")
    if places is None:
        return 0
    old = takewhile(
        lambda place: place[0] > -before,
        ledger.last_first(places, (-remarks.get("redacted_until", 0), "~")),
    )
    full = ((time, entry) for time, key in old if (entry := _full(site, key)) is not None)
    done = 0
    for time, entry in islice(full, BATCH):
        entry["payload"] = REDACTED
        remarks["redacted_until"] = -time
        done += 1
    return done


def _full(site: Any, key: str) -> ledger.Entry | None:
    entry = ledger.get(site, key)
    return None if entry["payload"] == REDACTED else entry
