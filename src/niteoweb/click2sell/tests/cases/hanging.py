"""A server that takes questions over HTTP and never has done with answering."""

from collections.abc import Callable
from contextlib import ExitStack
from contextlib import suppress

import select
import socket
import threading
import time


#: Seconds after which a server that hangs closes its connections: many times the limits that
#: tests set, since machines can be slow.
GIVES_UP = 120


class HangingServer:
    """A server on a free port of this machine, while its ``with`` block lasts.

    A block that waits for it without a limit fails.

    :param hang: one of :data:`KINDS`.
    """

    def __init__(self, hang: Callable[["HangingServer"], None]) -> None:
        self._hang = hang
        #: Connections that it has taken.
        self.taken: list[socket.socket] = []
        self._gave_up = False

    def __enter__(self) -> "HangingServer":
        self._stack = ExitStack()
        self._listener = self._stack.enter_context(socket.socket())
        self._listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/api"
        self._ended = threading.Event()
        self._listener.listen(0)
        self._thread = threading.Thread(target=self._hang, args=(self,), daemon=True)
        self._thread.start()
        self._stack.callback(self._thread.join, 10)
        self._stack.callback(self._ended.set)
        self._full = threading.Event()
        if self._hang is HangingServer.connect_never:
            self._full.wait(10)
        return self

    def __exit__(self, *exc_info) -> None:
        self._stack.close()
        assert not self._gave_up, "Somebody waited for it without a limit."

    def connect_never(self) -> None:
        """Complete no connection: others wait already, and none is taken."""
        with ExitStack() as stack:
            waiting = True
            while waiting:
                client = stack.enter_context(socket.socket())
                client.settimeout(0.3)
                try:
                    client.connect(self._listener.getsockname())
                except TimeoutError:
                    waiting = False
            self._full.set()
            self._gave_up = not self._ended.wait(GIVES_UP)

    def answer_never(self) -> None:
        """Take connections, and say nothing."""
        self._serve(b"", b"")

    def drip_status(self) -> None:
        """Send the first line of the answer, a byte at a time."""
        self._serve(b"", b"HTTP/1.1 200 " + b"O" * 60_000)

    def drip_headers(self) -> None:
        """Send a header of the answer, a byte at a time."""
        self._serve(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 60_000)

    def drip_body(self) -> None:
        """Send the body of the answer, a byte at a time."""
        self._serve(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b" " * 60_000)

    def answer_oddly(self) -> None:
        """Send a header that is none, and no end of the body."""
        self._serve(b"HTTP/1.1 200 OK\r\nno header\r\nX: 1\r\n\r\n", b" ")

    def _serve(self, at_once: bytes, slowly: bytes) -> None:
        sent: dict[socket.socket, int] = {}
        until = time.monotonic() + GIVES_UP
        with ExitStack() as stack:
            while not (self._ended.wait(0.1) or self._gave_up):
                self._gave_up = time.monotonic() > until
                while select.select([self._listener], [], [], 0)[0]:
                    connection = stack.enter_context(self._listener.accept()[0])
                    self.taken.append(connection)
                    sent[connection] = 0
                    connection.sendall(at_once)
                for connection, place in sent.items():
                    with suppress(OSError):
                        sent[connection] += connection.send(slowly[place : place + 1])


KINDS = (
    HangingServer.connect_never,
    HangingServer.answer_never,
    HangingServer.drip_status,
    HangingServer.drip_headers,
    HangingServer.drip_body,
)
