"""The background threads: real ones, over a real mail server, beside the thread of the test."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.interfaces import IAccessGrantedEvent
from niteoweb.click2sell.interfaces import IMemberCreateEvent
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.provisioning import claiming
from niteoweb.click2sell.provisioning import enrichment
from niteoweb.click2sell.provisioning import events
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases.hanging import GIVES_UP
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import PlenigoTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.sweeps import at
from niteoweb.click2sell.tests.cases.threads import SECONDS
from niteoweb.click2sell.tests.cases.threads import ThreadsMixin
from niteoweb.click2sell.tests.cases.threads import ThreadsTestCase
from niteoweb.click2sell.worker import sweep
from niteoweb.click2sell.worker import threads
from niteoweb.click2sell.worker import turns
from unittest import mock
from ZODB.Connection import Connection
from ZODB.POSException import StorageError
from zope.component import getGlobalSiteManager
from zope.globalrequest import getRequest

import os
import threading
import time
import transaction


class TestMail(ThreadsTestCase):
    def test_the_mail_of_a_purchase(self):
        self.begin()
        sent_by = []
        send = delivery.messages.send

        def note(message):
            sent_by.append(threading.current_thread().name)
            send(message)

        with mock.patch.object(delivery.messages, "send", note):
            self.buy()
            before = self.buyer()["password_print"]
            self.wait_for_mail()
        self.assertEqual(sent_by, ["click2sell mail"])
        # The password that the account was made with, which is stored nowhere.
        self.assertEqual(self.buyer()["password_print"], before)
        self.assertEqual(delivery._passwords, {})
        self.assertTrue(self.log_in(EMAIL, self.password()))

    def test_a_claim_link_that_is_asked_for_again(self):
        def asked():
            # The owner is mailed, too.
            return [message["To"] for message in self.server.messages].count(EMAIL)

        self.account("john", EMAIL)
        self.begin()
        self.buy()
        self.wait_until(lambda: asked() == 1)
        claiming.hand_over(EMAIL)
        self.wait_until(lambda: asked() == 2)

    def test_of_another_process(self):
        self.buy_without_mail()
        self.begin()
        self.wait_for_mail()

    def test_a_password_is_forgotten_when_another_process_has_sent_the_mail(self):
        self.buy_without_mail()
        self.assertEqual(len(delivery._passwords), 1)
        (mail,) = self.mails()
        writer.run(lambda site: outbox.sent(site, outbox.get(site, mail["id"])))
        delivery.send_due()
        self.assertEqual(delivery._passwords, {})

    def test_a_password_is_forgotten_when_the_commit_fails(self):
        with at("before commit", RuntimeError()), self.assertRaises(pipeline.Failed):
            self.buy()
        self.assertEqual(delivery._passwords, {})

    def buy_without_mail(self):
        with mock.patch.object(delivery, "hand_over"):
            self.buy()

    def test_a_mail_server_that_is_away_and_comes_back(self):
        self.begin()
        with self.no_server():
            self.buy()
            self.wait_until(lambda: self.mails()[0]["error"])
            written = self.portal._p_jar.db().lastTransaction()
            time.sleep(1)
            # It is tried without a mail, and nothing is written.
            self.assertEqual(self.portal._p_jar.db().lastTransaction(), written)
        self.wait_for_mail()
        self.assertEqual(self.mails()[0]["attempts"], 2)

    def test_a_refused_login_is_not_repeated_soon(self):
        refused = turns.SMTPAuthenticationError(535, b"no")
        self.begin()
        with (
            mock.patch.object(delivery.messages, "send", side_effect=refused),
            mock.patch.object(turns.messages, "probe", side_effect=refused) as probe,
        ):
            self.buy()
            self.wait_until(lambda: probe.called)
            time.sleep(1)
        self.assertEqual(probe.call_count, 1)

    def test_a_copy_of_the_site_is_left_alone(self):
        """No request has come to the public address: nobody knows that this is the site."""
        self.buy_without_mail()
        self.begin(reached=False)
        time.sleep(1)
        self.assertEqual(self.states(), [outbox.DUE])
        plone_site.note_reached(None)
        self.wait_for_mail()

    def test_a_request_to_another_host_says_nothing(self):
        self.buy_without_mail()
        self.settings(site_address="https://shop.example.com")
        self.begin()
        time.sleep(1)
        self.assertEqual(self.states(), [outbox.DUE])
        self.assertFalse(plone_site.is_reached())

    def test_mail_in_hand_is_finished(self):
        begun = threading.Event()
        send = delivery.messages.send

        def slow(message):
            begun.set()
            time.sleep(0.3)
            send(message)

        self.begin()
        with mock.patch.object(delivery.messages, "send", slow):
            self.buy()
            self.buy_again()
            self.assertTrue(begun.wait(SECONDS))
            threads.end(SECONDS)
        self.assertEqual(self.states(), [outbox.SENT])
        self.assertEqual(len(self.server.messages), 1)

    def test_a_mail_that_takes_too_long_is_left(self):
        begun, free, ended = threading.Event(), threading.Event(), []
        self.addCleanup(free.set)

        def hang(message):
            begun.set()
            ended.append(free.wait(GIVES_UP))

        self.begin()
        with mock.patch.object(delivery.messages, "send", hang):
            self.buy()
            self.assertTrue(begun.wait(SECONDS))
            threads.end()
            self.assertEqual(ended, [])
        self.assertEqual(self.states(), [outbox.SENDING])


class TestTrouble(ThreadsTestCase):
    def test_the_database_is_away_for_a_while(self):
        opened = Connection.open
        away = threading.Event()
        away.set()

        def open_(connection, *options, **named):
            if away.is_set() and threading.current_thread().name.startswith("click2sell mail"):
                raise StorageError
            return opened(connection, *options, **named)

        with (
            mock.patch.object(Connection, "open", open_),
            self.assertLogs("niteoweb.click2sell", "WARNING") as logged,
        ):
            self.begin()
            self.buy()
            time.sleep(1)
            self.assertEqual(self.server.messages, [])
            away.clear()
            self.wait_for_mail()
        # Once, for as long as it lasts.
        self.assertEqual(
            len([line for line in logged.output if "(click2sell mail)" in line]), 1
        )

    def test_a_read_only_database(self):
        with (
            mock.patch.object(Connection, "isReadOnly", return_value=True),
            self.assertLogs("niteoweb.click2sell", "WARNING") as logged,
        ):
            self.begin()
            time.sleep(1)
        self.assertEqual(len(logged.output), len(background._awaited))
        for line in logged.output:
            self.assertIn("read-only", line)

    def test_a_site_that_is_broken_stops_no_thread(self):
        send_due, failed = delivery.send_due, []

        def fail_once(*options):
            if not failed:
                failed.append(1)
                raise KeyError(EMAIL)
            return send_due(*options)

        with (
            mock.patch.object(delivery, "send_due", fail_once),
            self.assertLogs("niteoweb.click2sell", "ERROR") as logged,
        ):
            self.begin()
            self.buy()
            self.wait_for_mail()
        self.assertNotIn(EMAIL, str(logged.output))

    def test_whatever_is_raised_ends_no_thread(self):
        send_due, raised = delivery.send_due, []

        def fail_once(*options):
            if not raised:
                raised.append(1)
                raise SystemExit
            return send_due(*options)

        with (
            mock.patch.object(delivery, "send_due", fail_once),
            self.assertLogs("niteoweb.click2sell", "ERROR"),
        ):
            self.begin()
            self.buy()
            self.wait_for_mail()

    def test_the_site_is_deleted(self):
        self.begin()
        self.buy()
        self.wait_for_mail()
        with (
            self.assertNoLogs("niteoweb.click2sell", "ERROR"),
            mock.patch.object(threads.session, "sites", lambda root: iter(())),
        ):
            time.sleep(1)
        self.assertTrue(all(thread.is_alive() for thread in threads._threads))

    def test_switched_off(self):
        with mock.patch.dict(os.environ, CLICK2SELL_BACKGROUND="0"):
            self.begin(switched_off=True)
        self.assertEqual(threads._threads, [])
        self.assertFalse(background.is_done_here(background.MAIL))


class TestEvents(ThreadsTestCase):
    def setUp(self):
        super().setUp()
        self.seen = []
        sites = getGlobalSiteManager()
        sites.registerHandler(self.handle, (IMemberCreateEvent,))
        self.addCleanup(sites.unregisterHandler, self.handle, (IMemberCreateEvent,))

    def handle(self, event):
        user = plone_site.tool("portal_membership").getMemberById(event.user_id)
        address = plone_site.get().absolute_url()
        language = getRequest().get("LANGUAGE")
        self.seen.append((threading.current_thread().name, user.getId(), address, language))

    def test_are_fired_by_a_thread_with_the_surroundings_of_the_request(self):
        self.layer["request"].setServerURL("https", "shop.example.com", "443")
        self.layer["request"].set("LANGUAGE", "de")
        self.begin()
        self.buy()
        self.wait_until(lambda: self.seen)
        address = "https://shop.example.com:443/plone"
        self.assertEqual(self.seen, [("click2sell events", EMAIL, address, "de")])

    def test_are_fired_at_once_without_a_thread(self):
        self.buy()
        self.assertEqual([name for name, *_ in self.seen], ["MainThread"])

    def test_those_of_a_site_that_is_gone_keep_no_others_waiting(self):
        self.begin(POLL=SECONDS)
        gone = events.Waiting(("", "gone"), threads.session.Surroundings(), [])
        with self.assertLogs("niteoweb.click2sell", "ERROR"):
            events.waiting.append(gone)
            self.buy()
            self.wait_until(lambda: self.seen)

    def test_none_is_fired_twice_when_the_database_is_away_afterwards(self):
        class Transactions:
            """For these the database is away once, after the first event."""

            def __init__(self, seen):
                self._seen, self._was_away = seen, False

            def __getattr__(self, name):
                return getattr(transaction, name)

            def begin(self):
                if self._seen and not self._was_away:
                    self._was_away = True
                    raise StorageError
                transaction.begin()

        self.begin()
        later = []
        sites = getGlobalSiteManager()
        sites.registerHandler(later.append, (IAccessGrantedEvent,))
        self.addCleanup(sites.unregisterHandler, later.append, (IAccessGrantedEvent,))
        with mock.patch.object(events, "transaction", Transactions(self.seen)):
            self.buy()
            self.wait_until(lambda: later)
        self.assertEqual((len(self.seen), len(later)), (1, 1))

    def test_are_fired_before_the_process_ends(self):
        self.begin()
        with mock.patch.object(background, "wake"):
            self.buy()
        self.assertEqual(self.seen, [])
        threads.end(SECONDS)
        self.assertEqual(len(self.seen), 1)


class TestClock(ThreadsTestCase):
    def test_access_ends_by_itself(self):
        self.settings(mapping=["1|premium|1"])
        self.begin()
        self.buy()
        self.wait_until(lambda: schedule.last_run(self.portal) is not None)
        self.assertIn("premium", self.groups())
        self.later(days=2)
        self.wait_until(lambda: "premium" not in self.groups())
        self.wait_until(lambda: schedule.last_run(self.portal).seconds is not None)
        run = schedule.last_run(self.portal)
        self.assertEqual((run.by, run.numbers["lapsed"]), (schedule.CLOCK, 1))

    def test_an_owner_asks_for_it(self):
        self.settings(sweep_minutes=0)
        self.begin()
        time.sleep(0.5)
        self.assertIsNone(schedule.last_run(self.portal))
        writer.run(lambda site: schedule.request(site, "owner", self.now))
        background.wake(background.CLOCK)
        self.wait_until(lambda: schedule.last_run(self.portal) is not None)
        self.assertEqual(schedule.last_run(self.portal).by, "owner")


class TestQuestions(ThreadsMixin, PlenigoTestCase):
    def begin(self, **constants):
        self.settings(site_address=self.portal.absolute_url())
        super().begin(**constants)

    def test_a_callback_is_answered_and_its_provider_is_asked_later(self):
        self.begin()
        asked, free = threading.Event(), threading.Event()
        self.addCleanup(free.set)
        answer = self.fake.answer

        def wait(request):
            asked.set()
            free.wait(SECONDS)
            return answer(request)

        with mock.patch.object(self.fake, "answer", wait):
            self.fake.callbacks.pending.clear()
            self.fake.subscribe(self.jane, "gold")
            self.assertEqual(self.deliver(), [200])
            self.assertTrue(asked.wait(SECONDS))
            self.assertEqual([outcome for outcome, *_ in self.entries()], [Outcome.RECEIVED])
            free.set()
            self.wait_until(lambda: self.entries()[0][0] == Outcome.ACCEPTED)
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])

    def test_a_request_that_sweeps_leaves_it_to_the_thread(self):
        self.begin(POLL=SECONDS)
        with mock.patch.object(background, "wake") as woken:
            sweep.sweep(outside=False)
        self.assertIn(mock.call(background.QUESTIONS), woken.call_args_list)

    def test_a_replay_is_no_question_of_the_request(self):
        self.fake.callbacks.pending.clear()
        self.fake.subscribe(self.jane, "gold")
        with mock.patch.object(enrichment, "hand_over"):
            self.deliver()
        (key,) = self.keys()
        self.begin()
        pipeline.replay(key)
        self.wait_until(lambda: self.entries()[0][0] == Outcome.ACCEPTED)
