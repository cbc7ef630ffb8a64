"""Deliveries with a wrong signature: counted in memory, written down now and then.

Somebody who guesses must not be able to make the database grow. The counter is written at most
once a minute, and only together with a genuine delivery or a sweep.
"""

from collections import deque
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

_lock = threading.Lock()
_count = 0
_samples: deque[tuple[str, int]] = deque(maxlen=SAMPLES)
_written = float("-inf")


def note(size: int, now: datetime) -> None:
    """Count a forged delivery.

    :param size: of the body, in bytes.
    """
    global _count
    with _lock:
        _count += 1
        _samples.append((iso(now), size))


def write(site: Any) -> None:
    """Add the count to the database, in the current transaction, unless it is too early."""
    with _lock:
        count, samples = _count, tuple(_samples)
        early = time.monotonic() - _written < PAUSE
    if not count or early:
        return
    remarks = store.tree(site, "remarks")
    remarks["forged"] = remarks.get("forged", 0) + count
    remarks["forged_samples"] = samples
    transaction.get().addAfterCommitHook(_forget, args=(count,))


def total(site: Any) -> int:
    """How many forged deliveries there were, as far as this process knows."""
    with _lock:
        return store.tree(site, "remarks").get("forged", 0) + _count


def _forget(committed: bool, count: int) -> None:
    global _count, _written
    if committed:
        with _lock:
            _count -= count
            _written = time.monotonic()
