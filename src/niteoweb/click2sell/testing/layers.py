"""Test layers: a Plone site with the add-on, and a real SMTP server beside it."""

from aiosmtpd.controller import Controller
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import default
from plone.app.testing import applyProfile
from plone.app.testing import FunctionalTesting
from plone.app.testing import IntegrationTesting
from plone.app.testing import PLONE_FIXTURE
from plone.app.testing import PloneSandboxLayer
from plone.testing.zope import WSGI_SERVER_FIXTURE
from typing import Any

import email
import os


class Click2SellLayer(PloneSandboxLayer):
    """A Plone site with the add-on installed."""

    defaultBases = (PLONE_FIXTURE,)

    def setUpZope(self, app, configurationContext):
        """Load the configuration of the add-on and of its dependencies."""
        import niteoweb.click2sell
        import plone.restapi

        self.loadZCML(package=plone.restapi)
        self.loadZCML(package=niteoweb.click2sell)

        # A served site of a test has no background threads, unless the test begins them.
        os.environ.setdefault("CLICK2SELL_BACKGROUND", "0")

    def tearDownZope(self, app):
        """Let processes that other tests start have background threads."""
        os.environ.pop("CLICK2SELL_BACKGROUND", None)

    def setUpPloneSite(self, portal):
        """Install the add-on."""
        applyProfile(portal, "niteoweb.click2sell:default")


FIXTURE = Click2SellLayer()
INTEGRATION = IntegrationTesting(bases=(FIXTURE,), name="niteoweb.click2sell:Integration")
FUNCTIONAL = FunctionalTesting(bases=(FIXTURE,), name="niteoweb.click2sell:Functional")
#: Real HTTP, through waitress; `self.layer["host"]` and `["port"]` tell where.
HTTP = FunctionalTesting(bases=(FIXTURE, WSGI_SERVER_FIXTURE), name="niteoweb.click2sell:HTTP")


class MailServer:
    """A real SMTP server on a free loopback port that keeps the mails that it receives.

    Use as a context manager; `messages` are parsed, in the order of arrival.

    :param on_arrival: called with each mail in the server's own thread, before the server has
        answered.
    :param options: for aiosmtpd's controller, ``ssl_context`` for example.
    """

    def __init__(
        self, on_arrival: Callable[[EmailMessage], None] | None = None, **options: Any
    ) -> None:
        self.messages: list[EmailMessage] = []
        self._on_arrival = on_arrival
        self._controller = _AnyPort(self, hostname="127.0.0.1", port=0, **options)

    def __enter__(self) -> "MailServer":
        self._controller.start()
        return self

    def __exit__(self, *exc_info) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        """The port of the server, once it is started."""
        return self._controller.port

    async def handle_DATA(self, server, session, envelope) -> str:
        """Keep a mail; aiosmtpd calls it."""
        message = email.message_from_bytes(envelope.original_content, policy=default)
        message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        if self._on_arrival is not None:
            self._on_arrival(message)
        self.messages.append(message)
        return "250 OK"


class _AnyPort(Controller):
    """Asks the system for a free port; aiosmtpd itself would connect to port 0 to try it."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
