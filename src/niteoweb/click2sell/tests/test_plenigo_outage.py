"""While plenigo cannot be reached: what waits, for whom, and for how long."""

from niteoweb.click2sell import catchup
from niteoweb.click2sell import provisioning
from niteoweb.click2sell.client import plenigo as client
from niteoweb.click2sell.fake.plenigo import TOKEN
from niteoweb.click2sell.providers import PLENIGO
from niteoweb.click2sell.sweep import sweep
from niteoweb.click2sell.tests.test_plenigo import JANE
from niteoweb.click2sell.tests.test_plenigo import PlenigoTestCase
from unittest import mock


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
        provisioning.replay(key)
        self.assertEqual(self.reasons(), [])
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])


class TestMistakes(OutageTestCase):
    """What a client has not thought of."""

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
            self.assertEqual(self.deliver(), [500, 200, 200])
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
