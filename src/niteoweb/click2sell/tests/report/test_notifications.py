"""Lists of ledger entries, and what they cost."""

from BTrees.OOBTree import OOBTree
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from itertools import product
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.report import notifications
from niteoweb.click2sell.testing.layers import INTEGRATION
from niteoweb.click2sell.tests.cases.entries import START
from niteoweb.click2sell.tests.cases.entries import write
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from unittest import mock
from zoneinfo import ZoneInfo
from zope.i18n import translate

import random
import transaction
import unittest


VIENNA = ZoneInfo("Europe/Vienna")


class TestParse(unittest.TestCase):
    layer = INTEGRATION

    def parse(self, **values):
        values = {name.rstrip("_"): value for name, value in values.items()}
        return notifications.parse(self.layer["portal"], values, VIENNA)

    def test_nothing(self):
        for values in ({}, dict.fromkeys(notifications.NAMES, ""), {"outcome": " "}):
            self.assertEqual(
                notifications.parse(self.layer["portal"], values, VIENNA),
                notifications.Filters(),
            )

    def test_everything(self):
        self.assertEqual(
            self.parse(
                outcome="needs attention",
                provider="click2sell",
                kind="payment failed",
                product=" 1 ",
                buyer="John@Example.org",
                from_="2026-05-01",
                to="2026-05-02",
                b_size="7",
            ),
            notifications.Filters(
                outcome="needs attention",
                provider="click2sell",
                kind="payment failed",
                product="1",
                buyer="john@example.org",
                since=datetime(2026, 4, 30, 22, tzinfo=timezone.utc),
                until=datetime(2026, 5, 2, 21, 59, 59, 999_999, tzinfo=timezone.utc),
            ),
        )

    def test_every_value_that_there_can_be(self):
        for outcome in (*outcomes.FINAL, Outcome.FAILED, Outcome.RECEIVED):
            self.assertEqual(self.parse(outcome=outcome).outcome, outcome)
        for kind in Kind:
            self.assertEqual(self.parse(kind=kind.value).kind, kind.value)

    def test_a_provider_that_was_heard_of(self):
        with self.assertRaises(notifications.FilterError):
            self.parse(provider="plenigo")
        write(self.layer["portal"], 1, provider="plenigo")
        self.assertEqual(self.parse(provider="plenigo").provider, "plenigo")

    def test_impossible_values_are_named(self):
        for values, expected in (
            ({"outcome": "lost"}, '"outcome" must be one of: accepted, needs attention, '),
            ({"outcome": "Accepted"}, '"outcome" must be one of'),
            ({"provider": "paypal"}, '"provider" must be one of: click2sell.'),
            ({"kind": "gift"}, '"kind" must be one of: purchase, renewal, '),
            ({"from": "yesterday"}, '"from" must be a date such as 2027-01-31'),
            ({"to": "2026-02-30"}, '"to" must be a date'),
            ({"kind": ["refund", "refund"]}, '"kind" may stand only once.'),
        ):
            with self.subTest(values), self.assertRaises(notifications.FilterError) as caught:
                notifications.parse(self.layer["portal"], values, VIENNA)
            self.assertIn(expected, translate(caught.exception.message))


class TestListing(unittest.TestCase):
    """Every combination of filters, against a search through all entries."""

    layer = INTEGRATION

    def setUp(self):
        self.portal = self.layer["portal"]
        dice = random.Random(7)
        self.entries = []
        for number in range(120):
            entry = write(
                self.portal,
                number,
                # Several at a time, and not in the order of their arrival.
                minutes=number * 7 % 60,
                outcome=dice.choice(["", Outcome.ACCEPTED, Outcome.FAILED]),
                kind=dice.choice([Kind.PURCHASE, Kind.REFUND]),
                product_id=dice.choice("12"),
                provider=dice.choice(["click2sell", "other"]),
            )
            self.entries.append(entry)
        self.entries.sort(key=ledger.place)

    def check(self, **filters):
        found = notifications.Listing(self.portal, notifications.Filters(**filters))
        expected = [
            entry["key"]
            for entry in self.entries
            if entry["outcome"] == filters.get("outcome", entry["outcome"])
            and entry["kind"] == filters.get("kind", entry["kind"])
            and entry["product_id"] == filters.get("product", entry["product_id"])
            and entry["provider"] == filters.get("provider", entry["provider"])
            and filters.get("since", START)
            <= timestamps.from_microseconds(-ledger.place(entry))
            <= filters.get("until", START + timedelta(days=1))
        ]
        self.assertEqual((found.total, found.capped), (len(expected), False))
        for start, size in product((0, 1, 40, 59, 60, 61, 119, 120, 500), (1, 7, 1000)):
            self.assertEqual(found.keys(start, size), expected[start : start + size])
        return len(expected)

    def test_all(self):
        self.assertEqual(self.check(), 120)

    def test_one_index(self):
        for facet, values in (
            ("outcome", (Outcome.RECEIVED, Outcome.ACCEPTED, Outcome.FAILED, Outcome.REFUSED)),
            ("kind", ("purchase", "refund", "expiry")),
            ("product", ("1", "2", "3")),
            ("provider", ("click2sell", "other")),
        ):
            for value in values:
                with self.subTest(facet, value=value):
                    self.check(**{facet: value})

    def test_several(self):
        found = 0
        for outcome, kind, name in product(
            (Outcome.ACCEPTED, Outcome.REFUSED), ("purchase", "refund"), ("1", "2")
        ):
            with self.subTest(outcome, kind=kind, product=name):
                found += self.check(outcome=outcome, kind=kind)
                found += self.check(outcome=outcome, kind=kind, product=name)
        self.assertGreater(found, 20)

    def test_ranges_of_time(self):
        for since, until in product((None, 0, 20, 21), (None, 20, 59, 100)):
            filters = {}
            if since is not None:
                filters["since"] = START + timedelta(minutes=since)
            if until is not None:
                filters["until"] = START + timedelta(minutes=until)
            with self.subTest(since, until=until):
                self.assertGreaterEqual(self.check(**filters), 0)
                self.check(**filters, outcome=Outcome.ACCEPTED)
                self.check(**filters, outcome=Outcome.ACCEPTED, product="1")

    def test_both_ends_count(self):
        moment = START + timedelta(minutes=7)
        # The second one is filed a microsecond later.
        self.assertEqual(self.check(since=moment, until=moment), 1)
        self.assertEqual(self.check(since=moment, until=moment + timedelta(microseconds=1)), 2)
        self.assertEqual(self.check(since=moment, until=moment - timedelta(microseconds=1)), 0)

    def test_an_empty_ledger(self):
        other = mock.patch.object(notifications.trees, "tree", lambda site, name: OOBTree())
        with other:
            for filters in (
                notifications.Filters(),
                notifications.Filters(outcome="failed"),
                notifications.Filters(outcome="failed", kind="refund"),
                notifications.Filters(since=START),
                notifications.Filters(buyer="john@example.org"),
            ):
                found = notifications.Listing(self.portal, filters)
                self.assertEqual((found.total, found.keys(0, 10)), (0, []))

    def test_counting_stops(self):
        with mock.patch.object(ledger, "CAPPED", 10):
            for filters in (
                {"since": START},
                {"product": "1", "until": START + timedelta(days=1)},
                {"product": "1", "kind": "refund", "since": START},
            ):
                with self.subTest(filters):
                    found = notifications.Listing(self.portal, notifications.Filters(**filters))
                    self.assertEqual((found.total, found.capped), (10, True))
                    self.assertEqual(len(found.keys(0, 100)), 10)
                    self.assertEqual(found.keys(10, 10), [])
            for filters in ({}, {"product": "1"}, {"product": "1", "kind": "refund"}):
                found = notifications.Listing(self.portal, notifications.Filters(**filters))
                self.assertGreater(found.total, 10)
                self.assertIs(found.capped, False)
        with mock.patch.object(ledger, "CAPPED", 120):
            found = notifications.Listing(self.portal, notifications.Filters(since=START))
            self.assertEqual((found.total, found.capped), (120, False))


class TestBuyer(SiteTestCase):
    def keys(self, **filters):
        found = notifications.Listing(self.portal, notifications.Filters(**filters))
        self.assertIs(found.capped, False)
        keys = found.keys(0, 100)
        self.assertEqual(len(keys), found.total)
        return [ledger.get(self.portal, key)["receipt"] for key in keys]

    def test_history_of_one_buyer(self):
        self.buy()
        self.later(days=1)
        self.buy(
            buyer_email="jane@example.org",
            acquirer_transaction_id="T-9",
            c2s_transaction_id="R-9",
        )
        self.later(days=1)
        self.buy_again(2, product_id="2", buyer_email="John@Example.org")
        self.later(days=1)
        self.buy_again(3)
        transaction.begin()
        self.assertEqual(self.keys(buyer=EMAIL), ["R-3", "R-2", "R-1"])
        self.assertEqual(self.keys(buyer=EMAIL, product="1"), ["R-3", "R-1"])
        self.assertEqual(self.keys(buyer=EMAIL, product="1", outcome="failed"), [])
        since = self.now - timedelta(days=1)
        self.assertEqual(self.keys(buyer=EMAIL, since=since), ["R-3", "R-2"])
        self.assertEqual(self.keys(buyer=EMAIL, until=since), ["R-2", "R-1"])
        self.assertEqual(self.keys(buyer="nobody@example.org"), [])


class TestCost(SiteTestCase):
    """Objects that a page loads from the database, with a short and with a long ledger."""

    def loads(self, start, **filters):
        """Objects that one page loads, and its keys."""
        connection = self.portal._p_jar
        transaction.commit()
        connection.cacheMinimize()
        connection.getTransferCounts(clear=True)
        found = notifications.Listing(self.portal, notifications.Filters(**filters))
        keys = found.keys(start if start >= 0 else found.total + start, 25)
        self.assertEqual(len(keys), 25)
        return connection.getTransferCounts(clear=True)[0]

    def fill(self, numbers):
        for number in numbers:
            write(
                self.portal,
                number,
                minutes=number,
                outcome=Outcome.ACCEPTED if number % 2 else Outcome.FAILED,
            )
        transaction.commit()

    def test_a_page_costs_the_same_however_long_the_ledger_is(self):
        pages = {
            "first": {"start": 0},
            "third": {"start": 50},
            "last": {"start": -25},
            "last but two": {"start": -75},
            "first of an index": {"start": 0, "outcome": Outcome.FAILED},
            "first of a range": {"start": 0, "until": START + timedelta(minutes=100)},
            "first of several": {"start": 0, "outcome": Outcome.FAILED, "kind": "purchase"},
            "last of several": {"start": -25, "outcome": Outcome.FAILED, "kind": "purchase"},
        }
        self.fill(range(2200))
        short = {name: self.loads(**page) for name, page in pages.items()}
        self.fill(range(2200, 6600))
        long = {name: self.loads(**page) for name, page in pages.items()}
        for name in pages:
            with self.subTest(name):
                # The trees may be deeper by a level.
                self.assertLessEqual(long[name], short[name] + 6)
        # The entries of the page, their notifications, and of the indexes few objects: a short
        # record of a tree holds four to eight of its keys.
        self.assertLess(
            max(n for name, n in long.items() if "several" not in name), 2 * 25 + 45
        )
