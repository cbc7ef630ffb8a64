"""The writer: the one thread of a process that commits for the add-on.

Jobs are done one after the other, first come, first served; one of the background lets those of
requests go first, for a moment. A job is a function of the site; it takes and returns plain
values, since it sees the site through a database connection of the writer's own, whose cache
holds the records that the jobs before it used. Only several processes can conflict.
"""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait
from dataclasses import dataclass
from dataclasses import field
from itertools import count
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import session
from niteoweb.click2sell.storage import transactions
from queue import Empty
from queue import PriorityQueue
from threading import current_thread
from threading import Lock
from threading import Thread
from typing import Any
from typing import TypeVar
from ZODB.Connection import Connection
from ZODB.DB import DB

import logging
import time
import transaction


logger = logging.getLogger("niteoweb.click2sell")

#: Seconds that a caller waits for its job. A job that has begun by then goes on.
WAIT = 20
#: Seconds without a job after which the connection goes back to the pool: while it is open and
#: not used, ZODB keeps the ids of all objects that others change.
IDLE = 60
#: Seconds for which a job of the background lets those of requests go first: mails of a crowd
#: of buyers would else take every second turn.
PATIENCE = 1.0

T = TypeVar("T")


def run(work: Callable[[Any], T]) -> T:
    """Have the writer do some work in a transaction of its own and commit it.

    The caller's transaction ends, with its uncommitted changes, and a new one begins that sees
    the changes of the job. Called within a job, the work becomes a part of that job.

    :param work: called with the site, and again from the start after a conflict.
    :raises niteoweb.click2sell.storage.transactions.Busy: it conflicted every time, the
        database cannot be written, or the writer was not done in time.
    """
    thread = current_thread()
    if not isinstance(thread, _Writer):
        return run_in_a_row(lambda: run(work))
    if thread.is_working:
        return work(plone_site.get())
    thread.is_working = True
    try:
        return transactions.run(work)
    finally:
        thread.is_working = False


def run_in_a_row(jobs: Callable[[], T]) -> T:
    """Have the writer do several jobs with no other one in between, each with its own commit.

    Called within a job, they become parts of that job.

    :param jobs: calls :func:`run` for each of them.
    :raises niteoweb.click2sell.storage.transactions.Busy: the writer was not done in time.
    """
    if isinstance(current_thread(), _Writer):
        return jobs()
    site = plone_site.get()
    surroundings = session.Surroundings.of(site.REQUEST)
    job = _Job(jobs, site.getPhysicalPath(), surroundings)
    transaction.abort()
    _put(site.getPhysicalRoot()._p_jar.db(), job)
    wait((job.future,), WAIT)
    _begin()
    if not job.future.done():
        job.future.cancel()
        logger.warning("The writer was not done in time.")
        raise transactions.Busy
    return job.future.result()


@dataclass(frozen=True)
class _Job:
    """Some work, the site that it is done in, and its result."""

    work: Callable[[], Any]
    path: tuple[str, ...]
    surroundings: session.Surroundings
    future: Future = field(default_factory=Future)


class _Queue(PriorityQueue):
    """Jobs that wait, in the order in which they are done. None ends the thread."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._numbers = count()

    def _put(self, item: _Job | None) -> None:
        patience = PATIENCE if item is None or background.is_this_thread() else 0.0
        # No two have one number: jobs themselves are never compared.
        super()._put((time.monotonic() + patience, next(self._numbers), item))

    def _get(self) -> _Job | None:
        return super()._get()[-1]


class _Writer(Thread):
    """The thread that does the jobs for a database.

    :ivar database: the jobs are done there.
    :ivar jobs: those that wait.
    :ivar is_working: it is inside a transaction.
    """

    def __init__(self, database: DB, jobs: _Queue) -> None:
        super().__init__(name="click2sell writer", daemon=True)
        self.database = database
        self.jobs = jobs
        self.is_working = False

    def run(self) -> None:
        """Do jobs until None comes, or the connection cannot be used any more."""
        session.manage_transactions()
        connection = None
        while True:
            try:
                job = self.jobs.get(timeout=IDLE if connection else None)
            except Empty:
                connection.close()
                connection = None
                continue
            if job is None:
                break
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                if connection is None:
                    connection = self.database.open()
                job.future.set_result(_do(connection, job))
            except BaseException as error:
                away = isinstance(error, Exception) and transactions.passes(error)
                job.future.set_exception(transactions.Busy() if away else error)
            # Its result may hold much of what was read.
            del job
            if not _ended():
                # The next thread has a transaction manager of its own.
                _replace(self)
                return
        if connection is not None:
            connection.close()


#: Held while a writer is chosen.
_lock = Lock()
_writer: _Writer | None = None


def _put(database: DB, job: _Job) -> None:
    """Give a job to the writer of a database; that of another database ends."""
    global _writer
    with _lock:
        if _writer is None or _writer.database is not database:
            if _writer is not None:
                _writer.jobs.put(None)
            _writer = _begun(database, _Queue())
        elif not _writer.is_alive():
            _writer = _begun(database, _writer.jobs)
        _writer.jobs.put(job)


def _replace(writer: _Writer) -> None:
    """Begin a new thread in the place of a writer that ends, with the jobs that wait."""
    global _writer
    with _lock:
        if _writer is writer:
            _writer = _begun(writer.database, writer.jobs)


def _begun(database: DB, jobs: _Queue) -> _Writer:
    writer = _Writer(database, jobs)
    writer.start()
    return writer


def _do(connection: Connection, job: _Job) -> Any:
    transaction.begin()
    with session.opened(connection, job.path, job.surroundings):
        return job.work()


def _ended() -> bool:
    """End the transaction; a connection that cannot do so is given up."""
    try:
        transaction.abort()
    except Exception as error:
        logger.warning("A connection to the database is given up: %s", type(error).__name__)
        return False
    return True


def _begin() -> None:
    """Begin a transaction of the caller, which sees all commits so far."""
    try:
        transaction.begin()
    except Exception as error:
        # What was done is done; who reads next will see that the database is away.
        if not transactions.passes(error):
            raise
