"""While plenigo cannot be reached: what waits, for whom, and for how long."""

from contextlib import ExitStack
from niteoweb.click2sell.provider import exchange
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo.fake import TOKEN
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER as PLENIGO
from niteoweb.click2sell.provisioning import enrichment
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import PlenigoTestCase
from niteoweb.click2sell.worker import catchup
from niteoweb.click2sell.worker import unfinished
from niteoweb.click2sell.worker.report import SweepReport
from niteoweb.click2sell.worker.sweep import sweep
from unittest import mock

import threading


class OutageTestCase(PlenigoTestCase):
    def setUp(self):
        super().setUp()
        self.fake.callbacks.pending.clear()

    def pass_time(self, **time):
        """Let time pass, here and at plenigo."""
        self.later(**time)
        self.fake.clock.move(**time)


class TestLongOutage(OutageTestCase):
    def test_an_answer_that_comes_days_later_counts(self):
        self.fake.subscribe(self.jane, "gold")
        self.fake.outage = True
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            self.deliver()
        self.pass_time(days=3)
        self.fake.outage = False
        sweep()
        self.assertEqual(self.reasons(), [])
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])

    def test_so_does_one_that_a_token_had_to_be_entered_for(self):
        self.set(api_token=None)
        self.fake.subscribe(self.jane, "gold")
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            self.deliver()
        self.pass_time(days=3)
        self.set(api_token=TOKEN)
        (key,) = self.keys()
        pipeline.replay(key)
        self.assertEqual(self.reasons(), [])
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])


class TestWhileItHangs(OutageTestCase):
    """plenigo takes questions and does not answer them."""

    def setUp(self):
        super().setUp()
        back = threading.Event()
        usual = self.fake.answer

        def hang(request):
            back.wait()
            return usual(request)

        self.enterContext(mock.patch.object(self.fake, "answer", hang))
        # The limits end when it answers, since it may be slow.
        self.hanging = self.enterContext(ExitStack())
        self.hanging.callback(back.set)
        for module, name, limit in (
            (exchange, "TIMEOUT", (1, 1)),
            (jsonapi, "PATIENCE", 1),
        ):
            self.hanging.enter_context(mock.patch.object(module, name, limit))

    def lose(self, count):
        """Let so many callbacks arrive, which have to wait."""
        for _number in range(count):
            self.fake.subscribe(self.jane, "gold")
        with mock.patch.object(enrichment, "hand_over") as left:
            self.assertEqual(self.deliver(), [200] * count)
        self.assertEqual(left.call_count, count)

    def test_no_callback_waits_for_it(self):
        self.lose(3)
        self.assertEqual(self.fake.requests, [])
        self.assertEqual([outcome for outcome, *_ in self.entries()], ["received"] * 3)

    def test_one_question_finds_out_and_the_others_are_not_asked(self):
        self.lose(3)
        report = SweepReport(self.now, dry_run=False, copy=False)
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            self.assertEqual(unfinished.ask(report), {"plenigo"})
        self.assertEqual(len(self.fake.requests), 1)
        self.assertEqual(self.reasons(), [("failed", "unreachable")])
        self.assertEqual(unfinished.ask(report, {"plenigo"}), set())
        self.assertEqual(len(self.fake.requests), 1)

    def test_a_replay_waits_for_it_too(self):
        self.lose(1)
        (key,) = self.keys()
        with mock.patch.object(enrichment, "hand_over") as left:
            self.assertEqual(pipeline.replay(key).outcome, "received")
        self.assertEqual(left.call_count, 1)
        self.hanging.close()
        pipeline.resume(key)
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])

    def test_the_next_sweep_after_it_finishes_all(self):
        self.lose(3)
        self.later(hours=7)
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            report = sweep()
        # Of those that wait one was asked about; the other question is what has changed.
        self.assertEqual(list(report.entries.values()), ["failed"])
        self.hanging.close()
        report = sweep(dry_run=True)
        self.assertEqual(sorted(report.entries.values()), ["failed", "received", "received"])
        report = sweep()
        self.assertEqual(list(report.entries.values()), ["accepted"] * 3)
        self.assertEqual((report.waiting["entries"], self.reasons()), (0, []))
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        self.fake.subscribe(self.jane, "offer", access_right="right-2")
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell", "course", "premium"])

    def test_each_sweep_begins_with_another_one(self):
        self.lose(1)
        self.later(seconds=1)
        self.lose(1)
        self.hanging.close()
        complete, asked = client.complete, []

        def fail(notification, *args):
            asked.append(notification.transaction)
            if notification.transaction == "1":
                raise Unreachable("status 500")
            return complete(notification, *args)

        with (
            mock.patch.object(client, "complete", fail),
            mock.patch.object(catchup, "run"),
            self.assertLogs("niteoweb.click2sell", "WARNING"),
        ):
            for _sweep in range(3):
                self.later(minutes=5)
                sweep()
        self.assertEqual(asked, ["1", "2", "1", "1"])
        self.assertEqual(self.reasons(), [("failed", "unreachable")])

    def test_switched_off_nothing_is_asked(self):
        self.lose(1)
        self.hanging.close()
        self.set(enabled=False)
        self.assertEqual(sweep().entries, {})
        (key,) = self.keys()
        self.assertEqual(pipeline.resume(key).reason, "unreachable")
        self.assertEqual(self.fake.requests, [])
        self.set(enabled=True)
        self.assertEqual(list(sweep().entries.values()), ["accepted"])


class TestMistakes(OutageTestCase):
    """Errors that a client did not foresee."""

    def test_one_that_cannot_be_asked_about_does_not_stop_the_others(self):
        complete = client.complete
        self.fake.subscribe(self.jane, "gold")
        joan = self.fake.add_customer("joan@example.org")
        self.fake.subscribe(joan, "gold")

        def fail(notification, *args):
            if notification.customer_id == self.jane:
                raise RecursionError(JANE)
            return complete(notification, *args)

        with (
            mock.patch.object(client, "complete", fail),
            self.assertLogs("niteoweb.click2sell", "ERROR") as logged,
        ):
            self.assertEqual(self.deliver(), [200, 200, 200])
            report = sweep()
        self.assertNotIn(JANE, "".join(logged.output))
        self.assertEqual(list(report.entries.values()), ["failed"])
        self.assertEqual(self.groups("joan@example.org"), ["click2sell", "premium"])
        self.later(minutes=16)
        self.assertEqual(set(sweep().entries.values()), {"accepted"})
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])

    def test_a_list_that_cannot_be_read_does_not_stop_the_sweep(self):
        with (
            mock.patch.object(client, "changes", side_effect=KeyError(JANE)),
            self.assertLogs("niteoweb.click2sell", "ERROR") as logged,
        ):
            report = sweep()
        self.assertEqual(report.troubled, 1)
        self.assertNotIn(JANE, "".join(logged.output))
        self.assertEqual(
            catchup.since(self.portal, PLENIGO, self.now), self.now - catchup.AT_FIRST
        )
