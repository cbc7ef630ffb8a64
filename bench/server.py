"""The site of a benchmark: made, filled, served and looked at, in processes of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from demo import settings as demo
from demo.plonesite import write_configuration
from http.client import HTTPConnection
from pathlib import Path

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


class Site:
    """A site on disk.

    :param folder: an empty one of its own, or that of a site that was made before.
    :param mail_port: of the mail server.
    """

    def __init__(self, folder: Path, mail_port: int) -> None:
        self.folder = folder
        self.port = _free_port()
        if (folder / "wsgi.ini").exists():
            self._listen()
        else:
            write_configuration(folder, [f"127.0.0.1:{self.port}"])
            self._run("demo.plonesite", "create-empty", str(folder), str(mail_port))

    @property
    def database_size(self) -> int:
        """Bytes of the database file."""
        return (self.folder / "filestorage" / "Data.fs").stat().st_size

    def fill(self, total: int, mail: str) -> None:
        """Make members until there are so many buyers.

        :param mail: what the setting for the welcome mail is.
        """
        self._run("bench.members", "fill", str(self.folder), str(total), mail)

    def fill_ledger(self, entries: int) -> None:
        """Write the notifications of years, and find out what every page then has to show.

        A site that was filled before keeps what it has.
        """
        if not (self.folder / "expected.json").exists():
            self._run("bench.ledgerfill", str(self.folder), str(entries))
        # The sweeps that were measured before sold something.
        self._run("bench.expected", str(self.folder))

    def check(self, sold: list[str], total: int) -> None:
        """Look for every purchase that was acknowledged.

        :param total: entries that the ledger has to have.
        :raises BenchError: one is missing.
        """
        path = self.folder / "sold.json"
        path.write_text(json.dumps(sold), encoding="utf-8")
        self._run("bench.members", "check", str(self.folder), str(total), str(path))

    @contextmanager
    def served(self) -> Iterator[int]:
        """Serve it with four worker threads.

        :returns: the process id.
        :raises BenchError: it does not answer.
        """
        with self._started("demo.plonesite", "serve", str(self.folder)) as process:
            try:
                self._wait(process)
                yield process.pid
            finally:
                process.terminate()

    def _listen(self) -> None:
        """Let a site that was made before listen on the port of now."""
        path = self.folder / "wsgi.ini"
        text = path.read_text("utf-8")
        path.write_text(
            re.sub("(?m)^listen = .*", f"listen = 127.0.0.1:{self.port}", text), "utf-8"
        )

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
                [sys.executable, "-m", *arguments],
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            ) as process,
        ):
            yield process


def memory(pid: int) -> int:
    """Bytes of memory that a process has in use, 0 where that cannot be known."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text("ascii").split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _environment() -> dict[str, str]:
    paths = [str(demo.ROOT), *filter(None, sys.path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
