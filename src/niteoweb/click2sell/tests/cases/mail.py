"""Sites with a mail server that keeps the mail it receives."""

from contextlib import contextmanager
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.testing.layers import MailServer
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.tests.cases.sweeps import at
from niteoweb.click2sell.tests.cases.sweeps import SilenceTestCase
from plone.testing.zope import Browser
from unittest import mock

import re
import socket
import transaction


SENDER = "shop@example.com"


LINK = re.compile(r"http://nohost/plone/passwordreset/[0-9a-f]{32}\?userid=\S+")


class MailTestCase(SiteTestCase):
    """A site with a mail server; the welcome mail brings the password."""

    def setUp(self):
        super().setUp()
        self.server = MailServer()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.registry(
            site_title="Example Shop",
            smtp_host="127.0.0.1",
            smtp_port=self.server.port,
            email_from_name="The Shop",
            email_from_address=SENDER,
        )
        self.settings(
            welcome_mail="password", notice_mail=True, site_address="http://nohost/plone"
        )

    @contextmanager
    def no_server(self):
        """Nothing listens where mail goes."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.registry(smtp_port=port)
        yield
        self.registry(smtp_port=self.server.port)

    def arrived(self):
        """The one mail that arrived."""
        self.assertEqual(len(self.server.messages), 1, self.mails())
        return self.server.messages[0]

    def text(self, message=None):
        """Its text, with line breaks as Python has them."""
        text = (message or self.arrived()).get_content()
        return text.replace("\r\n", "\n")

    def mails(self):
        """The mails in the outbox."""
        transaction.begin()
        return [dict(mail) for mail in trees.tree(self.portal, "mails").values()]

    def password(self, message=None):
        """The password in the mail."""
        return re.search("Your password: (.*)", self.text(message))[1]

    def link(self, message=None):
        """The one-time link in the mail."""
        return LINK.search(self.text(message))[0]

    def log_in(self, login, password):
        """Log in with a browser, which Plone notes."""
        browser = Browser(self.layer["app"])
        browser.open("http://nohost/plone/login")
        browser.getControl(name="__ac_name").value = login
        browser.getControl(name="__ac_password").value = password
        browser.getControl("Log in").click()
        transaction.begin()
        return "You are now logged in" in browser.contents or "Log out" in browser.contents

    def use_link(self, link, login, password="chosen by the member"):
        """Set a password with a browser, through the link."""
        browser = Browser(self.layer["app"])
        browser.open(link)
        browser.getControl(name="userid").value = login
        browser.getControl(name="password").value = password
        browser.getControl(name="password2").value = password
        browser.getControl("Set my password").click()
        transaction.begin()
        return password


class AlertTestCase(SilenceTestCase, MailTestCase):
    """A site with a mail server that mails its members nothing."""

    def setUp(self):
        super().setUp()
        self.settings(welcome_mail="none", notice_mail=False)

    def told(self, **options):
        """Sweep; the mails that arrived then, as (address, subject, text)."""
        del self.server.messages[:]
        self.sweep(**options)
        return [(m["To"], m["Subject"], self.text(m)) for m in self.server.messages]

    def subjects(self, **options):
        """Sweep; the subjects of the mails that arrived then."""
        return [subject for _to, subject, _text in self.told(**options)]

    def undecided(self, number=1):
        """A purchase under an address that an account has; the buyer is not asked."""
        self.account(f"john{number}", f"{number}@example.org")
        with mock.patch.object(outbox, "file_claim", return_value=None):
            self.buy(
                buyer_email=f"{number}@example.org",
                acquirer_transaction_id=f"T-undecided-{number}",
                c2s_transaction_id=f"R-undecided-{number}",
            )

    def failed(self, number=1, **changes):
        """A purchase that fails."""
        with at("before plan", RuntimeError()), self.assertRaises(pipeline.Failed):
            self.buy(
                buyer_email=f"failed{number}@example.org",
                acquirer_transaction_id=f"T-failed-{number}",
                **changes,
            )

    @contextmanager
    def failing(self):
        """All processing inside fails."""
        with at("before plan", RuntimeError()):
            yield
