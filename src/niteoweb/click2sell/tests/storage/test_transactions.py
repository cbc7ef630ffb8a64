"""The part of a mail that the writer does."""

from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.tests.cases.process import is_writer
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from unittest import mock


class TestMail(SiteTestCase):
    def test_written_and_noted_by_the_writer_but_not_sent(self):
        held = []

        def noting(name, function):
            def work(*arguments):
                held.append((name, is_writer()))
                return function(*arguments)

            return work

        with (
            mock.patch.object(outbox, "sending", noting("written", outbox.sending)),
            mock.patch.object(messages, "send", noting("sent", lambda _message: None)),
            mock.patch.object(outbox, "sent", noting("noted", outbox.sent)),
        ):
            self.settings(welcome_mail="link", site_address="http://nohost/plone")
            self.registry(email_from_address="site@example.net")
            self.buy()
        self.assertEqual(held, [("written", True), ("sent", False), ("noted", True)])
