"""The sweep: what becomes due without a delivery."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import group
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.testing.layers import MailServer
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.smtpserver import ScriptedServer
from niteoweb.click2sell.tests.cases.sweeps import at
from niteoweb.click2sell.tests.cases.sweeps import SweepTestCase
from niteoweb.click2sell.worker import breaker
from niteoweb.click2sell.worker import sweep
from unittest import mock

import os
import transaction


class TestLapsedAccess(SweepTestCase):
    def test_is_ended(self):
        self.buy()
        self.later(days=29)
        self.assertEqual(self.sweep().lapsed, [])
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.later(days=2)
        report = self.sweep()
        self.assertEqual(
            report.lapsed,
            [
                {
                    "user_id": EMAIL,
                    "email": EMAIL,
                    "products": [{"provider": "click2sell", "product_id": "1"}],
                    "groups": ["premium"],
                }
            ],
        )
        self.assertEqual(self.groups(), ["click2sell"])
        self.assertEqual(counters.number(self.portal, *counters.WITH_ACCESS), 0)

    def test_a_second_sweep_finds_nothing_to_do(self):
        self.buy()
        self.later(days=31)
        self.sweep()
        with self.no_commit():
            report = self.sweep()
        self.assertEqual((report.lapsed, report.busy, report.troubled), ([], 0, 0))

    def test_other_access_stays(self):
        self.buy()
        self.buy_again(product_id="2")
        self.later(days=31)
        self.assertEqual([found["groups"] for found in self.sweep().lapsed], [["premium"]])
        self.assertEqual(self.groups(), ["click2sell", "course"])

    def test_a_sale_that_came_too_late_gives_nothing_that_a_sweep_could_end(self):
        self.buy(purchase_date="2026-03-01")
        self.assertEqual(self.groups(), ["click2sell"])
        with self.no_commit():
            self.assertEqual(self.sweep().lapsed, [])

    def test_subscriptions_have_grace_and_single_sales_do_not(self):
        self.subscribe()
        self.buy(
            buyer_email="jane@example.org",
            acquirer_transaction_id="T-2",
            c2s_transaction_id="R-2",
        )
        self.later(days=31)
        self.assertEqual(
            [found["user_id"] for found in self.sweep().lapsed], ["jane@example.org"]
        )
        self.assertIn("premium", self.groups())
        self.later(days=2)
        self.assertEqual([found["user_id"] for found in self.sweep().lapsed], [EMAIL])
        self.assertEqual(self.groups(), ["click2sell"])

    def test_what_was_renewed_is_not_ended(self):
        self.subscribe()
        self.later(days=29)
        self.buy(
            transaction_type="Subscription",
            subscription_status="Recurring",
            c2s_transaction_id="R-2",
            purchase_date="2026-06-01",
        )
        self.later(days=5)
        self.assertEqual(self.sweep().lapsed, [])
        self.assertIn("premium", self.groups())

    def test_a_privileged_account_is_reported_once_and_then_left_in_peace(self):
        self.buy()
        with self.owner():
            group.grant(EMAIL, "Administrators")
        self.later(days=31)
        self.assertEqual(self.sweep().lapsed, [])
        self.assertEqual(self.attention(), [["privileged account", ""]])
        self.assertIn("premium", self.groups())
        with self.no_commit():
            self.sweep()
        # It is one like all others again.
        with self.owner():
            group.revoke(EMAIL, "Administrators")
        self.assertEqual([found["user_id"] for found in self.sweep().lapsed], [EMAIL])
        self.assertEqual(self.groups(), ["click2sell"])
        self.assertEqual(self.attention(), [])

    def test_trouble_with_one_member_is_not_that_of_the_others(self):
        self.crowd(3)
        self.later(days=31)
        address = "buyer1@example.org"
        broken = self.buyer(address)["id"]
        make = plan.make

        def fail(site, buyer, *args, **options):
            if buyer["id"] == broken:
                raise RuntimeError(address)
            return make(site, buyer, *args, **options)

        with (
            mock.patch.object(plan, "make", fail),
            self.assertLogs("niteoweb.click2sell", "ERROR") as logged,
        ):
            report = self.sweep()
        self.assertEqual(len(report.lapsed), 2)
        self.assertEqual(report.troubled, 1)
        self.assertNotIn("buyer1@", "\n".join(logged.output))
        self.assertEqual(len(self.sweep().lapsed), 1)


class TestStart(SweepTestCase):
    """Access whose start a provider states."""

    def test_is_given_when_it_comes(self):
        self.buy()
        start = self.now + timedelta(days=10)
        course = replace(
            self.notification(
                acquirer_transaction_id="T-2", c2s_transaction_id="R-2", product_id="2"
            ),
            valid_from=start,
        )
        pipeline.process(course)
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.buyer()["next_change"], timestamps.iso(start))
        self.later(days=9)
        self.sweep()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.later(days=1)
        self.sweep()
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])


class TestBreaker(SweepTestCase):
    def test_many_at_once_stop_it(self):
        self.crowd(25)
        self.later(days=31)
        with self.assertLogs("niteoweb.click2sell", "ERROR"):
            report = self.sweep()
        self.assertEqual(report.stopped, {"members": 25, "limit": 20})
        # Who would lose access is told, and nobody lost it.
        self.assertEqual(len(report.lapsed), 25)
        self.assertIn("premium", self.groups("buyer7@example.org"))
        report = self.sweep(confirmed=True)
        self.assertIsNone(report.stopped)
        self.assertEqual(len(report.lapsed), 25)
        self.assertEqual(self.groups("buyer7@example.org"), ["click2sell"])

    def test_twenty_never_do(self):
        self.settings(breaker_percent=1)
        self.crowd(20)
        self.later(days=31)
        report = self.sweep()
        self.assertIsNone(report.stopped)
        self.assertEqual(len(report.lapsed), 20)

    def test_members_and_percent_whichever_is_less(self):
        self.crowd(22)
        self.later(days=31)
        more = 300 - counters.number(self.portal, *counters.WITH_ACCESS)
        figures = trees.tree(self.portal, "figures")
        counters.by_day_and_month(figures, counters.WITH_ACCESS, more, "")
        transaction.commit()
        for settings, stopped in (
            ({"breaker_members": 100, "breaker_percent": 10}, None),
            ({"breaker_members": 21, "breaker_percent": 10}, {"members": 22, "limit": 21}),
            ({"breaker_members": 100, "breaker_percent": 7}, {"members": 22, "limit": 21}),
            # Records that an upgrade has not made yet read as None.
            ({"breaker_members": None, "breaker_percent": None}, None),
        ):
            with self.subTest(settings):
                found = mock.Mock(**settings)
                with mock.patch.object(sweep.plone_site, "settings", lambda found=found: found):
                    report = sweep.SweepReport(self.now, True, False)
                    report.lapsed = [{}] * 22
                    breaker.trip(self.portal, report, False)
                self.assertEqual(report.stopped, stopped)

    def test_the_rest_of_the_sweep_goes_on(self):
        self.crowd(25)
        self.later(days=31)
        with at("before plan", RuntimeError()), self.assertRaises(pipeline.Failed):
            self.buy(purchase_date="2026-06-03")
        report = self.sweep()
        self.assertIsNotNone(report.stopped)
        self.assertEqual(list(report.entries.values()), [Outcome.ACCEPTED])
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_a_group_that_is_made_is_no_way_round_it(self):
        self.settings(mapping=["1|premium|30", "2|gone"])
        self.crowd(25)
        for number in range(25):
            self.buy(
                buyer_email=f"buyer{number}@example.org",
                acquirer_transaction_id=f"T-second-{number}",
                c2s_transaction_id=f"R-second-{number}",
                product_id="2",
            )
        self.group("gone")
        self.later(days=31)
        report = self.sweep()
        self.assertEqual(report.stopped["members"], 25)
        self.assertEqual(report.granted, 0)
        self.assertIn("premium", self.groups("buyer7@example.org"))


class TestUnfinishedEntries(SweepTestCase):
    def test_failed_ones_are_taken_up(self):
        with at("before plan", RuntimeError()), self.assertRaises(pipeline.Failed):
            self.buy()
        self.assertEqual([outcome for outcome, *_rest in self.entries()], [Outcome.FAILED])
        self.assertIsNone(self.member())
        report = self.sweep()
        self.assertEqual(list(report.entries.values()), [Outcome.ACCEPTED])
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.sweep().entries, {})

    def test_one_that_fails_again_does_not_stop_the_others(self):
        numbers = range(3)
        for number in numbers:
            with at("before plan", RuntimeError()), self.assertRaises(pipeline.Failed):
                self.buy(
                    buyer_email=f"buyer{number}@example.org",
                    acquirer_transaction_id=f"T-{number}",
                )
        make = plan.make
        broken = self.buyer("buyer1@example.org")["id"]

        def fail(site, buyer, *args, **options):
            if buyer["id"] == broken:
                raise RuntimeError
            return make(site, buyer, *args, **options)

        with mock.patch.object(plan, "make", fail):
            report = self.sweep()
        self.assertEqual(
            sorted(report.entries.values()),
            [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.FAILED],
        )
        self.assertEqual(report.waiting["entries"], 1)
        self.assertEqual(self.sweep().entries, {})
        self.later(minutes=15)
        self.assertEqual(list(self.sweep().entries.values()), [Outcome.ACCEPTED])

    def test_failed_ones_are_taken_up_after_growing_pauses(self):
        with at("before plan", RuntimeError()), self.assertRaises(pipeline.Failed):
            self.buy()
        key = self.notification().key
        with at("before plan", RuntimeError()):
            # The first time at the next sweep.
            self.assertEqual(self.sweep().entries, {key: Outcome.FAILED})
            for pause in (15, 60, 240, 720, 1440, 1440):
                self.later(minutes=pause, seconds=-1)
                for dry_run in (True, False):
                    with self.no_commit():
                        report = self.sweep(dry_run=dry_run)
                    self.assertEqual(report.entries, {})
                    self.assertEqual(report.waiting, {"entries": 1, "mails": 0, "accounts": 0})
                self.later(seconds=1)
                for dry_run in (True, False):
                    report = self.sweep(dry_run=dry_run)
                    self.assertEqual(report.entries, {key: Outcome.FAILED})
                    self.assertEqual(report.waiting["entries"], 0 if dry_run else 1)
        as_of = timestamps.from_iso(ledger.get(self.portal, key)["retry_at"])
        report = self.sweep(dry_run=True, as_of=as_of)
        self.assertEqual(report.entries, {key: Outcome.FAILED})

    def test_neither_a_redelivery_nor_a_replay_waits(self):
        for again in (self.buy, lambda: pipeline.replay(self.notification().key)):
            with self.subTest(again):
                for _attempt in range(2):
                    with at("planned", RuntimeError()), self.assertRaises(pipeline.Failed):
                        again()
                self.assertEqual(self.sweep().waiting["entries"], 1)
                self.assertEqual(again().outcome, Outcome.ACCEPTED)
                self.assertEqual(self.sweep().waiting["entries"], 0)

    def test_what_is_not_due_is_not_looked_at(self):
        for number in range(3):
            with at("before plan", RuntimeError()), self.assertRaises(pipeline.Failed):
                self.buy(
                    buyer_email=f"buyer{number}@example.org",
                    acquirer_transaction_id=f"T-{number}",
                )
        with at("before plan", RuntimeError()):
            self.sweep()
        with mock.patch.object(entries, "at", wraps=entries.at) as looked:
            self.assertEqual(self.sweep().waiting["entries"], 3)
        self.assertEqual(looked.call_count, 0)
        for number in range(3):
            self.buy(
                buyer_email=f"buyer{number}@example.org", acquirer_transaction_id=f"T-{number}"
            )
        transaction.begin()
        self.assertEqual(len(trees.tree(self.portal, "retries")), 0)

    def test_those_whose_process_died_are_taken_up_after_two_minutes(self):
        # No Exception: nothing in the code catches it, as when a process is killed.
        with at("before plan", KeyboardInterrupt()), self.assertRaises(KeyboardInterrupt):
            self.buy()
        self.assertEqual([outcome for outcome, *_rest in self.entries()], [Outcome.RECEIVED])
        self.later(minutes=1)
        with self.no_commit():
            self.assertEqual(self.sweep().entries, {})
        self.later(minutes=2)
        self.assertEqual(list(self.sweep().entries.values()), [Outcome.ACCEPTED])
        self.assertEqual(self.groups(), ["click2sell", "premium"])


class TestMissingGroups(SweepTestCase):
    def test_are_given_when_they_are_made(self):
        self.settings(mapping=["1|gone|30"])
        self.buy()
        self.assertEqual(self.attention(), [["group missing", "gone"]])
        with self.no_commit():
            self.assertEqual(self.sweep().granted, 0)
        self.group("gone")
        self.assertEqual(self.sweep(dry_run=True).granted, 1)
        self.assertEqual(self.groups(), ["click2sell"])
        self.assertEqual(self.sweep().granted, 1)
        self.assertEqual(self.groups(), ["click2sell", "gone"])
        self.assertEqual(self.attention(), [])
        with self.no_commit():
            self.assertEqual(self.sweep().granted, 0)

    def test_a_member_who_waits_for_two_is_done_once(self):
        self.settings(mapping=["1|a|30", "1|b|30", "1|still gone|30"])
        self.buy()
        self.group("a")
        self.group("b")
        revision = self.buyer()["revision"]
        self.assertEqual(self.sweep().granted, 1)
        self.assertEqual(self.buyer()["revision"], revision + 1)
        self.assertEqual(self.groups(), ["a", "b", "click2sell"])
        self.assertEqual(self.buyer()["pending"], ("still gone",))


class TestMails(SweepTestCase):
    def setUp(self):
        super().setUp()
        self.settings(welcome_mail="password", site_address="http://nohost/plone")
        self.registry(
            site_title="Example Shop",
            smtp_host="127.0.0.1",
            smtp_port=1,
            email_from_name="The Shop",
            email_from_address="shop@example.com",
        )

    @contextmanager
    def server(self):
        """The mail server runs, inside."""
        with MailServer() as server:
            self.registry(smtp_port=server.port)
            yield server
        self.registry(smtp_port=1)

    def mail(self):
        """The one mail in the outbox."""
        transaction.begin()
        return dict(next(iter(trees.tree(self.portal, "mails").values())))

    def test_are_sent_when_the_server_is_back(self):
        self.crowd(3)
        self.later(minutes=1)
        # One mail finds out; the others are due, as it is.
        self.assertEqual(self.sweep().mails, {"sent": 0, "failed": 1, "due": 3})
        self.later(minutes=1)
        with self.server() as server:
            self.assertEqual(self.sweep().mails, {"sent": 3, "failed": 0, "due": 0})
            self.later(hours=1)
            self.assertEqual(self.sweep().mails, {"sent": 0, "failed": 0, "due": 0})
        self.assertEqual(len(server.messages), 3)
        self.assertEqual(
            {message["Message-ID"] for message in server.messages},
            {mail["message_id"] for mail in trees.tree(self.portal, "mails").values()},
        )

    def test_are_left_to_the_background(self):
        self.buy()
        woken = background.expect(background.MAIL)
        with self.server() as server:
            report = self.sweep(outside=False)
        self.assertEqual(report.mails, {"sent": 0, "failed": 0, "due": 1})
        self.assertTrue(woken.is_set())
        self.assertEqual(server.messages, [])

    def test_refused_for_good_wait_too(self):
        with ScriptedServer(RCPT=b"550 no such user\r\n") as server:
            self.registry(smtp_port=server.port)
            self.buy()
            for attempts, pause in ((1, 5), (2, 15), (3, 60)):
                mail = self.mail()
                self.assertEqual(mail["attempts"], attempts)
                self.assertIn("SMTPRecipientsRefused", mail["error"])
                self.later(minutes=pause, seconds=-1)
                with self.no_commit():
                    report = self.sweep()
                self.assertEqual(report.mails, {"sent": 0, "failed": 0, "due": 0})
                self.assertEqual(report.waiting, {"entries": 0, "mails": 1, "accounts": 0})
                self.later(seconds=1)
                self.assertEqual(self.sweep(dry_run=True).waiting["mails"], 0)
                self.assertEqual(self.sweep().mails, {"sent": 0, "failed": 1, "due": 0})

    def test_to_somebody_who_is_gone_are_neither_sent_nor_failed(self):
        self.buy()
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        self.later(minutes=5)
        self.assertEqual(self.sweep().mails, {"sent": 0, "failed": 0, "due": 0})
        self.assertEqual(self.mail()["state"], outbox.DROPPED)

    def test_one_that_cannot_be_written_does_not_stop_the_others(self):
        self.crowd(3)
        self.later(minutes=5)
        prepare = delivery._prepare
        broken = next(iter(trees.tree(self.portal, "mails_due")))[1]

        def fail(site, mail_id, *how):
            if mail_id == broken:
                raise RuntimeError
            return prepare(site, mail_id, *how)

        with self.server() as server, mock.patch.object(delivery, "_prepare", fail):
            report = self.sweep()
        self.assertEqual(report.mails["sent"], 2)
        self.assertEqual(len(server.messages), 2)


class TestCopyOfTheSite(SweepTestCase):
    def setUp(self):
        super().setUp()
        self.settings(welcome_mail="password")
        self.registry(smtp_host="127.0.0.1", smtp_port=1, email_from_address="shop@example.com")
        self.buy()
        self.later(days=31)

    def check(self):
        with MailServer() as server:
            self.registry(smtp_port=server.port)
            with self.no_commit():
                reports = [
                    self.sweep(),
                    self.sweep(confirmed=True),
                    self.sweep(dry_run=True),
                ]
            for report in reports:
                self.assertIs(report.as_json()["copy_of_the_site"], True)
                self.assertEqual([found["user_id"] for found in report.lapsed], [EMAIL])
                self.assertEqual(report.mails, {"sent": 0, "failed": 0, "due": 1})
            self.assertIn("premium", self.groups())
            # Nor is a purchase mailed, which a copy may get for a trial.
            self.buy(buyer_email="jane@example.org", acquirer_transaction_id="T-2")
            self.assertEqual(server.messages, [])

    def test_by_its_environment(self):
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            self.check()

    def test_by_its_address(self):
        self.settings(site_address="https://shop.example.com")
        self.layer["request"].setServerURL("https", "staging.example.com", 443)
        self.check()

    def test_the_site_itself(self):
        self.settings(site_address="https://shop.example.com")
        request = self.layer["request"]
        for protocol, host, port in (
            ("https", "shop.example.com", 443),
            ("https", "SHOP.example.com", 443),
            # As behind a proxy, and as in a script.
            ("http", "shop.example.com", 80),
            ("http", "nohost", 80),
        ):
            with self.subTest(f"{protocol}://{host}:{port}"):
                request.setServerURL(protocol, host, port)
                self.assertIs(self.sweep(dry_run=True).copy, False)


class TestDryRun(SweepTestCase):
    def test_tells_and_changes_nothing(self):
        self.buy()
        with at("before plan", RuntimeError()), self.assertRaises(pipeline.Failed):
            self.buy_again(buyer_email="jane@example.org")
        self.later(days=31)
        before = self.dump()
        with self.no_commit():
            report = self.sweep(dry_run=True)
            self.assertEqual([found["user_id"] for found in report.lapsed], [EMAIL])
            self.assertEqual(list(report.entries.values()), [Outcome.FAILED])
            # Nothing is left behind for somebody else's commit either.
            transaction.commit()
        self.assertEqual(self.dump(), before)

    def test_as_of_tells_who_will_have_lapsed(self):
        self.buy()
        self.subscribe(
            buyer_email="jane@example.org",
            acquirer_transaction_id="T-2",
            c2s_transaction_id="R-2",
        )
        for day, expected in (
            ("2026-06-01", []),
            ("2026-06-03", [EMAIL]),
            # With the days of grace.
            ("2026-06-06", [EMAIL, "jane@example.org"]),
        ):
            as_of = datetime.fromisoformat(f"{day}T12:00:00+00:00")
            with self.no_commit():
                report = self.sweep(dry_run=True, as_of=as_of)
            self.assertEqual([found["user_id"] for found in report.lapsed], expected)
            self.assertEqual(report.as_of, as_of)

    def test_as_of_counts_neither_silence_nor_the_breaker(self):
        for number in range(25):
            self.subscribe(
                buyer_email=f"buyer{number}@example.org",
                acquirer_transaction_id=f"T-{number}",
                c2s_transaction_id=f"R-{number}",
            )
            self.later(minutes=1)
        as_of = datetime(2026, 7, 1, tzinfo=timezone.utc)
        report = self.sweep(dry_run=True, as_of=as_of)
        self.assertEqual(len(report.lapsed), 25)
        self.assertEqual((report.silent, report.stopped), ({}, None))

    def test_as_of_cannot_be_applied(self):
        with self.assertRaises(ValueError):
            sweep.sweep(as_of=self.now)


class TestReport(SweepTestCase):
    def test_as_json(self):
        report = sweep.SweepReport(self.now, True, False, silent={"b": self.now})
        self.assertEqual(
            report.as_json(),
            {
                "as_of": "2026-05-03T18:00:00+00:00",
                "dry_run": True,
                "copy_of_the_site": False,
                "lapsed": [],
                "stopped": None,
                "silent_providers": {"b": "2026-05-03T18:00:00+00:00"},
                "entries": {},
                "missed": 0,
                "groups_given_late": 0,
                "accounts_made_late": 0,
                "reminded": 0,
                "mails": {"sent": 0, "failed": 0, "due": 0},
                "waiting": {"entries": 0, "mails": 0, "accounts": 0},
                "payloads_removed": 0,
                "busy": 0,
                "troubled": 0,
            },
        )
