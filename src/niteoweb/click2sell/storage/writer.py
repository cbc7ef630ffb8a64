"""Serial work within a process, so that only several processes can conflict.

It goes with a database connection of its own. Zope gives each thread one with a cache of its
own: what one thread changes, another reads anew before it changes it again, so that with four
threads that buy at once each purchase reads what the three before it have written. Here all
threads share one connection, and find in its cache what the one before left there.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from niteoweb.click2sell.storage import transactions
from transaction import Transaction
from transaction.interfaces import NoTransaction
from typing import Any
from ZODB.Connection import Connection
from ZODB.DB import DB
from zope.component.hooks import getSite
from zope.component.hooks import setSite
from ZPublisher.BaseRequest import RequestContainer

import logging
import threading
import transaction


logger = logging.getLogger("niteoweb.click2sell")

#: Where zope.annotation keeps what plone.memoize remembers for a request.
ANNOTATIONS = "__annotations__"
#: Where plone.registry keeps the values that it has read in a request.
REGISTRY_CACHE = "_plone_registry_cache"


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


#: Held by who is in :func:`section`.
lock = Turns()


class _Transactions(transaction.TransactionManager):
    """A transaction manager that has no transaction between two of them."""

    def begin(self) -> Transaction:
        """Begin one; what was not committed before is forgotten."""
        self.abort()
        return super().begin()

    def abort(self) -> None:
        """Forget what was not committed; a database that is closed asks for this too."""
        with suppress(NoTransaction):
            super().abort()


class _Shared:
    """The connection of who has the lock, and its transactions."""

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        # Nobody holds a transaction of the database server while nobody has the lock.
        self.transactions = _Transactions(explicit=True)
        self._connection: Connection | None = None

    def to(self, database: DB) -> Connection:
        """The connection to a database; that to another one is given up."""
        if self._connection is None or self._connection.db() is not database:
            self.give_up()
            self._connection = database.open(self.transactions)
        return self._connection

    def end(self) -> None:
        """End the transaction; what was not committed is forgotten."""
        try:
            self.transactions.abort()
        except Exception as error:
            logger.warning("A connection to the database is given up: %s", type(error).__name__)
            # With its transaction, which would fail to end each time.
            self._renew()

    def give_up(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


_shared = _Shared()


@contextmanager
def section() -> Iterator[None]:
    """Hold the lock, and see the site through the connection that goes with it.

    Not to be nested. No object that was read before may be used inside, and none from inside
    afterwards: what goes in and out are plain values. What this thread has changed before, and
    not committed, is forgotten.

    :raises niteoweb.click2sell.storage.transactions.Busy: the database is away.
    """
    outside = getSite()
    with lock, _without_memory(outside.REQUEST):
        own = transaction.manager.manager
        transaction.manager.manager = _shared.transactions
        try:
            _enter(outside)
            yield
        finally:
            _shared.end()
            transaction.manager.manager = own
            setSite(outside)
            # So that what was committed is seen from here too.
            _begin_outside()


@contextmanager
def _without_memory(request: Any) -> Iterator[None]:
    """Hide what Plone remembers until the end of a request, which belongs to one connection.

    It is in the annotations of the request, and in dictionaries among its variables.
    """
    annotations, variables = request.__dict__.pop(ANNOTATIONS, None), request.other
    request.other = {k: v for k, v in variables.items() if not isinstance(v, dict)}
    try:
        yield
    finally:
        request.other = variables
        # The request has not ended, and settings may have been changed in between.
        variables.pop(REGISTRY_CACHE, None)
        request.__dict__.pop(ANNOTATIONS, None)
        if annotations is not None:
            setattr(request, ANNOTATIONS, annotations)


def _enter(site: Any) -> None:
    """Go to the same site through the shared connection."""
    try:
        connection = _shared.to(site.getPhysicalRoot()._p_jar.db())
        transaction.begin()
        root = connection.root()["Application"].__of__(RequestContainer(REQUEST=site.REQUEST))
        setSite(root.unrestrictedTraverse(site.getPhysicalPath()[1:]))
    except Exception as error:
        if transactions.passes(error):
            logger.warning("The database cannot be used: %s", type(error).__name__)
            raise transactions.Busy from None
        raise


def _begin_outside() -> None:
    try:
        transaction.begin()
    except Exception as error:
        # What was done is done; who reads next will see that the database is away.
        if not transactions.passes(error):
            raise
