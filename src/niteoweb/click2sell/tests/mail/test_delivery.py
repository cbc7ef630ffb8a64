"""A mail server that is down, slow or refuses loses nothing and holds up nobody."""

from contextlib import contextmanager
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.mail import Sent
from niteoweb.click2sell.mail import smtp
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.tests.cases.mail import MailTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.smtpserver import ScriptedServer
from unittest import mock
from ZODB.Connection import Connection

import os


class PostmanTestCase(MailTestCase):
    @contextmanager
    def other_server(self, server):
        """Mail goes to a scripted server for a while."""
        with server:
            self.registry(smtp_port=server.port)
            yield server
        self.registry(smtp_port=self.server.port)

    def assert_waits(self, error):
        """The mail is kept for the next attempt, with what went wrong."""
        (mail,) = self.mails()
        self.assertEqual(mail["state"], outbox.DUE)
        self.assertEqual(mail["attempts"], 1)
        self.assertRegex(mail["error"], error)
        self.assertNotIn(EMAIL, mail["error"])
        self.assertEqual(mail["due_at"], timestamps.iso(self.now + timedelta(minutes=5)))

    def assert_due(self, error):
        """The mail is due still: the mail server is away."""
        (mail,) = self.mails()
        self.assertEqual((mail["state"], mail["attempts"]), (outbox.DUE, 1))
        self.assertRegex(mail["error"], error)
        self.assertNotIn(EMAIL, mail["error"])
        self.assertEqual(outbox.due(self.portal, self.now), [mail["id"]])

    def deliver(self, minutes=10):
        """The next attempt, some minutes later; whether the server took the mail."""
        self.later(minutes=minutes)
        (mail,) = self.mails()
        return delivery.deliver(mail["id"]) is Sent.SENT


class TestTrouble(PostmanTestCase):
    def bought(self):
        """Process a sale, which succeeds; the log, without what is private."""
        with self.assertLogs(level="DEBUG") as logs:
            result = self.buy()
        self.assertEqual(result, pipeline.Result(Outcome.ACCEPTED))
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        ours = [line for line in logs.output if ":mail.log:" not in line]
        self.assertNotIn(EMAIL, str(ours))
        return ours

    def test_away(self):
        with self.no_server():
            logs = self.bought()
        self.assert_due("ConnectionRefusedError")
        self.assertIn("ConnectionRefusedError", str(logs))

    def test_refuses_the_recipient(self):
        refusal = f"550 <{EMAIL}> is unknown here\r\n".encode()
        with self.other_server(ScriptedServer(RCPT=refusal)):
            self.bought()
        self.assert_waits("SMTPRecipientsRefused")

    def test_refuses_the_mail(self):
        with self.other_server(ScriptedServer(DATA=b"554 no\r\n")):
            self.bought()
        self.assert_waits("SMTPDataError 554")

    def test_hangs(self):
        with (
            mock.patch.object(smtp, "TIME_LIMIT", 1.0),
            self.other_server(ScriptedServer(ScriptedServer.hang)),
        ):
            self.bought()
        self.assert_due("Timeout|Disconnected")

    def test_the_others_wait_while_it_is_away(self):
        with mock.patch.object(delivery, "hand_over"):
            for number in range(3):
                self.buy(
                    buyer_email=f"{number}@example.org", acquirer_transaction_id=f"T-{number}"
                )
        with self.no_server():
            self.assertEqual(delivery.send_due(), {Sent.AWAY: 1})
        self.assertEqual([mail["attempts"] for mail in self.mails()].count(0), 2)
        self.assertEqual(delivery.send_due(), {Sent.SENT: 3})

    def test_line_ends(self):
        """Servers refuse bare line feeds, and MailHost has nothing else."""
        with self.other_server(ScriptedServer()) as server:
            self.bought()
        (body,) = server.bodies
        self.assertNotIn(b"\n", body.replace(b"\r\n", b""))
        self.assertNotIn(b"\r", body.replace(b"\r\n", b""))

    def test_site_without_a_sender(self):
        with mock.patch.object(plone_site, "sender", return_value=("Shop", "")):
            self.bought()
        self.assert_waits("no address to send mail from")

    def test_sender_that_is_no_address(self):
        with mock.patch.object(plone_site, "sender", return_value=("Shop", "The <a@b.de>")):
            self.bought()
        self.assert_waits("HeaderParseError|ValueError|IndexError")

    def test_mail_that_cannot_be_written(self):
        for number, name in enumerate(("welcome", "send")):
            with (
                self.subTest(name),
                mock.patch.object(messages, name, side_effect=KeyError(EMAIL)),
            ):
                buyer = f"{number}@example.org"
                self.buy(buyer_email=buyer, acquirer_transaction_id=f"T-{number}")
        for mail in self.mails():
            self.assertEqual(
                (mail["state"], mail["attempts"], mail["error"]), (outbox.DUE, 1, "KeyError")
            )
            self.assertEqual(mail["due_at"], timestamps.iso(self.now + timedelta(minutes=5)))


class TestSending(PostmanTestCase):
    """A mail is marked before the mail server is asked: two processes send it once."""

    def stopped(self, step, **buyer):
        """Buy; the process dies at a step of sending the mail."""

        def stop(reached):
            if reached == step:
                raise RuntimeError

        with mock.patch.object(steps, "reached", stop):
            self.buy(**buyer)

    def test_nobody_else_sends_it(self):
        self.stopped("mail marked sending")
        (mail,) = self.mails()
        self.assertEqual(
            (mail["state"], mail["attempts"], mail["tried_at"]),
            (outbox.SENDING, 1, timestamps.iso(self.now)),
        )
        self.assertFalse(self.deliver(minutes=1))
        self.assertEqual(self.server.messages, [])
        # Whoever had it is dead by now.
        self.assertTrue(self.deliver(minutes=1))
        self.assertEqual(self.arrived()["Message-ID"], mail["message_id"])
        self.assertTrue(self.log_in(EMAIL, self.password()))

    def test_a_clock_that_was_put_back(self):
        self.later(days=1)
        self.stopped("mail marked sending")
        self.later(days=-1, minutes=10)
        self.assertEqual(delivery.send_due(), {})
        self.later(days=1, minutes=-5)
        self.assertEqual(delivery.send_due(), {Sent.SENT: 1})

    def test_repeated_after_a_crash_with_the_same_message_id(self):
        self.stopped("mail handed over")
        self.assertTrue(self.deliver(minutes=2))
        first, second = self.server.messages
        self.assertEqual(first["Message-ID"], second["Message-ID"])

    def test_commits(self):
        """The entry; the member and the mail; that it is being sent; that it was sent."""
        self.settings(welcome_mail="none")
        # The first of all lets Plone make what it keeps content rules in.
        self.buy()
        for way, commits in (("none", 2), ("password", 4), ("link", 4)):
            self.settings(welcome_mail=way)
            with (
                self.subTest(way),
                mock.patch.object(
                    Connection, "tpc_finish", autospec=True, side_effect=Connection.tpc_finish
                ) as finished,
            ):
                self.buy(buyer_email=f"{way}@example.org", acquirer_transaction_id=f"T-{way}")
                self.assertEqual(finished.call_count, commits)
        self.assertEqual({mail["state"] for mail in self.mails()}, {outbox.SENT})

    def test_waits_without_a_public_address(self):
        self.settings(site_address="")
        self.buy()
        self.assertEqual(delivery.send_due(), {Sent.NOTHING: 1})
        (mail,) = self.mails()
        self.assertEqual((mail["state"], mail["attempts"]), (outbox.DUE, 0))
        # It may wait for ever: no password waits in memory meanwhile.
        self.assertEqual(delivery._passwords, {})
        self.settings(site_address="http://nohost/plone")
        self.assertEqual(delivery.send_due(), {Sent.SENT: 1})

    def test_a_copy_of_the_site_marks_nothing(self):
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            self.buy()
        (mail,) = self.mails()
        self.assertEqual((mail["state"], mail["attempts"]), (outbox.DUE, 0))


class TestRetry(PostmanTestCase):
    def setUp(self):
        super().setUp()
        passwords = []
        line = messages.password_line
        keep = mock.patch.object(
            messages, "password_line", lambda text: passwords.append(text) or line(text)
        )
        with keep, self.no_server():
            self.buy()
        (self.lost,) = passwords

    def test_new_password_while_nobody_uses_the_account(self):
        self.assertTrue(self.deliver())
        password = self.password()
        self.assertNotEqual(password, self.lost)
        self.assertEqual(self.authenticates(EMAIL, self.lost), "")
        self.assertTrue(self.log_in(EMAIL, password))
        (mail,) = self.mails()
        self.assertEqual((mail["state"], mail["attempts"]), (outbox.SENT, 2))
        self.assertEqual(self.arrived()["Message-ID"], mail["message_id"])

    def test_third_attempt(self):
        with self.no_server():
            self.assertFalse(self.deliver())
        self.assertTrue(self.deliver())
        self.assertTrue(self.log_in(EMAIL, self.password()))

    def test_not_before_its_time(self):
        with self.other_server(ScriptedServer(DATA=b"554 no\r\n")):
            self.assertFalse(self.deliver())
        self.assertFalse(self.deliver(minutes=1))
        self.assertEqual(self.server.messages, [])

    def test_sent_once(self):
        self.assertTrue(self.deliver())
        self.assertFalse(self.deliver())
        self.arrived()

    def test_link_when_the_member_has_logged_in(self):
        self.assertTrue(self.log_in(EMAIL, self.lost))
        self.assertTrue(self.deliver())
        self.assertNotIn("Your password", self.text())
        self.assertEqual(self.authenticates(EMAIL, self.lost), EMAIL)
        password = self.use_link(self.link(), EMAIL)
        self.assertTrue(self.log_in(EMAIL, password))

    def test_link_when_the_member_has_set_a_password(self):
        with self.owner():
            self.portal.acl_users.userSetPassword(EMAIL, "set by the member")
        self.assertTrue(self.deliver())
        self.assertNotIn("Your password", self.text())
        self.assertEqual(self.authenticates(EMAIL, "set by the member"), EMAIL)
        password = self.use_link(self.link(), EMAIL)
        self.assertTrue(self.log_in(EMAIL, password))

    def test_nothing_to_a_member_who_is_gone(self):
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        self.assertFalse(self.deliver())
        self.assertEqual([mail["state"] for mail in self.mails()], [outbox.DROPPED])

    def test_nothing_when_it_was_switched_off(self):
        self.settings(welcome_mail="none")
        self.assertFalse(self.deliver())
        self.assertEqual([mail["state"] for mail in self.mails()], [outbox.DROPPED])

    def test_link_when_it_was_changed_to_links(self):
        self.settings(welcome_mail="link")
        self.assertTrue(self.deliver())
        self.assertTrue(self.log_in(EMAIL, self.use_link(self.link(), EMAIL)))

    def test_nothing_in_the_queue_after_that(self):
        self.assertTrue(self.deliver())
        self.assertEqual(outbox.due(self.portal, self.now.replace(year=2100)), [])

    def test_waits_longer_each_time(self):
        waits = []
        with self.other_server(ScriptedServer(DATA=b"554 no\r\n")):
            for _ in range(8):
                self.now = timestamps.from_iso(self.mails()[0]["due_at"])
                self.deliver(minutes=0)
                due_at = timestamps.from_iso(self.mails()[0]["due_at"])
                waits.append((due_at - self.now).total_seconds() / 60)
        self.assertEqual(waits, [15, 60, 240, 720, 1440, 1440, 1440, 1440])


class TestRetryWithAddressesAsLoginNames(PostmanTestCase):
    def test_new_password(self):
        self.registry(use_email_as_login=True, use_uuid_as_userid=True)
        with self.no_server():
            self.buy()
        self.assertTrue(self.deliver())
        self.assertTrue(self.log_in(EMAIL, self.password()))
