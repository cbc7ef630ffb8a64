"""The clock: when the sweep runs by itself, who runs it, and what is written down."""

from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.tests.cases.sweeps import SweepTestCase
from niteoweb.click2sell.worker import clock
from niteoweb.click2sell.worker import sweep
from unittest import mock

import os
import transaction


class ClockTestCase(SweepTestCase):
    def last(self):
        transaction.begin()
        return schedule.last_run(self.portal)

    def turn(self, process="one"):
        """Let a process look whether the sweep is due.

        :returns: whether it ran.
        """
        transaction.begin()
        with (
            mock.patch.object(clock, "_HOLDER", process),
            mock.patch.object(clock.sweep, "sweep", wraps=sweep.sweep) as swept,
        ):
            clock.turn()
        return swept.called

    def request(self, **options):
        schedule.request(self.portal, "jane", self.now, **options)
        transaction.commit()

    def die(self, process="other"):
        """A process takes the sweep up, and dies before its end."""
        taken = schedule.take(self.portal, process, timedelta(minutes=10), self.now)
        self.assertIsNotNone(taken)
        schedule.begin(self.portal, taken.by, self.now)
        transaction.commit()


class TestRun(ClockTestCase):
    def test_is_written_down(self):
        self.buy()
        self.later(days=31)
        report = clock.run(schedule.COMMAND)
        last = self.last()
        self.assertEqual((last.begun_at, last.by), (self.now, schedule.COMMAND))
        self.assertEqual(last.numbers, report.numbers())
        self.assertEqual(last.numbers["lapsed"], 1)
        self.assertGreaterEqual(last.seconds, 0)
        self.assertIsNone(last.stopped)

    def test_one_that_stopped(self):
        self.crowd(25)
        self.later(days=31)
        clock.run(schedule.CLOCK)
        self.assertEqual(self.last().stopped, {"members": 25, "limit": 20})
        self.assertEqual(self.last().numbers["lapsed"], 0)
        clock.run("jane", confirmed=True)
        self.assertIsNone(self.last().stopped)
        self.assertEqual(self.last().numbers["lapsed"], 25)

    def test_one_that_died(self):
        with (
            mock.patch.object(clock.sweep, "sweep", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            clock.run(schedule.CLOCK)
        last = self.last()
        self.assertEqual((last.seconds, last.numbers), (None, None))

    def test_no_address_is_written_down(self):
        self.buy()
        self.later(days=31)
        clock.run(schedule.CLOCK)
        self.assertNotIn("@", repr(vars(self.last())))

    def test_a_copy_records_nothing(self):
        self.buy()
        self.later(days=31)
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"), self.no_commit():
            report = clock.run(schedule.CLOCK)
        self.assertTrue(report.copy)
        self.assertIsNone(self.last())
        self.assertIn("premium", self.groups())


class TestTurn(ClockTestCase):
    def test_a_confirmation_does_not_last(self):
        self.crowd(25)
        self.later(days=31)
        self.request(confirmed=True)
        self.later(minutes=15)
        self.assertTrue(self.turn())
        self.assertEqual((self.last().by, self.last().numbers["lapsed"]), ("jane", 0))
        self.request(confirmed=True)
        self.later(minutes=14)
        self.assertTrue(self.turn())
        self.assertEqual(self.last().numbers["lapsed"], 25)

    def test_when_it_is_due_and_not_before(self):
        self.assertTrue(self.turn())
        self.assertEqual(self.last().by, schedule.CLOCK)
        self.later(minutes=9)
        with self.no_commit():
            self.assertFalse(self.turn())
        self.later(minutes=1)
        self.assertTrue(self.turn())
        self.assertEqual(self.last().begun_at, self.now)

    def test_the_pause_is_a_setting(self):
        self.settings(sweep_minutes=60)
        self.assertTrue(self.turn())
        self.later(minutes=59)
        self.assertFalse(self.turn())
        self.later(minutes=1)
        self.assertTrue(self.turn())

    def test_a_setting_that_an_upgrade_has_not_made_yet(self):
        with mock.patch.object(
            plone_site, "settings", return_value=mock.Mock(sweep_minutes=None)
        ):
            self.assertEqual(effective.sweep_pause(), timedelta(minutes=10))

    def test_never_where_cron_calls_it_but_for_an_owner(self):
        self.settings(sweep_minutes=0)
        self.assertIsNone(effective.sweep_pause())
        self.assertFalse(self.turn())
        self.request()
        self.assertTrue(self.turn())
        self.assertEqual(self.last().by, "jane")
        self.assertFalse(self.turn())

    def test_an_owner_does_not_wait(self):
        self.assertTrue(self.turn())
        self.later(minutes=1)
        self.request()
        self.assertTrue(self.turn())
        self.assertEqual(self.last().by, "jane")
        transaction.begin()
        self.assertIsNone(schedule.requested(self.portal))
        self.assertFalse(self.turn())

    def test_an_owner_who_confirms(self):
        self.crowd(25)
        self.later(days=31)
        self.request(confirmed=True)
        self.turn()
        self.assertEqual(self.last().numbers["lapsed"], 25)
        self.assertIsNone(self.last().stopped)

    def test_neither_providers_nor_the_mail_server_are_waited_for(self):
        with mock.patch.object(clock.sweep, "sweep", wraps=sweep.sweep) as swept:
            clock.turn()
        swept.assert_called_once_with(confirmed=False, outside=False)


class TestLease(ClockTestCase):
    def test_one_process_at_a_time(self):
        self.die()
        self.request()
        self.later(minutes=14)
        self.assertFalse(self.turn("one"))
        self.assertTrue(self.turn("other"))

    def test_the_end_of_a_run_gives_it_back(self):
        self.assertTrue(self.turn("one"))
        self.later(minutes=10)
        self.assertTrue(self.turn("other"))

    def test_one_process_is_faster_than_another(self):
        pause, now = timedelta(minutes=10), self.now
        self.assertTrue(schedule.is_due(self.portal, "one", pause, now))
        self.die()
        self.assertIsNone(schedule.take(self.portal, "one", pause, now))

    def test_a_process_that_died(self):
        self.die()
        self.later(minutes=15)
        self.assertTrue(self.turn("one"))
        self.assertEqual(self.last().begun_at, self.now)
        self.assertIsNotNone(self.last().numbers)

    def test_a_clock_that_was_put_back(self):
        self.later(days=1)
        self.die()
        self.later(days=-1)
        self.assertTrue(self.turn("one"))

    def test_a_clock_that_was_ahead_for_one_run(self):
        self.later(days=1)
        self.assertTrue(self.turn())
        self.later(days=-1)
        self.assertTrue(self.turn())
        self.assertEqual(self.last().begun_at, self.now)
        self.later(minutes=9)
        self.assertFalse(self.turn())
        self.later(minutes=1)
        self.assertTrue(self.turn())


class TestThreads(ClockTestCase):
    def test_a_site_without_a_public_address_has_none(self):
        """A request that sweeps has to ask providers and send mail itself."""
        background.expect(background.CLOCK)
        self.addCleanup(background.stop_expecting)
        self.addCleanup(plone_site._reached.clear)
        plone_site.note_reached(None)
        self.assertFalse(clock.is_run_by_thread())
        self.settings(site_address="http://nohost/plone")
        plone_site.note_reached(None)
        self.assertTrue(clock.is_run_by_thread())
