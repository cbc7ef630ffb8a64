"""Connections of the site's MailHost to its mail server, with a limit of time.

zope.sendmail's mailer has no limit, and takes a mail for unsent when the server hangs up after
it has taken it.
"""

from Acquisition import aq_base
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from Products.MailHost.MailHost import MailBase
from smtplib import SMTP
from smtplib import SMTP_SSL
from smtplib import SMTPAuthenticationError
from smtplib import SMTPConnectError
from smtplib import SMTPHeloError
from smtplib import SMTPNotSupportedError
from smtplib import SMTPRecipientsRefused
from smtplib import SMTPResponseException
from smtplib import SMTPServerDisconnected
from socket import SHUT_RDWR
from socket import socket
from threading import Thread
from threading import Timer
from typing import Any


#: Seconds that each step of sending a mail may take.
TIME_LIMIT = 15.0
#: Seconds from the connection on that all steps together may take: a server that sends a byte
#: at a time meets the limit of each. Another process sends a mail again after two minutes.
WHOLE_LIMIT = 60.0
#: Seconds that trying the mail server may take in all, since an owner waits for the result.
PROBE_LIMIT = 10.0

#: The service is not available (RFC 5321): the server shuts down, or is too busy.
_SHUTTING_DOWN = 421


def is_smtp(mailhost: Any) -> bool:
    """Whether a MailHost sends as Zope's own does.

    Others send by other means; some products replace methods of Zope's, to keep mail back.
    """
    made = type(aq_base(mailhost))
    return issubclass(made, MailBase) and all(
        getattr(made, name).__module__ == MailBase.__module__ for name in ("send", "_send")
    )


def send(mailhost: Any, sender: str, to: Sequence[str], message: bytes) -> None:
    """Send a mail by the mail server of a MailHost, for which :func:`is_smtp` holds.

    :param sender: address of the envelope.
    :param to: addresses of the envelope.
    :raises OSError: the server cannot be reached, refuses or takes too long; smtplib's errors
        are kinds of it.
    """
    _converse(_mailer(mailhost, _Connection, _SecureConnection), sender, to, message)


def probe(mailhost: Any) -> None:
    """Talk to the mail server as :func:`send` does, TLS and login included, but send nothing.

    :raises OSError: as for :func:`send`; TimeoutError after :data:`PROBE_LIMIT`.
    """
    mailer = _mailer(mailhost, _Probe, _SecureProbe)
    tried: Future[None] = Future()

    def try_it() -> None:
        try:
            tried.set_result(_converse(mailer, "", [], b""))
        except Exception as error:
            tried.set_exception(error)

    # A look-up of names has no limit, and a server that drips meets that of each step.
    Thread(target=try_it, name="click2sell tries the mail server", daemon=True).start()
    tried.result(PROBE_LIMIT)


def is_away(error: Exception) -> bool:
    """Whether an error says that the server takes no mail now, whichever it is.

    Another error is about the mail that it was asked to take.
    """
    if isinstance(error, SMTPResponseException):
        unusable = (SMTPAuthenticationError, SMTPConnectError, SMTPHeloError)
        return error.smtp_code == _SHUTTING_DOWN or isinstance(error, unusable)
    of_the_mail = (SMTPRecipientsRefused, SMTPNotSupportedError)
    return isinstance(error, OSError) and not isinstance(error, of_the_mail)


def _mailer(mailhost: Any, plain: type[SMTP], secure: type[SMTP]) -> Any:
    """The mailer of a MailHost, which reads the settings of the current site."""
    mailer = aq_base(mailhost)._makeMailer()
    mailer.smtp = secure if mailer.smtp is SMTP_SSL else plain
    return mailer


def _converse(mailer: Any, *mail: Any) -> None:
    try:
        mailer.send(*mail)
    finally:
        # The mailer leaves it open when the login fails, for example.
        if mailer.connection is not None:
            mailer.connection.close()


class _Connection(SMTP):
    """A connection that ends in time, in the place of :class:`smtplib.SMTP`."""

    def connect(self, *args: Any, **options: Any) -> tuple[int, bytes]:
        """Connect; a socket that could not be connected is closed."""
        try:
            return super().connect(*args, **options)
        except BaseException:
            self.close()
            raise

    def _get_socket(self, host: str, port: str, _timeout: Any) -> socket:
        line = super()._get_socket(host, port, TIME_LIMIT)
        # TLS puts another object in the place of the socket; a duplicate stays what it is.
        self._line = line.dup()
        self._took_too_long = False
        self._hang_up = Timer(WHOLE_LIMIT, self._shut)
        self._hang_up.daemon = True
        self._hang_up.start()
        return line

    def close(self) -> None:
        """Close the connection."""
        super().close()
        if hasattr(self, "_hang_up"):
            self._hang_up.cancel()
            self._hang_up.join()
            self._line.close()

    def getreply(self) -> tuple[int, bytes]:
        """Read an answer; half of one, from a server that was hung up on, is none."""
        reply = super().getreply()
        if self._took_too_long:
            raise SMTPServerDisconnected("The conversation took too long.")
        return reply

    def quit(self) -> Any:
        # A mail that was taken is sent, whatever the server does when it should say goodbye;
        # an error here would lead to a second mail.
        try:
            return super().quit()
        except OSError:
            self.close()
            return 221, b""

    def _shut(self) -> None:
        """End the connection, so that the thread that waits for the other end goes on."""
        self._took_too_long = True
        with suppress(OSError):  # it has ended
            self._line.shutdown(SHUT_RDWR)


class _SecureConnection(SMTP_SSL, _Connection):
    """A connection with TLS from the start, in the place of :class:`smtplib.SMTP_SSL`."""


class _NothingSent:
    def sendmail(self, *_mail: Any) -> None:
        code, answer = self.noop()
        if code != 250:
            raise SMTPResponseException(code, answer)


class _Probe(_NothingSent, _Connection):
    """A connection that asks whether the server is there, instead of sending a mail."""


class _SecureProbe(_NothingSent, _SecureConnection):
    """A :class:`_Probe` with TLS from the start."""
