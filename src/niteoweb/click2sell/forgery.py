"""Deliveries with a wrong signature: counted in memory, written down now and then.

Somebody who guesses must not be able to make the database grow. The counter is written at most
once a minute, and only together with a genuine delivery or a sweep.
"""

from collections import defaultdict
from collections import deque
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from niteoweb.click2sell import store
from niteoweb.click2sell.ledger import iso
from typing import Any

import threading
import time
import transaction


#: Seconds between two writes.
PAUSE = 60
#: Samples that are kept: when it came and how many bytes it had, nothing of what it said.
SAMPLES = 5


@dataclass
class _Tally:
    count: int = 0
    samples: deque[tuple[str, int]] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    written: float = float("-inf")


_lock = threading.Lock()
#: By the path of the site: a process may serve several.
_tallies: defaultdict[tuple[str, ...], _Tally] = defaultdict(_Tally)


def note(site: Any, size: int, now: datetime) -> None:
    """Count a forged delivery.

    :param size: of the body, in bytes.
    """
    with _lock:
        tally = _tallies[site.getPhysicalPath()]
        tally.count += 1
        tally.samples.append((iso(now), size))


def write(site: Any) -> None:
    """Add the count to the database, in the current transaction, unless it is too early.

    Call it with :data:`niteoweb.click2sell.commit.lock` held until the commit is done: what is
    written is taken off the count in memory only after that, and must not be written twice.
    """
    path = site.getPhysicalPath()
    with _lock:
        tally = _tallies[path]
        count, samples = tally.count, tuple(tally.samples)
        early = time.monotonic() - tally.written < PAUSE
    if not count or early:
        return
    remarks = store.tree(site, "remarks")
    remarks["forged"] = remarks.get("forged", 0) + count
    remarks["forged_samples"] = samples
    transaction.get().addAfterCommitHook(_forget, args=(path, count))


def total(site: Any) -> int:
    """How many forged deliveries there were, as far as this process knows."""
    with _lock:
        noted = _tallies[site.getPhysicalPath()].count
    return store.tree(site, "remarks").get("forged", 0) + noted


def _forget(committed: bool, path: tuple[str, ...], count: int) -> None:
    if committed:
        with _lock:
            _tallies[path].count -= count
            _tallies[path].written = time.monotonic()
