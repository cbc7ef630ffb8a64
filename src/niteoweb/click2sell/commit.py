"""Short transactions of our own, tried again after a conflict with another process.

The publisher's own retry sleeps up to eight seconds and then answers 500; a provider is better
served by a second of short pauses and then "try again later".
"""

from collections import deque
from collections.abc import Callable
from niteoweb.click2sell import site as plone_site
from typing import Any
from typing import TypeVar
from ZODB.POSException import ConflictError
from ZODB.POSException import ReadOnlyError

import random
import threading
import time
import transaction


#: Pauses in seconds before the work is tried again; they add up to less than a second.
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)


class Turns:
    """A lock that is handed over in the order in which it was asked for.

    With a plain lock one of several threads may wait for ever, while the others get it again.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        # Released by whoever has it before.
        turn.acquire()

    def __exit__(self, *_error: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    def locked(self) -> bool:
        """Whether some thread has it."""
        return self._taken


#: Provisioning is serial within a process; conflicts are left to several processes.
lock = Turns()

T = TypeVar("T")


class Busy(Exception):
    """Another process was at the same data all the time, or the database is read-only."""


def run(work: Callable[[Any], T]) -> T:
    """Do something in a transaction of its own and commit it.

    :param work: called with the site; again from the start after a conflict.
    :raises Busy: it conflicted every time, or the database is read-only.
    """
    for pause in (*PAUSES, None):
        # What this thread saw so far is a snapshot from before it waited for a lock.
        transaction.begin()
        try:
            result = work(plone_site.get())
            transaction.commit()
        except ReadOnlyError:
            transaction.abort()
            raise Busy from None
        except ConflictError:
            transaction.abort()
            if pause is None:
                raise Busy from None
            # Two processes that wait equally long would meet again.
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
        except BaseException:
            transaction.abort()
            raise
        else:
            transaction.begin()
            return result
    raise AssertionError("unreachable")
