"""The pipeline: what is written down, what a second run changes, what a failure leaves."""

from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from unittest import mock
from ZODB.POSException import ConflictError
from ZODB.POSException import ReadOnlyError
from ZODB.serialize import referencesf
from zope.annotation.interfaces import IAnnotations

import transaction


class TestTwice(SiteTestCase):
    def assert_nothing_changes(self, address=EMAIL):
        before, revision = self.dump(), self.buyer(address)["revision"]
        for _ in range(2):
            self.provision(address)
        for key in self.buyer(address)["keys"]:
            pipeline.replay(key)
        after = self.dump()
        for entry in (
            *before["trees"]["entries"].values(),
            *after["trees"]["entries"].values(),
        ):
            del entry["attempts"]
        self.maxDiff = None
        self.assertEqual(after, before)
        self.assertGreater(self.buyer(address)["revision"], revision)

    def test_purchase(self):
        self.settings(mapping=["1|premium|30", "1|course|30"], welcome_mail="link")
        self.buy()
        self.assert_nothing_changes()

    def test_refund(self):
        self.buy()
        self.refund()
        self.assert_nothing_changes()

    def test_existing_account_with_groups_of_its_own(self):
        self.account()
        with self.owner():
            self.portal.portal_groups.addPrincipalToGroup(EMAIL, "course")
        self.buy()
        self.buy_again(product_id="2")
        self.assert_nothing_changes()

    def test_time_zone(self):
        self.registry(portal_timezone="America/New_York")
        self.buy()
        self.assert_nothing_changes()

    def test_what_a_person_must_decide(self):
        self.account("john", EMAIL)
        self.buy()
        self.buy_again()
        self.assert_nothing_changes()

    def test_missing_group(self):
        self.settings(mapping=["1|premium", "1|missing"])
        self.buy()
        self.assert_nothing_changes()

    def test_waiting_refund(self):
        self.refund()
        self.assert_nothing_changes()

    def test_lapsed(self):
        self.settings(mapping=["1|premium|30"])
        self.buy()
        self.later(days=31)
        self.provision()
        self.assert_nothing_changes()

    def test_two_buyers(self):
        self.buy()
        self.buy(buyer_email="jane@example.org", acquirer_transaction_id="T-2")
        self.assert_nothing_changes()
        self.assert_nothing_changes("jane@example.org")


class TestRecord(SiteTestCase):
    def entry(self):
        transaction.begin()
        (key,) = ledger.newest_first(self.portal)
        return ledger.get(self.portal, key)

    def test_what_is_written_down(self):
        self.settings(mapping=["1|premium|30|exclusive"])
        self.buy(buyer_email="John@Example.org", buyer_country="SI")
        entry = self.entry()
        expected = {
            "provider": "click2sell",
            "kind": "purchase",
            "received_at": "2026-05-03T18:00:00.000000+00:00",
            "occurred_at": "2026-05-03T10:20:30.000000+00:00",
            "buyer": EMAIL,
            "email": "John@Example.org",
            "product_id": "1",
            "transaction": "T-1",
            "receipt": "R-1",
            "amount": "9.90",
            "currency": "EUR",
            "country": "SI",
            "affiliate": "affiliate",
            "days": 30,
            "exclusive": True,
            "terms_known": True,
            "outcome": Outcome.ACCEPTED,
            "error": "",
            "attempts": 1,
        }
        self.assertEqual({name: entry[name] for name in expected}, expected)
        payload = dict(entry["payload"])
        self.assertEqual(payload["buyer_name"], "John")
        self.assertNotIn("checksum", payload)

    def test_plain_values_only(self):
        """No class of ours is stored but trees and records, whose names are never changed."""
        own = rb"niteoweb\.click2sell\.(?!storage\.(trees\nTree(Set)?|record\nRecord)\n)"
        self.settings(mapping=["1|premium|30", "2|gone"])
        self.buy()
        self.buy_again(product_id="2")
        self.buy(buyer_email="eve@example.org")
        self.refund()
        storage = self.portal._p_jar.db().storage
        oids, seen = [IAnnotations(self.portal)[trees.KEY]._p_oid], set()
        while oids:
            oid = oids.pop()
            if oid not in seen:
                seen.add(oid)
                pickle, _serial = storage.load(oid)
                self.assertNotRegex(pickle, own)
                referencesf(pickle, oids)
        self.assertGreater(len(seen), len(trees.TREES))

    def test_delivered_again(self):
        self.buy()
        before = self.dump()
        for _ in range(3):
            self.assertEqual(self.buy(), pipeline.Result(Outcome.ACCEPTED))
        self.assertEqual(self.dump(), before)

    def test_forged_transaction_of_another_buyer(self):
        self.buy()
        result = self.buy(buyer_email="eve@example.org")
        self.assertEqual(result.outcome, Outcome.REFUSED)
        self.assertIsNone(self.member("eve@example.org"))
        result = self.buy(product_id="2")
        self.assertEqual(result.outcome, Outcome.REFUSED)
        self.assertEqual(self.groups(), ["click2sell", "premium"])


class TestFailure(SiteTestCase):
    def test_kept_as_failed_and_tried_again(self):
        broken = mock.patch.object(accounts, "create", side_effect=ValueError(EMAIL))
        with broken, self.assertLogs("niteoweb.click2sell", "ERROR") as logs:
            with self.assertRaises(pipeline.Failed):
                self.buy()
            with self.assertRaises(pipeline.Failed):
                self.buy()
        self.assertNotIn(EMAIL, str(logs.output))
        self.assertEqual(self.entries(), [(Outcome.FAILED, "", "")])
        (entry,) = self.dump()["trees"]["entries"].values()
        self.assertEqual(entry["attempts"], 2)
        self.assertIn("ValueError", entry["error"])
        self.assertNotIn(EMAIL, entry["error"])
        self.assertIsNone(self.member())
        self.assertEqual(self.buy(), pipeline.Result(Outcome.ACCEPTED))
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        (entry,) = self.dump()["trees"]["entries"].values()
        self.assertEqual((entry["attempts"], entry["error"]), (3, ""))

    def test_failed_entry_does_not_count(self):
        with (
            mock.patch.object(accounts, "create", side_effect=ValueError),
            self.assertRaises(pipeline.Failed),
        ):
            self.buy()
        self.buy_again(product_id="2")
        self.assertEqual(self.groups(), ["click2sell", "course"])
        pipeline.resume(self.buyer()["keys"][0])
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])

    def test_conflict_is_tried_again(self):
        create, calls = accounts.create, []

        def conflict_twice(*args):
            calls.append(args)
            if len(calls) < 3:
                raise ConflictError
            return create(*args)

        with mock.patch.object(accounts, "create", conflict_twice):
            self.assertEqual(self.buy(), pipeline.Result(Outcome.ACCEPTED))
        self.assertEqual(len(calls), 3)
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_conflict_without_end(self):
        for error in (ConflictError, ReadOnlyError):
            with (
                self.subTest(error.__name__),
                mock.patch.object(accounts, "create", side_effect=error),
                self.assertRaises(transactions.Busy),
            ):
                self.buy()
        self.assertEqual([outcome for outcome, *_ in self.entries()], [Outcome.RECEIVED])
        self.assertEqual(self.buy(), pipeline.Result(Outcome.ACCEPTED))
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_unknown_entry(self):
        with self.assertRaises(KeyError):
            pipeline.resume("no such key")
        with self.assertRaises(KeyError):
            pipeline.replay("no such key")
