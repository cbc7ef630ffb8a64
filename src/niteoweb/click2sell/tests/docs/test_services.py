"""The services and the commands, as the documentation shows them, on a site of a few members.

``CLICK2SELL_RECORD=1 bin/test -m test_docs`` records the HTTP exchanges anew.
"""

from contextlib import contextmanager
from contextlib import redirect_stdout
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from io import StringIO
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.command import console
from niteoweb.click2sell.command import reconcile as reconcile_command
from niteoweb.click2sell.command import sweep as sweep_command
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider.jsonapi import INSECURE_VARIABLE
from niteoweb.click2sell.providers.cleeng import validationservice as validating
from niteoweb.click2sell.providers.cleeng.fake import FakeCleeng
from niteoweb.click2sell.providers.cleeng.fake import TOKEN
from niteoweb.click2sell.providers.cleeng.provider import PROVIDER as CLEENG
from niteoweb.click2sell.provisioning import validation
from niteoweb.click2sell.tests.cases import clock
from niteoweb.click2sell.tests.cases import recording
from niteoweb.click2sell.tests.cases.documentation import DOCS
from niteoweb.click2sell.tests.cases.documentation import DocsHTTPTestCase
from niteoweb.click2sell.tests.cases.documentation import form
from niteoweb.click2sell.tests.cases.documentation import pages
from niteoweb.click2sell.tests.cases.documentation import with_docs
from niteoweb.click2sell.tests.cases.pages import share_folder
from pathlib import Path
from plone import api
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import base64
import json
import re
import requests
import shutil
import subprocess
import transaction
import unittest


OPERATE = "Click2Sell: Operate purchases"
VALIDATE = "Click2Sell: Validate purchases"
VIEW = "Click2Sell: View purchases"

#: The documentation says whose credentials its examples carry, and how a role is given one.
PERMISSIONS = {
    OPERATE: ["Sweeper", "Operator"],
    VIEW: ["Operator"],
    VALIDATE: ["Middleware"],
}
PEOPLE = {
    "sweeper": "Sweeper",
    "operator": "Operator",
    "siteadmin": "Site Administrator",
    "middleware": "Middleware",
}
PASSWORD = "the password"
MEMBER = "john@example.com"
NOW = datetime(2025, 3, 1, 10, 20, 42, tzinfo=timezone.utc)
#: The id of the first buyer.
BUYER = timestamps.stamp(NOW)


class SiteOfTheDocs(DocsHTTPTestCase):
    """Product 1 gives 30 days; a few seconds after its sale."""

    def setUp(self):
        super().setUp()
        self.clock = self.enterContext(clock.frozen(NOW))
        settings = plone_site.settings()
        settings.mapping = ["1|basic-members|30"]
        settings.site_address = f"https://{recording.HOST}"
        for role in ("Sweeper", "Operator", "Middleware"):
            self.portal._addRole(role)
        for permission, roles in PERMISSIONS.items():
            self.portal.manage_permission(permission, roles, acquire=1)
        for name, role in PEOPLE.items():
            self.portal.acl_users.userFolderAddUser(name, PASSWORD, [role], [])
        transaction.commit()
        self.assertIn(" 200 ", self.post(form()))

    def member_is_in(self) -> bool:
        return "basic-members" in api.user.get(userid=MEMBER).getGroups()

    def key(self) -> str:
        """Key of the newest entry."""
        return next(iter(ledger.newest_first(self.portal)))


@with_docs
class TestExchanges(SiteOfTheDocs):
    """A test for each recorded exchange with a service."""

    def record(
        self,
        status: int,
        path: str,
        who: str = "",
        options: dict[str, Any] | None = None,
        method: str = "",
        headers: tuple[str, ...] = (),
    ) -> Any:
        """Make the exchange that the test is named after, and return what was answered."""
        lines = ["Accept: application/json"]
        if who:
            credentials = base64.b64encode(f"{who}:{PASSWORD}".encode()).decode()
            lines.append(f"Authorization: Basic {credentials}")
        body = b"" if options is None else json.dumps(options).encode()
        request = recording.request_text(
            method or ("GET" if options is None else "POST"),
            path,
            body,
            recording.JSON,
            [*lines, *headers],
        )
        answer = self.compare(status, request).partition("\r\n\r\n")[2]
        return json.loads(answer) if answer else None

    def test_sweep(self):
        self.clock.tick(timedelta(days=31))
        report = self.record(200, "/@click2sell-sweep", "sweeper", {})
        self.assertFalse(report["copy_of_the_site"])
        self.assertFalse(self.member_is_in())

    def test_sweep_dry_run(self):
        options = {"dry_run": True, "as_of": "2025-04-30"}
        report = self.record(200, "/@click2sell-sweep", "sweeper", options)
        self.assertEqual([item["user_id"] for item in report["lapsed"]], [MEMBER])
        self.assertTrue(self.member_is_in())

    def test_sweep_unauthorized(self):
        self.record(401, "/@click2sell-sweep", "", {})

    def test_sweep_wrong_option(self):
        self.record(400, "/@click2sell-sweep", "sweeper", {"dryrun": True})

    def test_sweep_of_another_site(self):
        origin = "Origin: https://shop.example.net"
        self.record(403, "/@click2sell-sweep", "sweeper", {}, headers=(origin,))

    def test_notifications(self):
        self.clock.tick(timedelta(days=8))
        refund = {"transaction_type": "Refund", "purchase_date": "2025-03-09"}
        self.assertIn(" 200 ", self.post(form(**refund)))
        found = self.record(
            200, "/@click2sell-notifications?kind=purchase&to=2025-03-31", "operator"
        )
        self.assertEqual([item["kind"] for item in found["items"]], ["purchase"])

    def test_notification(self):
        entry = self.record(200, f"/@click2sell-notifications/{self.key()}", "operator")
        self.assertEqual(entry["buyer"], MEMBER)

    def test_members(self):
        found = self.record(200, "/@click2sell-members?search=smith", "operator")
        self.assertEqual([item["address"] for item in found["items"]], [MEMBER])

    def test_member(self):
        found = self.record(200, f"/@click2sell-members/{BUYER}", "operator")
        self.assertEqual(found["address"], MEMBER)

    def test_my_purchases(self):
        self.portal.acl_users.source_users.doChangeUser(MEMBER, PASSWORD)
        settings = plone_site.settings()
        settings.mapping = ["1|basic-members|30|order=https://shop.example.com/basic"]
        self.portal.portal_registry["plone.email_from_address"] = "shop@example.org"
        share_folder(self.portal, "basic-members", "lounge", "Lounge")
        own = self.record(200, "/@my-purchases", MEMBER)
        self.assertEqual([product["access"] for product in own["products"]], [True])
        self.assertEqual([page["title"] for page in own["pages"]], ["Lounge"])

    def test_grant_dry_run(self):
        options = {
            "address": "jane@example.com",
            "product_id": "1",
            "until": "2025-12-31",
            "reason": "Won it at the fair.",
            "dry_run": True,
        }
        told = self.record(200, "/@click2sell-members/grant", "operator", options)
        self.assertTrue(told["buyers"][0]["member"]["create"])
        self.assertIsNone(api.user.get(userid="jane@example.com"))

    def test_extend_refused(self):
        options = {"product_id": "1", "days": 0}
        self.record(400, f"/@click2sell-members/{BUYER}/extend", "operator", options)

    def test_replay_dry_run(self):
        settings = plone_site.settings()
        settings.mapping = ["1|readers|30"]
        self.clock.tick(timedelta(hours=2))
        renewal = {"acquirer_transaction_id": "T-1002", "purchase_time": "12:20:30"}
        transaction.commit()
        self.post(form(**renewal))
        api.group.create(groupname="readers")
        transaction.commit()
        path = f"/@click2sell-notifications/{self.key()}"
        self.assertEqual(ledger.get(self.portal, self.key())["reason"], "group missing")
        told = self.record(200, f"{path}/replay", "operator", {"dry_run": True})
        self.assertEqual(told["groups"]["granted"], ["readers"])
        self.assertNotIn("readers", api.user.get(userid=MEMBER).getGroups())

    def test_correct(self):
        options = {
            "address": "mary@example.org",
            "reason": "The address was mistyped.",
            "dry_run": True,
        }
        path = f"/@click2sell-notifications/{self.key()}/correct"
        told = self.record(200, path, "operator", options)
        self.assertEqual([buyer["member"]["create"] for buyer in told["buyers"]], [False, True])

    def test_checklist(self):
        self.portal.portal_registry["plone.email_from_address"] = "shop@example.org"
        transaction.commit()
        found = self.record(200, "/@click2sell-checklist", "siteadmin")
        states = {item["name"]: item["state"] for item in found["items"]}
        self.assertEqual(states["secret_key"], "ok")
        self.assertEqual(states["last_notification"], "ok")

    def test_checklist_is_for_those_who_configure(self):
        url = f"{self.portal.absolute_url()}/@click2sell-checklist"
        for who in "operator", "sweeper":
            answer = requests.get(
                url, auth=(who, PASSWORD), headers={"Accept": "application/json"}, timeout=30
            )
            self.assertEqual(answer.status_code, 401)
            self.assertNotIn("items", answer.text)

    def test_privacy_export(self):
        told = self.record(200, f"/@click2sell-privacy?address={MEMBER}", "operator")
        self.assertEqual([entry["buyer"] for entry in told["notifications"]], [MEMBER])

    def test_privacy_dry_run(self):
        options = {"address": MEMBER, "dry_run": True}
        told = self.record(200, "/@click2sell-privacy", "operator", options)
        self.assertEqual(told["addresses"], [MEMBER])
        self.assertTrue(self.member_is_in())

    def test_privacy_erasure(self):
        options = {"address": MEMBER, "reason": "Asked for by letter of 1 March 2025"}
        told = self.record(200, "/@click2sell-privacy", "operator", options)
        self.assertEqual(told["account"], "left")
        self.assertFalse(self.member_is_in())

    def cleeng(self) -> FakeCleeng:
        """A Cleeng to ask, and the services' clock."""
        fake = self.enterContext(FakeCleeng())
        fake.buy("vizio-4711", "S123123123_US")
        self.enterContext(mock.patch.dict("os.environ", {INSECURE_VARIABLE: "1"}))
        known = mock.Mock(token_hex=lambda length: "5f" * length)
        self.enterContext(mock.patch.object(validation, "secrets", known))
        settings = registry.settings(CLEENG)
        settings.enabled, settings.api_url, settings.api_token = True, fake.url, TOKEN
        transaction.commit()
        return fake

    def test_purchase_validation(self):
        self.cleeng()
        options = {
            "email": MEMBER,
            "subscription_id": "vizio-4711",
            "offer_id": "S123123123_US",
        }
        told = self.record(202, "/@cleeng-purchase-validation", "middleware", options)
        self.assertEqual(told["status"], "queued")

    def test_purchase_status(self):
        fake = self.cleeng()
        bought = MEMBER, "vizio-4711", "S123123123_US"
        id_ = validating.submit(*bought, "middleware")["id"]
        self.clock.move_to(fake.clock.move(seconds=5))
        told = self.record(200, f"/@cleeng-purchase-status/{id_}", "middleware")
        self.assertEqual(told["status"], "pending")

    def test_report(self):
        self.clock.tick(timedelta(days=8))
        refund = {"transaction_type": "Refund", "purchase_date": "2025-03-09"}
        self.assertIn(" 200 ", self.post(form(**refund)))
        found = self.record(200, "/@click2sell-report?months=12", "operator")
        self.assertEqual(found["totals"]["refunds"], 1)

    def test_settings(self):
        options = {"mapping": ["1|basic-members|60"]}
        self.record(204, "/@controlpanels/click2sell", "siteadmin", options, "PATCH")
        # The registry keeps what it once read for as long as the request of the test lasts.
        self.layer["request"].other.pop("_plone_registry_cache", None)
        self.assertEqual(plone_site.settings().mapping, ["1|basic-members|60"])

    def test_settings_refused(self):
        options = {"mapping": ["1|nobodies"]}
        self.record(400, "/@controlpanels/click2sell", "siteadmin", options, "PATCH")


@with_docs
class TestCron(SiteOfTheDocs):
    """The files that call the sweep."""

    CONFIGURATION = "/etc/click2sell-sweep.conf"

    def setUp(self):
        super().setUp()
        self.clock.tick(timedelta(days=31))

    def call(self, *arguments: str, **changes: str) -> str:
        """Call curl with the configuration of the documentation, at the test server."""
        text = (DOCS / "examples" / "click2sell-sweep.conf").read_text("utf-8")
        changes = {
            "//localhost:8080/": f"//{self.layer['host']}:{self.layer['port']}/",
            "/Plone/": "/plone/",
            **changes,
        }
        for before, after in changes.items():
            self.assertIn(before, text)
            text = text.replace(before, after)
        with TemporaryDirectory() as folder:
            path = Path(folder, "sweep.conf")
            path.write_text(text, "utf-8")
            done = subprocess.run(
                ["curl", "--config", str(path), *arguments],
                capture_output=True,
                text=True,
                timeout=60,
            )
        transaction.begin()
        self.status, self.complaint = done.returncode, done.stderr
        return done.stdout

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_sweeps(self):
        report = json.loads(self.call())
        self.assertEqual([item["user_id"] for item in report["lapsed"]], [MEMBER])
        self.assertFalse(self.member_is_in())

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_with_options(self):
        page = pages()["operation.rst"]
        shown = re.findall(r"(--data) '(.+?)'", page)
        self.assertEqual(len(shown), 2)
        for arguments in shown:
            report = json.loads(self.call(*arguments))
            self.assertEqual([item["user_id"] for item in report["lapsed"]], [MEMBER])
            self.assertIs(self.member_is_in(), report["dry_run"])

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_by_way_of_another_address_it_is_a_copy(self):
        report = json.loads(self.call(**{"https/www.example.org:443": "http/localhost:80"}))
        self.assertTrue(report["copy_of_the_site"])
        self.assertTrue(self.member_is_in())

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_says_what_is_wrong(self):
        self.assertEqual(self.call(**{PASSWORD: "wrong"}), "")
        self.assertNotEqual(self.status, 0)
        self.assertIn("401", self.complaint)

    def test_the_crontab_line_complains_when_it_has_to(self):
        page = pages()["operation.rst"]
        (line,) = re.findall(r"^ +\*/10 \* \* \* \* curl (.*)$", page, re.M)
        called, reading = line.split(" | ", 1)
        self.assertEqual(called, f"--config {self.CONFIGURATION}")
        recorded = (recording.FOLDER / "sweep-answer.http").read_text("utf-8")
        answer = recorded.partition("\n\n")[2]
        for before, after, complaints in (
            ("", "", 0),
            ('"stopped": null', '"stopped": {\n    "limit": 20', 1),
            ('"copy_of_the_site": false', '"copy_of_the_site": true', 1),
            (answer, "", 1),
        ):
            with self.subTest(after):
                self.assertIn(before, answer)
                done = subprocess.run(
                    ["sh", "-c", reading],
                    input=answer.replace(before, after) if before else answer,
                    capture_output=True,
                    text=True,
                )
                self.assertEqual(len(done.stdout.splitlines()), complaints)

    def test_the_unit_calls_curl_in_the_same_way(self):
        unit = (DOCS / "examples" / "click2sell-sweep.service").read_text("utf-8")
        self.assertIn(f"/curl --config {self.CONFIGURATION}\n", unit)
        # What curl prints names members, and would be in the journal.
        self.assertIn("\nStandardOutput=null\n", unit)


@with_docs
class TestCommands(SiteOfTheDocs):
    """The output of the commands is as the pages show it."""

    def setUp(self):
        super().setUp()
        # A script's site has an address without a host.
        self.layer["request"].setServerURL("http", "nohost", "80")

    def assert_shown(self, page: str, call: str, main: Any) -> None:
        """Compare a console block with the command: its call, then what it prints."""

        @contextmanager
        def opened(configuration, path):
            yield self.portal
            transaction.abort()

        with mock.patch.object(console, "opened", opened), redirect_stdout(StringIO()) as out:
            main(call.split()[1:])
        lines = [f"$ bin/{call}", *out.getvalue().splitlines()]
        expected = "".join(f"   {line}\n" for line in lines)
        self.assertIn(expected, pages()[page])

    def test_sweep(self):
        call = "click2sell-sweep --dry-run --as-of 2025-04-30"
        self.assert_shown("command.rst", call, sweep_command.main)

    def test_reconcile(self):
        api.group.create(groupname="readers")
        plone_site.settings().mapping = ["1|readers|30"]
        transaction.commit()
        self.assert_shown("command.rst", "click2sell-reconcile", reconcile_command.main)
