"""Deliveries with a wrong signature: they make no commit."""

from datetime import timedelta
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.callback import FORGED as COUNTER
from niteoweb.click2sell.tests.cases.callback import ForgeryTestCase
from niteoweb.click2sell.tests.cases.callback import MANY
from niteoweb.click2sell.tests.cases.process import Worker
from niteoweb.click2sell.worker import sweep as sweeping
from unittest import mock

import threading
import transaction


FORGED = deliveries.body(checksum="0" * 32, buyer_email="victim@example.org")


class TestForgery(ForgeryTestCase):
    def test_ten_thousand_make_no_commit_and_a_genuine_one_writes_them(self):
        size = self.portal._p_jar.db().getSize()
        with self.no_commit():
            for _number in range(MANY):
                self.assertEqual(self.deliver(FORGED), (403, "Checksum verification failed."))
        self.assertEqual(self.portal._p_jar.db().getSize(), size)
        self.assertEqual(self.remarks(), (0, ()))
        self.assertEqual(rejections.total(self.portal, COUNTER), MANY)
        self.assertEqual(self.deliver(deliveries.body())[0], 200)
        count, samples = self.remarks()
        self.assertEqual(count, MANY)
        self.assertEqual(len(samples), rejections.SAMPLES)
        # When it came and how long it was, nothing else.
        self.assertEqual({size for _time, size in samples}, {len(FORGED)})
        self.assertNotIn("victim", repr(samples))
        self.assertEqual(rejections.total(self.portal, COUNTER), MANY)

    def test_a_sweep_writes_them_and_a_dry_run_does_not(self):
        self.deliver(FORGED)
        with self.no_commit():
            self.sweep(dry_run=True)
        self.sweep()
        self.assertEqual(self.remarks()[0], 1)
        with self.no_commit():
            self.sweep()

    def test_once_a_minute(self):
        self.deliver(FORGED)
        self.sweep()
        for _number in range(3):
            self.deliver(FORGED)
        self.seconds += rejections.PAUSE - 1
        with self.no_commit():
            self.sweep()
        self.assertEqual(self.remarks()[0], 1)
        self.assertEqual(rejections.total(self.portal, COUNTER), 4)
        self.seconds += 1
        self.sweep()
        self.assertEqual(self.remarks()[0], 4)
        self.assertEqual(rejections.total(self.portal, COUNTER), 4)

    def test_a_sweep_beside_a_delivery_does_not_count_them_twice(self):
        """The delivery has written them and not yet taken them off the count in memory."""
        self.deliver(FORGED)
        written, go_on, forget = threading.Event(), threading.Event(), rejections._forget

        def slowly(*arguments):
            if not written.is_set():
                written.set()
                go_on.wait(30)
            forget(*arguments)

        def put(*arguments):
            real(*arguments)
            if written.is_set():
                go_on.set()

        real = writer._put

        notification = self.notification()
        site = self.portal._p_jar.db(), self.portal.getId()
        works = [lambda: pipeline.process(notification), sweeping.sweep]
        delivering, sweeper = (Worker(*site, work.__name__, work) for work in works)
        with (
            mock.patch.object(rejections, "_forget", slowly),
            mock.patch.object(writer, "_put", put),
        ):
            delivering.start()
            self.assertTrue(written.wait(30))
            sweeper.start()
            for worker in (delivering, sweeper):
                worker.join(30)
        self.assertEqual(delivering.result.outcome, Outcome.ACCEPTED)
        self.assertFalse(sweeper.result.busy)
        self.assertEqual(self.remarks()[0], 1)
        self.assertEqual(rejections.total(self.portal, COUNTER), 1)

    def test_what_was_not_committed_is_not_forgotten(self):
        rejections.note(self.portal, 10, self.now + timedelta(hours=1), COUNTER)
        transaction.begin()
        rejections.write(self.portal)
        transaction.abort()
        self.assertEqual(self.remarks()[0], 0)
        self.assertEqual(rejections.total(self.portal, COUNTER), 1)
        self.sweep()
        self.assertEqual(self.remarks(), (1, (("2026-05-03T19:00:00.000000+00:00", 10),)))
