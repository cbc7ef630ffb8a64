"""The background threads of a process: one for each kind of work.

They begin when Zope begins to serve, and not in scripts. Each visits the Plone sites that have
the add-on, whenever it is woken after a commit, and every few seconds for work that other
processes have left. Whatever a thread had in hand when its process ended is due again soon.
"""

from collections.abc import Callable
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.provisioning import events
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import session
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.worker import clock
from niteoweb.click2sell.worker import turns
from threading import current_thread
from threading import Event
from threading import main_thread
from threading import Thread
from typing import Any
from ZODB.Connection import Connection
from ZODB.DB import DB

import atexit
import logging
import os
import signal
import time
import transaction
import Zope2


logger = logging.getLogger("niteoweb.click2sell")

#: Seconds after which a thread looks for work that it was not woken for.
POLL = 20
#: Seconds that the thread for mail waits after it was woken: purchases that come together go
#: first, since all threads of a process share one processor.
GATHER = 0.3
#: Seconds that a process which is told to end waits for what its threads have in hand.
LAST_SECONDS = 0.8

_ended = Event()
_threads: list["_Worker"] = []


def begin(event: Any = None) -> None:
    """Begin the threads of this process, unless ``CLICK2SELL_BACKGROUND=0`` says not to.

    :param event: IProcessStarting: Zope is about to serve.
    """
    if os.environ.get("CLICK2SELL_BACKGROUND") == "0" or _threads:
        return
    _ended.clear()
    for work, turn in (
        (background.MAIL, turns.Mailer(lambda: not _ended.is_set()).turn),
        (background.QUESTIONS, turns.Asker().turn),
        (background.HOOKS, lambda: turns.post_events(lambda: not _ended.is_set())),
        (background.CLOCK, clock.turn),
    ):
        _threads.append(_Visitor(Zope2.DB, work, turn))
    _threads[0].gather = GATHER
    _threads.append(_Firer(Zope2.DB, background.EVENTS))
    # Their connections, and the writer's, come on top of those of requests.
    Zope2.DB.setPoolSize(Zope2.DB.getPoolSize() + len(_threads) + 1)
    for thread in _threads:
        thread.start()
    atexit.register(end)
    if current_thread() is main_thread():
        _end_on_sigterm()


def end(seconds: float = LAST_SECONDS) -> None:
    """End the threads; they finish the work in hand, if that takes no longer.

    :param seconds: to wait for all of them together.
    """
    _ended.set()
    for thread in _threads:
        thread.woken.set()
    latest = time.monotonic() + seconds
    for thread in _threads:
        thread.join(max(0.0, latest - time.monotonic()))
    _threads.clear()
    background.stop_expecting()


def _end_on_sigterm() -> None:
    """Have SIGTERM end the threads, then call the handler before ours."""
    before = signal.getsignal(signal.SIGTERM)

    def terminate(number: int, frame: Any) -> None:
        end()
        signal.signal(signal.SIGTERM, before)
        os.kill(os.getpid(), signal.SIGTERM)

    if before is not None:  # one that Python cannot set again
        signal.signal(signal.SIGTERM, terminate)


class _Worker(Thread):
    """A thread that does one kind of work for the sites of a database.

    :ivar woken: set when there is work.
    :cvar gather: seconds to wait for more work after it was woken.
    """

    gather = 0.0

    def __init__(self, database: DB, work: str) -> None:
        super().__init__(name=f"click2sell {work}", daemon=True)
        self.woken = background.expect(work)
        self._database = database
        self._trouble = ""

    def run(self) -> None:
        """Take turns until the process ends."""
        session.manage_transactions()
        background.begin()
        pause = 0.0
        while not _ended.is_set():
            if self.woken.wait(pause):
                _ended.wait(self.gather)
            self.woken.clear()
            if not _ended.is_set():
                pause = self._round()

    def _round(self) -> float:
        """Do the due work.

        :returns: seconds until the next round.
        """
        try:
            connection = self._database.open()
            try:
                if connection.isReadOnly():
                    self._complain("the database is read-only")
                    return POLL
                pause = self._work(connection)
                self._trouble = ""
                return pause
            finally:
                transaction.abort()
                connection.close()
        except BaseException as error:
            # Whatever others' code raises ends no thread: there would be no other one.
            if transactions.passes(error):
                self._complain(f"the database cannot be used: {type(error).__name__}")
            else:
                log_failure(f"Background work ({self.name})", error)
        return POLL

    def _work(self, connection: Connection) -> float:
        """Do the due work, over a connection of this thread's own; see :meth:`_round`."""
        raise NotImplementedError

    def _complain(self, trouble: str) -> None:
        """Log a trouble once, for as long as it lasts."""
        if trouble != self._trouble:
            logger.warning("No background work (%s): %s.", self.name, trouble)
        self._trouble = trouble


class _Visitor(_Worker):
    """A thread that visits the sites that this process works for.

    :param turn: does what is due in the current site; returns the seconds until it has to be
        called again, None for :data:`POLL`.
    """

    def __init__(self, database: DB, work: str, turn: Callable[[], float | None]) -> None:
        super().__init__(database, work)
        self._turn = turn
        #: Paths of the sites where it fails, which is logged once.
        self._failing: set[tuple[str, ...]] = set()

    def _work(self, connection: Connection) -> float:
        transaction.begin()
        with session.opened(connection, ("",), session.Surroundings()) as root:
            paths = [site.getPhysicalPath() for site in session.sites(root)]
        return min((self._visit(connection, path) for path in paths), default=POLL)

    def _visit(self, connection: Connection, path: tuple[str, ...]) -> float:
        pause = None
        try:
            transaction.begin()
            with session.opened(connection, path, session.Surroundings()):
                address = plone_site.public_address()
                ours = plone_site.is_reached() and not plone_site.is_copy()
            if ours:
                surroundings = session.Surroundings.at(address, path)
                with session.opened(connection, path, surroundings):
                    pause = self._turn()
            self._failing.discard(path)
        except Exception as error:
            if transactions.passes(error):
                raise
            # A site that was deleted meanwhile, or is broken, must not keep others waiting.
            if path not in self._failing:
                log_failure(f"Background work ({self.name})", error)
            self._failing.add(path)
        return POLL if pause is None else pause


class _Firer(_Worker):
    """A thread that fires the events of this process's commits."""

    def run(self) -> None:
        """Fire events until the process ends, and then the rest."""
        super().run()
        self._round()

    def _work(self, connection: Connection) -> float:
        while events.waiting:
            happened = events.waiting[0]
            transaction.begin()
            try:
                with session.opened(connection, happened.path, happened.surroundings):
                    events.fire(happened.events)
            except Exception as error:
                if transactions.passes(error):
                    raise  # what was not fired stays the first
                log_failure("Events of a site that is not there any more", error)
            events.waiting.popleft()
        return POLL
