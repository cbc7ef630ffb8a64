"""Two Zope processes on one database, a balancer before them, a mail server beside them."""

from contextlib import ExitStack
from niteoweb.click2sell.tests.proof import server
from niteoweb.click2sell.tests.proof.onsite import create
from niteoweb.click2sell.tests.proof.onsite import Postbox
from pathlib import Path
from tempfile import TemporaryDirectory
from tools.cluster.balancer import Balancer
from tools.cluster.postgres import Postgres
from typing import Protocol

import socket
import subprocess
import time


class Database(Protocol):
    """A database server that can be away for a while.

    :ivar storage: for the configuration of a Zope process.
    """

    storage: str

    def start(self) -> None: ...

    def stop(self) -> None: ...


class OnPostgres(Postgres):
    """PostgreSQL, through RelStorage."""

    @property
    def storage(self) -> str:
        """For the configuration of a Zope process."""
        return server.RELSTORAGE.replace("{dsn}", self.dsn)


class OnZeo:
    """A ZEO server with a file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._port = server.free_port()
        self.storage = server.ZEO.format(address=f"127.0.0.1:{self._port}")
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it."""
        address, file = f"127.0.0.1:{self._port}", self._folder / "Data.fs"
        self._process = server.run(
            *("-m", "ZEO.runzeo", "-a", address, "-f", file), log=self._folder / "zeo.log"
        )
        for _ in range(300):
            try:
                with socket.create_connection(("127.0.0.1", self._port), 1):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("no ZEO server")

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            server.end(self._process)


class ClusterLayer:
    """A layer: a cluster with a new site.

    :param kind: of the database.
    :ivar servers: the two Zope processes.
    :ivar port: where the balancer listens.
    :ivar postbox: the mail server.
    """

    __bases__ = ()
    __module__ = __name__

    def __init__(self, name: str, kind: type[Database]) -> None:
        self.__name__ = name
        self._kind = kind
        self.postbox = Postbox()
        self.servers: list[server.Server] = []

    def setUp(self) -> None:
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(TemporaryDirectory()))
        # PostgreSQL runs as a user of its own, who has to get to its files.
        folder.chmod(0o755)
        self._stack.enter_context(self.postbox)
        self.database = self._kind(folder / "database")
        self._stack.callback(self.database.stop)
        self.database.start()
        folders = [folder / "one", folder / "two"]
        for one in folders:
            server.configure(one, self.database.storage)
        create(folders[0])
        self.servers = [server.Server(one) for one in folders]
        self._stack.callback(lambda: [served.stop() for served in self.servers])
        for served in self.servers:
            served.wait()
        self.servers[0].ask(f"@@proof-mail-port?port={self.postbox.port}")
        self.port = server.free_port()
        addresses = {f"zope{n}": f"127.0.0.1:{one.port}" for n, one in enumerate(self.servers)}
        self.balancer = Balancer(folder, [f"127.0.0.1:{self.port}"], server.SITE_ID, addresses)
        self._stack.callback(self.balancer.stop)
        self.balancer.wait()

    def tearDown(self) -> None:
        self._stack.close()

    def kill(self, number: int) -> None:
        """End a Zope process as a power failure does."""
        self.servers[number].kill()

    def revive(self, number: int) -> None:
        """Start a Zope process again, at its place; its log goes on."""
        dead = self.servers[number]
        self.servers[number] = server.Server(dead.folder, port=dead.port)

    def told(self, what: str) -> list[str]:
        """Lines that both processes wrote for the tests."""
        return [line for served in self.servers for line in served.told(what)]

    def last_error(self) -> str:
        """What the processes logged last as an error of ours."""
        found = []
        for served in self.servers:
            _, begin, error = served.log.read_text("utf-8").rpartition("ERROR:niteoweb")
            found.append(begin + error[:5000])
        return "\n".join(found)
