"""Deliveries that were turned away: counted in memory, written down now and then.

Somebody who guesses must not be able to make the database grow. The counters are written at
most once a minute, and only together with a genuine delivery or a sweep.
"""

from collections import defaultdict
from collections import deque
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.storage import trees
from typing import Any

import threading
import time
import transaction


#: A wrong signature, and a test where real purchases are expected or the other way round; each
#: provider has counters of its own for them, see :func:`of`.
FORGED, MODE = "forged", "mode"
#: It came from a network that may not send.
NETWORK = "network"

#: Seconds between two writes.
PAUSE = 60
#: Samples that are kept, each with the time and the number of bytes, without the content.
SAMPLES = 5


@dataclass
class _Tally:
    count: int = 0
    samples: deque[tuple[str, int]] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    written: float = float("-inf")


#: The path of a site, since a process may serve several, and why they were turned away.
_Place = tuple[tuple[str, ...], str]

_lock = threading.Lock()
_tallies: defaultdict[_Place, _Tally] = defaultdict(_Tally)


def of(provider: str, why: str = FORGED) -> str:
    """The name of a provider's counter.

    :param why: :data:`FORGED` or :data:`MODE`.
    """
    return f"{why} {provider}"


def note(site: Any, size: int, now: datetime, why: str) -> None:
    """Count a delivery that was turned away.

    :param size: of the body, in bytes; 0 when it was not read.
    :param why: the name of a counter, :data:`NETWORK` or one of :func:`of`.
    """
    with _lock:
        tally = _tallies[site.getPhysicalPath(), why]
        tally.count += 1
        tally.samples.append((timestamps.iso(now), size))


def write(site: Any) -> None:
    """Add the counts to the database, in the current transaction, unless it is too early.

    Call it in a job of the writer: the counts are taken off those in memory after the commit,
    and must not be written twice.
    """
    path = site.getPhysicalPath()
    with _lock:
        noted = [why for of_site, why in _tallies if of_site == path]
    for why in noted:
        place = path, why
        with _lock:
            tally = _tallies[place]
            count, samples = tally.count, tuple(tally.samples)
            early = time.monotonic() - tally.written < PAUSE
        if not count or early:
            continue
        remarks = trees.tree(site, "remarks")
        remarks[why] = remarks.get(why, 0) + count
        remarks[_samples(why)] = samples
        transaction.get().addAfterCommitHook(_forget, args=(place, count))


def total(site: Any, why: str) -> int:
    """The number of deliveries that were turned away, as far as this process knows."""
    with _lock:
        noted = _tallies[site.getPhysicalPath(), why].count
    return trees.tree(site, "remarks").get(why, 0) + noted


def last(site: Any, why: str) -> datetime | None:
    """The latest delivery that was turned away, in UTC, as far as this process knows."""
    with _lock:
        samples = tuple(_tallies[site.getPhysicalPath(), why].samples)
    written = trees.tree(site, "remarks").get(_samples(why), ())
    times = [moment for moment, _size in (*written, *samples)]
    return timestamps.from_iso(max(times)) if times else None


def _samples(why: str) -> str:
    return f"{why}_samples"


def _forget(committed: bool, place: _Place, count: int) -> None:
    if committed:
        with _lock:
            _tallies[place].count -= count
            _tallies[place].written = time.monotonic()
