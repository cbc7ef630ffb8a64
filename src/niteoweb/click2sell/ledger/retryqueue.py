"""The queue of failed entries that are tried again.

An entry waits for the time of its next attempt, or until its provider can be reached. It is
filed by that, so that a sweep reads the due entries and not all that ever failed.
"""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger.entries import Entry
from niteoweb.click2sell.storage import trees
from typing import Any


#: Minutes until a failed entry is tried again after the first and each later attempt; the last
#: one repeats. The first time the next sweep tries it: the failure may have been a moment's
#: trouble.
PAUSES = (0, 15, 60, 240, 720, 1440)

#: Provider, moment, place.
Row = tuple[str, str, int]

#: Behind all places of a moment.
_LAST = 1


def schedule(site: Any, entry: Entry, now: datetime) -> None:
    """Set when a failed entry is tried again, by the number of its attempts.

    A redelivery or a replay does not wait for it.

    :param now: in UTC.
    """
    pause = PAUSES[min(entry["attempts"], len(PAUSES)) - 1]
    entries.change(
        site, entry, retry_at=timestamps.iso(now + timedelta(minutes=pause)), waits_for=""
    )


def await_provider(site: Any, entry: Entry, now: datetime) -> None:
    """Let an entry wait until its provider can be reached; each sweep asks about one of them.

    :param now: in UTC.
    """
    entries.change(site, entry, retry_at=timestamps.iso(now), waits_for=entry["provider"])


def hasten(site: Any, now: datetime) -> None:
    """Let no entry wait for its next attempt: the clock was ahead when it was put off.

    :param now: in UTC.
    """
    waiting = trees.tree(site, "retries").keys(("", timestamps.iso(now), _LAST), ("\0",))
    for _provider, _moment, place in list(waiting):
        entries.change(site, entries.at(site, place), retry_at=timestamps.iso(now))


def due(site: Any, now: datetime) -> Iterator[str]:
    """Keys of the entries whose time has come, the longest due first.

    :param now: in UTC.
    """
    return _keys(site, _due(site, now))


def due_count(site: Any, now: datetime) -> int:
    """The number of entries whose time has come.

    :param now: in UTC.
    """
    return len(_due(site, now))


def waiting_for(site: Any, provider: str) -> Iterator[str]:
    """Keys of the entries that wait for a provider, first the one asked about longest ago."""
    retries = trees.tree(site, "retries")
    return _keys(site, list(retries.keys((provider,), (provider + "\0",))))


def awaited(site: Any) -> Iterator[str]:
    """The providers that entries wait for, by name."""
    retries, after = trees.tree(site, "retries"), "\0"
    while row := next(iter(retries.keys(min=(after,))), None):
        yield row[0]
        after = row[0] + "\0"


def _due(site: Any, now: datetime) -> list[Row]:
    return list(trees.tree(site, "retries").keys(("",), ("", timestamps.iso(now), _LAST)))


def _keys(site: Any, rows: list[Row]) -> Iterator[str]:
    """Keys of entries, each looked up when its turn comes."""
    for _provider, _moment, place_ in rows:
        yield entries.at(site, place_)["key"]
