"""The terminal side of the commands: ports, folders, messages and the end by Ctrl-C."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tools.program import ToolError

import errno
import fcntl
import signal
import socket


class Ended(BaseException):
    """Ctrl-C or SIGTERM. Not an Exception, so that nothing takes it for a failure."""


def end_on_signals() -> None:
    """Raise :class:`Ended` at Ctrl-C and SIGTERM, from now on."""
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)


def say(text: str) -> None:
    """Print at once, even when the output goes into a file or a pipe."""
    print(text, flush=True)


def step(text: str) -> None:
    """Print what is being done, with the time."""
    say(f"{datetime.now():%H:%M:%S}  {text} ...")


def free_addresses(port: int, target: str) -> list[str]:
    """The addresses to listen on, so that localhost is reached by either of its own.

    :param target: of make, which is named with another port.
    :raises ToolError: something else listens there.
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
            in_use = error.errno == errno.EADDRINUSE
            reason = "is in use" if in_use else f"cannot be used: {error}"
            raise ToolError(
                f"Port {port} {reason}. Choose another one: make {target} PORT=8081"
            ) from None
        free.append(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    return free


@contextmanager
def locked(folder: Path, target: str) -> Iterator[Path]:
    """Keep a folder for one run of a command.

    :param target: of make, that the folder belongs to.
    :returns: the file in it that marks it as such.
    :raises ToolError: it is somebody else's, or the command is running in it.
    """
    marker = folder / f".click2sell-{target}"
    is_ours = not folder.exists() or marker.is_file() or not any(folder.iterdir())
    if folder.is_symlink() or not is_ours:
        raise ToolError(f"{folder} was not made by make {target}: move it away first.")
    folder.mkdir(parents=True, exist_ok=True)
    with marker.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ToolError(f"Another {target} is running in {folder}.") from None
        yield marker


def _end(signum, frame) -> None:
    # A second Ctrl-C must not interrupt the ending of the processes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Ended
