"""Background work, as the other rooms see it: it is woken after a commit that leaves work.

The threads themselves are in :mod:`niteoweb.click2sell.worker.threads`. Scripts have none.
"""

from collections import defaultdict
from collections.abc import Callable
from threading import Event
from threading import local


#: The kinds of work; each has a thread of its own, so that a slow one holds up no other.
MAIL = "mail"
QUESTIONS = "questions"
CLOCK = "clock"
EVENTS = "events"
HOOKS = "hooks"

Job = Callable[[], None]

_awaited: dict[str, Event] = {}
_this_thread = local()
#: By kind of work and path of the site.
_left: dict[tuple[str, tuple[str, ...]], list[Job]] = defaultdict(list)


def begin() -> None:
    """Mark this thread as background work, which no request waits for."""
    _this_thread.is_background = True


def is_this_thread() -> bool:
    """Whether this thread is one of background work."""
    return getattr(_this_thread, "is_background", False)


def expect(work: str) -> Event:
    """Say that a thread of this process does a kind of work.

    :returns: set when there is something to do.
    """
    return _awaited.setdefault(work, Event())


def stop_expecting() -> None:
    """Say that the threads of this process have ended."""
    _awaited.clear()


def is_done_here(work: str) -> bool:
    """Whether a thread of this process does a kind of work."""
    return work in _awaited


def wake(work: str) -> None:
    """Have a kind of work done now, if a thread of this process does it."""
    if work in _awaited:
        _awaited[work].set()


def leave(work: str, path: tuple[str, ...], job: Job) -> None:
    """Leave a job to the thread of this process for a kind of work, if there is one.

    It is lost when the process ends: it must be a job that somebody asks for again.

    :param path: of the site that it is done in.
    """
    if work in _awaited:
        _left[work, path].append(job)
        wake(work)


def take(work: str, path: tuple[str, ...]) -> list[Job]:
    """Take the jobs that were left."""
    return _left.pop((work, path), [])
