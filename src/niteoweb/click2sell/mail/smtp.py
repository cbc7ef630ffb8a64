"""Connections to a mail server that end in time, whatever the server or the network does.

smtplib's own time limit is one for each wait: it starts anew with every address of the server
and with every byte that comes, and does not count the look-up of names at all.
"""

from collections.abc import Callable
from smtplib import SMTP
from smtplib import SMTP_SSL
from smtplib import SMTPResponseException
from typing import Any
from typing import TypeVar

import concurrent.futures
import contextlib
import re
import socket
import threading
import time


#: Seconds that sending one mail may take in all, from the name's look-up to the last word.
TIME_LIMIT = 5.0

#: Look-ups of names that may go on at once, those that nobody waits for any more among them.
LOOKUPS = 4

_LINE_END = re.compile(rb"\r\n|\r|\n")
_lookups = threading.BoundedSemaphore(LOOKUPS)

T = TypeVar("T")


def look_up(ask: Callable[[], T], seconds: float) -> T:
    """Ask the system's resolver something, in a thread, since nothing can interrupt it.

    A look-up that takes too long goes on until the resolver gives up, usually within a minute.
    While there are :data:`LOOKUPS` of these, no other is begun, so that threads do not pile up.

    :param ask: one of the functions of :mod:`socket`, with its arguments.
    :param seconds: to wait for the answer.
    :raises TimeoutError: it took longer, or too many others do.
    :raises OSError: there is no such name.
    """
    if not _lookups.acquire(blocking=False):
        raise TimeoutError("too many look-ups that take too long")
    answer: concurrent.futures.Future[T] = concurrent.futures.Future()

    def look() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:
            answer.set_exception(error)
        finally:
            _lookups.release()

    try:
        # Not one of a pool: at the end of a process Python waits for those.
        threading.Thread(target=look, daemon=True).start()
    except RuntimeError:
        _lookups.release()
        raise
    return answer.result(seconds)


class _Reach(SMTP):
    """Connects to whichever address of the server answers, within the time that is left."""

    #: When time is over, on the clock of :func:`time.monotonic`.
    _deadline = 0.0

    def _left(self) -> float:
        """Seconds that are left.

        :raises TimeoutError: there are none.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the mail server took too long")
        return left

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        addresses = look_up(
            lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), self._left()
        )
        failure: OSError = OSError("the mail server's name has no address")
        for tried, (family, kind, protocol, _name, address) in enumerate(addresses):
            # One that never answers must not use up the time of the others.
            share = self._left() / (len(addresses) - tried)
            connection = None
            try:
                connection = socket.socket(family, kind, protocol)
                connection.settimeout(share)
                connection.connect(address)
                connection.settimeout(self._left())
            except OSError as error:
                if connection is not None:
                    connection.close()
                failure = error
            else:
                return connection
        raise failure


class _TimeLimit:
    """An SMTP connection that ends after :data:`TIME_LIMIT` seconds, whatever it is doing."""

    _timer: threading.Timer | None = None

    def __init__(self, host: str, port: str) -> None:
        self._deadline = time.monotonic() + TIME_LIMIT
        self._timer = threading.Timer(TIME_LIMIT, self._cut)
        self._timer.daemon = True
        self._timer.start()
        try:
            own_name = look_up(_own_name, self._left())
            super().__init__(host, int(port), own_name, timeout=self._left())
        except BaseException:
            self.close()
            raise

    def _cut(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def getreply(self) -> tuple[int, bytes]:
        # While TLS begins there is nothing to cut, but this limit is one for all of that.
        self.sock.settimeout(self._left())
        return super().getreply()

    def data(self, msg: Any) -> Any:
        # MailHost hands over bare line feeds, which servers may refuse; smtplib only repairs
        # those of text.
        if isinstance(msg, bytes):
            msg = _LINE_END.sub(b"\r\n", msg)
        return super().data(msg)

    def quit(self) -> Any:
        # A mail that was taken is sent, whatever the server does when it should say goodbye;
        # an error here would lead to a second mail.
        try:
            return super().quit()
        except OSError:
            self.close()
            return 221, b""

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().close()


class Connection(_TimeLimit, _Reach):
    """An SMTP connection, in the place of :class:`smtplib.SMTP`."""


class SecureConnection(_TimeLimit, SMTP_SSL, _Reach):
    """An SMTP connection with TLS from the start, in the place of :class:`smtplib.SMTP_SSL`."""


def _own_name() -> str:
    """The name to greet a mail server with, as smtplib finds it out."""
    name = socket.getfqdn()
    if "." in name:
        return name
    with contextlib.suppress(OSError):
        return f"[{socket.gethostbyname(socket.gethostname())}]"
    return "[127.0.0.1]"


class _NothingSent:
    def sendmail(self, *_mail: Any) -> None:
        code, answer = self.noop()
        if code != 250:
            raise SMTPResponseException(code, answer)


class Probe(_NothingSent, Connection):
    """A connection that asks whether the server is there, instead of sending a mail."""


class SecureProbe(_NothingSent, SecureConnection):
    """A :class:`Probe` with TLS from the start."""
