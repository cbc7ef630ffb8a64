"""The commands: called as cron does, on a database on disk; and what each of them says."""

from contextlib import redirect_stderr
from contextlib import redirect_stdout
from niteoweb.click2sell.command import adopt
from niteoweb.click2sell.command import console
from niteoweb.click2sell.command import reconcile
from niteoweb.click2sell.command import reindex
from niteoweb.click2sell.command import sweep
from niteoweb.click2sell.member import index
from niteoweb.click2sell.owner import reconcile as reconciliation
from niteoweb.click2sell.storage import session
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.commands import CommandTestCase
from niteoweb.click2sell.tests.cases.layers import PROCESS
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.tests.command import site_on_disk
from niteoweb.click2sell.worker import sweep as sweeping
from pathlib import Path
from plone import api
from tempfile import TemporaryDirectory
from tools.instance import DATABASE
from typing import Any
from unittest import mock
from zc.lockfile import LockFile

import io
import json
import os
import subprocess
import sys
import transaction
import unittest


#: The script that an entry point makes.
SCRIPT = "from niteoweb.click2sell.command.{} import main; raise SystemExit(main())"


class TestProcess(unittest.TestCase):
    """The commands of a cron job: slow, so all in one go."""

    layer = PROCESS

    def call(self, *arguments: str) -> subprocess.CompletedProcess:
        path = {"PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            # Packages of Plone 6.1 warn of each other.
            env={**os.environ, **path, "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def test_a_site_is_adopted_and_swept(self):
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        made = self.call("-m", site_on_disk.__name__, str(self.folder))
        self.assertEqual(made.returncode, 0, made.stderr)

        lock = LockFile(f"{self.folder / DATABASE}.lock")
        done = self.call("-c", SCRIPT.format("sweep"), "--config", "zope.conf")
        lock.close()
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("The database is open in a running instance.", done.stderr)
        self.assertIn("@click2sell-sweep", done.stderr)

        done = self.call(
            "-c", SCRIPT.format("adopt"), "--config=zope.conf", "--apply", "--json"
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "1 members looked at, 1 adopted\n")
        told = json.loads(done.stdout)
        self.assertEqual((told["adopted"], told["skipped"]), (1, 0))
        (item,) = told["listed"]
        self.assertEqual((item["user_id"], item["why"]), (site_on_disk.OLD_MEMBER, "lapses"))

        done = self.call(
            "-c", SCRIPT.format("sweep"), "--config=zope.conf", "--site=folder/shop"
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        member = site_on_disk.OLD_MEMBER
        self.assertEqual(
            done.stdout,
            f"{member} <{member}>: products 1; groups premium\n"
            "Members whose access is over: 1\n"
            "Mails: 0 sent, 0 not sent, 0 due.\n",
        )


class TestCommands(CommandTestCase):
    def test_the_sweep_tells_what_it_would_do(self):
        self.settings(mapping=["1|premium|30"])
        self.buy()
        text = self.call(sweep.main, "--dry-run", "--as-of", "2026-06-30")
        self.assertIn("As of 2026-06-30T23:59:59.999999+00:00; nothing was done", text)
        self.assertIn(f"{EMAIL} <{EMAIL}>: products 1; groups premium", text)
        report = json.loads(self.call(sweep.main, "--dry-run", "--json", "--as-of=2026-06-30"))
        self.assertEqual([item["user_id"] for item in report["lapsed"]], [EMAIL])
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_the_sweep_ends_with_1_when_it_stopped(self):
        report = sweeping.SweepReport(
            self.now, False, False, stopped={"members": 50, "limit": 20}
        )
        with mock.patch.object(sweeping, "sweep", return_value=report) as called:
            text = self.call(sweep.main, status=1)
            self.assertIn("Stopped: 50 members", text)
            called.assert_called_with(confirmed=False, outside=True)
            self.call(sweep.main, "--confirmed", "--json", status=1)
            called.assert_called_with(confirmed=True, outside=True)

    def test_the_sweep_ends_with_1_when_something_unexpected_happened(self):
        report = sweeping.SweepReport(self.now, False, False, troubled=2)
        with mock.patch.object(sweeping, "sweep", return_value=report):
            self.assertIn("2 members or mails are in trouble", self.call(sweep.main, status=1))

    def test_the_sweep_of_a_copy_says_so(self):
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            self.assertIn("This is a copy of the site", self.call(sweep.main))

    def test_reindex(self):
        self.account("imported", "imported@example.org")
        for name in ("member_addresses", "member_logins", "member_ids"):
            trees.tree(self.portal, name).clear()
        transaction.commit()
        self.assertEqual(
            self.call(reindex.main),
            "In the indexes: 2 members, 0 buyers, 0 mails, 0 validations, 0 notifications, "
            "0 hooks. 0 of them were filed wrongly.\n",
        )
        (match,) = index.find(self.portal, "imported@example.org")
        self.assertEqual(match.user_id, "imported")
        self.assertEqual(
            json.loads(self.call(reindex.main, "--json")),
            {
                "members": 2,
                "buyers": 0,
                "mails": 0,
                "validations": 0,
                "notifications": 0,
                "hooks": 0,
                "corrected": 0,
            },
        )

    def test_a_database_that_cannot_be_written(self):
        with mock.patch.object(transactions, "run", side_effect=transactions.Busy):
            self.assertIn("read-only, or another process", self.refused(reindex.main))

    def test_reconcile(self):
        self.assertEqual(self.call(reconcile.main), "Nothing to change.\n")
        self.buy()
        self.settings(mapping=["1|course"])
        for arguments in ((), ("--dry-run",)):
            self.assertEqual(
                self.call(reconcile.main, *arguments),
                f"{EMAIL} <{EMAIL}>: + course, - premium\n"
                "1 members would change. --apply does it.\n",
            )
        told = json.loads(self.call(reconcile.main, "--json"))
        self.assertEqual((told["dry_run"], told["changed"], told["left"]), (True, 0, 0))
        self.assertEqual(told["changes"][0]["given"], ["course"])
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            self.call(reconcile.main, "--apply", status=1)
            self.assertIn("copy of the site: nothing was", self.complaints.getvalue())
        self.assertIn("1 members changed, 0 left.", self.call(reconcile.main, "--apply"))
        self.assertEqual(self.groups(), ["click2sell", "course"])

    def test_reconcile_ends_with_1_when_members_are_left(self):
        report = reconciliation.ReconcileReport(looked_at=2, changed=1, left=1)
        with mock.patch.object(reconciliation, "apply", return_value=report):
            text = self.call(reconcile.main, "--apply", status=1)
        self.assertEqual(text, "1 members changed, 1 left.\n")

    def test_reconcile_tells_who_could_not_be_looked_at(self):
        part = reconciliation.Part((), "", troubled=1)
        with mock.patch.object(reconciliation, "part", return_value=part):
            text = self.call(reconcile.main, status=1)
            self.assertEqual(text, "1 members could not be looked at, see the log.\n")
            told = json.loads(self.call(reconcile.main, "--json", status=1))
        self.assertEqual((told["troubled"], told["changes"]), (1, []))

    def test_adopt(self):
        for number in range(3):
            user_id = f"buyer{number}@example.org"
            self.account(user_id, user_id, product_id="2")
        with mock.patch.object(console, "SHOWN", 2):
            text = self.call(adopt.main)
        self.assertIn("Not adopted: has no usable date of purchase (3)\n", text)
        self.assertIn("  buyer1@example.org <buyer1@example.org>: product 2\n", text)
        self.assertNotIn("buyer2@example.org", text)
        self.assertIn("and 1 more", text)
        self.assertIn("0 members would be adopted, 0 were before, 4 looked at.", text)

    def test_every_reason_of_the_adoption_has_a_text(self):
        from niteoweb.click2sell.setup import legacymember

        reasons = {
            value
            for name, value in vars(legacymember).items()
            if name.isupper() and name[0] != "_" and isinstance(value, str)
        }
        self.assertEqual(set(adopt.WHY), reasons)


class TestWhichSite(SiteTestCase):
    def found(self, path: str | None = None) -> Any:
        return console._site(self.layer["app"], path)

    def test_the_only_one(self):
        self.assertEqual(self.found().getPhysicalPath(), self.portal.getPhysicalPath())

    def test_one_that_is_named(self):
        for path in ("plone", "/plone", "/plone/"):
            self.assertEqual(self.found(path).getPhysicalPath(), ("", "plone"))

    def test_what_is_no_site(self):
        for path in ("nowhere", "", "acl_users", "plone/portal_catalog", "plone/nothing"):
            with (
                self.subTest(path),
                self.assertRaisesRegex(console.Problem, "There is no") as e,
            ):
                self.found(path)
            self.assertEqual(e.exception.status, 2)

    def test_a_site_without_the_addon(self):
        with self.owner():
            api.portal.get_tool("portal_setup").unsetLastVersionForProfile(session.PROFILE)
        for path in (None, "plone"):
            with self.assertRaisesRegex(console.Problem, "not installed"):
                self.found(path)

    def test_several_sites(self):
        with (
            mock.patch.object(session, "sites", return_value=[self.portal, self.portal]),
            self.assertRaisesRegex(console.Problem, "--site"),
        ):
            self.found()


class TestArguments(unittest.TestCase):
    """Arguments that are answered without opening a database."""

    def refused(self, main: Any, *arguments: str) -> str:
        output = io.StringIO()
        with redirect_stderr(output):
            try:
                status = main(arguments)
            except SystemExit as end:
                status = end.code
        self.assertEqual(status, 2)
        return output.getvalue()

    def test_a_configuration_that_is_not_there(self):
        for command in (adopt, reconcile, reindex, sweep):
            with self.subTest(command.__name__):
                sentence = self.refused(command.main, "--config", "/nowhere/zope.conf")
                self.assertIn("There is no /nowhere/zope.conf.", sentence)

    def test_wrong_usage(self):
        for main, *arguments in (
            (sweep.main, "--as-of", "2027-01-31"),
            (sweep.main, "--dry-run", "--as-of", "tomorrow"),
            (sweep.main, "--dry-run", "--as-of", "10000-01-01"),
            (sweep.main, "--confirm"),
            (reconcile.main, "--apply", "--dry-run"),
            (adopt.main, "--apply", "--dry-run"),
            (reindex.main, "everything"),
        ):
            with self.subTest(arguments):
                self.assertIn("usage:", self.refused(main, *arguments))

    def test_nothing_steers_the_terminal(self):
        output = io.StringIO()
        with redirect_stdout(output):
            console.say("a\x1b[2Jb\rc")
        self.assertEqual(output.getvalue(), "a [2Jb c\n")

    def test_a_message_is_logged_once(self):
        once = console._Once()
        record = console.logging.makeLogRecord({"name": "a", "msg": "Line %s", "args": (1,)})
        self.assertEqual([once.filter(record), once.filter(record)], [True, False])
