"""The sites of the benchmarks, created, filled, served and checked by other processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from tools import instance
from tools import outbox
from tools.bench.provider import Rush
from tools.demo import settings as demo
from tools.program import free_port
from tools.program import run_module
from tools.sale import Sale
from typing import TypeVar

import json
import os
import shutil


#: Of a folder that keeps a database: it is complete.
COMPLETE = "complete"


class PlainSite:
    """A Plone without the add-on, see plain.py.

    :param folder: an empty one of its own, or that of a site that was created before.
    :param mail_port: of the mail server.
    :cvar name: for files.
    :cvar without: package of an add-on that is not loaded.
    :ivar address: where it is served.
    :ivar members: number of members that it was filled with.
    :ivar sold: addresses of the members who were registered since.
    :ivar failed: number of purchases that it did not acknowledge.
    """

    name = "plain"
    without = "niteoweb.click2sell"

    def __init__(self, folder: Path, mail_port: int, cache: int = instance.CACHE) -> None:
        self.folder = folder
        self.port = free_port()
        self.members = 0
        self.sold: list[str] = []
        self.failed = 0
        self.address = instance.public_address(self.port)
        self._mail_port = mail_port
        instance.configure(folder, cache=cache, views=__package__, without=self.without)
        if not (folder / instance.DATABASE).exists():
            self._create()

    @property
    def database_size(self) -> int:
        """Bytes of the database file."""
        return (self.folder / instance.DATABASE).stat().st_size

    @contextmanager
    def served(self, threads: int = instance.THREADS) -> Iterator[int]:
        """Serve it.

        :param threads: that answer requests.
        :returns: the process id.
        :raises ToolError: it does not answer, or ends.
        """
        server = instance.start(self.folder, f"127.0.0.1:{self.port}", threads=threads)
        try:
            server.wait()
            yield server.pid
        except (OSError, HTTPException) as error:
            if server.running:
                raise
            raise server.error(f"ended with {server.status}") from error
        finally:
            server.end()

    def settle(self) -> None:
        """Wait until nothing of what was asked for goes on in the background."""

    def acknowledged(self, sale: Sale) -> None:
        """Note a purchase that has to be found afterwards."""
        self.sold.append(sale.address)

    def note(self, bought: Rush) -> None:
        """Note purchases by clients that bought at once."""
        for sale in bought.sold:
            self.acknowledged(sale)
        self.failed += len(bought.failures)

    def fill(self, total: int) -> None:
        """Make members until there are so many."""
        self.members = total
        run_module("tools.bench.plain", "fill", self.folder, total)

    def check(self) -> None:
        """Look for every registration.

        :raises ToolError: one is missing, or there is something else.
        """
        told = {"registered": self.sold, "total": self.members + len(self.sold)}
        run_module("tools.bench.plain", "check", self.folder, told=json.dumps(told))

    def _create(self) -> None:
        run_module("tools.bench.plain", "create", self.folder)


class Site(PlainSite):
    """A site with the add-on.

    :param mail: what new members are mailed, a value of the setting for the welcome mail.
    """

    name = "site"
    without = ""

    def __init__(
        self, folder: Path, mail_port: int, mail: str = "link", cache: int = instance.CACHE
    ) -> None:
        super().__init__(folder, mail_port, cache)
        self._mail = mail

    def fill(self, total: int) -> None:
        """Make members until there are so many buyers."""
        self.members = total
        told = (total, self.address, self._mail_port, self._mail)
        run_module("tools.bench.members", "fill", self.folder, *told)

    def fill_ledger(self, entries: int) -> None:
        """Write the notifications of years, and find out what every page then has to show.

        A site that was filled before keeps what it has.
        """
        if not (self.folder / "expected.json").exists():
            run_module("tools.bench.ledgerfill", self.folder, entries)
        # The sweeps that were measured before sold something.
        run_module("tools.bench.expected", self.folder, self.address, self._mail_port)

    def settle(self) -> None:
        """Wait until its mails are sent.

        :raises ToolError: they are not.
        """
        outbox.wait_until_empty(self.port, (demo.OWNER, demo.OWNER_PASSWORD))

    def check(self) -> None:
        """Look for every purchase that was acknowledged.

        :raises ToolError: one is missing, or there is something else.
        """
        total = self.members + len(self.sold)
        told = {"sold": self.sold, "total": total, "failed": self.failed}
        run_module("tools.bench.members", "check", self.folder, told=json.dumps(told))

    def _create(self) -> None:
        # The benchmarks call the sweep themselves.
        run_module("tools.demo.site", self.folder, self.address, self._mail_port, 0)


def two_alike(folder: Path, *mail_ports: int) -> tuple[Site, Site]:
    """Make two sites without members, the second a copy of the first.

    :param mail_ports: of their mail servers.
    """
    first = Site(folder / "first", mail_ports[0])
    shutil.copytree(first.folder / "var", folder / "second" / "var")
    second = Site(folder / "second", mail_ports[1])
    for site in (first, second):
        site.fill(0)
    return first, second


AnySite = TypeVar("AnySite", bound=PlainSite)


def filled(
    kind: type[AnySite], members: int, folder: Path, kept: Path | None, *arguments: object
) -> AnySite:
    """Make a site with so many members.

    :param folder: of this run.
    :param kept: folder of databases as they were before anything was bought, for another run;
        None keeps nothing.
    :param arguments: for the site, after its folder.
    :raises ToolError: it cannot be made or filled.
    """
    own = folder / f"{kind.name}-{members}"
    store = kept / own.name if kept is not None else None
    is_kept = store is not None and (store / COMPLETE).exists()
    if is_kept:
        shutil.copytree(store / "var", own / "var")
    site = kind(own, *arguments)
    # Also when it was kept: it is served, and its mail goes, at other ports each time.
    site.fill(members)
    if store is not None and not is_kept:
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(own / "var", store / "var")
        (store / COMPLETE).touch()
    return site


def memory(pid: int) -> int:
    """Bytes of memory that a process has in use, 0 where that cannot be known."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text("ascii").split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
