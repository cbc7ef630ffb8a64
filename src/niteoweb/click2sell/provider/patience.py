"""How long providers may be asked in all, while somebody waits for it.

A request that is being answered holds one of the few threads of its process. What asks for it
says how many seconds there are; whatever asks a provider looks at how many are left.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import math
import time


_until: ContextVar[float] = ContextVar("niteoweb.click2sell.patience", default=math.inf)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """All that is asked inside has to be answered in so many seconds together."""
    token = _until.set(min(_until.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _until.reset(token)


def left() -> float:
    """Seconds that are left, infinite outside of :func:`limited`; negative when it is over."""
    return _until.get() - time.monotonic()
