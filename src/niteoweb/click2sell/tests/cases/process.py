"""Threads that stand for processes: a connection of their own, no lock in common."""

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import nullcontext
from niteoweb.click2sell.storage import writer
from plone.testing.zope import addRequestContainer
from threading import Thread
from typing import Any
from unittest import mock
from zope.component.hooks import setSite
from zope.globalrequest import setRequest

import threading
import transaction


class _Own(threading.local, writer._Shared):
    """A connection for each thread, in the place of the one that a process has."""


@contextmanager
def apart() -> Iterator[None]:
    """Let each thread be a process of its own: without a lock, and with its own connection."""
    with (
        mock.patch.object(writer, "lock", nullcontext()),
        mock.patch.object(writer, "_shared", _Own()),
    ):
        yield


@contextmanager
def connected(database: Any, site_id: str) -> Iterator[Any]:
    """A site on a connection of its own, as a request of another process sees it.

    :param database: a ZODB database.
    """
    connection = database.open()
    try:
        app = addRequestContainer(connection.root()["Application"])
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
