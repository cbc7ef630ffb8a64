"""Connections to a mail server end in time, and work with TLS; over real sockets."""

from contextlib import contextmanager
from niteoweb.click2sell.mail import smtp
from niteoweb.click2sell.testing.layers import MailServer
from niteoweb.click2sell.tests.cases.smtpserver import ScriptedServer
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import contextlib
import socket
import ssl
import threading
import time
import unittest


#: Seconds; the tests wait for less where they wait for the limit.
LIMIT = 1.0

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


@contextmanager
def swallowing():
    """An address where nobody answers: its queue is full, so the system drops who comes."""
    with contextlib.ExitStack() as waiting:
        listener = waiting.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _number in range(3):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()


class ConnectionTestCase(unittest.TestCase):
    def setUp(self):
        limit = mock.patch.object(smtp, "TIME_LIMIT", LIMIT)
        limit.start()
        self.addCleanup(limit.stop)

    def resolve(self, *addresses):
        """The mail server's name leads to these addresses from now on."""
        real = socket.getaddrinfo

        def getaddrinfo(host, *options, **named):
            if host != "mail.example.com":
                return real(host, *options, **named)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", each) for each in addresses]

        patch = mock.patch.object(socket, "getaddrinfo", getaddrinfo)
        patch.start()
        self.addCleanup(patch.stop)

    @contextmanager
    def too_long(self):
        """The connection fails long before the time limits of all addresses add up."""
        started = time.monotonic()
        with self.assertRaises(OSError) as caught:
            yield caught
        self.assertLess(time.monotonic() - started, 4 * LIMIT)


class TestAddresses(ConnectionTestCase):
    def test_many_that_never_answer(self):
        with swallowing() as address:
            self.resolve(*[address] * 8)
            with self.too_long():
                smtp.Connection("mail.example.com", "25")

    def test_many_that_accept_and_say_nothing(self):
        with ScriptedServer(ScriptedServer.hang) as one, ScriptedServer() as other:
            self.resolve(("127.0.0.1", one.port), ("127.0.0.1", other.port))
            with self.too_long():
                smtp.Connection("mail.example.com", "25")

    def test_the_next_is_tried_in_time(self):
        with swallowing() as address, MailServer() as server:
            self.resolve(address, ("127.0.0.1", server.port))
            found = smtp.Connection("mail.example.com", "25")
            self.assertEqual(found.ehlo()[0], 250)
            found.quit()

    def test_all_refuse(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = taken.getsockname()
        self.resolve(address, address)
        with self.assertRaises(ConnectionRefusedError):
            smtp.Connection("mail.example.com", "25")

    def test_none(self):
        self.resolve()
        with self.assertRaisesRegex(OSError, "no address"):
            smtp.Connection("mail.example.com", "25")


class TestReplies(ConnectionTestCase):
    def test_each_has_only_what_is_left(self):
        real = time.monotonic
        with ScriptedServer() as server:
            found = smtp.Connection("127.0.0.1", str(server.port))
            with mock.patch.object(smtp.time, "monotonic", lambda: real() + LIMIT / 2):
                found.noop()
            self.assertLessEqual(found.sock.gettimeout(), LIMIT / 2)
            with (
                mock.patch.object(smtp.time, "monotonic", lambda: real() + LIMIT),
                self.assertRaises(TimeoutError),
            ):
                found.noop()
            found.close()


class TestLookUp(ConnectionTestCase):
    def test_the_mail_server_whose_name_is_never_found(self):
        free = threading.Event()
        with (
            mock.patch.object(socket, "getaddrinfo", lambda *_, **__: free.wait(30)),
            self.too_long(),
        ):
            smtp.Connection("mail.example.com", "25")
        free.set()

    def test_our_own_name_is_never_found(self):
        free = threading.Event()
        with (
            ScriptedServer() as server,
            mock.patch.object(socket, "getfqdn", lambda: free.wait(30)),
            self.too_long(),
        ):
            smtp.Connection("127.0.0.1", str(server.port))
        free.set()

    def test_threads_do_not_pile_up(self):
        free, asked = threading.Event(), []

        def ask():
            asked.append(1)
            return free.wait(30)

        with self.subTest("while they wait"):
            for _number in range(2 * smtp.LOOKUPS):
                with self.assertRaises(TimeoutError):
                    smtp.look_up(ask, 0.01)
            self.assertEqual(len(asked), smtp.LOOKUPS)
        free.set()
        for _number in range(1000):
            with contextlib.suppress(TimeoutError):
                self.assertEqual(smtp.look_up(lambda: 1, 10), 1)
                break
            time.sleep(0.01)
        else:
            self.fail("No look-up is begun any more.")

    def test_a_thread_that_cannot_be_started(self):
        with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError):
            for _number in range(2 * smtp.LOOKUPS):
                with self.assertRaises(RuntimeError):
                    smtp.look_up(lambda: 1, 10)
        self.assertEqual(smtp.look_up(lambda: 1, 10), 1)

    def test_names_without_a_domain(self):
        for name, said in (
            ("mail.example.com", "mail.example.com"),
            ("localhost", "[127.0.0.1]"),
        ):
            for found in {"return_value": "127.0.0.1"}, {"side_effect": OSError}:
                with (
                    self.subTest(name, found=found),
                    mock.patch.object(socket, "getfqdn", return_value=name),
                    mock.patch.object(socket, "gethostbyname", **found),
                ):
                    self.assertEqual(smtp._own_name(), said)


class TestTLS(ConnectionTestCase):
    def setUp(self):
        super().setUp()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        with TemporaryDirectory() as folder:
            file = Path(folder, "certificate.pem")
            file.write_text(CERTIFICATE, "ascii")
            self.context.load_cert_chain(file)

    def send(self, found):
        found.ehlo()
        found.sendmail("a@example.com", ["b@example.com"], b"Subject: hello\n\nworld\n")
        found.quit()

    def test_from_the_start(self):
        with MailServer(ssl_context=self.context) as server:
            self.send(smtp.SecureConnection("127.0.0.1", str(server.port)))
        self.assertEqual([message["Subject"] for message in server.messages], ["hello"])

    def test_begun_later(self):
        with MailServer(tls_context=self.context) as server:
            found = smtp.Connection("127.0.0.1", str(server.port))
            found.starttls()
            self.assertIsInstance(found.sock, ssl.SSLSocket)
            self.send(found)
        self.assertEqual([message["Subject"] for message in server.messages], ["hello"])

    @staticmethod
    def drip(server, connection):
        """The beginning of a long record of TLS, and then one byte of it at a time."""
        connection.sendall(b"\x16\x03\x03\x40\x00")
        server.drip(connection)

    def test_drips_while_it_begins(self):
        with ScriptedServer(self.drip) as server, self.too_long():
            smtp.SecureConnection("127.0.0.1", str(server.port))

    def test_drips_when_it_is_begun_later(self):
        extensions = b"250-localhost\r\n250 STARTTLS\r\n"

        def start(server, connection):
            connection.sendall(b"220 go on\r\n")
            self.drip(server, connection)

        with ScriptedServer(EHLO=extensions, STAR=start) as server:
            found = smtp.Connection("127.0.0.1", str(server.port))
            with self.too_long():
                found.starttls()
            found.close()
