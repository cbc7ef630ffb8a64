"""What a benchmark asks: made, filled, served and looked at, in processes of their own."""

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from http.client import HTTPException
from pathlib import Path
from tools import ROOT
from tools.bench.provider import Rush
from tools.bench.provider import Sale
from tools.demo import settings as demo
from tools.demo.plonesite import write_configuration

import json
import os
import re
import socket
import subprocess
import sys
import time


SERVE_SECONDS = 180
LOG = "site.log"


class BenchError(Exception):
    """The benchmark cannot go on; the message is for the person at the terminal."""


class Server:
    """Something that answers on a port of this machine and keeps a database in a folder.

    :param folder: of its own.
    :cvar name: for files and tables.
    :cvar kept: what a filled one leaves in its folder, beside its configuration.
    :cvar database: the file that grows.
    :ivar members: that it was filled with.
    :ivar sold: receipts of the purchases that it acknowledged since, by address.
    :ivar failed: purchases that it did not acknowledge.
    """

    name = ""
    kept: tuple[str, ...] = ()
    database = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.members = 0
        self.sold: dict[str, str] = {}
        self.failed = 0

    @property
    def database_size(self) -> int:
        """Bytes of the database file."""
        return (self.folder / self.database).stat().st_size

    def fill(self, total: int) -> None:
        """Make members until there are so many."""
        raise NotImplementedError

    def check(self) -> None:
        """Look for every purchase that was acknowledged.

        :raises BenchError: one is missing, or there is something else.
        """
        raise NotImplementedError

    def acknowledged(self, sale: Sale) -> None:
        """Note a purchase that has to be found afterwards."""
        self.sold[sale.address] = sale.receipt

    def note(self, bought: Rush) -> None:
        """Note purchases by clients that bought at once."""
        for sale in bought.sold:
            self.acknowledged(sale)
        self.failed += len(bought.failures)

    @contextmanager
    def served(self) -> Iterator[int]:
        """Serve it with four worker threads.

        :returns: the process id.
        :raises BenchError: it does not answer, or ends.
        """
        with self._started(*self._serving()) as process:
            try:
                self._wait(process)
                yield process.pid
            except (OSError, HTTPException) as error:
                if process.poll() is None:
                    raise
                said = f"{self.folder.name} ended with {process.returncode}"
                raise BenchError(f"{said}:\n{self._end_of_log()}") from error
            finally:
                process.terminate()

    def _serving(self) -> tuple[str, ...]:
        """Module and arguments of what serves it."""
        raise NotImplementedError

    def _interpreter(self) -> str:
        return sys.executable

    def _environment(self) -> Mapping[str, str]:
        paths = [str(ROOT), *filter(None, sys.path)]
        return {"PYTHONPATH": os.pathsep.join(paths)}

    def _told(self, **told: object) -> str:
        """A file for a process that checks."""
        path = self.folder / "told.json"
        path.write_text(json.dumps(told), encoding="utf-8")
        return str(path)

    def _wait(self, process: subprocess.Popen) -> None:
        deadline = time.monotonic() + SERVE_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=SERVE_SECONDS)
            try:
                connection.request("GET", f"/{demo.SITE_ID}/@@click2sell")
                connection.getresponse().read()
            except OSError:
                time.sleep(0.2)
            else:
                return
            finally:
                connection.close()
        raise BenchError(f"The site does not answer:\n{self._end_of_log()}")

    def _run(self, *arguments: str) -> None:
        with self._started(*arguments) as process:
            if process.wait():
                raise BenchError(f"{' '.join(arguments[:2])} failed:\n{self._end_of_log()}")

    def _end_of_log(self) -> str:
        return (self.folder / LOG).read_text("utf-8", "replace")[-3000:]

    @contextmanager
    def _started(self, *arguments: str) -> Iterator[subprocess.Popen]:
        # Its standard input stays open as long as it may run, whatever happens to this process.
        with (
            (self.folder / LOG).open("ab") as log,
            subprocess.Popen(  # noqa: S603
                [self._interpreter(), "-m", *arguments],
                env={**os.environ, **self._environment()},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            ) as process,
        ):
            yield process


class PloneServer(Server):
    """A Plone site on disk.

    :param folder: an empty one of its own, or that of a site that was made before.
    :param mail_port: of the mail server.
    :cvar making: module and command that make the site.
    :cvar more: registrations of the benchmark's own views.
    :cvar without: name of an add-on that is not loaded.
    """

    kept = ("filestorage", "blobstorage")
    database = "filestorage/Data.fs"
    making: tuple[str, str]
    more = ""
    without = ""

    def __init__(self, folder: Path, mail_port: int) -> None:
        super().__init__(folder)
        self._mail_port = str(mail_port)
        if (folder / "wsgi.ini").exists():
            self._listen()
        else:
            addresses = [f"127.0.0.1:{self.port}"]
            write_configuration(folder, addresses, self.more, self.without)
        if not (folder / self.database).exists():
            self._run(*self.making, str(folder), self._mail_port)

    def _serving(self) -> tuple[str, ...]:
        return ("tools.demo.plonesite", "serve", str(self.folder))

    def _listen(self) -> None:
        """Let a site that was made before listen on the port of now."""
        path = self.folder / "wsgi.ini"
        text = path.read_text("utf-8")
        path.write_text(
            re.sub("(?m)^listen = .*", f"listen = 127.0.0.1:{self.port}", text), "utf-8"
        )


class Site(PloneServer):
    """A site with the add-on.

    :param mail: what new members are mailed, a value of the setting for the welcome mail.
    """

    name = "site"
    making = ("tools.demo.plonesite", "create-empty")
    more = '<include package="tools.bench" file="held.zcml" />'

    def __init__(self, folder: Path, mail_port: int, mail: str = "link") -> None:
        super().__init__(folder, mail_port)
        self._mail = mail

    def fill(self, total: int) -> None:
        """Make members until there are so many buyers."""
        self.members = total
        folder = str(self.folder)
        self._run(
            "tools.bench.members", "fill", folder, str(total), self._mail, self._mail_port
        )

    def fill_ledger(self, entries: int) -> None:
        """Write the notifications of years, and find out what every page then has to show.

        A site that was filled before keeps what it has.
        """
        if not (self.folder / "expected.json").exists():
            self._run("tools.bench.ledgerfill", str(self.folder), str(entries))
        # The sweeps that were measured before sold something.
        self._run("tools.bench.expected", str(self.folder))

    def check(self) -> None:
        """Look for every purchase that was acknowledged.

        :raises BenchError: one is missing, or there is something else.
        """
        total = self.members + len(self.sold)
        told = self._told(sold=list(self.sold), total=total, failed=self.failed)
        self._run("tools.bench.members", "check", str(self.folder), told)


def memory(pid: int) -> int:
    """Bytes of memory that a process has in use, 0 where that cannot be known."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text("ascii").split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
