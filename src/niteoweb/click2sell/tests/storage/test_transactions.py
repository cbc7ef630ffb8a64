"""The lock within a process, and what is done under it."""

from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from unittest import mock


WAIT = 30


class TestMail(SiteTestCase):
    def test_written_and_noted_under_the_lock_but_sent_without_it(self):
        held = []

        def noting(name, function):
            def work(*arguments):
                held.append((name, writer.lock.locked()))
                return function(*arguments)

            return work

        with (
            mock.patch.object(outbox, "sending", noting("written", outbox.sending)),
            mock.patch.object(messages, "send", noting("sent", lambda _message: None)),
            mock.patch.object(outbox, "sent", noting("noted", outbox.sent)),
        ):
            self.settings(welcome_mail="link")
            self.registry(email_from_address="site@example.net")
            self.buy()
        self.assertEqual(held, [("written", True), ("sent", False), ("noted", True)])
