"""When the sweep takes up an entry that is not final."""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import ledger
from typing import Any


#: An entry that is "received" for longer belongs to a process that died.
RECEIVED_AT_MOST = timedelta(minutes=2)

#: Minutes until a failed entry is taken up after the first and each later attempt; the last one
#: repeats. The first time it is the next sweep's: what failed may have been a moment's trouble.
PAUSES = (0, 15, 60, 240, 720, 1440)


def note(entry: ledger.Entry, now: datetime) -> None:
    """Set when a failed entry is taken up, by the number of its attempts.

    A redelivery or a replay does not wait for it.

    :param now: in UTC.
    """
    pause = PAUSES[min(entry["attempts"], len(PAUSES)) - 1]
    ledger.change(entry, retry_at=ledger.iso(now + timedelta(minutes=pause)))


def due(site: Any, now: datetime) -> list[str]:
    """Keys of the entries to take up: failed ones, and those whose process died.

    :param now: in UTC.
    """
    died = ledger.received_before(site, "outcome", ledger.RECEIVED, now - RECEIVED_AT_MOST)
    failed = (key for key, waits in _failed(site, now) if not waits)
    return [*died, *failed]


def waiting(site: Any, now: datetime) -> int:
    """How many failed entries wait for their time.

    :param now: in UTC.
    """
    return sum(waits for _key, waits in _failed(site, now))


def _failed(site: Any, now: datetime) -> Iterator[tuple[str, bool]]:
    for key in ledger.newest_first(site, "outcome", ledger.FAILED):
        yield key, ledger.get(site, key).get("retry_at", "") > ledger.iso(now)
