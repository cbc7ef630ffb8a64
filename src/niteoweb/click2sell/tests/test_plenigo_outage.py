"""While plenigo cannot be reached: what waits, for whom, and for how long."""

from niteoweb.click2sell import provisioning
from niteoweb.click2sell.fake.plenigo import TOKEN
from niteoweb.click2sell.sweep import sweep
from niteoweb.click2sell.tests.test_plenigo import JANE
from niteoweb.click2sell.tests.test_plenigo import PlenigoTestCase


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
