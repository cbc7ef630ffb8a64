"""The callback over real HTTP: errors, conflicts, and that they lose no purchase."""

from concurrent.futures import ThreadPoolExecutor
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.callback import CallbackTestCase
from niteoweb.click2sell.tests.cases.callback import PARSED
from sqlite3 import OperationalError
from unittest import mock
from ZODB.POSException import ConflictError
from ZODB.POSException import ReadOnlyError

import transaction


class TestFailed(CallbackTestCase):
    """An error of ours never loses a purchase."""

    def at(self, place, error):
        def step(name):
            if name == place:
                raise error

        return mock.patch.object(steps, "reached", step)

    def test_an_unexpected_error(self):
        for place in ("before plan", "planned", "member made", "before commit"):
            with self.subTest(place):
                name = place.replace(" ", "-")
                sale = {
                    "buyer_email": f"{name}@example.org",
                    "acquirer_transaction_id": name,
                }
                with self.at(place, ValueError(f"{name}@example.org")):
                    self.assert_answer(self.sell(**sale), 500, "POST handling failed.")
                entry = self.entries()[-1]
                self.assertEqual((entry["outcome"], entry["attempts"]), (Outcome.FAILED, 1))
                self.assertTrue(entry["error"].startswith("ValueError\n"))
                self.assertNotIn("@example.org", entry["error"])
                self.assertIsNone(self.member(f"{name}@example.org"))
                before = self.recorded()
                self.assert_answer(self.sell(**sale), 200, PARSED)
                entry = self.entries()[-1]
                self.assertEqual((entry["outcome"], entry["attempts"]), (Outcome.ACCEPTED, 2))
                self.assertEqual((entry["error"], self.recorded()), ("", before))
                self.assertIn("click2sell", self.member(f"{name}@example.org").getGroups())

    def test_an_error_before_it_is_written_down(self):
        with self.at("before record", KeyError("john@example.org")):
            self.assert_answer(self.sell(), 500, "POST handling failed.")
        self.assertEqual(self.recorded(), 0)
        self.assert_answer(self.sell(), 200, PARSED)

    def test_an_error_that_stays(self):
        with self.at("planned", ValueError):
            for _ in range(2):
                self.assert_answer(self.sell(), 500, "POST handling failed.")
        (entry,) = self.entries()
        self.assertEqual((entry["outcome"], entry["attempts"]), (Outcome.FAILED, 2))

    def test_conflicts_that_outlive_the_retries(self):
        for place, kept in (("before record", 0), ("planned", 1), ("before commit", 1)):
            with self.subTest(place), mock.patch.object(transactions, "PAUSES", (0.001,)):
                with self.at(place, ConflictError("john@example.org")):
                    self.assert_try_later(self.sell())
                self.assertEqual(self.recorded(), kept)
                self.assertIsNone(self.member())
        self.assertEqual(self.entries()[0]["outcome"], Outcome.RECEIVED)
        self.assert_answer(self.sell(), 200, PARSED)
        self.assert_outcomes((Outcome.ACCEPTED, ""))
        self.assertIsNotNone(self.member())

    def test_a_conflict_that_passes_is_not_seen(self):
        errors = iter([ConflictError(), ConflictError()])

        def step(name):
            if name == "before commit" and (error := next(errors, None)):
                raise error

        with mock.patch.object(steps, "reached", step):
            self.assert_answer(self.sell(), 200, PARSED)
        self.assertIsNone(next(errors, None))
        self.assertEqual(self.entries()[0]["attempts"], 1)

    def test_another_process_is_at_it(self):
        database = self.portal._p_jar.db()

        def interfere(name):
            """Change the buyer on another connection, as another process would."""
            if name == "before commit":
                elsewhere = transaction.TransactionManager()
                connection = database.open(elsewhere)
                site = connection.root()["Application"]["plone"]
                for buyer in trees.tree(site, "buyers").values():
                    buyer["revision"] += 1
                elsewhere.commit()
                connection.close()

        with (
            mock.patch.object(transactions, "PAUSES", (0.001,) * 3),
            mock.patch.object(steps, "reached", interfere),
        ):
            for _ in range(2):
                self.assert_try_later(self.sell())
                self.assert_outcomes((Outcome.RECEIVED, ""))
                self.assertIsNone(self.member())
        transaction.begin()
        (buyer,) = trees.tree(self.portal, "buyers").values()
        self.assertEqual(buyer["revision"], 8)
        self.assert_answer(self.sell(), 200, PARSED)
        self.assert_outcomes((Outcome.ACCEPTED, ""))

    def test_one_delivery_many_times_at_once(self):
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda _: self.sell(), range(12)))
        for answer in answers:
            self.assert_answer(answer, 200, PARSED)
        self.assert_outcomes((Outcome.ACCEPTED, ""))
        self.assertEqual(self.entries()[0]["attempts"], 1)

    def test_conflicts_while_the_settings_are_read(self):
        for error in (ConflictError, ReadOnlyError, OperationalError):
            with mock.patch.object(plone_site, "timezone", side_effect=error):
                self.assert_try_later(self.sell())
        self.assertEqual(self.recorded(), 0)

    def test_a_database_that_is_lost(self):
        for place, kept in (("before record", 0), ("planned", 1), ("before commit", 1)):
            with self.subTest(place):
                with self.at(place, OperationalError("john@example.org")):
                    self.assert_try_later(self.sell())
                self.assertEqual(self.recorded(), kept)
                self.assertIsNone(self.member())
        # Nothing is wrong with the notification.
        self.assert_outcomes((Outcome.RECEIVED, ""))
        self.assert_answer(self.sell(), 200, PARSED)
        self.assert_outcomes((Outcome.ACCEPTED, ""))

    def test_a_read_only_database(self):
        name = "ZODB.Connection.Connection.tpc_begin"
        with mock.patch(name, side_effect=ReadOnlyError) as begun:
            for changes in ({}, {"purchase_date": "never"}):
                self.assert_try_later(self.sell(**changes))
        # A read-only database does not get better within a second.
        self.assertEqual(begun.call_count, 2)
        self.assertEqual((self.recorded(), self.member()), (0, None))
        self.assert_answer(self.sell(), 200, PARSED)

    def test_a_database_that_becomes_read_only(self):
        with self.at("planned", ReadOnlyError()):
            self.assert_try_later(self.sell())
        self.assert_outcomes((Outcome.RECEIVED, ""))
        self.assert_answer(self.sell(), 200, PARSED)
        self.assert_outcomes((Outcome.ACCEPTED, ""))

    def test_a_subscriber_that_fails_does_not_change_the_answer(self):
        with mock.patch(
            "niteoweb.click2sell.provisioning.events.notify", side_effect=ValueError
        ):
            self.assert_answer(self.sell(), 200, PARSED)
        self.assert_outcomes((Outcome.ACCEPTED, ""))
