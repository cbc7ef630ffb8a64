"""Background work, as the other rooms see it: it is woken after a commit that leaves work.

The threads themselves are in :mod:`niteoweb.click2sell.worker.threads`. Scripts have none.
"""

from threading import Event


#: The kinds of work; each has a thread of its own, so that a slow one holds up no other.
MAIL = "mail"
QUESTIONS = "questions"
CLOCK = "clock"
EVENTS = "events"

_awaited: dict[str, Event] = {}


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
