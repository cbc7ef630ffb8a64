"""What the demo must not do: wipe a folder that is not its own, lose a mail, take a used port.

The whole demo is too slow for here; ``make demo ONCE=1`` checks each of its own steps.
"""

from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP
from tempfile import TemporaryDirectory
from unittest import mock
from unittest import skipUnless
from unittest import TestCase

import socket
import sys


ROOT = Path(__file__).resolve().parents[4]


@skipUnless(
    (ROOT / "demo" / "run.py").is_file(), "the demo is not part of an installed package"
)
class TestDemo(TestCase):
    def setUp(self):
        path = mock.patch.object(sys, "path", [str(ROOT), *sys.path])
        path.start()
        self.addCleanup(path.stop)
        from demo import run

        self.run_module = run
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name, "demo")

    def test_its_own_folder_is_emptied(self):
        with self.run_module.prepared(self.folder):
            (self.folder / "filestorage").mkdir()
            (self.folder / "filestorage" / "Data.fs").touch()
            (self.folder / "outside").symlink_to(ROOT)
            (self.folder / "site.log").touch()
        with self.run_module.prepared(self.folder):
            left = [path.name for path in self.folder.iterdir()]
        self.assertEqual(left, [self.run_module.MARKER])
        self.assertTrue((ROOT / "demo" / "run.py").is_file())

    def test_another_folder_is_left_alone(self):
        self.folder.mkdir()
        (self.folder / "Data.fs").touch()
        with (
            self.assertRaisesRegex(self.run_module.DemoError, "not made by the demo"),
            self.run_module.prepared(self.folder),
        ):
            pass
        self.assertTrue((self.folder / "Data.fs").exists())

    def test_one_demo_at_a_time(self):
        with self.run_module.prepared(self.folder):
            (self.folder / "site.log").touch()
            with (
                self.assertRaisesRegex(self.run_module.DemoError, "Another demo is running"),
                self.run_module.prepared(self.folder),
            ):
                pass
            self.assertTrue((self.folder / "site.log").exists())

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with self.assertRaisesRegex(self.run_module.DemoError, f"Port {port} is in use"):
                self.run_module.free_addresses(port)
        self.assertIn(f"127.0.0.1:{port}", self.run_module.free_addresses(port))

    def test_mail_arrives_intact(self):
        from demo.mailbox import Mailbox
        from demo.mailbox import rendered

        mail = EmailMessage()
        mail["From"] = "site@example.org"
        mail["To"] = "Zoë <zoe@example.org>"
        mail["Subject"] = "Grüße"
        mail.set_content("Ihr Paßwort: geheim\n")
        with Mailbox() as mailbox:
            seen = []
            mailbox.listen(seen.append)
            with SMTP("127.0.0.1", mailbox.port, timeout=10) as smtp:
                smtp.send_message(mail)
            self.assertEqual(mailbox.wait_for("other@example.org", 0), [])
            (received,) = mailbox.wait_for("zoe@example.org", 10)
        self.assertEqual(seen, [received])
        text = rendered(received)
        self.assertIn("To: Zoë <zoe@example.org>", text)
        self.assertIn("Subject: Grüße", text)
        self.assertIn("Ihr Paßwort: geheim", text)
