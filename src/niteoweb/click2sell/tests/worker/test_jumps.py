"""A machine's clock that jumps: no access ends by it, and what it put off does not wait."""

from dataclasses import replace
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.notification import VALIDATION
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import validation
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.layers import NOW
from niteoweb.click2sell.tests.cases.sweeps import at
from niteoweb.click2sell.tests.cases.sweeps import SilenceTestCase
from niteoweb.click2sell.tests.cases.sweeps import SweepTestCase
from niteoweb.click2sell.worker import access
from niteoweb.click2sell.worker import breaker
from niteoweb.click2sell.worker import catchup
from niteoweb.click2sell.worker import clock
from unittest import mock

import itertools
import transaction


class JumpTestCase(SweepTestCase):
    def run_sweep(self, confirmed=False):
        transaction.begin()
        report = clock.run(schedule.COMMAND, confirmed)
        transaction.begin()
        return report

    def restart(self):
        """Another process goes on: it knows nothing of the time before it."""
        breaker._trusted.clear()

    def assert_stopped(self, hours, members=1):
        stopped = {"members": members, "limit": 0, "hours_off": hours}
        self.assertEqual(self.run_sweep().stopped, stopped)
        self.assertEqual(schedule.last_run(self.portal).stopped, stopped)
        self.assertIn("premium", self.groups())


class TestJump(JumpTestCase):
    def setUp(self):
        super().setUp()
        self.buy()
        self.later(days=20)
        self.restart()
        self.assertFalse(self.run_sweep().stopped)
        self.later(minutes=10)

    def test_ahead(self):
        for days in (11, 365):
            with self.subTest(days):
                self.jump(days=days)
                self.assert_stopped(24 * days)
                self.later(minutes=10)
                self.assert_stopped(24 * days)
                self.jump(days=-days)
                self.assertIsNone(self.run_sweep().stopped)
                self.assertIn("premium", self.groups())

    def test_ahead_while_another_process_takes_over(self):
        self.jump(days=365)
        self.restart()
        self.assert_stopped(365 * 24)

    def test_by_a_day_where_cron_calls_it_once_a_day(self):
        self.settings(sweep_minutes=0)
        for _day in range(2):
            self.later(days=1)
            self.restart()
            self.assertIsNone(self.run_sweep().stopped)
        self.jump(days=1)
        self.later(days=1)
        self.restart()
        self.assert_stopped(48, members=0)

    def test_back(self):
        self.later(days=9, hours=23)
        self.assertIsNone(self.run_sweep().stopped)
        self.assertNotIn("premium", self.groups())
        self.jump(days=-1)
        report = self.run_sweep()
        self.assertEqual(report.stopped["hours_off"], 24)
        self.assertNotIn("premium", self.groups())

    def test_confirmed(self):
        self.jump(days=11)
        self.assert_stopped(264)
        self.assertIsNone(self.run_sweep(confirmed=True).stopped)
        self.assertNotIn("premium", self.groups())
        self.later(minutes=10)
        self.assertIsNone(self.run_sweep().stopped)

    def test_a_clock_that_goes_right(self):
        # The process ran, the sweep did not: cron called nobody.
        self.later(days=11)
        self.assertIsNone(self.run_sweep().stopped)
        self.assertNotIn("premium", self.groups())

    def test_nothing_is_redacted(self):
        self.settings(payload_days=30)
        self.jump(days=365)
        with mock.patch.object(clock.sweep.retention, "redact") as redact:
            self.run_sweep()
        redact.assert_not_called()

    def test_the_owner_is_told_and_of_nothing_else(self):
        address = self.portal.absolute_url()
        self.settings(alert_addresses=["owner@example.org"], site_address=address)
        self.jump(days=365)
        self.run_sweep()
        self.assertEqual(self.kinds(), [outbox.DOUBTED])
        self.jump(days=-365)
        self.run_sweep()
        self.assertEqual(sorted(self.kinds()), sorted([outbox.DOUBTED, outbox.RESUMED]))
        for mail in trees.tree(self.portal, "mails").values():
            self.assertNotIn("${", delivery.alertmessages.message(mail).get_content())

    def kinds(self):
        return [mail["kind"] for mail in trees.tree(self.portal, "mails").values()]


class TestGivenBack(JumpTestCase):
    """A jump that nothing has noticed: the first sweep whose clock is right gives back."""

    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium|30", "2|course", "3|day|1"])

    def test_access_that_a_sweep_took(self):
        self.buy()
        self.later(days=29, hours=12)
        self.run_sweep()
        self.jump(hours=6)
        self.restart()
        self.run_sweep()
        self.assertNotIn("premium", self.groups())
        self.jump(hours=-6)
        self.restart()
        self.assertEqual(self.sweep(dry_run=True).granted, 1)
        self.assertEqual(self.run_sweep().granted, 1)
        self.assertIn("premium", self.groups())
        with self.no_commit():
            self.assertEqual(self.sweep().granted, 0)
        self.later(hours=6)
        self.run_sweep()
        self.assertNotIn("premium", self.groups())

    def test_a_clock_that_goes_on_meanwhile(self):
        """A sweep is not the next one, which looks again at what it took."""
        self.buy()
        self.later(days=29)
        self.run_sweep()
        self.jump(hours=30)
        self.restart()
        self.settings(sweep_minutes=0)
        ahead, ticks = self.now, itertools.count()
        with mock.patch.object(
            timestamps, "now", lambda: ahead + timedelta(seconds=next(ticks))
        ):
            self.assertEqual(self.run_sweep().numbers()["lapsed"], 1)
        self.jump(hours=-30)
        self.run_sweep()
        self.assertIn("premium", self.groups())

    def test_access_that_a_delivery_took(self):
        self.buy()
        self.later(days=29)
        self.jump(days=2)
        self.buy(product_id="2", acquirer_transaction_id="T-2", c2s_transaction_id="R-2")
        self.assertNotIn("premium", self.groups())
        self.jump(days=-2)
        self.run_sweep()
        self.assertIn("premium", self.groups())

    def test_access_that_was_bought_meanwhile(self):
        self.run_sweep()
        self.jump(days=60)
        self.buy()
        self.assertNotIn("premium", self.groups())
        self.run_sweep()
        self.jump(days=-60)
        self.run_sweep()
        self.assertIn("premium", self.groups())

    def test_access_that_had_not_begun(self):
        self.run_sweep()
        self.jump(days=20)
        begins = self.now - timedelta(days=5)
        pipeline.process(replace(self.notification(), valid_from=begins))
        self.assertIn("premium", self.groups())
        self.run_sweep()
        self.jump(days=-20)
        self.run_sweep()
        self.assertNotIn("premium", self.groups())
        self.later(days=15)
        self.run_sweep()
        self.assertIn("premium", self.groups())

    def test_access_that_waited_for_a_renewal(self):
        """By a clock that is ahead all providers are silent."""
        self.subscribe()
        self.run_sweep()
        self.jump(days=90)
        with mock.patch.object(silence, "silent", lambda *_: {"click2sell": NOW}):
            self.buy_again(product_id="2")
            self.run_sweep()
        self.jump(days=-90)
        for _check in range(2):
            self.assertIn("premium", self.groups())
            self.run_sweep()
            self.later(days=34)
        self.assertNotIn("premium", self.groups())

    def test_one_that_cannot_be_given_back_now_is_looked_at_again(self):
        self.buy()
        self.later(days=29)
        self.jump(days=2)
        self.sweep()
        self.jump(days=-2)
        with (
            mock.patch.object(pipeline, "provision", side_effect=RuntimeError),
            self.assertLogs("niteoweb.click2sell", "ERROR"),
        ):
            self.assertEqual(self.run_sweep().troubled, 1)
        self.run_sweep()
        self.assertIn("premium", self.groups())

    def test_the_check_goes_on_where_the_database_is_busy(self):
        self.buy()
        self.later(days=29)
        self.jump(days=2)
        self.sweep()
        self.jump(days=-2)
        with mock.patch.object(access, "_settle", side_effect=transactions.Busy):
            report = self.run_sweep()
        self.assertEqual((report.granted, report.busy), (1, 1))
        self.assertEqual(len(trees.tree(self.portal, "access_ended")), 1)

    def test_nothing_is_kept_for_ever(self):
        self.buy()
        self.later(days=31)
        self.sweep()
        self.assertEqual(len(trees.tree(self.portal, "access_ended")), 1)
        self.later(days=8)
        self.sweep()
        self.assertEqual(len(trees.tree(self.portal, "access_ended")), 0)


class TestPutOff(JumpTestCase):
    """Work that a clock which was ahead has put off."""

    def test_an_entry_that_failed(self):
        self.jump(days=1)
        with at("before plan", RuntimeError()), self.assertRaises(pipeline.Failed):
            self.buy()
        with at("before plan", RuntimeError()):
            self.run_sweep()
        self.jump(days=-1)
        self.run_sweep()
        entry = ledger.get(self.portal, self.notification().key)
        self.assertEqual(entry["outcome"], Outcome.ACCEPTED)

    def test_a_mail(self):
        self.settings(
            welcome_mail="link", site_address=self.portal.absolute_url(), sweep_minutes=0
        )
        self.registry(email_from_address="site@example.org")
        self.run_sweep()
        self.jump(days=1)
        with mock.patch.object(messages, "send", side_effect=ValueError):
            self.buy()
            self.restart()
            self.run_sweep()
        self.jump(days=-1)
        with mock.patch.object(messages, "send") as send:
            self.run_sweep()
        send.assert_called_once()

    def test_a_paced_mail_keeps_its_time(self):
        mail = outbox.file(self.portal, outbox.NOTICE, "x", "x@e.org", "1", self.now, "e.org")
        outbox.postpone(self.portal, mail, self.now + timedelta(days=3))
        outbox.hasten(self.portal, self.now + timedelta(hours=1))
        self.assertEqual(mail["due_at"], timestamps.iso(self.now + timedelta(days=3)))

    def test_questions_to_providers(self):
        provider = registry.get("plenigo")
        self.jump(days=1)
        silence.note_asked(self.portal, provider.name, self.now)
        self.jump(days=-1)
        since = catchup.since(self.portal, provider, self.now)
        self.assertEqual(since, self.now - catchup.AT_FIRST)

    def test_validations(self):
        self.jump(days=1)
        for number in range(validation.A_MINUTE):
            process = validation.begin(self.portal, VALIDATION, str(number), "x", self.now)
        process["question"] = "1"
        self.assertTrue(validation.may_ask(process, self.now))
        # Of two at once the second may have begun first.
        self.assertFalse(validation.may_ask(process, self.now - timedelta(milliseconds=1)))
        self.jump(days=-1)
        validation.begin(self.portal, VALIDATION, "last", "x", self.now)
        self.assertTrue(validation.may_ask(process, self.now))


class TestSilence(SilenceTestCase):
    def test_arrivals_by_a_clock_that_was_ahead_do_not_hide_it(self):
        self.arrivals(30, hours=1)
        self.jump(days=365)
        self.arrivals(3, minutes=1)
        self.jump(days=-365)
        self.later(hours=25)
        self.assertEqual(set(self.silent()), {"click2sell"})
