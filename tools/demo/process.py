"""The demo's folder, its port, and the processes that create and serve its site."""

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from contextlib import ExitStack
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from tools import ROOT
from tools.demo.plonesite import CLOCK_ZCML
from tools.demo.plonesite import write_configuration
from tools.demo.visitor import Visitor

import errno
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time


#: Says that the folder is the demo's, and is locked while a demo runs in it.
MARKER = ".click2sell-demo"
LOG = "site.log"
CREATE_SECONDS = 300
SERVE_SECONDS = 180


class DemoError(Exception):
    """The demo cannot go on; the message is for the person at the terminal."""


@dataclass(frozen=True)
class Needs:
    """What a story needs of the site.

    :ivar create: the command of :mod:`tools.demo.plonesite` that makes it.
    :ivar clock: whether the story moves the site's clock.
    :ivar environment: what the process that serves finds in its environment.
    """

    create: str = "create"
    clock: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def free_addresses(port: int, target: str = "demo") -> list[str]:
    """Where to listen, so that localhost is reached by either of its addresses.

    :param target: of make, which is told with another port.
    :raises DemoError: something else listens there.
    """
    free = []
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:
            if family == socket.AF_INET6 and error.errno != errno.EADDRINUSE:
                continue  # A machine without IPv6.
            reason = (
                "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error}"
            )
            raise DemoError(
                f"Port {port} {reason}. Choose another one: make {target} PORT=8081"
            ) from None
        free.append(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    return free


@contextmanager
def prepared(folder: Path) -> Iterator[None]:
    """Empty the demo's folder, and keep it for this demo alone.

    :raises DemoError: it is somebody else's, or another demo runs in it.
    """
    marker = folder / MARKER
    if folder.is_symlink() or (folder.exists() and not marker.is_file()):
        raise DemoError(f"{folder} was not made by the demo: move it away first.")
    folder.mkdir(parents=True, exist_ok=True)
    with marker.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"Another demo is running in {folder}.") from None
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != marker:
                path.unlink()
        yield


class SiteProcess:
    """The site, created and served by processes of their own.

    :param folder: the demo's, empty.
    :param needs: what the story needs of it.
    """

    def __init__(self, folder: Path, needs: Needs) -> None:
        self._folder = folder
        self._needs = needs
        self._server: subprocess.Popen | None = None

    @property
    def log(self) -> Path:
        """What the processes say."""
        return self._folder / LOG

    def start(self, stack: ExitStack, addresses: list[str], smtp_port: int, site: str) -> None:
        """Create the site, and serve it.

        :param stack: ends the processes.
        :param addresses: where to listen.
        :param smtp_port: where the site's mail goes, on this machine.
        :param site: its address.
        :raises DemoError: the site cannot be created, or does not answer in time.
        """
        write_configuration(
            self._folder, addresses, more=CLOCK_ZCML if self._needs.clock else ""
        )
        log = stack.enter_context(self.log.open("wb"))
        with ExitStack() as creation:
            process = self._start(creation, log, {}, self._needs.create, str(smtp_port))
            try:
                if process.wait(CREATE_SECONDS):
                    raise DemoError(f"The site could not be created:\n{self._end_of_log()}")
            except subprocess.TimeoutExpired:
                raise DemoError(
                    f"The site was not created within {CREATE_SECONDS} seconds."
                ) from None
        self._server = self._start(stack, log, self._needs.environment, "serve")
        visitor = Visitor(site)
        deadline = time.monotonic() + SERVE_SECONDS
        while time.monotonic() < deadline:
            if self._server.poll() is not None:
                raise DemoError(f"The server ended:\n{self._end_of_log()}")
            try:
                visitor.page("")
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise DemoError(f"{site} did not answer within {SERVE_SECONDS} seconds.")

    def wait(self) -> None:
        """Serve until the demo is ended.

        :raises DemoError: the server ended by itself.
        """
        while self._server.poll() is None:
            time.sleep(0.5)
        raise DemoError(f"The server ended:\n{self._end_of_log()}")

    def _start(
        self, stack: ExitStack, log, environment: Mapping[str, str], *arguments: str
    ) -> subprocess.Popen:
        command, *rest = arguments
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "tools.demo.plonesite", command, str(self._folder), *rest],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "zope_i18n_compile_mo_files": "true",
                **environment,
            },
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
        stack.callback(_stop, process)
        return process

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-25:])


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdin.close()
