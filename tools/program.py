"""Programs that run in the background, and end with the process that started them."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from tools import ROOT

import os
import shutil
import signal
import socket
import subprocess
import sys
import time


#: Seconds that a program has for its end before it is killed.
END_SECONDS = 30
#: Lines of a program's output that an error shows.
LAST_LINES = 25


class ToolError(Exception):
    """A tool cannot go on; the message is for the person at the terminal."""


class Program:
    """A program that is running, and that is ended by its own process id.

    The kernel ends it, too, when the thread that started it is gone: start it in the main one.

    :param arguments: the command line.
    :param log: its output is appended there; the file's name stands for the program in errors.
    :param user: name of the user that it runs as, "" for the present one.
    :param end: the signal that ends it in good order.
    :param environment: variables beside the present ones.
    """

    def __init__(
        self,
        arguments: Sequence[str | Path],
        log: Path,
        *,
        user: str = "",
        end: signal.Signals = signal.SIGTERM,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        self._end = end
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - commands of our own
                _command(arguments, user, end),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                # Ctrl-C at the terminal is for us; we end the programs in their order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status; None while it is running, negative after a signal."""
        return self._process.poll()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.status is None

    def wait_until(self, ready: Callable[[], object], seconds: float) -> None:
        """Wait until the program is ready.

        :param ready: returns something true when it is; an error of the network says "not yet".
        :raises ToolError: it ended, or was not ready in time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.running:
            try:
                if ready():
                    return
            except (OSError, HTTPException, ToolError):
                pass
            time.sleep(0.1)
        why = f"did not answer within {seconds:.0f} seconds" if self.running else "ended"
        raise self.error(why)

    def error(self, why: str) -> ToolError:
        """An error that shows the end of the log.

        :param why: follows the name of the program.
        """
        return ToolError(f"{self.log.stem} {why}:\n{self.last_words()}")

    def last_words(self) -> str:
        """The end of the log."""
        return _end_of(self.log.read_text("utf-8", "replace"))

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


def run(
    arguments: Sequence[str | Path | int],
    *,
    user: str = "",
    told: str = "",
    environment: Mapping[str, str] | None = None,
    **options,
) -> str:
    """Run a program to its end.

    :param user: name of the user that it runs as, "" for the present one.
    :param told: text for its standard input.
    :param environment: variables beside the present ones.
    :param options: for :func:`subprocess.run`.
    :returns: its output.
    :raises ToolError: it failed, or took too long.
    """
    name = " ".join(map(str, arguments[:4]))
    try:
        done = subprocess.run(  # noqa: S603 - commands of our own
            _command(arguments, user, signal.SIGTERM),
            input=told,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            **options,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{name} took more than {error.timeout:.0f} seconds.") from None
    if done.returncode:
        raise ToolError(f"{name} failed:\n{_end_of(done.stdout)}")
    return done.stdout


def run_module(name: str, *arguments: str | Path | int, **options) -> str:
    """Run a Python module to its end, see :func:`run`."""
    return run([sys.executable, "-m", name, *arguments], environment=for_python(), **options)


def for_python() -> dict[str, str]:
    """Environment in which another Python imports what this one can, and translates texts."""
    return {
        "PYTHONPATH": os.pathsep.join((str(ROOT), *filter(None, sys.path))),
        "zope_i18n_compile_mo_files": "true",
    }


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port: int) -> bool:
    """Connect to a port of this machine.

    :raises OSError: nothing listens on it.
    """
    with socket.create_connection(("127.0.0.1", port), 1):
        return True


def find(name: str, *folders: Path) -> Path:
    """The path of a program that has to be installed.

    :param folders: to look in, too; the last one that has it wins.
    :raises ToolError: it is not installed.
    """
    found = shutil.which(name, path=os.pathsep.join((os.environ["PATH"], "/usr/sbin")))
    here = [folder / name for folder in folders if (folder / name).is_file()]
    if not here and found is None:
        raise ToolError(
            f"{name} is missing. As root, 'make cluster-packages' installs it on Debian."
        )
    return here[-1] if here else Path(found)


def _command(
    arguments: Sequence[str | Path | int], user: str, on_our_end: signal.Signals
) -> list[str]:
    command = [str(find("setpriv")), "--pdeathsig", on_our_end.name.removeprefix("SIG")]
    if user:
        command += ["--reuid", user, "--regid", user, "--clear-groups"]
    return [*command, "--", *map(str, arguments)]


def _end_of(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-LAST_LINES:])
