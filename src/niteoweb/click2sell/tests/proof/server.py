"""Real Zope processes, and how they are called.

What such a process does is in :mod:`.zopeprocess`.
"""

from niteoweb.click2sell.provider import jsonapi
from pathlib import Path
from tools import client
from tools import instance
from tools import outbox
from tools import SITE_ID
from tools.program import free_port
from tools.program import run_module
from typing import Any

import json


ZOPE_PROCESS = f"{__package__}.zopeprocess"
#: In the environment: the name of a step and how often it is passed before the process dies.
KILL = "CLICK2SELL_PROOF_KILL"
#: In the folder of the site: by how many hours the clock of its processes is ahead.
CLOCK = "clock"
#: The site's public address: processes that listen on any port are asked by it.
HOST = "shop.example.org"
ADDRESS = f"http://{HOST}/{SITE_ID}"
OWNER = ("admin", "a password for this test only")


def configure(folder: Path, storage: str = instance.FILE) -> None:
    """Write what Zope reads at its start."""
    instance.configure(folder, storage=storage, views=__package__)


def create(folder: Path) -> None:
    """Create the site, in a folder that is configured.

    :raises ToolError: it cannot be created.
    """
    run_module(ZOPE_PROCESS, "create", folder, timeout=instance.CREATE_SECONDS)


class Server:
    """A site that is served, and its callers.

    :param kill: where the process dies, as ``step:times``.
    :param port: where it listens, 0 for any free port.
    """

    def __init__(self, folder: Path, kill: str = "", port: int = 0) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.process = instance.start(
            folder,
            f"127.0.0.1:{self.port}",
            module=ZOPE_PROCESS,
            environment={KILL: kill, jsonapi.INSECURE_VARIABLE: "1"},
        )
        self.kill, self.stop = self.process.kill, self.process.end

    def wait(self) -> "Server":
        """Wait until the site answers.

        :raises ToolError: it does not, or the process ended.
        """
        self.process.wait()
        return self

    def ask(self, path: str, body: bytes | None = None, accept: str = "*/*") -> client.Answer:
        """Ask the site as its owner."""
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = "application/json"
        with client.Connection(self.port, OWNER, host=HOST) as connection:
            answer = connection.ask("GET" if body is None else "POST", path, body, headers)
        if answer.status >= 400:
            raise AssertionError(f"{path}: {answer.status} {answer.text[:5000]}")
        return answer

    def state(self) -> dict:
        """All that there is."""
        return self.ask("@@proof-state").json()

    def sweep(self, **options: bool) -> dict:
        """Sweep, as cron does."""
        body = json.dumps(options).encode("ascii")
        return self.ask("@click2sell-sweep", body, "application/json").json()

    def change_settings(self, **values: Any) -> None:
        """Change settings of the add-on, as its owner."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        body = json.dumps(values).encode("ascii")
        with client.Connection(self.port, OWNER, host=HOST) as connection:
            answer = connection.ask("PATCH", "@controlpanels/click2sell", body, headers)
        if answer.status != 204:
            raise AssertionError(f"{answer.status} {answer.text[:5000]}")

    def wait_for_mails(self, seconds: float = outbox.PATIENCE) -> None:
        """Wait until its background thread has sent all mails; nobody sweeps.

        :raises ToolError: some are left.
        """
        outbox.wait_until_empty(self.port, OWNER, HOST, seconds)

    @property
    def log(self) -> str:
        """The output of the process."""
        return self.process.log.read_text("utf-8", "replace")

    def told(self, what: str) -> list[str]:
        """Lines of the log that the server wrote for these tests."""
        return [line for line in self.log.splitlines() if line.startswith(f"PROOF {what}")]
