"""Outgoing hooks: events of purchases reach receivers over real HTTP, whatever goes wrong."""

from collections import defaultdict
from datetime import timedelta
from email.utils import format_datetime
from niteoweb.click2sell import hooks
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.hooks import batches
from niteoweb.click2sell.hooks import delivery
from niteoweb.click2sell.hooks import events
from niteoweb.click2sell.hooks import outbox
from niteoweb.click2sell.hooks import receivers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.mail import alerts
from niteoweb.click2sell.mail import outbox as mails
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases.hanging import GIVES_UP
from niteoweb.click2sell.tests.cases.hanging import HangingServer
from niteoweb.click2sell.tests.cases.receiver import Receiver
from niteoweb.click2sell.tests.cases.receiver import SECRET
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.sweeps import at
from niteoweb.click2sell.tests.cases.threads import ThreadsTestCase
from niteoweb.click2sell.tests.hooks.case import HooksTestCase
from plone import api
from unittest import mock

import hashlib
import os
import threading
import transaction


class TestEvents(HooksTestCase):
    def test_a_purchase(self):
        self.buy()
        self.send()
        created, granted = self.receiver.taken
        key = self.key_of_newest()
        about = {"user_id": EMAIL, "email": EMAIL, "entry": key}
        self.assertEqual(created["type"], "member.created")
        self.assertEqual(created["data"], about)
        self.assertEqual(granted["type"], "access.granted")
        ends = timestamps.from_iso(granted["data"]["until"])
        self.assertLess(abs(ends - self.now - timedelta(days=30)), timedelta(days=1))
        self.assertEqual(
            granted["data"],
            {
                **about,
                "provider": "click2sell",
                "product": "1",
                "groups": ["premium"],
                "until": granted["data"]["until"],
            },
        )
        self.assertEqual(self.waiting(), 0)
        self.assertEqual(list(trees.tree(self.portal, "hook_events")), [])

    def key_of_newest(self):
        transaction.begin()
        return next(iter(ledger.newest_first(self.portal)))

    def test_the_end_of_access(self):
        self.buy()
        self.send()
        self.later(days=40)
        self.sweep(confirmed=True)
        ended = self.receiver.taken[-1]
        self.assertEqual(ended["type"], "access.ended")
        self.assertEqual(ended["data"]["user_id"], EMAIL)
        self.assertIsNone(ended["data"]["entry"])

    def test_a_refund(self):
        self.buy()
        self.refund(purchase_time="10:40:00")
        self.send()
        self.assertEqual(
            self.receiver.types(), ["member.created", "access.granted", "access.ended"]
        )

    def test_a_purchase_that_needs_a_decision(self):
        self.account("john", EMAIL)
        self.buy()
        self.send()
        (event,) = self.receiver.taken
        self.assertEqual(event["type"], "purchase.needs_attention")
        self.assertEqual(
            event["data"],
            {
                "email": EMAIL,
                "provider": "click2sell",
                "product": "1",
                "entry": self.key_of_newest(),
            },
        )
        # It is told once.
        pipeline.replay(self.key_of_newest())
        self.send()
        self.assertEqual(len(self.receiver.taken), 1)

    def test_a_provider_that_fell_silent(self):
        since = self.now - timedelta(days=3)
        for silent in (
            {"click2sell": since},
            {"click2sell": since},
            {},
            {"click2sell": self.now},
        ):
            writer.run(lambda site, s=silent: outbox.file_silent(site, s, self.now))
        self.send()
        self.assertEqual(self.receiver.types(), ["provider.silent"] * 2)
        self.assertEqual(self.receiver.taken[0]["data"]["provider"], "click2sell")

    def test_a_sweep_files_it(self):
        self.buy()
        with mock.patch.object(
            hooks.outbox, "file_silent", wraps=hooks.outbox.file_silent
        ) as filed:
            self.sweep()
        self.assertEqual(filed.call_count, 1)

    def test_an_account_that_is_deleted_by_hand(self):
        self.buy()
        with self.owner():
            api.user.delete(username=EMAIL)
        self.send()
        self.assertEqual(self.receiver.types()[-1], "access.ended")
        self.assertEqual(self.receiver.taken[-1]["data"]["user_id"], EMAIL)

    def test_only_what_was_chosen(self):
        other = self.enterContext(Receiver())
        self.add(other.url, (events.ENDED,))
        self.buy()
        self.refund(purchase_time="10:40:00")
        self.send()
        self.assertEqual(other.types(), ["access.ended"])

    def test_no_receiver_no_event(self):
        self.remove(self.id)
        self.buy()
        self.assertEqual(list(trees.tree(self.portal, "hook_events")), [])

    def test_a_buyer_who_turns_out_to_be_another_one(self):
        """The purchase that waited is told of before the access that it gives."""
        self.buy()
        self.account("jane", "jane@example.org")
        self.buy_again(2, product_id="2", buyer_email="jane@example.org")
        key = self.key_of_newest()
        self.receiver.status = lambda event: 422 if event["type"] == events.ATTENTION else 200
        self.send()
        self.assertEqual(self.receiver.types(), ["member.created", "access.granted"])
        action.carry_out(decisions.Attach(key, "admin", EMAIL, "she says"))
        self.send()
        self.assertEqual(len(self.receiver.taken), 2)
        self.receiver.status = 200
        self.later(minutes=1)
        self.send()
        self.assertEqual(self.receiver.types()[2:], [events.ATTENTION, events.GRANTED])
        self.assertEqual(self.receiver.taken[-1]["data"]["user_id"], EMAIL)

    def test_a_rollback_takes_the_event_along(self):
        with at("before commit", RuntimeError()), self.assertRaises(pipeline.Failed):
            self.buy()
        self.assertEqual(self.waiting(), 0)


class TestDelivery(HooksTestCase):
    def test_a_receiver_that_is_down_for_a_day(self):
        self.receiver.stop()
        for hour in range(24):
            number = hour % 6
            buyer = {"buyer_email": f"buyer{number}@example.org"}
            names = {"acquirer_transaction_id": f"T-{hour}", "c2s_transaction_id": f"R-{hour}"}
            if hour < 6:
                self.buy(**buyer, **names)
            elif hour < 12:
                names = {
                    "acquirer_transaction_id": f"T-{number}",
                    "c2s_transaction_id": f"R-{number}",
                }
                self.refund(**buyer, **names, purchase_time="15:40:00")
            self.send()
            self.later(hours=1)
        self.assertEqual(self.receiver.taken, [])
        self.assertEqual(self.waiting(), 18)
        self.assertEqual(self.record()["failures"], 24)
        self.receiver.start()
        self.later(hours=1)
        self.send()
        self.assertEqual(self.waiting(), 0)
        of = defaultdict(list)
        for event in self.receiver.taken:
            of[event["data"]["email"]].append(event["type"])
        self.assertEqual(len(of), 6)
        for types in of.values():
            self.assertEqual(types, ["member.created", "access.granted", "access.ended"])
        # Each has the time at which it happened, and is signed when it is sent.
        self.assertLess(self.receiver.taken[0]["timestamp"], self.record()["delivered_at"])
        self.assertEqual(self.record()["failures"], 0)

    def test_pauses_grow_and_then_it_is_tried_hourly(self):
        self.receiver.status = 503
        self.buy()
        tried = []
        for minute in range(5 * 60):
            before = self.receiver.asked
            self.send()
            if self.receiver.asked > before:
                tried.append(minute)
            self.later(minutes=1)
        self.assertEqual(tried, [0, 1, 2, 4, 9, 24, 84, 144, 204, 264])
        self.assertEqual(self.record()["error"], "503")

    def test_the_pause_that_a_receiver_asks_for(self):
        self.buy()
        date = format_datetime(self.now + timedelta(minutes=10), usegmt=True)
        own = receivers.PAUSES[0]
        for status, asked, pause in (
            (429, "600", timedelta(minutes=10)),
            (503, date, timedelta(minutes=10)),
            # Not less than its own pause, and not more than the longest one.
            (503, "5", own),
            (503, "99999", receivers.PAUSES[-1]),
            (503, "9" * 5000, receivers.PAUSES[-1]),
            (503, format_datetime(self.now - timedelta(days=1)), own),
            *((503, odd, own) for odd in ("", "soon", "-600", "1e3", "²")),
        ):
            with self.subTest(asked=asked):
                writer.run(lambda site: receivers.hasten(receivers.find(site, self.id)))
                self.receiver.status, self.receiver.headers = status, {"Retry-After": asked}
                self.send()
                next_at = timestamps.from_iso(self.record()["next_at"])
                self.assertEqual(next_at - self.now, pause)

    def test_the_id_stays_and_the_signature_is_of_the_try(self):
        ids = []

        def status(event):
            ids.append(event)
            return 500 if len(ids) == 1 else 200

        self.receiver.status = status
        with mock.patch.object(delivery.jsonapi, "post", wraps=jsonapi.post) as post:
            self.add_test()
            self.send()
            self.later(minutes=1)
            self.send()
        first, second = (call.args[2] for call in post.call_args_list)
        self.assertEqual(first["webhook-id"], second["webhook-id"])
        self.assertNotEqual(first["webhook-timestamp"], second["webhook-timestamp"])
        self.assertEqual(post.call_args_list[0].args[1], post.call_args_list[1].args[1])

    def add_test(self):
        writer.run(lambda site: outbox.file_test(site, receivers.find(site, self.id), self.now))

    def test_an_event_that_is_refused_holds_up_its_member_only(self):
        john = "john@example.org"
        self.receiver.status = lambda event: 422 if event["data"]["email"] == john else 200
        self.buy()
        self.buy_again(2, buyer_email="jane@example.org")
        self.send()
        self.assertEqual(
            [(e["data"]["email"], e["type"]) for e in self.receiver.taken],
            [("jane@example.org", "member.created"), ("jane@example.org", "access.granted")],
        )
        self.assertEqual(self.waiting(), 2)
        self.receiver.status = 200
        # Its pause is not over.
        self.send()
        self.assertEqual(self.waiting(), 2)
        self.later(minutes=1)
        self.send()
        self.assertEqual(self.receiver.types()[2:], ["member.created", "access.granted"])

    def test_given_up_after_three_days_and_tried_again(self):
        self.receiver.status = 500
        self.buy()
        for _hour in range(72):
            self.send()
            self.later(hours=1)
        self.assertEqual((self.waiting(), self.given_up()), (2, 0))
        self.send()
        self.assertEqual((self.waiting(), self.given_up()), (0, 2))
        self.assertEqual(self.mailed_of_not_taken(), 1)
        self.receiver.status = 200
        writer.run(lambda site: outbox.try_again(site, receivers.find(site, self.id)))
        self.send()
        self.assertEqual(self.receiver.types(), ["member.created", "access.granted"])
        self.assertEqual(self.given_up(), 0)

    def test_a_refused_event_is_given_up_too(self):
        self.receiver.status = 400
        self.buy()
        for _hour in range(74):
            self.send()
            self.later(hours=1)
        self.assertEqual(self.given_up(), 1)

    def test_a_site_that_was_down_for_long_gives_nothing_up_at_once(self):
        self.receiver.status = 500
        self.buy()
        self.later(days=5)
        self.send()
        self.assertEqual((self.waiting(), self.given_up()), (2, 0))

    def test_old_ones_are_deleted(self):
        self.test_a_refused_event_is_given_up_too()
        self.later(days=34)
        writer.run(lambda site: outbox.forget(site, self.now))
        self.assertEqual(self.given_up(), 0)
        self.assertEqual(self.waiting(), 1)

    def test_gone(self):
        self.receiver.status = 410
        self.buy()
        self.send()
        self.assertTrue(self.record()["switched_off_at"])
        self.later(days=1)
        self.send()
        self.buy_again(2)
        self.assertEqual((self.receiver.asked, self.waiting()), (1, 2))
        self.assertEqual(self.mailed_of_not_taken(), 1)
        self.receiver.status = 200
        writer.run(lambda site: outbox.try_again(site, receivers.find(site, self.id)))
        self.send()
        self.assertEqual(self.receiver.types(), ["member.created", "access.granted"])

    def mailed_of_not_taken(self):
        """The number of mails to the owner, who is told once."""
        self.registry(email_from_address="site@example.org")
        for _time in range(2):
            writer.run(lambda site: alerts.file(site, None, self.now))
        told = trees.tree(self.portal, "mails").values()
        return [mail["kind"] for mail in told].count(mails.NOT_TAKEN)

    def test_a_redirect_is_not_followed(self):
        self.receiver.status = 302
        self.buy()
        self.send()
        self.assertEqual((self.receiver.asked, self.record()["error"]), (1, "302"))

    def test_a_receiver_that_hangs_holds_up_no_other(self):
        kinds = (HangingServer.answer_never, HangingServer.drip_headers)
        with mock.patch.object(delivery, "ANSWER", 3):
            for number, hang in enumerate(kinds, 2):
                with self.subTest(hang.__name__), HangingServer(hang) as server:
                    id_ = self.add(server.url)
                    self.buy_again(number, buyer_email=f"{hang.__name__}@example.org")
                    self.send()
                    self.assertEqual((self.waiting(), self.waiting(id_)), (0, 2))
                    self.assertEqual(self.record(id_)["failures"], 1)
                    self.remove(id_)

    def test_a_host_that_is_looked_up_for_ever(self):
        self.buy()
        looked_up, ended = [], threading.Event()
        self.addCleanup(ended.set)
        with (
            mock.patch.object(delivery, "ROUND", 0.1),
            mock.patch.object(delivery, "ANSWER", 0.1),
            mock.patch.object(
                delivery.jsonapi, "post", lambda *args: looked_up.append(ended.wait(GIVES_UP))
            ),
        ):
            self.send()
        self.assertEqual(looked_up, [])
        self.assertEqual((self.record()["failures"], self.waiting()), (1, 2))

    def test_one_process_at_a_time(self):
        self.buy()
        batch = writer.run(lambda site: batches.take(site, self.id, self.now))
        self.assertEqual(len(batch.letters), 2)
        self.send()
        self.assertEqual(self.receiver.asked, 0)
        # The other one has died.
        self.later(minutes=2)
        self.send()
        self.assertEqual(len(self.receiver.taken), 2)
        # It lives after all: what it tells is known.
        told = [batches.Answer(letter.id, batches.TAKEN) for letter in batch.letters]
        writer.run(lambda site: batches.note(site, batch, told, self.now))
        self.assertEqual(self.waiting(), 0)

    def test_a_process_that_dies_before_it_notes_the_answers(self):
        self.buy()
        with at("events posted", SystemExit()), self.assertRaises(SystemExit):
            self.send()
        self.assertEqual((len(self.receiver.taken), self.waiting()), (2, 2))
        self.later(minutes=2)
        self.send()
        ids = [event["id"] for event in self.receiver.taken]
        self.assertEqual(ids[:2], ids[2:])
        self.assertEqual(self.waiting(), 0)

    def test_a_copy_of_the_site_sends_nothing(self):
        self.buy()
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            self.send()
            self.sweep()
        self.assertEqual((self.receiver.asked, self.waiting()), (0, 2))

    def test_many_refused_ones_end_the_search(self):
        self.receiver.status = 422
        for number in range(batches.PUT_OFF + 3):
            member = f"m{number}"
            writer.run(
                lambda site, m=member: outbox.file(
                    site, events.CREATED, m, {"email": f"{m}@example.org"}, self.now
                )
            )
        self.send()
        self.receiver.status = 200
        self.later(seconds=1)
        writer.run(lambda site: outbox.file(site, events.CREATED, "x", {}, self.now))
        self.send()
        self.assertEqual(self.receiver.taken, [])
        self.later(minutes=1)
        while self.send():
            pass
        self.assertEqual(self.waiting(), 0)

    def test_the_order_of_a_member_is_that_of_the_commits(self):
        """The clock of another process may be behind."""
        for moment in (self.now, self.now - timedelta(seconds=5), self.now):
            writer.run(
                lambda site, m=moment: outbox.file(site, events.CREATED, "x", {"n": str(m)}, m)
            )
        self.send()
        told = [event["data"]["n"] for event in self.receiver.taken]
        expected = [str(self.now), str(self.now - timedelta(seconds=5)), str(self.now)]
        self.assertEqual(told, expected)

    def test_indexes_are_made_anew(self):
        self.receiver.status = 400
        self.buy()
        self.send()
        self.assertEqual(writer.run(indexes.rebuild)["corrected"], 0)
        self.assertEqual(self.waiting(), 2)


class TestErasure(HooksTestCase):
    def test_what_waits_loses_the_person(self):
        self.receiver.stop()
        self.buy()
        transaction.begin()
        self.assertEqual(
            [
                one["type"]
                for one in export.export(self.portal, EMAIL, self.now)["hooks_waiting"]
            ],
            ["member.created", "access.granted"],
        )
        self.erase()
        self.assertNothingPersonal()
        self.receiver.start()
        self.later(minutes=1)
        self.send()
        (event,) = self.receiver.taken
        self.assertEqual(event["type"], "access.ended")
        hashed = hashlib.sha256(EMAIL.encode()).hexdigest()
        self.assertEqual(event["data"]["user_id"], f"sha256:{hashed}")
        self.assertEqual((event["data"]["email"], event["data"]["entry"]), ("", None))

    def test_the_account_is_deleted_too(self):
        self.buy()
        self.send()
        self.erase(delete_member=True)
        self.assertFalse(accounts.exists(EMAIL))
        self.assertNothingPersonal()
        self.send()
        self.assertEqual(
            self.receiver.types(), ["member.created", "access.granted", "access.ended"]
        )

    def test_a_purchase_of_nobody(self):
        self.account("john", EMAIL)
        self.buy()
        self.assertEqual(self.waiting(), 1)
        self.erase()
        self.assertEqual(self.waiting(), 0)


class TestReceivers(HooksTestCase):
    def refused(self, url="https://example.org/x", secret=SECRET, wanted=(events.ENDED,)):
        with self.assertRaises(NotPossible):
            writer.run(lambda site: receivers.add(site, url, secret, wanted, self.now))

    def test_addresses(self):
        for url in (
            *("", "example.org", "ftp://example.org", "http://example.org/", "https://"),
            *("https://user:secret@example.org/", "https://example.org/#x", "https://a b/"),
            *("https://example.org/?a=b c", 'https://example.org/?"', "https://example.org/?é"),
            *("http://169.254.169.254/", "https://example.org/?" + "x" * 3000),
        ):
            with self.subTest(url):
                self.refused(url)
        with mock.patch.dict(os.environ, {jsonapi.INSECURE_VARIABLE: ""}):
            self.refused("http://127.0.0.1:8000/")
            # An address that was possible is not posted to any more.
            self.buy()
            self.send()
            self.assertEqual((self.receiver.asked, self.waiting()), (0, 2))

    def test_secrets_and_events(self):
        for secret in ("", "whsec_", "secret", "whsec_!!", "whsec_c2hvcnQ=", SECRET[6:]):
            with self.subTest(secret):
                self.refused(secret=secret)
        self.refused(wanted=())
        self.refused(wanted=("everything",))
        self.assertTrue(receivers._is_secret(receivers.new_secret()))

    def test_ten_at_most(self):
        for number in range(receivers.MOST - 1):
            self.add(f"https://example.org/{number}")
        self.refused()

    def test_uninstalling_removes_secrets(self):
        self.buy()
        with self.owner():
            self.portal.portal_setup.runAllImportStepsFromProfile(
                "niteoweb.click2sell:uninstall"
            )
        self.assertEqual(list(trees.tree(self.portal, "hook_receivers")), [])
        self.assertEqual(list(trees.tree(self.portal, "hook_events")), [])


class TestThread(ThreadsTestCase):
    def test_the_background_thread_posts(self):
        self.enterContext(mock.patch.dict(os.environ, {jsonapi.INSECURE_VARIABLE: "1"}))
        with Receiver() as receiver:
            writer.run(
                lambda site: receivers.add(
                    site, receiver.url, SECRET, events.CHOICES, self.now
                )["id"]
            )
            self.begin(POLL=60)
            self.buy()
            self.wait_until(lambda: len(receiver.taken) == 2)
            self.assertEqual(ledger.count(self.portal, outcome=Outcome.ACCEPTED), 1)
