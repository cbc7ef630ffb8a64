"""click2sell-notify, against a real HTTP server that keeps what it received."""

from contextlib import redirect_stderr
from contextlib import redirect_stdout
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from importlib.metadata import EntryPoint
from io import BytesIO
from io import StringIO
from io import TextIOWrapper
from niteoweb.click2sell.command import notify
from niteoweb.click2sell.command.notify import main
from niteoweb.click2sell.command.posting import callback_url
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.providers.cleeng import protocol as cleeng
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from niteoweb.click2sell.providers.click2sell import sample
from niteoweb.click2sell.providers.plenigo import protocol as plenigo
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.commands import RecordingServer
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from unittest import mock
from unittest import TestCase

import os
import socket
import subprocess
import sys


KEY = "a key: ü+&= of more than 20 characters"


class NotifyCase(TestCase):
    def setUp(self):
        self.server = RecordingServer()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.key_file = Path(folder.name, "key")
        self.key_file.write_text(f"{KEY}\n", encoding="utf-8")
        environ = mock.patch.dict(os.environ)
        environ.start()
        self.addCleanup(environ.stop)
        os.environ.pop("CLICK2SELL_SECRET_KEY", None)

    def run_main(self, *arguments: str, url: str | None = None) -> int:
        """Run the command with the required arguments and more."""
        out, err = StringIO(), StringIO()
        required = [url or self.server.url, "--product", "1", "--email", "Zoe@example.org"]
        try:
            with redirect_stdout(out), redirect_stderr(err):
                return main([*required, *arguments])
        except SystemExit as exit_:
            return exit_.code
        finally:
            self.out, self.err = out.getvalue(), err.getvalue()

    def notify(self, *arguments: str, **kwargs) -> int:
        return self.run_main("--secret-key-file", str(self.key_file), *arguments, **kwargs)

    def notification(self) -> Notification:
        """The notification of the only request, read by the code that a site reads it with."""
        ((_, delivery),) = self.server.received
        form = click2sell.verify(delivery, deliveries.keys(KEY), deliveries.NOW)
        (notification,) = click2sell.parse(form, timezone.utc)
        return notification


class TestWhatIsSent(NotifyCase):
    def test_all_values_arrive(self):
        status = self.notify(
            *("--name", "Zoë & Co", "--surname", "Müller=+%", "--product-name", "Gold 100%"),
            *("--transaction", "T-77", "--receipt", "R-88", "--affiliate", "aff@example.org"),
            *("--price", "9.90 EUR", "--date", "2026/02/03", "--time", "04:05:06"),
        )
        self.assertEqual(status, 0, self.err)
        notification = self.notification()
        self.assertEqual(notification.kind, Kind.PURCHASE)
        self.assertEqual(notification.fullname, "Zoë & Co Müller=+%")
        self.assertEqual(notification.email, "Zoe@example.org")
        self.assertEqual(notification.product_id, "1")
        self.assertEqual(notification.product_name, "Gold 100%")
        self.assertEqual(notification.transaction, "T-77")
        self.assertEqual(notification.receipt, "R-88")
        self.assertEqual(notification.affiliate, "aff@example.org")
        self.assertEqual((str(notification.amount), notification.currency), ("9.90", "EUR"))
        self.assertEqual(
            notification.occurred_at, datetime(2026, 2, 3, 4, 5, 6, tzinfo=timezone.utc)
        )

    def test_each_kind_is_read_as_what_it_says(self):
        expected = {
            "sale": Kind.PURCHASE,
            "subscription": Kind.PURCHASE,
            "renewal": Kind.RENEWAL,
            "cancellation": Kind.CANCELLATION,
            "refund": Kind.REFUND,
            "failed": Kind.PAYMENT_FAILED,
        }
        self.assertEqual(sample.KINDS, expected)
        for name, kind in expected.items():
            with self.subTest(name):
                self.server.received.clear()
                self.assertEqual(self.notify("--kind", name), 0)
                self.assertEqual(self.notification().kind, kind)

    def test_what_is_not_given_is_random_and_now(self):
        self.notify()
        first = self.notification()
        self.server.received.clear()
        self.notify()
        second = self.notification()
        self.assertTrue(first.transaction)
        self.assertTrue(first.receipt)
        self.assertNotEqual(first.transaction, second.transaction)
        self.assertNotEqual(first.receipt, second.receipt)
        local = second.occurred_at.replace(tzinfo=None)
        self.assertLess(abs(datetime.now() - local), timedelta(minutes=1))

    def test_the_callback_is_appended_to_the_address_of_a_site(self):
        for path, posted in {
            "": "/@@click2sell",
            "/Plone/": "/Plone/@@click2sell",
            "/Plone/@@click2sell": "/Plone/@@click2sell",
            "/Plone/@@click2sell/?a=b#c": "/Plone/@@click2sell?a=b",
            "/Zoë's site": "/Zo%C3%AB's%20site/@@click2sell",
        }.items():
            with self.subTest(path):
                self.server.received.clear()
                self.assertEqual(self.notify(url=f"{self.server.url}{path}"), 0, self.err)
                self.assertEqual([path for path, _ in self.server.received], [posted])
        self.assertEqual(
            callback_url("https://[::1]:8443", "click2sell"), "https://[::1]:8443/@@click2sell"
        )


class TestKey(NotifyCase):
    def assert_refused(self, status: int, text: str):
        self.assertEqual(status, 2)
        self.assertIn(text, self.err)
        self.assertEqual(self.server.received, [])

    def test_from_the_environment(self):
        os.environ["CLICK2SELL_SECRET_KEY"] = KEY
        self.assertEqual(self.run_main(), 0)
        self.notification()

    def test_the_file_comes_before_the_environment(self):
        os.environ["CLICK2SELL_SECRET_KEY"] = "another"
        self.assertEqual(self.notify(), 0)
        self.notification()

    def test_from_standard_input(self):
        stdin = TextIOWrapper(BytesIO(f"{KEY}\r\n".encode()))
        with mock.patch.object(sys, "stdin", stdin):
            self.assertEqual(self.run_main("--secret-key-file", "-"), 0)
        self.notification()

    def test_only_one_trailing_line_break_is_dropped(self):
        self.key_file.write_text(f"{KEY}\n\n", encoding="utf-8")
        self.assertEqual(self.notify(), 0)
        with self.assertRaises(WrongSignature):
            self.notification()

    def test_none(self):
        self.assert_refused(self.run_main(), "no secret key")

    def test_empty(self):
        self.key_file.write_text("\n", encoding="utf-8")
        self.assert_refused(self.notify(), "is empty")
        os.environ["CLICK2SELL_SECRET_KEY"] = ""
        self.assert_refused(self.run_main(), "is empty")

    def test_unreadable(self):
        missing = str(self.key_file.with_name("missing"))
        self.assert_refused(
            self.run_main("--secret-key-file", missing), "No such file or directory"
        )
        self.key_file.write_bytes(b"\xff\xfe")
        self.assert_refused(self.notify(), "is not UTF-8 text")

    def test_never_on_the_command_line(self):
        for option in ("--secret-key", "--secret-key-fil", "--key"):
            with self.subTest(option):
                self.assert_refused(self.run_main(option, KEY), "usage:")

    def test_neither_key_nor_checksum_is_printed(self):
        # This site answers with what it was sent.
        self.server.text = b""
        self.assertEqual(self.notify("--transaction", "T-77"), 0)
        printed = self.out + self.err
        self.assertIn("acquirer_transaction_id=T-77", printed)
        self.assertIn("checksum=", printed)
        self.assertNotIn(click2sell.sign(KEY, "T-77"), printed)
        self.assertNotIn(KEY, printed)


class TestAnswers(NotifyCase):
    def test_only_200_is_success(self):
        for status in (200, 201, 204, 400, 403, 405, 409, 500, 503):
            with self.subTest(status):
                self.server.status = status
                self.server.text = b"" if status == 204 else b"What the site says."
                self.assertEqual(self.notify(), 0 if status == 200 else 1)
                self.assertIn(f"\n{status} ", self.out)

    def test_answer_is_printed_without_control_characters(self):
        self.server.text = "Grüße\x1b]0;evil\x07 \x9b31m".encode()
        self.assertEqual(self.notify(), 0)
        self.assertIn("200 OK\nGrüße ]0;evil   31m\n", self.out)

    def test_redirect_is_reported_and_not_followed(self):
        self.server.status = 301
        self.server.location = "/elsewhere/@@click2sell"
        self.assertEqual(self.notify(), 1)
        self.assertEqual(len(self.server.received), 1)
        self.assertIn("301 Moved Permanently", self.out)
        self.assertIn(f"Redirected to {self.server.url}/elsewhere/@@click2sell,", self.err)

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.assertEqual(self.notify(url=f"http://127.0.0.1:{port}"), 1)
        self.assertEqual(
            self.err,
            f"Cannot reach http://127.0.0.1:{port}/@@click2sell: Connection refused.\n",
        )

    def test_host_without_an_address(self):
        self.assertEqual(self.notify(url="http://nowhere.invalid"), 1)
        self.assertIn("Cannot reach http://nowhere.invalid/@@click2sell: ", self.err)
        self.assertEqual(self.err.count("\n"), 1)

    def test_no_answer_in_time(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            self.assertEqual(self.notify("--timeout", "0.1", url=url), 1)
        self.assertIn("did not answer within 0.1 seconds.", self.err)

    def test_not_http(self):
        for raw in (b"220 mail.example.org ESMTP\r\n", b""):
            with self.subTest(raw):
                self.server.raw = raw
                self.assertEqual(self.notify(), 1)
                self.assertEqual(self.err.count("\n"), 1)

    def test_https_to_a_server_without_it(self):
        url = self.server.url.replace("http:", "https:")
        self.assertEqual(self.notify(url=url), 1)
        self.assertIn(f"Cannot reach {url}", self.err)
        self.assertEqual(self.err.count("\n"), 1)


class TestUsage(NotifyCase):
    def test_wrong_usage(self):
        for wrong in (
            ["--kind", "gift"],
            ["--timeout", "0"],
            ["--timeout", "nan"],
            ["--name", "\udcff"],
            ["--surprise"],
        ):
            with self.subTest(wrong):
                self.assertEqual(self.notify(*wrong), 2)
                self.assertIn("usage:", self.err)
        self.assertEqual(self.server.received, [])

    def test_wrong_address(self):
        for url in ("example.org", "ftp://example.org", "http://", "http://a:b@example.org"):
            with self.subTest(url):
                self.assertEqual(self.notify(url=url), 2)
                self.assertIn("not an http or https address", self.err)
        self.assertEqual(self.notify(url="http://example.org:port"), 2)

    def test_help(self):
        self.assertEqual(self.run_main("--help"), 0)
        self.assertIn("CLICK2SELL_SECRET_KEY", self.out)

    def test_starts_without_zope(self):
        code = (
            "import niteoweb.click2sell.command.notify, sys; "
            "packages = {'AccessControl', 'plone', 'Products', 'ZODB', 'Zope2'}; "
            # Plone 6.1 makes the packages themselves, without a file, in each Python.
            "print(sorted(name for name, module in sys.modules.items() "
            "if name.partition('.')[0] in packages and getattr(module, '__file__', '')))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.stdout.strip(), "[]", done.stderr)


class TestProviders(NotifyCase):
    """Sample deliveries of other providers."""

    def told(self, provider, **settings) -> list[Notification]:
        """The notifications of the requests, read by the code that a site reads them with."""
        settings = SimpleNamespace(**vars(deliveries.keys(KEY)), tolerance=300, **settings)
        found = []
        for _path, delivery in self.server.received:
            now = datetime.now(timezone.utc)
            genuine = provider.verify(delivery, settings, now)
            found += provider.parse(genuine, timezone.utc)
        return found

    def test_plenigo_tells_of_the_customer_first(self):
        self.assertEqual(self.notify("--provider", "plenigo", "--transaction", "S-1"), 0)
        self.assertEqual({path for path, _ in self.server.received}, {"/@@plenigo"})
        customer, subscription = self.told(plenigo)
        self.assertEqual((customer.kind, customer.buyer), (Kind.INFORMATION, "zoe@example.org"))
        self.assertEqual(subscription.kind, Kind.PURCHASE)
        self.assertEqual((subscription.transaction, subscription.product_id), ("S-1", "1"))
        self.assertEqual(subscription.customer_id, customer.customer_id)
        self.assertIn(f"{self.server.url}/@@plenigo: subscription, product 1,", self.out)
        self.assertEqual(self.out.count("200 OK"), 2)

    def test_the_second_is_not_posted_when_the_first_was_refused(self):
        self.server.status = 403
        self.assertEqual(self.notify("--provider", "plenigo"), 1)
        self.assertEqual(len(self.server.received), 1)

    def test_cleeng_signs_as_its_settings_say(self):
        usual = {"signature_header": "X-Cleeng-Signature", "signature_encoding": "hex"}
        other = {"signature_header": "X_Sig", "signature_encoding": "base64"}
        for settings, options in (
            (usual, []),
            (other, [f"--setting={name}={value}" for name, value in other.items()]),
        ):
            with self.subTest(options):
                self.server.received.clear()
                self.assertEqual(self.notify("--provider", "cleeng", *options), 0, self.err)
                (found,) = self.told(cleeng, **settings)
                self.assertEqual((found.kind, found.buyer), (Kind.PURCHASE, "zoe@example.org"))

    def test_each_kind_is_posted(self):
        settings = {"signature_header": "X-Cleeng-Signature", "signature_encoding": "hex"}
        for provider in (plenigo, cleeng):
            for name, kind in notify.samples()[provider.NAME].KINDS.items():
                with self.subTest(provider.NAME, kind=name):
                    self.server.received.clear()
                    self.assertEqual(
                        self.notify("--provider", provider.NAME, "--kind", name), 0
                    )
                    self.assertIs(self.told(provider, **settings)[-1].kind, kind)

    def test_the_time_that_it_happened(self):
        when = ("--date", "2026-02-03", "--time", "04:05:06")
        self.notify("--provider", "plenigo", *when)
        local = datetime(2026, 2, 3, 4, 5, 6).astimezone()
        self.assertEqual(self.told(plenigo)[-1].occurred_at, local)
        for wrong in ("2026-13-01", ""):
            self.assertEqual(self.notify("--provider", "plenigo", "--date", wrong), 2)
            self.assertIn("--date, --time: expected", self.err)

    def test_the_signature_is_not_printed(self):
        self.server.echoes = ("plenigo-signature", "x-cleeng-signature")
        for provider in ("plenigo", "cleeng"):
            self.server.received.clear()
            self.assertEqual(self.notify("--provider", provider), 0)
            for _path, delivery in self.server.received:
                for name in self.server.echoes:
                    proof = delivery.headers.get(name, "\0")
                    self.assertNotIn(proof, self.out + self.err)
            self.assertIn("echo: (signature)", self.out)

    def test_an_unknown_one(self):
        self.assertEqual(self.notify("--provider", "nobody"), 2)
        self.assertIn("'nobody' is none of cleeng, click2sell, plenigo", self.err)
        self.assertEqual(self.notify("--provider", "plenigo", "--kind", "sale"), 2)
        self.assertIn("'sale' is none of subscription, change,", self.err)
        self.assertEqual(self.notify("--setting", "signature_header=X-Sig"), 2)
        self.assertIn("there is no 'signature_header'", self.err)

    def test_one_of_another_package_is_found_by_its_entry_point(self):
        name = "niteoweb.click2sell.providers.plenigo.sample"
        points = [EntryPoint("acme", name, notify.SAMPLES)]
        with mock.patch.object(notify, "entry_points", return_value=points) as asked:
            self.assertEqual(self.notify("--provider", "acme"), 0, self.err)
        asked.assert_called_once_with(group="niteoweb.click2sell.samples")
        self.assertEqual({path for path, _ in self.server.received}, {"/@@acme"})
