"""Two Zope processes on one database, a balancer before them, a mail server beside them."""

from contextlib import ExitStack
from niteoweb.click2sell.tests.proof import server
from niteoweb.click2sell.tests.proof.onsite import Postbox
from pathlib import Path
from tempfile import TemporaryDirectory
from tools import instance
from tools.cluster.balancer import Balancer
from tools.cluster.postgres import Postgres
from tools.program import free_port
from typing import Protocol


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
        return instance.RELSTORAGE.format(dsn=self.dsn)


class OnZeo:
    """A ZEO server with a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.storage = instance.ZEO.format(address=f"127.0.0.1:{self._port}")

    def start(self) -> None:
        """Start it."""
        self._zeo = instance.start_zeo(self._folder, self._port)

    def stop(self) -> None:
        """Stop it."""
        self._zeo.end()


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
        self.database.start()
        self._stack.callback(self.database.stop)
        folders = [folder / "one", folder / "two"]
        for one in folders:
            server.configure(one, self.database.storage)
        server.create(folders[0])
        self.servers = [server.Server(one) for one in folders]
        self._stack.callback(lambda: [served.stop() for served in self.servers])
        for served in self.servers:
            served.wait()
        self.servers[0].ask(f"@@proof-mail-server?port={self.postbox.port}")
        self.port = free_port()
        addresses = {f"zope{n}": f"127.0.0.1:{one.port}" for n, one in enumerate(self.servers)}
        self.balancer = Balancer(folder, [f"127.0.0.1:{self.port}"], addresses)
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
        """The last error of ours in the logs of the processes."""
        found = []
        for served in self.servers:
            _, begin, error = served.log.rpartition("ERROR [niteoweb")
            found.append(begin + error[:5000])
        return "\n".join(found)
