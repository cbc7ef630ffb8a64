"""The writer: a thread that does jobs one after the other, through a connection of its own."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import session
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases.process import Worker
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api
from plone.app.testing import PLONE_SITE_ID
from plone.memoize.view import memoize_contextless
from unittest import mock
from urllib.parse import urlsplit
from ZODB.POSException import StorageError
from zope.globalrequest import getRequest
from zope.interface import alsoProvides
from zope.interface import Interface

import threading
import transaction


WAIT = 30


def note(site, number):
    """Change something in the database."""
    trees.tree(site, "remarks")["noted by a test"] = number


def noted(site):
    """The number that :func:`note` has written, None for none."""
    return trees.tree(site, "remarks").get("noted by a test")


class View:
    """Remembers the site for the time of a request, as plone_portal_state does."""

    def __init__(self, context, request):
        self.context, self.request = context, request

    @memoize_contextless
    def site(self):
        return plone_site.get()


class ILayer(Interface):
    """A browser layer."""


class WriterTestCase(SiteTestCase):
    def in_a_thread(self, work, name="another", wait=True):
        """Do something as a request of another thread does, with a connection of its own."""
        worker = Worker(self.portal._p_jar.db(), PLONE_SITE_ID, name, work)
        worker.start()
        if not wait:
            return worker
        worker.join(WAIT)
        return worker.result

    def occupied(self):
        """Keep the writer busy until the event that is returned is set."""
        begun, go_on = threading.Event(), threading.Event()

        def work(site):
            begun.set()
            go_on.wait(WAIT)
            return "done"

        worker = self.in_a_thread(lambda: writer.run(work), wait=False)
        self.addCleanup(worker.join, WAIT)
        self.addCleanup(go_on.set)
        self.assertTrue(begun.wait(WAIT))
        return go_on

    def thread(self):
        """The thread that does a job."""
        return writer.run(lambda site: threading.current_thread())


class TestJobs(WriterTestCase):
    def test_one_after_the_other_in_the_order_of_asking(self):
        came, workers = [], []
        go_on = self.occupied()
        for number in range(10):
            before = writer._writer.jobs.qsize()
            work = lambda site, number=number: came.append(number)  # noqa: E731
            workers.append(self.in_a_thread(lambda work=work: writer.run(work), wait=False))
            while writer._writer.jobs.qsize() == before:
                pass
        self.assertEqual(came, [])
        go_on.set()
        for worker in workers:
            worker.join(WAIT)
        self.assertEqual(came, list(range(10)))

    def order(self, patience):
        """The order in which three jobs are done, the first one of the background."""
        came, workers = [], []
        go_on = self.occupied()
        with mock.patch.object(writer, "PATIENCE", patience):
            for name in ("mail", "one", "two"):

                def work(name=name):
                    if name == "mail":
                        background.begin()
                    writer.run(lambda site: came.append(name))

                before = writer._writer.jobs.qsize()
                workers.append(self.in_a_thread(work, wait=False))
                while writer._writer.jobs.qsize() == before:
                    pass
        go_on.set()
        for worker in workers:
            worker.join(WAIT)
        return came

    def test_the_background_lets_requests_go_first(self):
        self.assertEqual(self.order(60), ["one", "two", "mail"])

    def test_the_background_does_not_wait_for_ever(self):
        self.assertEqual(self.order(0), ["mail", "one", "two"])

    def test_a_job_within_a_job_joins_it(self):
        def fail(site):
            writer.run(lambda site: note(site, 1))
            self.assertEqual(noted(site), 1)
            raise ValueError

        with self.assertRaises(ValueError):
            writer.run(fail)
        self.assertIsNone(noted(plone_site.get()))

    def test_jobs_in_a_row_are_committed_each(self):
        def fail(site):
            note(site, 2)
            raise ValueError

        def jobs():
            writer.run(lambda site: note(site, 1))
            writer.run(fail)

        with self.assertRaises(ValueError):
            writer.run_in_a_row(jobs)
        self.assertEqual(noted(plone_site.get()), 1)

    def test_jobs_in_a_row_within_a_job_join_it(self):
        def fail(site):
            writer.run_in_a_row(lambda: writer.run(lambda site: note(site, 1)))
            raise ValueError

        with self.assertRaises(ValueError):
            writer.run(fail)
        self.assertIsNone(noted(plone_site.get()))

    def test_no_job_of_others_comes_between_jobs_in_a_row(self):
        came, waiting = [], threading.Event()

        def jobs():
            writer.run(lambda site: came.append("first"))
            waiting.set()
            while not writer._writer.jobs.qsize():
                pass
            writer.run(lambda site: came.append("second"))

        row = self.in_a_thread(lambda: writer.run_in_a_row(jobs), wait=False)
        self.assertTrue(waiting.wait(WAIT))
        writer.run(lambda site: came.append("another's"))
        row.join(WAIT)
        self.assertEqual(came, ["first", "second", "another's"])

    def test_a_job_that_fails_fails_alone(self):
        thread = self.thread()
        for error in (ValueError("no"), TimeoutError(), KeyboardInterrupt(), SystemExit()):
            with self.assertRaises(type(error)):
                writer.run(mock.Mock(side_effect=error))
            self.assertIs(self.thread(), thread)

    def test_who_waits_for_too_long_is_told_and_the_job_goes_on(self):
        go_on, done = threading.Event(), threading.Event()

        def work(site):
            go_on.wait(WAIT)
            note(site, 1)
            transaction.get().addAfterCommitHook(lambda committed: done.set())

        warned = self.assertLogs("niteoweb.click2sell", "WARNING")
        impatient = mock.patch.object(writer, "WAIT", 0.01)
        with impatient, warned, self.assertRaises(transactions.Busy):
            writer.run(work)
        go_on.set()
        self.assertTrue(done.wait(WAIT))
        self.assertEqual(writer.run(noted), 1)

    def test_a_job_that_was_given_up_before_it_began_is_not_done(self):
        go_on, work = self.occupied(), mock.Mock(return_value=None)
        warned = self.assertLogs("niteoweb.click2sell", "WARNING")
        impatient = mock.patch.object(writer, "WAIT", 0.01)
        with impatient, warned, self.assertRaises(transactions.Busy):
            writer.run(work)
        go_on.set()
        writer.run(lambda site: None)
        work.assert_not_called()

    def test_after_the_death_of_the_thread_another_one_begins(self):
        thread = self.thread()
        with mock.patch.object(threading, "excepthook") as ended:
            # As an error in the thread's own code would end it.
            writer._writer.jobs.put("no job")
            thread.join(WAIT)
        ended.assert_called_once()
        self.assertIsNot(self.thread(), thread)
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_jobs_that_wait_survive_a_connection_that_cannot_be_used_any_more(self):
        thread = self.thread()
        abort = mock.patch.object(
            session._Transactions, "abort", side_effect=StorageError("gone")
        )
        warned = self.assertLogs("niteoweb.click2sell", "WARNING")
        with warned, abort, self.assertRaises(transactions.Busy):
            writer.run(lambda site: None)
        thread.join(WAIT)
        self.assertIsNot(self.thread(), thread)
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_the_database_is_away(self):
        thread = self.thread()
        self.addCleanup(thread.join, 0)
        away = mock.patch.object(writer.session, "opened", side_effect=StorageError("away"))
        with away, self.assertRaises(transactions.Busy):
            writer.run(lambda site: self.fail("There is no database."))
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "premium"])


class TestSite(WriterTestCase):
    def connection(self):
        return writer.run(lambda site: site._p_jar)

    def test_all_jobs_share_a_connection(self):
        shared = self.connection()
        self.assertIsNot(shared, plone_site.get()._p_jar)
        self.assertIs(self.connection(), shared)
        self.assertIs(self.in_a_thread(self.connection), shared)

    def test_without_jobs_the_connection_goes_back_to_the_pool(self):
        with mock.patch.object(writer, "IDLE", 0.01):
            closed = threading.Event()
            writer.run(lambda site: site._p_jar.onCloseCallback(closed.set))
            self.assertTrue(closed.wait(WAIT))
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_the_site_and_the_user(self):
        def work(site):
            self.assertIs(site.aq_base, plone_site.get().aq_base)
            self.assertIs(getRequest(), site.REQUEST)
            self.assertEqual(api.user.get_current().getUserName(), "System Processes")
            return site.getPhysicalPath(), site.absolute_url()

        path, url = writer.run(work)
        self.assertEqual(path, self.portal.getPhysicalPath())
        self.assertEqual(url, self.portal.absolute_url())

    def test_host_virtual_host_language_and_layers_of_the_caller(self):
        request = self.layer["request"]
        self.addCleanup(setattr, request, "_script", request._script)
        for name in ("LANGUAGE", "VirtualRootPhysicalPath", "SERVER_URL"):
            self.addCleanup(request.other.pop, name, None)
        self.addCleanup(request.other.update, SERVER_URL=request.other["SERVER_URL"])
        request.setServerURL("https", "shop.example.org", "443")
        request.setVirtualRoot(["members"])
        request.other["VirtualRootPhysicalPath"] = self.portal.getPhysicalPath()
        request.other["LANGUAGE"] = "de"
        alsoProvides(request, ILayer)
        url, language, layer = writer.run(
            lambda site: (
                site.absolute_url(),
                site.REQUEST["LANGUAGE"],
                ILayer.providedBy(site.REQUEST),
            )
        )
        self.assertEqual(url, self.portal.absolute_url())
        self.assertEqual(urlsplit(url)[1:3], ("shop.example.org:443", "/members"))
        self.assertEqual((language, layer), ("de", True))

    def test_nothing_personal_of_the_request(self):
        request = self.layer["request"]
        self.addCleanup(request.environ.pop, "HTTP_COOKIE")
        request.environ["HTTP_COOKIE"] = "__ac=secret"
        request.form["password"] = "secret"
        self.addCleanup(request.form.clear)
        environ, form = writer.run(lambda site: (site.REQUEST.environ, site.REQUEST.form))
        self.assertNotIn("secret", repr((environ, form)))

    def test_what_one_job_left_in_the_cache_is_there_for_the_next(self):
        """The third purchase loads next to nothing, whichever thread brings it."""

        def buy(number):
            self.buy(
                buyer_email=f"buyer{number}@example.org",
                acquirer_transaction_id=str(number),
                c2s_transaction_id=str(number),
            )

        self.in_a_thread(lambda: buy(1))
        self.in_a_thread(lambda: buy(2))
        shared = self.connection()
        shared.getTransferCounts(clear=True)
        self.in_a_thread(lambda: buy(3))
        loaded, stored = shared.getTransferCounts()
        self.assertGreater(stored, 40)
        self.assertLess(loaded, 10)

    def test_commits_are_seen_on_the_other_side(self):
        for number in range(3):
            note(plone_site.get(), number)
            transaction.commit()
            self.assertEqual(writer.run(noted), number)
        for number in range(3, 6):
            writer.run(lambda site, number=number: note(site, number))
            self.assertEqual(noted(plone_site.get()), number)

    def test_the_callers_uncommitted_changes_are_forgotten(self):
        note(plone_site.get(), 1)
        self.assertIsNone(writer.run(noted))
        self.assertIsNone(noted(plone_site.get()))

    def test_memory_of_a_request_stays_on_its_side(self):
        outside = View(self.portal, self.layer["request"]).site()
        inside = writer.run(lambda site: View(site, site.REQUEST).site()._p_jar)
        self.assertIs(inside, self.connection())
        self.assertIsNot(outside._p_jar, inside)

    def test_no_transaction_is_left_open_between_two_jobs(self):
        """An open transaction would keep PostgreSQL from cleaning up."""
        begun = []

        def look(name):
            if name == "before commit":
                begun.append(transaction.manager.manager)
                begun.extend(transaction.get()._resources)

        with mock.patch.object(steps, "reached", look):
            self.buy()
        manager, *jars = begun
        self.assertEqual(jars, [self.connection()])
        with self.assertRaises(transaction.interfaces.NoTransaction):
            manager.get()
