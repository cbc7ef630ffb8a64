"""Servers that are filled with members; a filled one can be kept for another run."""

from collections.abc import Callable
from pathlib import Path
from tools.bench.server import Server
from typing import TypeVar

import shutil


AnyServer = TypeVar("AnyServer", bound=Server)

#: Is in a folder that was kept when everything else is.
COMPLETE = "complete"


class Filled:
    """Makes servers in a folder of this run.

    :param folder: of this run.
    :param kept: where filled databases are kept, as they were before anything was bought; None
        keeps nothing.
    """

    def __init__(self, folder: Path, kept: Path | None) -> None:
        self._folder = folder
        self._kept = kept

    def make(
        self, kind: type[AnyServer], members: int, start: Callable[[Path], AnyServer]
    ) -> AnyServer:
        """A server with so many members.

        :param start: makes one in a folder, with the database that is there already.
        :raises BenchError: it cannot be made or filled.
        """
        own = self._folder / f"{kind.name}-{members}"
        own.mkdir()
        store = self._kept / own.name if self._kept is not None else None
        is_kept = store is not None and (store / COMPLETE).exists()
        if is_kept:
            _copy(kind, store, own)
        server = start(own)
        # Also when it was kept: the mail goes to another port each time.
        server.fill(members)
        if store is not None and not is_kept:
            shutil.rmtree(store, ignore_errors=True)
            store.mkdir(parents=True)
            _copy(kind, own, store)
            (store / COMPLETE).touch()
        return server


def _copy(kind: type[Server], source: Path, target: Path) -> None:
    for name in kind.kept:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)
        else:
            shutil.copyfile(source / name, target / name)
