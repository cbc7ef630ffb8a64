"""The parts of the demo: its folder, port and mailbox, and its month of notifications.

The whole demo checks each of its own steps; see ``test_demo_run``.
"""

from collections import Counter
from datetime import timedelta
from email.message import EmailMessage
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement.mapping import parse
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from niteoweb.click2sell.provisioning import plan as plans
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.demosite import END
from niteoweb.click2sell.tests.cases.demosite import MONTH
from pathlib import Path
from plone import api
from smtplib import SMTP
from smtplib import SMTPRecipientsRefused
from tempfile import TemporaryDirectory
from tools import ROOT
from tools.demo import month
from tools.demo import run
from tools.demo import seeding
from tools.demo import settings
from tools.mailbox import Mailbox
from tools.mailbox import rendered
from tools.program import ToolError
from tools.terminal import free_addresses
from tools.terminal import locked
from unittest import TestCase

import re
import socket


class TestFolder(TestCase):
    def setUp(self):
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name, "demo")

    def test_its_own_folder_is_emptied(self):
        with locked(self.folder, "demo"):
            (self.folder / "filestorage").mkdir()
            (self.folder / "filestorage" / "Data.fs").touch()
            (self.folder / "outside").symlink_to(ROOT)
            (self.folder / "site.log").touch()
        with locked(self.folder, "demo") as marker:
            run.empty(self.folder, except_for=marker)
            self.assertEqual(list(self.folder.iterdir()), [marker])
        self.assertTrue((ROOT / "tools" / "demo" / "run.py").is_file())

    def test_another_folder_is_left_alone(self):
        self.folder.mkdir()
        (self.folder / "Data.fs").touch()
        with (
            self.assertRaisesRegex(ToolError, "not made by make demo"),
            locked(self.folder, "demo"),
        ):
            pass
        self.assertTrue((self.folder / "Data.fs").exists())

    def test_a_link_to_its_own_folder_is_left_alone(self):
        with locked(self.folder, "demo"):
            pass
        link = self.folder.with_name("link")
        link.symlink_to(self.folder)
        with self.assertRaisesRegex(ToolError, "not made by make demo"), locked(link, "demo"):
            pass

    def test_one_demo_at_a_time(self):
        with (
            locked(self.folder, "demo"),
            self.assertRaisesRegex(ToolError, "Another demo is running"),
            locked(self.folder, "demo"),
        ):
            pass


class TestPort(TestCase):
    def test_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with self.assertRaisesRegex(ToolError, f"Port {port} is in use.* make demo PORT="):
                free_addresses(port, "demo")
        self.assertIn(f"127.0.0.1:{port}", free_addresses(port, "demo"))


class TestMailbox(TestCase):
    def test_mail_arrives_intact(self):
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

    def test_a_mailbox_that_does_not_exist(self):
        with Mailbox(unknown="nobody@example.org") as mailbox:
            with SMTP("127.0.0.1", mailbox.port, timeout=10) as smtp:
                with self.assertRaises(SMTPRecipientsRefused):
                    smtp.sendmail("site@example.org", "nobody@example.org", "Subject: Hello")
                smtp.sendmail("site@example.org", "zoe@example.org", "Subject: Hello")
            self.assertEqual(len(mailbox.wait_for("zoe@example.org", 10)), 1)
            self.assertEqual(mailbox.wait_for("nobody@example.org", 0), [])


class TestMonth(TestCase):
    """Deliveries of the demo, without a site."""

    def setUp(self):
        self.arrivals = month.arrivals(END)
        self.forms = [arrival.form for arrival in self.arrivals]

    def test_the_same_each_time(self):
        self.assertEqual(month.arrivals(END), self.arrivals)
        later = month.arrivals(END + timedelta(days=100))
        self.assertEqual(
            [arrival.moment + timedelta(days=100) for arrival in self.arrivals],
            [arrival.moment for arrival in later],
        )

    def test_a_month_in_the_order_of_time(self):
        moments = [arrival.moment for arrival in self.arrivals]
        self.assertTrue(60 <= len(moments) <= 150, len(moments))
        self.assertEqual(moments, sorted(moments))
        self.assertLess(END - timedelta(days=month.DAYS), moments[0])
        self.assertLess(moments[-1], END)
        self.assertEqual(
            Counter(arrival.status for arrival in self.arrivals if arrival.status != 200),
            {400: 1, 409: 1, 500: 1},
        )

    def test_nobody_real_is_named(self):
        addresses = {form["buyer_email"] for form in self.forms}
        self.assertGreater(len(addresses), 60)
        for address in addresses:
            self.assertRegex(address, r"^[a-z.-]+@([a-z-]+\.)*example\.(org|com|net)$")
        self.assertNotIn(settings.BUYER, addresses)
        self.assertNotIn("123", {form["acquirer_transaction_id"] for form in self.forms})

    def test_names_of_all_sorts(self):
        names = [f"{form['buyer_name']} {form['buyer_surname']}" for form in self.forms]
        self.assertTrue(any(re.search("[\u0400-\u04ff]", name) for name in names))
        self.assertTrue(any(not name.isascii() for name in names))
        self.assertGreater(max(map(len, names)), 60)

    def test_products_with_and_without_days(self):
        lines, errors = parse(seeding.mapping())
        self.assertEqual(errors, ())
        days = {line.product_id: line.terms.days for line in lines}
        self.assertIsNone(days[settings.PRODUCT])
        self.assertGreaterEqual(len(set(days.values())), 4)
        expected = {*days, "7"} - {settings.ONE_DAY}
        self.assertEqual({form["product_id"] for form in self.forms}, expected)


class TestSiteAfterTheMonth(TestCase):
    """The state of the site after the month."""

    layer = MONTH

    def setUp(self):
        self.portal = self.layer["portal"]
        keys = ledger.newest_first(self.portal)
        self.entries = [ledger.get(self.portal, key) for key in keys]

    def test_all_that_was_delivered_is_there(self):
        self.assertEqual(len(self.entries), self.layer["delivered"])

    def test_when_it_arrived_is_when_the_clock_said(self):
        arrived = [entry["received_at"] for entry in reversed(self.entries)]
        expected = [timestamps.iso(arrival.moment) for arrival in month.arrivals(END)]
        self.assertEqual([when[:19] for when in arrived], [when[:19] for when in expected])

    def test_each_outcome_and_each_kind(self):
        outcomes = Counter(entry["outcome"] for entry in self.entries)
        self.assertEqual(outcomes[Outcome.FAILED], 1)
        self.assertEqual(outcomes[Outcome.REFUSED], 1)
        self.assertEqual(outcomes[Outcome.ATTENTION], 6)
        self.assertEqual(outcomes[Outcome.NOTHING], 3)
        kinds = {str(entry["kind"]) for entry in self.entries}
        self.assertLessEqual(
            {"purchase", "renewal", "refund", "cancellation", "payment failed", "unknown"},
            kinds,
        )

    def test_a_few_need_a_person(self):
        reasons = {e["reason"] for e in self.entries if e["outcome"] == Outcome.ATTENTION}
        self.assertEqual(
            reasons,
            {
                *("account not certain", "future", "group missing", "parameter"),
                *("privileged account", "unknown kind"),
            },
        )

    def test_access_has_lapsed_and_is_not_given_any_more(self):
        groups = Counter(
            group
            for record in trees.tree(self.portal, "buyers").values()
            for group in record["grants"]
        )
        buyers_of_the_course = {
            entry["buyer"]
            for entry in self.entries
            if entry["product_id"] == "3" and entry["outcome"] == Outcome.ACCEPTED
        }
        self.assertTrue(0 < groups["course"] < len(buyers_of_the_course))
        self.assertGreater(groups["paying-members"], 20)

    def test_nothing_is_left_for_the_next_sweep(self):
        night = END.replace(hour=3)
        self.assertGreater(self.entries[0]["received_at"], timestamps.iso(night))
        for buyer_id, record in trees.tree(self.portal, "buyers").items():
            if record["user_id"] and not record["pending"]:
                plan = plans.make(self.portal, buyers.get(self.portal, buyer_id), night, None)
                self.assertFalse(plan.grant or plan.revoked, record["addresses"])

    def test_one_mail_waits_and_the_others_were_sent(self):
        states = Counter(mail["state"] for mail in trees.tree(self.portal, "mails").values())
        self.assertEqual(states[outbox.DUE], 1)
        self.assertEqual(set(states), {outbox.DUE, outbox.SENT})

    def test_some_have_never_logged_in_and_one_has_a_group_by_hand(self):
        members = [
            api.user.get(userid=record["user_id"])
            for record in trees.tree(self.portal, "buyers").values()
            if record["user_id"]
        ]
        never = [m for m in members if str(m.getProperty("login_time")).startswith("2000")]
        self.assertTrue(0 < len(never) < len(members) / 2, len(never))
        # The report knows the same ones, of the accounts that were made for a purchase.
        made = {m.getId() for m in never if buyers.of_user(self.portal, m.getId())["made"]}
        filed = trees.tree(self.portal, "logins_awaited")
        awaited = {buyers.get(self.portal, id_)["user_id"] for _at, id_ in filed}
        self.assertEqual(awaited, made)
        (waits,) = [
            mail["user_id"]
            for mail in trees.tree(self.portal, "mails").values()
            if mail["state"] == outbox.DUE
        ]
        self.assertIn(waits, awaited)
        given = api.user.get_users(groupname="yearly-members")
        by_hand = [
            member
            for member in given
            if "yearly-members" not in buyers.of_user(self.portal, member.getId())["grants"]
        ]
        self.assertEqual(len(by_hand), 1)

    def test_deliveries_are_signed(self):
        form = month.arrivals(END)[0].form
        expected = click2sell.sign(settings.SECRET_KEY, form["acquirer_transaction_id"])
        self.assertEqual(form["checksum"], expected)
        self.assertEqual(plone_site.settings().secretkey, settings.SECRET_KEY)
