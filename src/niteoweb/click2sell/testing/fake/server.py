"""A small HTTP server on this machine, with a clock of its own."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from niteoweb.click2sell import timestamps
from typing import Any
from urllib.parse import parse_qsl
from urllib.parse import unquote
from urllib.parse import urlsplit

import json
import threading


#: Bytes of a request that are read.
LARGEST_REQUEST = 1024 * 1024

#: Seconds until it notices that it is to stop.
_POLL = 0.01


class Clock:
    """A clock that stands still until it is moved, or begins to run."""

    def __init__(self, now: datetime | None = None) -> None:
        """
        :param now: with its time zone; the present second by default.
        """
        now = now or timestamps.now().replace(microsecond=0)
        self._now = now.astimezone(timezone.utc)
        self._running_since: datetime | None = None

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        if self._running_since is None:
            return self._now
        passed = timestamps.now() - self._running_since
        return (self._now + passed).replace(microsecond=0)

    @now.setter
    def now(self, now: datetime) -> None:
        self._now = now
        if self._running_since is not None:
            self.run()

    def run(self) -> None:
        """Let it go on by itself, from the time that it shows."""
        self._running_since = timestamps.now()

    def move(self, **by: float) -> datetime:
        """Move it, back too.

        :param by: arguments of :class:`datetime.timedelta`: ``days=1``.
        :returns: the new time.
        """
        self.now += timedelta(**by)
        return self.now


@dataclass(frozen=True)
class Request:
    """A request that the server received.

    :ivar path: its parts, without the part that all paths begin with.
    :ivar headers: names in lower case.
    """

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """A response of the server.

    :ivar value: goes out as JSON; bytes go out as they are.
    """

    status: int
    value: Any
    headers: Mapping[str, str] = field(default_factory=dict)


def _query(text: str) -> dict[str, str]:
    """The parameters of a query; the values of a list, as ``types[]``, with commas between."""
    query: dict[str, str] = {}
    for name, value in parse_qsl(text):
        listed = name.endswith("[]") and name in query
        query[name] = f"{query[name]},{value}" if listed else value
    return query


class FakeServer:
    """An HTTP server on a free port of this machine, while its ``with`` block lasts.

    :ivar clock: its time.
    :ivar requests: all requests, the oldest first.
    :ivar outage: while True it answers 503 to everything.
    :ivar rate_limit: questions that it answers until the clock is moved, None for any
        number; after them it answers 429.
    """

    #: The beginning of all paths.
    base = ""
    #: Other beginnings, each with the part that stands for it in the paths of requests.
    beside: Mapping[str, str] = {}

    def __init__(self, clock: Clock | None = None) -> None:
        """
        :param clock: shared with others; by default the server has its own.
        """
        self.clock = clock or Clock()
        self.requests: list[Request] = []
        self.outage = False
        self.rate_limit: int | None = None
        self._counted: tuple[datetime | None, int] = (None, 0)
        self._lock = threading.RLock()

    def __enter__(self) -> "FakeServer":
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def url(self) -> str:
        """The address of the server, with the base of all paths."""
        return f"http://127.0.0.1:{self._server.server_port}{self.base}"

    def answer(self, request: Request) -> Response:
        """The answer of the provider; overridden by each."""
        return self.error(404)

    def error(self, status: int) -> Response:
        """An error as the provider tells it; overridden by each."""
        return Response(status, {"error": status})

    def _path(self, path: str) -> tuple[str, ...]:
        """The parts of a path without its beginning, () where it has none."""
        for base, *name in ((self.base,), *self.beside.items()):
            if path.startswith(f"{base}/"):
                return (*name, *map(unquote, path[len(base) + 1 :].split("/")))
        return ()

    def _respond(self, request: Request) -> Response:
        with self._lock:
            self.requests.append(request)
            if self.outage:
                return self.error(503)
            since, count = self._counted
            count = count + 1 if since == self.clock.now else 1
            self._counted = (self.clock.now, count)
            if self.rate_limit is not None and count > self.rate_limit:
                return self.error(429)
            return self.answer(request)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _handle(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(min(length, LARGEST_REQUEST))
                path = fake._path(parts.path)
                if not path:
                    response = fake.error(404)
                else:
                    request = Request(
                        self.command,
                        path,
                        _query(parts.query),
                        {name.lower(): value for name, value in self.headers.items()},
                        body,
                    )
                    response = fake._respond(request)
                # Who asked may have left meanwhile.
                with suppress(ConnectionError):
                    self._send(response)

            do_GET = do_POST = do_PUT = do_DELETE = _handle

            def _send(self, response: Response) -> None:
                raw = response.value
                if not isinstance(raw, bytes):
                    raw = json.dumps(raw).encode("utf-8")
                self.send_response(response.status)
                headers = {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(raw)),
                    **response.headers,
                }
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args: Any) -> None:
                """Log nothing: ``requests`` has the requests."""

        return Handler
