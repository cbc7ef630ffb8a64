"""The balancer: haproxy, with a health check of each Zope process."""

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from tools.cluster.program import ClusterError
from tools.cluster.program import find
from tools.cluster.program import Program

import http.client
import time


TEMPLATE = Path(__file__).with_name("haproxy.cfg")
START_SECONDS = 60


class Balancer:
    """haproxy in front of some Zope processes.

    :param folder: for its configuration and its log.
    :param addresses: where it listens, each as ``host:port``.
    :param site: id of the site, for the health check.
    :param servers: address of each Zope process, by name.
    """

    def __init__(
        self, folder: Path, addresses: Sequence[str], site: str, servers: Mapping[str, str]
    ) -> None:
        self._site = site
        self._address = addresses[0]
        configuration = folder / "haproxy.cfg"
        text = TEMPLATE.read_text("utf-8")
        for name, value in {
            "bind": "\n".join(f"    bind {address}" for address in addresses),
            "servers": "\n".join(f"    server {n} {a}" for n, a in servers.items()),
            "site": site,
            "host": "localhost",
        }.items():
            text = text.replace(f"{{{name}}}", value)
        configuration.write_text(text, encoding="utf-8")
        self._program = Program(
            [find("haproxy"), "-db", "-f", configuration], folder / "haproxy.log"
        )

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Wait until a Zope process answers through it.

        :raises ClusterError: none does.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._program.running:
            connection = http.client.HTTPConnection(self._address, timeout=10)
            try:
                connection.request("GET", f"/{self._site}/@@click2sell")
                if connection.getresponse().status == 405:
                    return
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.2)
        raise ClusterError(f"The balancer does not answer:\n{self._program.last_words()}")

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._program.running

    def stop(self) -> None:
        """Stop it."""
        self._program.end()
