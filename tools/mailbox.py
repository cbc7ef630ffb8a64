"""An SMTP server on a free loopback port that keeps the mails."""

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import default
from threading import Condition

import asyncio
import email
import textwrap


class Mailbox:
    """Takes any mail for anybody; a context manager, because the server has to be stopped.

    :param unknown: the one address that it says it does not know.
    :param keep: whether there is somebody who waits for a mail.
    :ivar seconds: that it takes for each mail.
    """

    seconds = 0.0

    def __init__(self, unknown: str = "", keep: bool = True) -> None:
        self._keeps = keep
        self._messages: list[EmailMessage] = []
        self._arrived = Condition()
        self._listener: Callable[[EmailMessage], None] | None = None
        self._server = _Server(_Handler(self, unknown), hostname="127.0.0.1", port=0)

    def __enter__(self) -> "Mailbox":
        self._server.start()
        return self

    def __exit__(self, *exc_info) -> None:
        self._server.stop()

    @property
    def port(self) -> int:
        """The port of the server."""
        return self._server.port

    def wait_for(self, recipient: str, seconds: float) -> list[EmailMessage]:
        """The mails to an address, as soon as there is one.

        :param seconds: how long to wait; the list is empty when none came by then.
        """

        def found() -> list[EmailMessage]:
            return [mail for mail in self._messages if recipient in mail["X-Envelope-To"]]

        with self._arrived:
            self._arrived.wait_for(found, seconds)
            return found()

    def listen(self, listener: Callable[[EmailMessage], None]) -> None:
        """Call a function with every mail from now on, in the server's thread."""
        self._listener = listener

    def keep(self, mail: EmailMessage) -> None:
        """Take a mail; the server's thread calls it."""
        if self._keeps:
            with self._arrived:
                self._messages.append(mail)
                self._arrived.notify_all()
        if self._listener is not None:
            self._listener(mail)


def text_of(mail: EmailMessage) -> str:
    """The text of a mail, "" when it has none."""
    part = mail.get_body(("plain", "html"))
    return "" if part is None else part.get_content().strip()


def rendered(mail: EmailMessage) -> str:
    """A mail as a person reads it, with a bar at its left."""
    lines = [f"{name}: {mail[name]}" for name in ("From", "To", "Subject")]
    text = "\n".join([*lines, "", text_of(mail)])
    return textwrap.indent(text, "| ", lambda line: True)


class _Server(Controller):
    def _trigger_server(self) -> None:
        # The controller calls itself once to be sure that it runs, at the port it asked for:
        # 0, so it has to learn which one it got.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class _Handler(Message):
    def __init__(self, mailbox: Mailbox, unknown: str) -> None:
        super().__init__()
        self._mailbox = mailbox
        self._unknown = unknown

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address == self._unknown:
            return "550 There is nobody of this name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        await asyncio.sleep(self._mailbox.seconds)
        return await super().handle_DATA(server, session, envelope)

    def prepare_message(self, session, envelope) -> EmailMessage:
        mail = email.message_from_bytes(envelope.original_content, policy=default)
        # A sender's own header of this name must not pass for the envelope.
        del mail["X-Envelope-To"]
        mail["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        return mail

    def handle_message(self, mail: EmailMessage) -> None:
        self._mailbox.keep(mail)
