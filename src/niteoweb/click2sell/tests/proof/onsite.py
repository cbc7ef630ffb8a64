"""A site on disk, made once; a copy for each class of tests, with a mail server beside it."""

from aiosmtpd.controller import Controller
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from http.client import HTTPException
from niteoweb.click2sell.testing.layers import MailServer
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.proof import server
from pathlib import Path
from queue import Empty
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from tools import client
from tools import instance
from tools.instance import DATABASE
from tools.program import free_port

import asyncio
import shutil
import time


class DiskSite:
    """A layer: the database file of a site with the add-on."""

    __bases__ = ()
    __module__ = __name__
    __name__ = "DiskSite"

    def setUp(self) -> None:
        self._temporary = TemporaryDirectory()
        self.folder = Path(self._temporary.name)
        server.configure(self.folder)
        server.create(self.folder)

    def tearDown(self) -> None:
        self._temporary.cleanup()


DISK_SITE = DiskSite()


class Postbox(MailServer):
    """A mail server that can be out of order for a while.

    :ivar seconds: that it takes for each mail.
    """

    seconds = 0.0

    async def handle_DATA(self, server, session, envelope) -> str:
        """Keep a mail; aiosmtpd calls it."""
        await asyncio.sleep(self.seconds)
        return await super().handle_DATA(server, session, envelope)

    def stop(self) -> None:
        """Stop; nothing listens at its place."""
        self._controller.stop()

    def start(self) -> None:
        """Start again, at the same place."""
        handler = self._controller.handler
        self._controller = Controller(handler, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def wait_for(self, *recipients: str, seconds: float) -> None:
        """Wait until each of some addresses has got a mail.

        :raises AssertionError: one has not.
        """
        deadline = time.monotonic() + seconds
        while missing := set(recipients) - set(self.recipients()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(missing)} mails did not come, to {missing}")
            time.sleep(0.1)

    def recipients(self) -> Counter[str]:
        """The number of mails for each address; a repeated mail counts once."""
        different = {(mail["X-Envelope-To"], mail["Message-ID"]) for mail in [*self.messages]}
        return Counter(to for to, _message_id in different)


class Place:
    """A layer: a copy of the site in a folder of its own, for one class of tests.

    :ivar folder: the copy's.
    :ivar postbox: the mail server.
    """

    __bases__ = (DISK_SITE,)
    __module__ = __name__

    def __init__(self, name: str) -> None:
        self.__name__ = name
        self.folder = Path()
        self.postbox = Postbox()

    def setUp(self) -> None:
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(TemporaryDirectory()))
        self._stack.enter_context(self.postbox)
        server.configure(self.folder)
        shutil.copyfile(DISK_SITE.folder / DATABASE, self.folder / DATABASE)

    def tearDown(self) -> None:
        self._stack.close()

    def start(self, kill: str = "", folder: Path | None = None) -> server.Server:
        """Start a server; it ends with the layer, if not before."""
        started = server.Server(folder or self.folder, kill)
        self._stack.callback(started.stop)
        return started

    def tell_mail_port(self, served: server.Server) -> None:
        """Have the site send its mail to the postbox."""
        served.ask(f"@@proof-mail-server?port={self.postbox.port}")


class Served(Place):
    """A place whose server runs for all tests of the class."""

    server: server.Server

    def setUp(self) -> None:
        super().setUp()
        self.server = self.start().wait()
        self.tell_mail_port(self.server)


class TwoServers(Place):
    """A layer: two servers on one database, over ZEO."""

    servers: list[server.Server]

    def setUp(self) -> None:
        super().setUp()
        port = free_port()
        zeo = instance.start_zeo(self.folder, port)
        self._stack.callback(zeo.end)
        folders = [self.folder / "one", self.folder / "two"]
        for folder in folders:
            server.configure(folder, instance.ZEO.format(address=f"127.0.0.1:{port}"))
        self.servers = [self.start(folder=folder) for folder in folders]
        for served in self.servers:
            served.wait()
        self.tell_mail_port(self.servers[0])


def post(port: int, body: bytes) -> tuple[int, str]:
    """Deliver a notification.

    :returns: status and text; status 0 when the server died before it answered.
    """
    headers = {"Content-Type": deliveries.CONTENT_TYPE}
    with client.Connection(port, host=server.HOST) as connection:
        try:
            answer = connection.ask("POST", "@@click2sell", body, headers)
        except (OSError, HTTPException):
            return 0, ""
    return answer.status, answer.text


def in_threads(count: int, work, tasks: Iterable) -> list:
    """Do all tasks with some threads; what each task came to, in the order they ended."""
    waiting: SimpleQueue = SimpleQueue()
    results: SimpleQueue = SimpleQueue()
    for task in tasks:
        waiting.put(task)

    def worker() -> None:
        while True:
            try:
                task = waiting.get_nowait()
            except Empty:
                return
            results.put(work(task))

    threads = [Thread(target=worker) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results.get() for _ in range(results.qsize())]
