"""The Zope processes of the cluster, as buildout makes them from ``cluster.cfg``."""

from pathlib import Path
from tools import client
from tools import ROOT
from tools.demo.settings import GROUP
from tools.demo.settings import OWNER
from tools.instance import Instance
from tools.program import free_port
from tools.program import run
from tools.program import ToolError

import secrets
import sys
import time


NAMES = ("zope1", "zope2")


class Zope:
    """A process that can be started again.

    :ivar name: of its part in ``cluster.cfg``.
    :ivar address: where it listens.
    """

    process: Instance

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.address = f"127.0.0.1:{free_port()}"
        self._folder = folder
        self._started_at = 0.0

    @property
    def configuration(self) -> Path:
        """Its ``zope.conf``."""
        return self._folder / "parts" / self.name / "etc" / "zope.conf"

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._started_at

    def start(self) -> None:
        """Start it; it needs some seconds until it answers."""
        self._started_at = time.monotonic()
        command = [self._folder / "bin" / self.name, "console"]
        self.process = Instance(command, self._folder / f"{self.name}.log", self.address)

    def look_up(self, member: str, owner: tuple[str, str]) -> None:
        """See that this process knows a member who bought.

        :raises ToolError: it does not.
        """
        answer = client.ask(self.address, f"@users/{member}", owner, Accept="application/json")
        groups = answer.json()["groups"]["items"] if answer.status == 200 else ()
        if GROUP not in [group["id"] for group in groups]:
            raise ToolError(f"{self.name} does not have the member: {answer.status}")


def zopes(folder: Path, dsn: str) -> list[Zope]:
    """Have buildout write the files that the processes read at their start.

    :param folder: of the cluster.
    :param dsn: of the database.
    :raises ToolError: it fails.
    """
    made = [Zope(folder, name) for name in NAMES]
    run(
        [
            Path(sys.executable).parent / "buildout",
            *("-N", "-q", "-c", ROOT / "cluster.cfg"),
            # Beside the database, so that a cluster in another folder is not in the way.
            f"buildout:bin-directory={folder / 'bin'}",
            f"buildout:parts-directory={folder / 'parts'}",
            f"buildout:installed={folder / 'installed.cfg'}",
            f"cluster:folder={folder}",
            f"cluster:dsn={dsn}",
            *(f"cluster:{one.name}={one.address}" for one in made),
            # Zope's first user has to have a password; the site's creation sets another one.
            f"instance:user={OWNER}:{secrets.token_urlsafe(15)}",
        ],
        cwd=ROOT,
    )
    return made
