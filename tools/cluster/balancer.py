"""The balancer: haproxy, with a health check of each Zope process."""

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from tools import client
from tools import SITE_ID
from tools.program import find
from tools.program import Program


TEMPLATE = Path(__file__).with_name("haproxy.cfg")
START_SECONDS = 60


class Balancer:
    """haproxy in front of some Zope processes.

    :param folder: for its configuration and its log.
    :param addresses: where it listens, each as ``host:port``.
    :param servers: address of each Zope process, by name.
    """

    def __init__(
        self, folder: Path, addresses: Sequence[str], servers: Mapping[str, str]
    ) -> None:
        self._address = addresses[0]
        configuration = folder / "haproxy.cfg"
        text = TEMPLATE.read_text("utf-8")
        for name, value in {
            "bind": "\n".join(f"    bind {address}" for address in addresses),
            "servers": "\n".join(f"    server {n} {a}" for n, a in servers.items()),
            "site": SITE_ID,
            "host": "localhost",
        }.items():
            text = text.replace(f"{{{name}}}", value)
        configuration.write_text(text, encoding="utf-8")
        self._program = Program(
            [find("haproxy"), "-db", "-f", configuration], folder / "haproxy.log"
        )

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Wait until a Zope process answers through it.

        :raises ToolError: none does.
        """
        self._program.wait_until(
            lambda: client.ask(self._address, "@@click2sell").status == 405, seconds
        )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._program.running

    def stop(self) -> None:
        """Stop it."""
        self._program.end()
