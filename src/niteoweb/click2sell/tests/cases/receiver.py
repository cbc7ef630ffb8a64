"""A receiver of outgoing hooks: a real server that checks with the specification's library."""

from contextlib import suppress
from datetime import datetime
from datetime import timezone
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from standardwebhooks import Webhook
from threading import Thread
from typing import Any
from unittest import mock

import json


#: Of the specification's own examples.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver:
    """A server on a port that stays, while it is started.

    :ivar status: of its answers, or a function of the event.
    :ivar headers: of its answers.
    :ivar taken: the events that it answered with a status below 300, in their order, with id.
    :ivar asked: the number of all posts.
    """

    def __init__(self, secret: str = SECRET) -> None:
        self.secret, self.status, self.taken, self.asked = secret, 200, [], 0
        self.failures: list[Exception] = []
        self.headers: dict[str, str] = {}
        self._server = self._thread = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?tenant=1"

    def start(self) -> None:
        """Start, at the same port as before."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver._answer(body, dict(self.headers.items()))
                self.send_response(status)
                for name, value in {"Content-Length": "0", **receiver.headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop; nothing listens at its port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None

    def _answer(self, body: bytes, headers: dict[str, str]) -> int:
        self.asked += 1
        headers = {name.lower(): value for name, value in headers.items()}
        sent = datetime.fromtimestamp(int(headers["webhook-timestamp"]), timezone.utc)
        try:
            # The clock of the tests stands still, or is put forward.
            with mock.patch("standardwebhooks.webhooks.datetime", wraps=datetime) as clock:
                clock.now.return_value = sent
                event = Webhook(self.secret).verify(body, headers)
        except Exception as error:
            self.failures.append(error)
            return 401
        assert event == json.loads(body)
        status = self.status(event) if callable(self.status) else self.status
        if status < 300:
            self.taken.append({"id": headers["webhook-id"], "sent": sent, **event})
        return status

    def types(self) -> list[str]:
        """The types of the events that were taken."""
        return [event["type"] for event in self.taken]

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *exc_info: Any) -> None:
        with suppress(OSError):
            self.stop()
