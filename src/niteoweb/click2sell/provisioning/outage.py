"""Providers that could not be reached a moment ago, as far as this process knows.

Whoever asks a provider that is away waits for seconds to be told nothing. While notifications
come in, one of them in a minute finds out whether the provider is back; the others do not ask.
"""

from threading import Lock
from typing import Any

import time


#: Seconds that a provider counts as away.
FOR = 60

_away: dict[str, tuple[int, float]] = {}
_lock = Lock()


def may_ask(provider: str, settings: Any) -> bool:
    """Whether a provider may be asked now; the first one after a while finds out.

    :param settings: what stands for how it is asked: with another address or token it is
        another matter.
    """
    with _lock:
        known, until = _away.get(provider, (0, 0.0))
        if known != hash(settings):
            return True
        if time.monotonic() < until:
            return False
        _away[provider] = known, time.monotonic() + FOR
        return True


def begins(provider: str, settings: Any) -> None:
    """A provider could not be reached."""
    with _lock:
        _away[provider] = hash(settings), time.monotonic() + FOR


def ends(provider: str) -> None:
    """A provider has answered."""
    with _lock:
        _away.pop(provider, None)


def forget() -> None:
    """Forget all, for tests."""
    with _lock:
        _away.clear()
