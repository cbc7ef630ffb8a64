"""Threads that stand for processes: a connection of their own, no writer in common."""

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from plone.testing.zope import addRequestContainer
from threading import Thread
from typing import Any
from unittest import mock
from zope.component.hooks import setSite
from zope.globalrequest import setRequest

import threading
import transaction


class _Writers(threading.local):
    """A writer for each thread, in the place of the one that a process has."""

    busy = False

    def run(self, work: Callable[[Any], Any]) -> Any:
        if self.busy:
            return work(plone_site.get())
        self.busy = True
        try:
            return transactions.run(work)
        finally:
            self.busy = False


def is_writer() -> bool:
    """Whether this thread is the one that commits for the add-on."""
    return isinstance(threading.current_thread(), writer._Writer)


@contextmanager
def apart() -> Iterator[None]:
    """Let each thread be a process of its own, which commits through its own connection."""
    with (
        mock.patch.object(writer, "run", _Writers().run),
        mock.patch.object(writer, "run_in_a_row", lambda jobs: jobs()),
    ):
        yield


@contextmanager
def connected(database: Any, site_id: str) -> Iterator[Any]:
    """A site on a connection of its own, as a request of another process sees it.

    :param database: a ZODB database.
    """
    connection = database.open()
    try:
        # Of the same host as the tests' own requests, so that the site is no copy.
        environ = {"SERVER_NAME": "nohost"}
        app = addRequestContainer(connection.root()["Application"], environ)
        site = app[site_id]
        setRequest(site.REQUEST)
        setSite(site)
        yield site
    finally:
        setSite(None)
        setRequest(None)
        transaction.abort()
        connection.close()


class Worker(Thread):
    """Does something in a thread with a connection of its own.

    :ivar result: what the work returned, or the exception that it raised.
    """

    def __init__(self, database: Any, site_id: str, name: str, work: Callable[[], Any]) -> None:
        super().__init__(name=name, daemon=True)
        self._database = database
        self._site_id = site_id
        self._work = work
        self.result: Any = None

    def run(self) -> None:
        try:
            with connected(self._database, self._site_id):
                self.result = self._work()
        except Exception as error:
            self.result = error
