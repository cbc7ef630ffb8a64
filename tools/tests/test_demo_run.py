"""The demo as a whole: each of its steps is checked by itself, and a wrong one fails it."""

from contextlib import redirect_stdout
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from io import StringIO
from niteoweb.click2sell.providers.cleeng import protocol as cleeng
from pathlib import Path
from textwrap import dedent
from textwrap import indent
from tools import ROOT
from tools.demo import plenigoreader
from tools.demo import run
from tools.demo import story
from tools.demo.seen import Seen
from tools.tests.running import ToolTestCase
from unittest import mock
from unittest import TestCase

import re
import shutil
import socket
import subprocess


class RunCase(ToolTestCase):
    module = "tools.demo.run"

    def run_demo(self, *options: str) -> subprocess.CompletedProcess:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        return self.run_once(port, *options)

    def lived(self, provider: str) -> str:
        """The output of a provider's demo in which every step succeeds."""
        done = self.run_demo("--provider", provider)
        # First, since the middle of a long message may be left out.
        failed = re.findall(r"^  FAIL .*(?:\n {7}.*)*", done.stdout, re.MULTILINE)
        self.assertEqual((done.returncode, failed), (0, []), done.stdout)
        self.assertIn("Every step came out as it should.", done.stdout)
        return done.stdout

    def assert_documented(self, title: str, said: str) -> None:
        """The documentation shows the output of a demo exactly, but for times and ids."""
        page = (ROOT / "docs" / "providers.rst").read_text("utf-8")
        _, _, life = page.partition(".. _demo-life:")
        blocks = re.findall(r"code-block:: text\n\n((?:(?: {3}.*)?\n)+)", life)
        (shown,) = (block for block in blocks if title in block)
        steps = re.split(r"\n(?=ok )", dedent(shown).strip())
        self.assertGreater(len(steps), 3)
        for step in steps:
            self.assertIn(_timeless(indent(step, "  ")), _timeless(said))


def _timeless(text: str) -> str:
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "TIME", text)
    return re.sub(r"\b[0-9a-f]{32}\b", "ID", text)


class TestRun(RunCase):
    def test_a_life_at_webtv(self):
        said = self.lived("webtv")
        for step in ("Renewed", "The store is down", "Cancelled", "Ended", "Sold"):
            self.assertIn(f"  ok   {step}", said)

    def test_a_life_at_plenigo(self):
        said = self.lived("plenigo")
        for step in ("Renewed", "Cancelled no more", "plenigo is back", "Charged back"):
            self.assertIn(f"  ok   {step}", said)
        for told in ("CREATION", "CHANGE", "CANCELLATION", "UNDO_CANCELLATION", "ENDED"):
            self.assertIn(f"  SUBSCRIPTION {told}: 200", said)
        self.assertIn("  FAILED_PAYMENT PAYMENT_FAILED: 200", said)
        self.assertIn("  SUBSCRIPTION PAYMENT_REVOKED: 200", said)
        self.assert_documented("plenigo is down", said)
        by = "in Chromium" if shutil.which("chromium") else "by the services"
        self.assertIn(f"  ok   Buys\n       {by}", said)
        self.assert_documented("Meets the teaser", said)

    def test_a_life_at_cleeng(self):
        said = self.lived("cleeng")
        for name in cleeng.VIZIO:
            self.assertIn(f"  {name}: 200", said)
        for step in ("Transferred", "Validation queued", "Validated", "Not validated"):
            self.assertIn(f"  ok   {step}", said)
        self.assert_documented("Transferred", said)

    def test_a_life_at_stripe(self):
        said = self.lived("stripe")
        for step in ("Renewed", "Payment failed", "Paid after all", "Upgraded", "Dispute won"):
            self.assertIn(f"  ok   {step}", said)
        for told in ("charge.refunded", "charge.dispute.closed", "invoice.payment_failed"):
            self.assertIn(f"  {told}: 200", said)

    def test_a_provider_that_nobody_knows(self):
        done = self.run_demo("--provider", "gumroad")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no provider 'gumroad' can be shown, choose one of click2", done.stdout)
        self.assertFalse(self.folder.exists())


class TestReader(TestCase):
    """The reader of plenigo's life, without a site."""

    def setUp(self):
        self.life = mock.Mock(site="http://localhost", gold="O_GOLD")
        self.reader = plenigoreader.Reader(self.life)
        self.reader.mara = mock.Mock()

    def test_without_a_browser_the_services_sell(self):
        begun = (201, {"id": "c1", "purchaseId": "purchase-1"})
        self.enterContext(mock.patch("shutil.which", return_value=None))
        self.reader.mara.send.side_effect = [begun, (200, {"result": "bought"})]
        self.assertTrue(self.reader.buys().startswith("by the services"))
        self.life.fake.buy.assert_called_once_with("purchase-1")
        for result in ((200, {"result": "not possible"}), (503, {"type": "Unreachable"})):
            self.reader.mara.send.side_effect = [begun, result]
            with self.subTest(result), self.assertRaises(story.Failed):
                self.reader.buys()

    def test_a_teaser_that_tells_too_much_or_sells_nothing(self):
        title, words = plenigoreader.PAGE_TITLE, plenigoreader.SECRET_WORDS
        for html, served in (
            (f"{title} plenigo-checkout {words}", {}),
            (f"{title} plenigo-checkout", {"text": {"data": f"<p>{words}</p>"}}),
            (title, {}),
        ):
            self.reader.mara.page.return_value = (200, "", html)
            self.reader.mara.json.return_value = served
            with self.subTest(html), self.assertRaises(story.Failed):
                self.reader.meets_the_teaser()


class TestReport(TestCase):
    """The printed steps, without a site."""

    def report(self, *steps) -> tuple[int, str]:
        class Told(story.Story):
            def steps(self):
                yield from ((step.__name__, step) for step in steps)

        told = StringIO()
        with redirect_stdout(told):
            failed = run.report(Told("http://localhost/", None), Path("site.log"))
        return failed, told.getvalue()

    def test_each_step_that_failed_is_told_and_counted(self):
        def right():
            return "one line"

        def wrong():
            story.expect(1 > 2, "one is not more")

        def broken():
            raise KeyError("groups")

        failed, told = self.report(right, wrong, broken, right)
        self.assertEqual(failed, 2)
        self.assertEqual(told.count("  ok   right             one line"), 2)
        self.assertIn("  FAIL wrong             one is not more", told)
        self.assertIn("  FAIL broken            KeyError: 'groups'", told)
        self.assertIn("2 of the steps failed.\nThe site's log: site.log", told)

    def test_what_is_seen_has_to_be_what_is_expected(self):
        end = datetime(2026, 5, 1, tzinfo=timezone.utc)
        limit = end + timedelta(days=3)
        answers = {
            "/@click2sell-members?search=jane%40example.org": {"items": [{"id": "b1"}]},
            "/@click2sell-members/b1": {
                "user_id": "jane",
                "products": [
                    {
                        "product_id": "gold",
                        "state": "active",
                        "access": True,
                        "until": end.isoformat(),
                        "access_until": limit.isoformat(),
                    }
                ],
            },
            "/@users/jane": {
                "groups": {"items": [{"id": "click2sell"}, {"id": "premium"}]},
            },
        }
        seen = Seen("http://localhost/", None)
        seen.owner = mock.Mock(json=answers.get)
        shown = seen.shown("jane@example.org", "gold", "active", end, "premium", grace=True)
        self.assertEqual(
            shown,
            "-> gold active until 2026-05-01 00:00, with grace until 2026-05-04 00:00\n"
            "   jane in click2sell, premium",
        )
        for expected, grace in (
            (("silver", "active", end, "premium"), True),
            (("gold", "cancelled", end, "premium"), True),
            (("gold", "active", limit, "premium"), True),
            (("gold", "active", end, "premium"), False),
            (("gold", "active", end), True),
            (("gold", "active", end, "premium", "course"), True),
        ):
            with self.subTest(expected, grace=grace), self.assertRaises(story.Failed):
                seen.shown("jane@example.org", *expected, grace=grace)
