"""The store of entries: their places, and finding them by key."""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import entries as shelf
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.testing.layers import INTEGRATION
from niteoweb.click2sell.tests.cases.entries import START
from niteoweb.click2sell.tests.cases.entries import write
from transaction import savepoint

import unittest


class TestShelf(unittest.TestCase):
    layer = INTEGRATION

    def setUp(self):
        self.portal = self.layer["portal"]

    def test_found_by_key_and_by_place(self):
        entries = [write(self.portal, number, minutes=number) for number in range(3)]
        for entry in entries:
            self.assertEqual(shelf.get(self.portal, entry["key"]), entry)
            self.assertEqual(shelf.at(self.portal, shelf.place(entry)), entry)
        self.assertIsNone(shelf.get(self.portal, "f" * 64))
        self.assertEqual(
            list(ledger.newest_first(self.portal)),
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
        self.assertEqual(shelf.get(self.portal, "a" * 64), entry)
        self.assertEqual((entry["key"], shelf.place(entry)), ("a" * 64, place))
        self.assertEqual(len(trees.tree(self.portal, "entry_places")), 1)

    def test_nobody_else_assigns_to_an_entry(self):
        entry = write(self.portal, 1, payload={"price": "9.90"})
        for values, name in ((entry, "email"), (entry, "outcome"), (entry["payload"], "price")):
            with self.assertRaises(TypeError):
                values[name] = "x"
            with self.assertRaises(TypeError):
                del values[name]

    def test_an_outcome_writes_the_processing_alone(self):
        entry = write(self.portal, 1, payload={"price": "9.90"})
        savepoint(optimistic=True)
        ledger.set_outcome(self.portal, entry, Outcome.ACCEPTED)
        parts = (entry.stored, entry.stored[shelf.TOLD])
        self.assertEqual(
            [bool(part._p_changed) for part in parts],
            [True, False],
        )

    def test_an_attempt_files_nothing(self):
        entry = write(self.portal, 1)
        indexes.flush()
        ledger.count_attempt(self.portal, entry)
        self.assertEqual(entry["attempts"], 1)
        self.assertEqual(indexes._queue().pending, {})
        ledger.note_failure(self.portal, entry, "TypeError", START)
        self.assertEqual(list(indexes._queue().pending), [("entries", id(entry.stored))])

    def test_listed_are_fields_that_say_something(self):
        entry, other = write(self.portal, 1), write(self.portal, 2, customer_id="C-1")
        self.assertEqual((entry["customer_id"], entry["country"]), ("", ""))
        self.assertEqual({*other} - {*entry}, {"customer_id", "place"})
        self.assertEqual(len(entry), len([*entry]))


class TestStore(unittest.TestCase):
    layer = INTEGRATION

    def test_numbers_of_texts(self):
        self.assertEqual(trees.number("a", "b"), trees.number("a", "b"))
        self.assertNotEqual(trees.number("a", "b"), trees.number("ab", ""))
        self.assertLess(trees.number("Žana"), 2**128)
