"""A PostgreSQL server in a folder of its own, at a free port of this machine."""

from pathlib import Path
from tools.program import find
from tools.program import free_port
from tools.program import Program
from tools.program import run
from tools.program import ToolError

import os
import secrets
import shutil
import signal


#: Whom it runs as when we are root, whom it refuses. Debian's package makes this user.
USER = "postgres"
DATABASE = "click2sell"
START_SECONDS = 60

#: Small, for a machine that runs everything. `fsync` stays on: nothing acknowledged is lost.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "logging_collector": "off",
}


class Postgres:
    """The server, and the database in it.

    :param folder: for its files, which stay: a database that is there is used again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        # Written last: what an interrupted start left behind is made anew.
        self._made = folder / "made"
        self._password = folder / "password"
        self._log = folder / "postgres.log"
        self._user = USER if os.geteuid() == 0 else ""
        self.port = free_port()
        self._program: Program | None = None

    @property
    def dsn(self) -> str:
        """The connection string of the database; the password stands in a file."""
        return (
            f"host=127.0.0.1 port={self.port} dbname={DATABASE} user={DATABASE} "
            f"passfile={self._folder / 'passfile'}"
        )

    def start(self) -> None:
        """Start it, and make its database the first time.

        :raises ToolError: it cannot be started.
        """
        new = not self._made.is_file()
        if new:
            self._make()
        self._write_passfile()
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        self._program = Program(
            [self._find("postgres"), "-D", self._data, "-p", str(self.port), *settings],
            self._log,
            user=self._user,
            end=signal.SIGINT,
        )
        ready = [self._find("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)]
        self._program.wait_until(lambda: run(ready), START_SECONDS)
        if new:
            run(
                [self._find("createdb"), "-h", "127.0.0.1", "-p", str(self.port), DATABASE],
                environment={
                    "PGUSER": DATABASE,
                    "PGPASSFILE": str(self._folder / "passfile"),
                },
            )
            self._made.touch()

    def stop(self) -> None:
        """Stop it; whoever is connected is thrown out."""
        if self._program is not None:
            self._program.end()

    def restart(self) -> None:
        """Stop it and start it again, at the same place.

        :raises ToolError: it cannot be started.
        """
        self.stop()
        self.start()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._program is not None and self._program.running

    def _make(self) -> None:
        """Make the folder of its files, with a random password."""
        if self._data.exists():
            shutil.rmtree(self._data)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._data.mkdir(mode=0o700)
        self._password.touch(0o600)
        self._password.write_text(secrets.token_hex(24), encoding="ascii")
        if self._user:
            for path in (self._data, self._password):
                shutil.chown(path, self._user)
        self._check_way()
        run(
            [
                self._find("initdb"),
                *("--pgdata", self._data),
                *("--username", DATABASE),
                *("--pwfile", self._password),
                *("--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale", "C.UTF-8"),
            ],
            user=self._user,
            cwd="/",
        )

    def _check_way(self) -> None:
        """See that the server's user gets to its folder.

        :raises ToolError: it does not.
        """
        try:
            run([find("test"), "-w", self._data], user=self._user, cwd="/")
        except ToolError:
            raise ToolError(
                f"The user {self._user!r} cannot get to {self._data}: a folder above it is "
                "closed to others. Name another place with FOLDER=, for example "
                "'make cluster FOLDER=/srv/click2sell'."
            ) from None

    def _write_passfile(self) -> None:
        passfile = self._folder / "passfile"
        passfile.touch(0o600)
        password = self._password.read_text("ascii")
        passfile.write_text(f"127.0.0.1:{self.port}:*:{DATABASE}:{password}\n", "ascii")

    def _find(self, name: str) -> Path:
        """A program of PostgreSQL, of the newest version."""
        versions = sorted(
            Path("/usr/lib/postgresql").glob("*/bin"),
            key=lambda path: [int(part) for part in path.parent.name.split(".")],
        )
        return find(name, *versions)
