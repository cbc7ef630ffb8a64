"""The commands, called in this process, and a server that records their requests."""

from contextlib import contextmanager
from contextlib import redirect_stderr
from contextlib import redirect_stdout
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from niteoweb.click2sell.command import console
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from threading import Thread
from typing import Any
from unittest import mock

import io
import transaction


class RecordingServer(ThreadingHTTPServer):
    """Answers every POST in the same way and keeps what it received."""

    status = 200
    text = b"POST successfully parsed."
    location = ""
    #: Names of headers that are in the answer.
    echoes: tuple[str, ...] = ()
    raw: bytes | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, Delivery]] = []
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: RecordingServer

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        delivery = Delivery(body, self.headers["Content-Type"], headers)
        self.server.received.append((self.path, delivery))
        if self.server.raw is not None:
            self.wfile.write(self.server.raw)
            return
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()
        for name in self.server.echoes:
            self.wfile.write(f"echo: {headers.get(name, '')}\n".encode())
        self.wfile.write(self.server.text or body)

    def log_message(self, *args):
        pass


class CommandTestCase(SiteTestCase):
    """A site whose commands are called in this process, on the site of the tests."""

    def call(self, main: Any, *arguments: str, status: int = 0) -> str:
        """Call a command; what it printed. What it complained about is in `complaints`."""

        @contextmanager
        def opened(configuration, path):
            yield self.portal
            transaction.abort()

        output, self.complaints = io.StringIO(), io.StringIO()
        with (
            mock.patch.object(console, "opened", opened),
            redirect_stdout(output),
            redirect_stderr(self.complaints),
        ):
            self.assertEqual(main(arguments), status)
        return output.getvalue()

    def refused(self, main: Any, *arguments: str) -> str:
        """Call a command that cannot do its work; the sentence it says."""
        self.assertEqual(self.call(main, *arguments, status=1), "")
        return self.complaints.getvalue()
