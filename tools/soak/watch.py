"""Resources of a working process: memory, open files, threads."""

from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression
from threading import Event
from threading import Thread
from tools.bench.sites import memory

import os
import time


#: Seconds between two looks.
EVERY = 2.0


@dataclass(frozen=True)
class Look:
    """The resources of a process at a moment.

    :ivar at: seconds, of the monotonic clock.
    :ivar memory: bytes.
    :ivar files: open file descriptors, sockets too.
    """

    at: float
    memory: int
    files: int
    threads: int


def look(pid: int) -> Look:
    """Look at a process, on Linux."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    threads = next(
        line.split()[1] for line in status.splitlines() if line.startswith("Threads")
    )
    return Look(time.monotonic(), memory(pid), len(os.listdir(f"/proc/{pid}/fd")), int(threads))


class Watch:
    """Looks at a process again and again; a context manager.

    :ivar looks: in their order.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ending = Event()
        self._thread = Thread(target=self._work, daemon=True)
        self.looks: list[Look] = []

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *exc_info) -> None:
        self._ending.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ending.wait(EVERY):
            self.looks.append(look(self._pid))


def slope(looks: list[Look]) -> float:
    """The growth of the memory, in bytes an hour, by the least squares."""
    if len(looks) < 3:
        return 0.0
    found = linear_regression([one.at for one in looks], [one.memory for one in looks])
    return found.slope * 3600
