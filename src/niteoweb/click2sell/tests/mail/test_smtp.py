"""Mail servers over real sockets: each step ends in time, TLS works, errors are told apart."""

from niteoweb.click2sell.mail import smtp
from niteoweb.click2sell.testing.layers import MailServer
from niteoweb.click2sell.tests.cases.smtpserver import ScriptedServer
from pathlib import Path
from Products.MailHost.MailHost import MailHost
from tempfile import TemporaryDirectory
from unittest import mock

import smtplib
import ssl
import threading
import unittest


#: For localhost, made for these tests, and used for nothing else.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg1pdOChJaUGCGO/8y
fplLC4W3yquko+L+XlVbRJTVocGhRANCAAQ3Y+0AuOE8FrnFnvUsTkLcSr0xhBCl
bad7FekBEsdXFulqVYBRkZC97DPP7y/SNwRABcvBWe1RzLxdKIR+MZi2
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUc2FzsJQWC4ruwm2ZedUzDuac6aQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjA1NDA1NVoYDzIxMjYxMDI5
MDU0MDU1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ3Y+0AuOE8FrnFnvUsTkLcSr0xhBClbad7FekBEsdXFulqVYBRkZC9
7DPP7y/SNwRABcvBWe1RzLxdKIR+MZi2o1MwUTAdBgNVHQ4EFgQU+wPy2758Kdah
erV4iEeeOZuugR8wHwYDVR0jBBgwFoAU+wPy2758KdaherV4iEeeOZuugR8wDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAD/Ak9U5JXjnGLNfa+QiUO
VN4+cQidRLyKxfyXDqnVogIhAP6GDOl1WOssUmpi3+oSWFU8FPbw/oB1SDf55NkL
9YH/
-----END CERTIFICATE-----
"""


class ServerTestCase(unittest.TestCase):
    def setUp(self):
        self.enterContext(mock.patch.object(smtp, "TIME_LIMIT", 1.0))
        self.enterContext(mock.patch.object(smtp, "WHOLE_LIMIT", 2.0))
        self.enterContext(mock.patch.object(smtp, "PROBE_LIMIT", 2.0))

    def mailhost(self, server, **options):
        return MailHost("MailHost", smtp_host="127.0.0.1", smtp_port=server.port, **options)

    def send(self, server, **options):
        """Send a mail."""
        mailhost = self.mailhost(server, **options)
        smtp.send(mailhost, "a@example.com", ["b@example.com"], b"Subject: hello\r\n\r\nworld")

    def error(self, server, **options):
        """The error that sending ends with."""
        with server, self.assertRaises(OSError) as caught:
            self.send(server, **options)
        return caught.exception


class TestErrors(ServerTestCase):
    def test_the_server_is_away(self):
        for case, server in {
            "hangs": ScriptedServer(ScriptedServer.hang),
            "hangs later": ScriptedServer(DATA=ScriptedServer.hang),
            "drips": ScriptedServer(ScriptedServer.drip),
            "drips later": ScriptedServer(DATA=ScriptedServer.drip),
            "drips lines": ScriptedServer(
                EHLO=lambda server, connection: server.drip(connection, b"250-AUTH\r\n")
            ),
            "hangs up": ScriptedServer(lambda *_: None),
            "hangs up later": ScriptedServer(MAIL=lambda *_: None),
            "is too busy": ScriptedServer(
                lambda server, connection: connection.sendall(b"421 too busy\r\n")
            ),
            "shuts down": ScriptedServer(DATA=b"421 shutting down\r\n"),
        }.items():
            with self.subTest(case):
                self.assertTrue(smtp.is_away(self.error(server)))

    def test_nothing_listens(self):
        with ScriptedServer() as server:
            pass
        with self.assertRaises(OSError) as caught:
            self.send(server)
        self.assertTrue(smtp.is_away(caught.exception))

    def test_no_such_name(self):
        mailhost = MailHost("MailHost", smtp_host="mail.invalid", smtp_port=25)
        with self.assertRaises(OSError) as caught:
            smtp.send(mailhost, "a@example.com", ["b@example.com"], b"")
        self.assertTrue(smtp.is_away(caught.exception))

    def test_the_login_is_refused(self):
        replies = {"EHLO": b"250-localhost\r\n250 AUTH PLAIN\r\n", "AUTH": b"535 no\r\n"}
        error = self.error(ScriptedServer(**replies), smtp_uid="shop", smtp_pwd="wrong")
        self.assertIsInstance(error, smtplib.SMTPAuthenticationError)
        self.assertTrue(smtp.is_away(error))

    def test_the_mail_is_refused(self):
        for command in ("MAIL", "RCPT", "DATA"):
            with self.subTest(command):
                error = self.error(ScriptedServer(**{command: b"550 no\r\n"}))
                self.assertFalse(smtp.is_away(error))

    def test_a_mail_that_was_taken_is_sent(self):
        """Whatever the server does instead of saying goodbye."""
        for goodbye in (lambda *_: None, ScriptedServer.hang, ScriptedServer.drip):
            with ScriptedServer(QUIT=goodbye) as server:
                self.send(server)
            self.assertEqual(len(server.bodies), 1)


class TestProbe(ServerTestCase):
    def test_nothing_is_sent(self):
        with MailServer() as server:
            smtp.probe(self.mailhost(server))
        self.assertEqual(server.messages, [])

    def test_trouble(self):
        for server in (
            ScriptedServer(ScriptedServer.hang),
            ScriptedServer(ScriptedServer.drip),
            ScriptedServer(NOOP=b"500 no\r\n"),
        ):
            with server, self.assertRaises(OSError):
                smtp.probe(self.mailhost(server))


class TestOtherMailHosts(unittest.TestCase):
    def test_those_of_products(self):
        class Replaced(MailHost):
            def _send(self, *_mail):
                pass

        self.assertTrue(smtp.is_smtp(MailHost()))
        self.assertFalse(smtp.is_smtp(Replaced()))
        self.assertFalse(smtp.is_smtp(object()))


class TestTLS(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        with TemporaryDirectory() as folder:
            file = Path(folder, "certificate.pem")
            file.write_text(CERTIFICATE, "ascii")
            self.context.load_cert_chain(file)

    def test_from_the_start(self):
        with MailServer(ssl_context=self.context) as server:
            self.send(server, implicit_tls=True)
            smtp.probe(self.mailhost(server, implicit_tls=True))
        self.assertEqual([message["Subject"] for message in server.messages], ["hello"])

    def test_begun_later(self):
        with MailServer(tls_context=self.context) as server:
            self.send(server, force_tls=True)
        self.assertEqual([message["Subject"] for message in server.messages], ["hello"])

    def test_hangs_or_drips_while_it_begins(self):
        # The head of a record of TLS that is longer than what comes.
        for talk in (ScriptedServer.hang, drip_a_record):
            error = self.error(ScriptedServer(talk), implicit_tls=True)
            self.assertTrue(smtp.is_away(error), repr(error))

    def test_drips_while_it_begins_later(self):
        replies = {"EHLO": b"250-localhost\r\n250 STARTTLS\r\n", "STAR": start_and_drip}
        error = self.error(ScriptedServer(**replies), force_tls=True)
        self.assertTrue(smtp.is_away(error), repr(error))

    def test_no_connection_is_left(self):
        """Neither its thread nor its end of the line."""
        before = threading.active_count()
        for options in ({"implicit_tls": True}, {"force_tls": True}, {}):
            replies = {"EHLO": b"250-localhost\r\n250 AUTH PLAIN\r\n", "AUTH": b"535 no\r\n"}
            with (
                ScriptedServer(**replies) as server,
                self.assertRaises((OSError, RuntimeError)),
            ):
                self.send(server, smtp_uid="shop", smtp_pwd="wrong", **options)
        self.assertEqual(threading.active_count(), before)


def drip_a_record(server, connection):
    """Send the head of a long record of TLS, and then a byte at a time."""
    connection.sendall(b"\x16\x03\x03\x40\x00")
    server.drip(connection, b"\x02")


def start_and_drip(server, connection):
    """Say that TLS can begin, and drip."""
    connection.sendall(b"220 go on\r\n")
    drip_a_record(server, connection)
