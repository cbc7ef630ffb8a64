"""The moment up to which an answer over HTTP is read, its status and its headers too."""

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from http.client import HTTPResponse
from requests.adapters import HTTPAdapter
from socket import socket
from typing import Any

import io
import time


_until: ContextVar[float] = ContextVar("until")


@contextmanager
def until(moment: float) -> Iterator[None]:
    """Read answers in here up to a moment, and no longer.

    :param moment: by the monotonic clock.
    """
    token = _until.set(moment)
    try:
        yield
    finally:
        _until.reset(token)


class Deadline(HTTPAdapter):
    """Keeps connections whose answers are read inside of :func:`until`.

    :param piece: seconds for each piece of an answer.
    """

    def __init__(self, piece: float) -> None:
        super().__init__()
        self._piece = piece

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """The pool that the connection comes from."""
        pool = super().get_connection_with_tls_context(*args, **options)
        if not isinstance(pool.ConnectionCls, partial):
            pool.ConnectionCls = partial(self._connection, pool.ConnectionCls)
        return pool

    def _connection(self, create: Callable[..., Any], *args: Any, **options: Any) -> Any:
        connection = create(*args, **options)
        connection.response_class = partial(_Response, piece=self._piece)
        return connection


class _Response(HTTPResponse):
    """An answer that is read up to a moment, its headers too."""

    def __init__(self, sock: socket, *args: Any, piece: float, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Pieces(sock, self.fp.detach(), _until.get(), piece))


class _Pieces(io.RawIOBase):
    """Reads a socket up to a moment; its own limit begins anew with each piece."""

    def __init__(self, sock: socket, raw: io.RawIOBase, until: float, piece: float) -> None:
        self._sock, self._raw, self._until, self._piece = sock, raw, until, piece

    def readable(self) -> bool:
        """Whether it can be read; the buffer asks."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read the next piece.

        :raises TimeoutError: the moment has come.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(self._piece, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()
