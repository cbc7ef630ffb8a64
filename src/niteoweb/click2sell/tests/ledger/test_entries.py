"""The store of entries: their places, and finding them by key."""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import entries as shelf
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.testing.layers import INTEGRATION
from niteoweb.click2sell.tests.cases.entries import START
from niteoweb.click2sell.tests.cases.entries import write

import unittest


class TestShelf(unittest.TestCase):
    layer = INTEGRATION

    def setUp(self):
        self.portal = self.layer["portal"]

    def test_found_by_key_and_by_place(self):
        entries = [write(self.portal, number, minutes=number) for number in range(3)]
        for entry in entries:
            self.assertIs(shelf.get(self.portal, entry["key"]), entry)
            self.assertIs(shelf.at(self.portal, shelf.place(entry)), entry)
        self.assertIsNone(shelf.get(self.portal, "f" * 64))
        self.assertEqual(
            [e["key"] for e in trees.tree(self.portal, "entries").values()],
            [e["key"] for e in reversed(entries)],
        )

    def test_no_two_at_one_place(self):
        entries = [write(self.portal, number) for number in range(3)]
        self.assertEqual(
            {timestamps.from_iso(entry["received_at"]) for entry in entries}, {START}
        )
        self.assertEqual(
            list(ledger.newest_first(self.portal)), [e["key"] for e in reversed(entries)]
        )
        self.assertEqual(ledger.count(self.portal), 3)
        self.assertEqual(len(trees.tree(self.portal, "entries")), 3)

    def test_another_key(self):
        entry = write(self.portal, 1)
        before, place = entry["key"], shelf.place(entry)
        shelf.rekey(self.portal, entry, "a" * 64)
        self.assertIsNone(shelf.get(self.portal, before))
        self.assertIs(shelf.get(self.portal, "a" * 64), entry)
        self.assertEqual((entry["key"], shelf.place(entry)), ("a" * 64, place))
        self.assertEqual(len(trees.tree(self.portal, "entry_places")), 1)


class TestStore(unittest.TestCase):
    layer = INTEGRATION

    def test_numbers_of_texts(self):
        self.assertEqual(trees.number("a", "b"), trees.number("a", "b"))
        self.assertNotEqual(trees.number("a", "b"), trees.number("ab", ""))
        self.assertLess(trees.number("Žana"), 2**128)
