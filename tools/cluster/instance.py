"""The Zope processes of the cluster, as buildout makes them from ``cluster.cfg``."""

from base64 import b64encode
from pathlib import Path
from tools import ROOT
from tools.cluster.plonesite import GROUP
from tools.cluster.plonesite import OWNER
from tools.cluster.plonesite import SITE_ID
from tools.cluster.program import ClusterError
from tools.cluster.program import free_port
from tools.cluster.program import Program
from tools.cluster.program import python_path
from tools.cluster.program import run

import http.client
import json
import os
import secrets
import subprocess
import sys
import time


NAMES = ("zope1", "zope2")
CREATE_SECONDS = 300
START_SECONDS = 180


class Zope:
    """One process.

    :ivar name: of its part in ``cluster.cfg``.
    :ivar address: where it listens.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.address = f"127.0.0.1:{free_port()}"
        self._folder = folder
        self._log = folder / f"{name}.log"
        self._program: Program | None = None
        self._started_at = 0.0

    @property
    def configuration(self) -> Path:
        """Its ``zope.conf``."""
        return self._folder / "parts" / self.name / "etc" / "zope.conf"

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._program is not None and self._program.running

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._started_at

    def start(self) -> None:
        """Start it; it needs some seconds until it answers."""
        self._started_at = time.monotonic()
        self._program = Program([self._folder / "bin" / self.name, "console"], self._log)

    def wait(self) -> None:
        """Wait until it answers.

        :raises ClusterError: it does not.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.running:
            try:
                if self._get(f"/{SITE_ID}/@@click2sell")[0] == 405:
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.3)
        raise ClusterError(f"{self.name} does not answer:\n{self.last_words()}")

    def stop(self) -> None:
        """Stop it."""
        if self._program is not None:
            self._program.end()

    def last_words(self) -> str:
        """The end of its log."""
        return self._program.last_words() if self._program is not None else ""

    def look_up(self, member: str, owner: tuple[str, str]) -> None:
        """See that this process knows a member who bought.

        :raises ClusterError: it does not.
        """
        credentials = b64encode(":".join(owner).encode()).decode("ascii")
        status, text = self._get(
            f"/{SITE_ID}/@users/{member}",
            {"Accept": "application/json", "Authorization": f"Basic {credentials}"},
        )
        groups = json.loads(text).get("groups", {}).get("items", ()) if status == 200 else ()
        if GROUP not in [group["id"] for group in groups]:
            raise ClusterError(f"{self.name} does not have the member: {status}")

    def _get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def zopes(folder: Path, dsn: str) -> list[Zope]:
    """Have buildout write what the processes read at their start.

    :param folder: of the cluster.
    :param dsn: of the database.
    :raises ClusterError: it fails.
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


def create_site(folder: Path, process: Zope, password: str, secret_key: str) -> None:
    """Create the site unless it is there.

    :param process: it is created with its configuration.
    :param password: of the owner.
    :raises ClusterError: it cannot be created.
    """
    log = folder / "create.log"
    try:
        with log.open("wb") as output:
            done = subprocess.run(  # noqa: S603 - our own interpreter
                [sys.executable, "-m", "tools.cluster.plonesite", process.configuration],
                input=json.dumps([password, secret_key]).encode("ascii"),
                stdout=output,
                stderr=output,
                env={**os.environ, **python_path(), "zope_i18n_compile_mo_files": "true"},
                timeout=CREATE_SECONDS,
            )
    except subprocess.TimeoutExpired:
        raise ClusterError(f"The site was not created within {CREATE_SECONDS} s.") from None
    if done.returncode:
        raise ClusterError(f"The site could not be created:\n{log.read_text('utf-8')[-3000:]}")
