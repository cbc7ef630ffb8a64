"""When the sweep takes up an entry that is not final."""

from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import retryqueue
from typing import Any


#: An entry that is "received" for longer belongs to a process that died.
RECEIVED_AT_MOST = timedelta(minutes=2)

#: Minutes until a failed entry is taken up after the first and each later attempt; the last one
#: repeats. The first time it is the next sweep's: what failed may have been a moment's trouble.
PAUSES = (0, 15, 60, 240, 720, 1440)


def note(site: Any, entry: ledger.Entry, now: datetime) -> None:
    """Set when a failed entry is taken up, by the number of its attempts.

    A redelivery or a replay does not wait for it.

    :param now: in UTC.
    """
    pause = PAUSES[min(entry["attempts"], len(PAUSES)) - 1]
    retryqueue.file(site, entry, timestamps.iso(now + timedelta(minutes=pause)))


def note_away(site: Any, entry: ledger.Entry, now: datetime) -> None:
    """Let an entry wait until its provider can be reached; each sweep asks about one of them.

    :param now: in UTC.
    """
    retryqueue.file(site, entry, timestamps.iso(now), entry["provider"])


def due(site: Any, now: datetime) -> list[str]:
    """Keys of the entries to take up: failed ones, and those whose process died.

    :param now: in UTC.
    """
    died = ledger.received_before(site, "outcome", ledger.RECEIVED, now - RECEIVED_AT_MOST)
    return [*died, *retryqueue.due(site, timestamps.iso(now))]


def waiting(site: Any, now: datetime) -> int:
    """How many failed entries wait for their time, or for their provider.

    :param now: in UTC.
    """
    failed = ledger.count(site, "outcome", ledger.FAILED)
    return failed - retryqueue.due_count(site, timestamps.iso(now))
