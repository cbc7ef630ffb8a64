"""The machine's clock put forward and back, and a site restored from a backup of yesterday."""

from collections.abc import Callable
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell.tests.cases.deliveries import about
from niteoweb.click2sell.tests.proof.onsite import Place
from niteoweb.click2sell.tests.proof.onsite import post
from niteoweb.click2sell.tests.proof.server import CLOCK
from niteoweb.click2sell.tests.proof.server import Server
from tools.instance import CONFIGURATION
from tools.instance import DATABASE

import shutil
import time
import unittest


#: Seconds after which a thread of a site has done its work.
WITHIN = 60
YEAR = 365 * 24


class ClockCase(unittest.TestCase):
    """Product 7 gives one day."""

    def setUp(self):
        self.now = datetime.now(timezone.utc).replace(microsecond=0)
        self.put_forward(0)

    def put_forward(self, hours: int) -> None:
        (self.layer.folder / CONFIGURATION).with_name(CLOCK).write_text(f"{hours}", "ascii")

    def buy(self, served: Server, buyer: str, product: str, number: str = "1", hours=0) -> None:
        at = self.now + timedelta(hours=hours)
        body = about(buyer, f"{product}-{number}", at, product_id=product)
        self.assertEqual(post(served.port, body), (200, "POST successfully parsed."))

    def groups(self, served: Server, buyer: str) -> list[str]:
        account = served.state()["buyers"].get(f"{buyer}@example.org", {}).get("account")
        return account["groups"] if account else []

    def assert_agrees(self, served: Server) -> None:
        state = served.state()
        self.assertEqual((state["contradictions"], state["unentitled"]), ([], []))

    def wait_until(self, ready: Callable[[], object]) -> None:
        deadline = time.monotonic() + WITHIN
        while not ready():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)


class TestPutForward(ClockCase):
    layer = Place("ClockPutForward")

    def test_while_the_site_runs(self):
        served = self.layer.start().wait()
        self.addCleanup(served.stop)
        self.buy(served, "r", "7")
        self.assertIsNone(served.sweep()["stopped"])
        for hours in (25, YEAR):
            with self.subTest(hours):
                self.put_forward(hours)
                self.assertEqual(served.sweep()["stopped"]["hours_off"], hours)
                self.assertIn("day", self.groups(served, "r"))
                # A delivery goes by the clock; the next sweep that can trust it gives back.
                self.buy(served, "r", "2", str(hours))
                self.assertNotIn("day", self.groups(served, "r"))
                self.put_forward(0)
                report = served.sweep()
                self.assertEqual((report["stopped"], report["groups_given_late"]), (None, 1))
                self.assert_agrees(served)
        self.put_forward(-24)
        self.assertEqual(served.sweep()["stopped"]["hours_off"], 24)
        self.assertIn("day", self.groups(served, "r"))
        self.put_forward(25)
        self.assertIsNone(served.sweep(confirmed=True)["stopped"])
        self.assertNotIn("day", self.groups(served, "r"))
        self.assertIsNone(served.sweep()["stopped"])


class TestPutForwardMeanwhile(ClockCase):
    layer = Place("ClockPutForwardMeanwhile")

    def test_while_the_site_was_down(self):
        """Where cron calls it, a day more is nothing that a new process could know of."""
        first = self.layer.start().wait()
        self.buy(first, "d", "7")
        self.assertIsNone(first.sweep()["stopped"])
        first.stop()
        for hours, ends in ((25, True), (YEAR, False)):
            with self.subTest(hours):
                self.put_forward(hours)
                ahead = self.layer.start().wait()
                self.addCleanup(ahead.stop)
                self.assertEqual(ahead.sweep()["stopped"] is None, ends)
                self.assertEqual("day" in self.groups(ahead, "d"), not ends)
                ahead.stop()
                self.put_forward(0)
                right = self.layer.start().wait()
                self.addCleanup(right.stop)
                report = right.sweep()
                self.assertEqual(report["groups_given_late"], int(ends), report)
                self.assertIn("day", self.groups(right, "d"))
                self.assert_agrees(right)
                right.stop()


class TestBackup(ClockCase):
    layer = Place("BackupOfYesterday")

    def test_restored(self):
        postbox = self.layer.postbox
        served = self.layer.start().wait()
        self.layer.tell_mail_port(served)
        self.buy(served, "renews", "7")
        self.buy(served, "before", "1")
        served.wait_for_mails()
        served.change_settings(sweep_minutes=1440)
        self.assertIsNone(served.sweep()["stopped"])
        served.stop()
        backup = self.layer.folder / "backup.fs"
        shutil.copyfile(self.layer.folder / DATABASE, backup)

        self.put_forward(20)
        served = self.layer.start().wait()
        self.buy(served, "renews", "7", "2", hours=20)
        self.buy(served, "since", "1", hours=20)
        self.buy(served, "lost", "1", hours=20)
        served.wait_for_mails()
        served.stop()

        shutil.copyfile(backup, self.layer.folder / DATABASE)
        for name in (".index", ".tmp", ".lock"):
            (self.layer.folder / f"{DATABASE}{name}").unlink(missing_ok=True)
        self.put_forward(30)
        restored = self.layer.start().wait()
        # Its clock sweeps at the first request, and ends nothing.
        self.assertIn("day", self.groups(restored, "renews"))
        self.wait_until(lambda: "The sweep stopped: the clock is off" in restored.log)
        self.assertIn("day", self.groups(restored, "renews"))
        self.assertEqual(self.groups(restored, "since"), [])

        # The provider delivers again.
        for _time in range(2):
            self.buy(restored, "renews", "7", "2", hours=20)
            self.buy(restored, "since", "1", hours=20)
        report = restored.sweep(confirmed=True)
        self.assertEqual((report["stopped"], report["lapsed"]), (None, []))
        self.assertIn("day", self.groups(restored, "renews"))
        self.assertIn("premium", self.groups(restored, "since"))
        restored.wait_for_mails()
        # A member made again has a password of its own; nobody else is mailed again.
        mailed = {f"{name}@example.org": 1 for name in ("renews", "before", "since", "lost")}
        mailed["since@example.org"] = 2
        members = {to: n for to, n in postbox.recipients().items() if to in mailed}
        self.assertEqual(members, mailed)
        self.assert_agrees(restored)
        restored.stop()
