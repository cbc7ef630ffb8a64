"""A mail server that misbehaves as a test wants."""

from niteoweb.click2sell.tests.cases.hanging import GIVES_UP

import contextlib
import socket
import threading
import time


REPLIES = {"EHLO": b"250 localhost\r\n", "DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}


class ScriptedServer:
    """An SMTP server that answers as a test wants, over a real socket.

    A test that waits without a limit for one that hangs fails.

    :param greeting: called with the connection.
    :param port: where it listens, 0 for any free port.
    :param replies: by command; None closes the connection without a word.
    """

    def __init__(self, greeting=None, port=0, **replies):
        self.greeting = greeting
        self.port = port
        self.replies = {**REPLIES, **replies}
        self.bodies = []
        self._gave_up = False

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        assert not self._gave_up, "Somebody waited for it without a limit."

    def hang(self, connection):
        self._gave_up = not self._stopped.wait(GIVES_UP)

    def drip(self, connection, drop=b"2"):
        """Send a little at a time, and never an answer."""
        until = time.monotonic() + GIVES_UP
        while not (self._stopped.wait(0.2) or self._gave_up):
            connection.sendall(drop)
            self._gave_up = time.monotonic() > until

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    self._talk(connection)

    def _talk(self, connection):
        if self.greeting is not None:
            self.greeting(self, connection)
            return
        connection.sendall(b"220 localhost\r\n")
        lines = connection.makefile("rb")
        for line in lines:
            command = line[:4].decode("ascii", "replace").upper()
            reply = self.replies.get(command, b"250 ok\r\n")
            if callable(reply):
                reply(self, connection)
                return
            connection.sendall(reply)
            if command == "DATA" and reply.startswith(b"354"):
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    body += lines.readline()
                self.bodies.append(body)
                connection.sendall(b"250 taken\r\n")
            elif command == "QUIT":
                return
