"""Short transactions of our own, tried again after a conflict with another process.

The publisher's own retry sleeps up to eight seconds and then answers 500; a provider is better
served by a second of short pauses and then "try again later".
"""

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from niteoweb.click2sell import site as plone_site
from typing import Any
from typing import TypeVar
from ZODB.POSException import ConflictError
from ZODB.POSException import StorageError
from zope.i18nmessageid import Message

import logging
import random
import time
import transaction


logger = logging.getLogger("niteoweb.click2sell")

#: What PEP 249 has every database driver call its errors of a lost connection. RelStorage lets
#: them through, each driver's own.
LOST_CONNECTION = {"OperationalError", "InterfaceError"}

#: What ZODB says when a new object gets a number that is taken. A ZEO client has numbers in
#: reserve; a server that is started again may give the same ones to another client.
NUMBER_TAKEN = "A different object already has the same oid"

#: Pauses in seconds before the work is tried again; they add up to less than a second.
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)


T = TypeVar("T")


class Busy(Exception):
    """Another process was at the same data all the time.

    Or the database is read-only, or away.
    """


class NotPossible(ValueError):
    """An owner asked for something that cannot be done; nothing was changed.

    :ivar message: why, for the owner, translatable.
    """

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


def passes(error: BaseException) -> bool:
    """Whether what went wrong will be gone in a while.

    A conflict, or a database that is read-only or cannot be reached: one that is started again,
    one that another server takes over.
    """
    return isinstance(error, (ConflictError, StorageError)) or not LOST_CONNECTION.isdisjoint(
        base.__name__ for base in type(error).__mro__
    )


def run(work: Callable[[Any], T]) -> T:
    """Do something in a transaction of its own and commit it.

    :param work: called with the site; again from the start after a conflict.
    :raises Busy: it conflicted every time, or the database is read-only or away.
    """
    for pause in (*PAUSES, None):
        try:
            # What this thread saw so far is a snapshot from before it waited for a lock.
            transaction.begin()
            result = work(plone_site.get())
            transaction.commit()
            transaction.begin()
            return result
        except Exception as error:
            there = _abort()
            if _number_taken(error):
                # ZODB takes the object that has the number for the new one and disowns it: what
                # is written into it later would be lost. Whatever refers to it is read anew.
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
            _abort()
            raise
    raise AssertionError("unreachable")


@contextmanager
def rehearsal() -> Iterator[Any]:
    """Give the site to a rehearsal: whatever is changed inside is forgotten at the end.

    The transaction of this thread begins anew, before and after: a change that it has not
    committed is lost.
    """
    transaction.begin()
    try:
        yield plone_site.get()
    finally:
        transaction.abort()
        transaction.begin()


def _conflict(error: BaseException) -> bool:
    """Whether the same work may succeed at once."""
    return isinstance(error, ConflictError) or _number_taken(error)


def _number_taken(error: BaseException) -> bool:
    return isinstance(error, ValueError) and str(error) == NUMBER_TAKEN


def _abort() -> bool:
    """Forget what was not committed.

    :returns: whether the database could be asked for news, which the end of a transaction does;
        what was not committed is forgotten by then.
    """
    try:
        transaction.abort()
    except Exception as error:
        if not passes(error):
            raise
        return False
    return True
