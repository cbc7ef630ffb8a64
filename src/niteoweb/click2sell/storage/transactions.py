"""Short transactions of our own, tried again after a conflict with another process.

The publisher's own retry sleeps up to eight seconds and then answers 500; a provider is better
served by a second of short pauses and then "try again later".
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from niteoweb.click2sell import site as plone_site
from typing import Any
from typing import TypeVar
from ZODB.POSException import ConflictError
from ZODB.POSException import StorageError
from zope.i18nmessageid import Message

import errno
import logging
import random
import time
import transaction


logger = logging.getLogger("niteoweb.click2sell")

#: The names of PEP 249 for errors of a lost connection. RelStorage lets each driver's own
#: errors through.
LOST_CONNECTION = {"OperationalError", "InterfaceError"}

#: No space, a quota or the largest size of a file is reached, or the disk was made read-only.
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})

#: ZODB's message when a new object gets an object id that is taken. A ZEO client has a pool of
#: object ids; a restarted server may give the same ones to another client.
NUMBER_TAKEN = "A different object already has the same oid"

#: Pauses in seconds before the work is tried again; they add up to less than a second.
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)

#: Seconds after which a person or a script may try again what was :class:`Busy`.
RETRY_AFTER = 10

#: Objects after which those that were read leave the memory.
BATCH = 500


T = TypeVar("T")


class Busy(Exception):
    """Another process changed the same data all the time, or the database cannot be written."""


class NotPossible(ValueError):
    """An owner asked for something that cannot be done; nothing was changed.

    :ivar message: why, for the owner, translatable.
    """

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


def passes(error: BaseException) -> bool:
    """Whether an error will be gone in a while.

    It is a conflict, or the database is read-only or cannot be reached: it is being restarted,
    or another server takes over. Or its disk is full.
    """
    return (
        isinstance(error, (ConflictError, StorageError))
        or (isinstance(error, OSError) and error.errno in DISK_FULL)
        or not LOST_CONNECTION.isdisjoint(base.__name__ for base in type(error).__mro__)
    )


def run(work: Callable[[Any], T]) -> T:
    """Run work in a transaction of its own and commit it.

    :param work: called with the site; again from the start after a conflict.
    :raises Busy: it conflicted every time, or the database cannot be written.
    """
    for pause in (*PAUSES, None):
        try:
            # The thread's old transaction is a snapshot from before it waited.
            transaction.begin()
            result = work(plone_site.get())
            transaction.commit()
            return result
        except Exception as error:
            there = _aborted()
            if _number_taken(error):
                # ZODB takes the object that has the id for the new one and disowns it: later
                # changes of it would be lost. All objects that refer to it are read anew.
                plone_site.get()._p_jar.cacheMinimize()
            if _conflict(error):
                if pause is None:
                    raise Busy from None
                # Two processes that wait equally long would meet again.
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
            # Plone swallows some errors of the database, and fails somewhere else then.
            elif passes(error) or not there:
                # It may have been committed all the same: all work here can be done again.
                logger.warning("The database cannot be used: %s", type(error).__name__)
                raise Busy from None
            else:
                raise
        except BaseException:
            _aborted()
            raise
    raise AssertionError("unreachable")


def commit() -> None:
    """Commit a person's changes that were made with own permissions, in a request.

    Check the token first: plone.protect's automatic check comes too late.

    :raises Busy: there was a conflict, or the database cannot be written; nothing was changed.
    """
    try:
        transaction.commit()
    except Exception as error:
        _aborted()
        if not passes(error):
            raise
        logger.warning("The database cannot be used: %s", type(error).__name__)
        raise Busy from None


@contextmanager
def rehearsal() -> Iterator[Any]:
    """Work in a transaction of its own that is aborted, so that nothing of it stays.

    Its results have to be read inside. The transaction that this thread had before is lost.

    :returns: the site.
    """
    transaction.begin()
    try:
        yield plone_site.get()
    finally:
        transaction.abort()
        transaction.begin()


def batched(site: Any, items: Iterable[T], changing: bool = False) -> Iterator[T]:
    """Go through stored objects without keeping all of them in memory.

    The database's cache would only shrink when the connection closes.

    :param items: read as they are asked for.
    :param changing: the items are being changed.
    """
    for position, item in enumerate(items, 1):
        yield item
        if position % BATCH == 0:
            if changing:
                transaction.savepoint(optimistic=True)
            site._p_jar.cacheGC()


def _conflict(error: BaseException) -> bool:
    """Whether the work may succeed at once when it is repeated."""
    return isinstance(error, ConflictError) or _number_taken(error)


def _number_taken(error: BaseException) -> bool:
    return isinstance(error, ValueError) and str(error) == NUMBER_TAKEN


def _aborted() -> bool:
    """Forget all uncommitted changes.

    :returns: whether the database could be asked for news, which the end of a transaction does
        after it has forgotten the changes.
    """
    try:
        transaction.abort()
    except Exception as error:
        if not passes(error):
            raise
        return False
    return True
