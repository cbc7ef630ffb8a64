"""Requests to a site of this machine, on one connection, without cookies and redirects."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from http.client import HTTPException
from tools import SITE_ID

import json
import time


@dataclass(frozen=True)
class Answer:
    """An answer of the site.

    :ivar seconds: from the request to the end of the answer.
    """

    status: int
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self):
        """The value that the body stands for."""
        return json.loads(self.body)


class Connection:
    """A connection that is kept open; a context manager.

    :param address: ``host:port`` of the site, or a port of this machine.
    :param user: login name and password of the user who asks; None for nobody.
    :param host: of the site's public address, where that is not where it listens.
    """

    def __init__(
        self,
        address: str | int,
        user: tuple[str, str] | None = None,
        timeout: float = 120,
        host: str = "",
    ) -> None:
        self._connection = HTTPConnection(
            address if isinstance(address, str) else f"127.0.0.1:{address}", timeout=timeout
        )
        self._headers = {"Host": host} if host else {}
        if user is not None:
            credentials = b64encode(":".join(user).encode()).decode("ascii")
            self._headers["Authorization"] = f"Basic {credentials}"

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *exc_info) -> None:
        self.close()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, and wait for the whole of the answer.

        :param path: below the site.
        :raises OSError: there is no answer, or it is broken off.
        :raises HTTPException: the same.
        """
        begin = time.perf_counter()
        try:
            self._connection.request(
                method, f"/{SITE_ID}/{path}", body, {**self._headers, **(headers or {})}
            )
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, HTTPException):
            # The next request begins a new connection.
            self._connection.close()
            raise
        return Answer(answer.status, said, time.perf_counter() - begin)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def ask(
    address: str | int, path: str = "", user: tuple[str, str] | None = None, **headers: str
) -> Answer:
    """Ask for a page once, see :meth:`Connection.ask`."""
    with Connection(address, user) as connection:
        return connection.ask("GET", path, headers=headers)
