"""Rates: how often something may be asked for in some minutes.

They are counted in the memory of each process, so that nobody can fill the database by asking.
Several processes together let so many times as much through, and a restart begins anew.
"""

from collections import deque
from collections.abc import Hashable
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.provisioning.validation import TooMany

import threading


MINUTE = timedelta(minutes=1)
#: The longest time in which calls are counted.
LONGEST = timedelta(minutes=10)

#: Path of the site and subject of each call, with its time; the oldest first.
_calls: deque[tuple[Hashable, ...]] = deque()
_lock = threading.Lock()


def count(most: int, *subject: str, within: timedelta = MINUTE) -> None:
    """Count a call.

    :param most: calls in that time.
    :param subject: what is asked for, and perhaps by whom.
    :param within: that time, :data:`LONGEST` at most.
    :raises niteoweb.click2sell.provisioning.TooMany: there were as many; this one counts not.
    """
    now, mine = timestamps.now(), (plone_site.get().getPhysicalPath(), *subject)
    with _lock:
        while _calls and not timedelta() <= now - _calls[0][0] < LONGEST:
            _calls.popleft()
        if sum(call == mine and now - at < within for at, call in _calls) >= most:
            raise TooMany
        _calls.append((now, mine))
