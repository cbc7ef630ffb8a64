"""Programs that run beside each other, and end with whoever started them."""

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from tools import ROOT

import os
import shutil
import signal
import socket
import subprocess
import sys


#: Seconds that a program has for its end before it is killed.
END_SECONDS = 30


class ClusterError(Exception):
    """The cluster cannot go on; the message is for the person at the terminal."""


class Program:
    """A program that was started, and that is ended by its own process id.

    The kernel ends it, too, when the thread that started it is gone: start it in the main one.

    :param arguments: the command line.
    :param log: what it says is appended there.
    :param user: name of the user that it runs as, "" for the present one.
    :param end: the signal that ends it in good order.
    :param environment: what it gets beside the present one.
    """

    def __init__(
        self,
        arguments: Sequence[str | Path],
        log: Path,
        user: str = "",
        end: signal.Signals = signal.SIGTERM,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        self._end = end
        on_our_end = ("--pdeathsig", end.name.removeprefix("SIG"))
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - commands of our own
                [*_as_user(user), *on_our_end, "--", *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                # Ctrl-C at the terminal is for us; we end the programs in their order.
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def end(self) -> None:
        """End it in good order; kill it when it does not."""
        if self.running:
            self._process.send_signal(self._end)
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def kill(self) -> None:
        """End it as a power failure does."""
        self._process.kill()
        self._process.wait()

    def last_words(self) -> str:
        """The end of what it said."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-25:])


def run(arguments: Sequence[str | Path], user: str = "", **options) -> str:
    """Run a program to its end.

    :param options: for :func:`subprocess.run`.
    :returns: what it said.
    :raises ClusterError: it failed.
    """
    done = subprocess.run(  # noqa: S603 - commands of our own
        [*_as_user(user), "--", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        **options,
    )
    if done.returncode:
        raise ClusterError(f"{arguments[0]} failed:\n{done.stdout.strip()}")
    return done.stdout


def find(name: str, *folders: Path) -> Path:
    """Where a program is that has to be installed.

    :param folders: to look in, too; the last one that has it wins.
    :raises ClusterError: it is not.
    """
    found = shutil.which(name, path=os.pathsep.join((os.environ["PATH"], "/usr/sbin")))
    here = [folder / name for folder in folders if (folder / name).is_file()]
    if not here and found is None:
        raise ClusterError(
            f"{name} is missing. As root, 'make cluster-packages' installs it on Debian."
        )
    return here[-1] if here else Path(found)


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def python_path() -> dict[str, str]:
    """What another Python needs in its environment to import what this one can."""
    return {"PYTHONPATH": os.pathsep.join((str(ROOT), *filter(None, sys.path)))}


def _as_user(name: str) -> list[str]:
    command = [str(find("setpriv"))]
    if name:
        command += ["--reuid", name, "--regid", name, "--clear-groups"]
    return command
