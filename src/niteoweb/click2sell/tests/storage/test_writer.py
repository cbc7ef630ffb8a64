"""Jobs that run one after the other, and their database connection."""

from contextlib import ExitStack
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases.process import Worker
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone.app.testing import PLONE_SITE_ID
from plone.memoize.view import memoize_contextless
from unittest import mock
from unittest import TestCase
from ZODB.POSException import StorageError

import threading
import time
import transaction


WAIT = 30


class TestTurns(TestCase):
    def setUp(self):
        self.lock = writer.Turns()
        self.came = []

    def come(self, number):
        """A thread that waits for the lock."""

        def work():
            with self.lock:
                self.came.append(number)

        thread = threading.Thread(target=work)
        before = len(self.lock._waiting)
        thread.start()
        deadline = time.monotonic() + WAIT
        while len(self.lock._waiting) == before and time.monotonic() < deadline:
            time.sleep(0.001)
        return thread

    def test_in_the_order_of_asking(self):
        with self.lock:
            threads = [self.come(number) for number in range(20)]
            self.assertEqual(self.came, [])
        for thread in threads:
            thread.join(WAIT)
        self.assertEqual(self.came, list(range(20)))
        self.assertFalse(self.lock.locked())

    def test_free_again_after_an_error(self):
        with self.assertRaises(ValueError), self.lock:
            self.assertTrue(self.lock.locked())
            raise ValueError
        self.assertFalse(self.lock.locked())
        with self.lock:
            self.assertTrue(self.lock.locked())

    def test_whoever_waits_gets_it_after_an_error(self):
        with self.assertRaises(ValueError), self.lock:
            thread = self.come(1)
            raise ValueError
        thread.join(WAIT)
        self.assertEqual(self.came, [1])
        self.assertFalse(self.lock.locked())


class View:
    """Remembers the site for the time of a request, as plone_portal_state does."""

    def __init__(self, context, request):
        self.context, self.request = context, request

    @memoize_contextless
    def site(self):
        return plone_site.get()


class TestConnection(SiteTestCase):
    def connection(self):
        return plone_site.get()._p_jar

    def in_a_thread(self, work):
        """Do something as a request of another thread does, with a connection of its own."""
        worker = Worker(self.portal._p_jar.db(), PLONE_SITE_ID, "another", work)
        worker.start()
        worker.join(WAIT)
        return worker.result

    def seen(self):
        with writer.section():
            return self.connection()

    def test_all_threads_share_one(self):
        outside, shared = self.connection(), self.seen()
        self.assertIsNot(shared, outside)
        self.assertIs(self.seen(), shared)
        self.assertIs(self.in_a_thread(self.seen), shared)
        self.assertIs(self.connection(), outside)

    def test_the_same_site(self):
        with writer.section():
            inside = plone_site.get()
            self.assertIsNot(inside, self.portal)
            self.assertEqual(inside.getPhysicalPath(), self.portal.getPhysicalPath())
            self.assertEqual(inside.absolute_url(), self.portal.absolute_url())

    def test_what_one_thread_left_in_the_cache_is_there_for_the_next(self):
        """The third purchase loads next to nothing, whichever thread brings it."""

        def buy(number):
            def work():
                self.buy(
                    buyer_email=f"buyer{number}@example.org",
                    acquirer_transaction_id=str(number),
                    c2s_transaction_id=str(number),
                )

            return work

        self.in_a_thread(buy(1))
        self.in_a_thread(buy(2))
        shared = self.seen()
        shared.getTransferCounts(clear=True)
        self.in_a_thread(buy(3))
        loaded, stored = shared.getTransferCounts()
        self.assertGreater(stored, 40)
        self.assertLess(loaded, 10)

    def test_what_was_committed_outside_is_seen_inside(self):
        self.seen()
        for way in ("link", "none", "password"):
            self.settings(welcome_mail=way)
            with writer.section():
                self.assertEqual(plone_site.settings().welcome_mail, way)

    def test_what_was_committed_inside_is_seen_outside(self):
        for way in ("link", "none", "password"):
            self.assertNotEqual(plone_site.settings().welcome_mail, way)
            with writer.section():
                plone_site.settings().welcome_mail = way
                transaction.commit()
            self.assertEqual(plone_site.settings().welcome_mail, way)

    def test_what_was_not_committed_is_forgotten_on_both_sides(self):
        plone_site.settings().welcome_mail = "link"
        with writer.section():
            self.assertEqual(plone_site.settings().welcome_mail, "none")
            plone_site.settings().welcome_mail = "password"
        self.assertEqual(plone_site.settings().welcome_mail, "none")
        with writer.section():
            self.assertEqual(plone_site.settings().welcome_mail, "none")

    def test_what_plone_remembers_for_a_request_stays_on_its_side(self):
        view = View(self.portal, self.layer["request"])
        outside = view.site()
        with writer.section():
            self.assertIs(view.site()._p_jar, self.connection())
        self.assertIs(view.site()._p_jar, outside._p_jar)
        self.assertIs(view.site()._p_jar, self.connection())

    def test_variables_of_the_request_are_those_of_before(self):
        request = self.layer["request"]
        request.set("before", "here")
        with writer.section():
            self.assertEqual(request["before"], "here")
            request.set("inside", "here")
        self.assertEqual(request["before"], "here")
        self.assertNotIn("inside", request)

    def test_an_error_leaves_everything_as_it_was(self):
        manager, site = transaction.manager.manager, plone_site.get()
        with self.assertRaises(ValueError), writer.section():
            plone_site.settings().welcome_mail = "link"
            raise ValueError
        self.assertIs(transaction.manager.manager, manager)
        self.assertIs(plone_site.get()._p_jar, site._p_jar)
        self.assertFalse(writer.lock.locked())
        self.assertEqual(plone_site.settings().welcome_mail, "none")
        with writer.section():
            self.assertEqual(plone_site.settings().welcome_mail, "none")

    def test_the_database_is_away(self):
        self.seen()
        manager = transaction.manager.manager
        away = mock.patch.object(
            transaction.TransactionManager, "begin", side_effect=StorageError("away")
        )
        with away, self.assertRaises(transactions.Busy), writer.section():
            self.fail("There is no database.")
        self.assertIs(transaction.manager.manager, manager)
        self.assertFalse(writer.lock.locked())
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_a_connection_that_cannot_be_used_any_more_is_given_up(self):
        shared = self.seen()
        end = mock.patch.object(
            transaction.TransactionManager, "abort", side_effect=StorageError("gone")
        )
        warned = self.assertLogs("niteoweb.click2sell", "WARNING")
        with warned, ExitStack() as stack, writer.section():
            plone_site.settings().welcome_mail = "link"
            stack.enter_context(end)
        self.assertIsNot(self.seen(), shared)
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_no_transaction_is_left_open_between_two(self):
        """An open transaction of PostgreSQL would keep it from cleaning up."""
        shared = self.seen()
        with self.assertRaises(transaction.interfaces.NoTransaction):
            shared.transaction_manager.get()

    def test_the_transactions_in_it_are_of_the_connection(self):
        """Work under the lock joins the shared connection, and nothing else."""
        jars = []

        def note(name):
            if name == "before commit":
                jars.extend(transaction.get()._resources)

        with mock.patch.object(steps, "reached", note):
            self.buy()
        self.assertEqual(jars, [self.seen()])
