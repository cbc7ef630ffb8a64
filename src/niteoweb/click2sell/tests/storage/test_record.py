"""Records: what they hold, and what of it is written."""

from contextlib import closing
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.storage import Record
from tempfile import TemporaryDirectory
from ZODB import DB

import os
import pickle
import subprocess
import sys
import unittest


def stored(record: Record) -> Record:
    """A record that was written and read again."""
    return pickle.loads(pickle.dumps(record, 3))


class TestRecord(unittest.TestCase):
    def test_holds_after_reading_all_that_it_held(self):
        filed = {"buyers_active": (7,), "buyer_words": ("a", ("b", 1))}
        values = {
            "id": "1",
            "grants": {"premium": (("click2sell", "1"),), 5: True},
            "notes": [{"text": "x"}],
            "filed": filed,
            "anything else": None,
        }
        for kind in ("", buyers.KIND, outbox.RECORD):
            record = Record(values, kind)
            self.assertEqual(dict(stored(record)), dict(record))
            self.assertEqual({**record, **values}, dict(record))

    def test_writes_no_value_that_it_began_with(self):
        record = Record({"id": "1", "made": False, "live": ()}, buyers.KIND)
        self.assertEqual(record["grants"], {})
        self.assertEqual(record.__getstate__(), ("buyer", {"id": "1"}))
        record["made"] = True
        self.assertTrue(stored(record)["made"])
        record["made"] = False
        self.assertFalse(stored(record)["made"])

    def test_mappings_that_it_began_with_are_its_own(self):
        one, other = (Record({"id": name}, buyers.KIND) for name in "12")
        self.assertIsNot(one["grants"], other["grants"])
        self.assertIsNot(stored(one)["grants"], stored(one)["grants"])

    def test_writes_equal_texts_once(self):
        texts = ["jane@example.com", "JANE@example.com".lower()]
        self.assertIsNot(*texts)
        once = Record({"to": texts[0], "user_id": texts[0]})
        twice = Record({"to": texts[0], "user_id": texts[1]})
        self.assertEqual(len(pickle.dumps(twice, 3)), len(pickle.dumps(once, 3)))

    def test_is_read_by_a_script_that_has_loaded_nothing_else(self):
        with TemporaryDirectory() as folder:
            path = f"{folder}/Data.fs"
            with closing(DB(path)) as database, database.transaction() as connection:
                for kind in (buyers.KIND, outbox.RECORD):
                    connection.root()[kind] = Record({"id": "1"}, kind)
            code = (
                "import sys, ZODB\n"
                "root = ZODB.DB(sys.argv[1], read_only=True).open().root()\n"
                "print(root['buyer']['grants'], root['mail']['state'])"
            )
            printed = subprocess.run(
                [sys.executable, "-c", code, path],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                capture_output=True,
                text=True,
                timeout=60,
            )
        self.assertEqual(printed.stdout.strip(), "{} due", printed.stderr)

    def test_keeps_what_is_equal_and_not_the_same(self):
        self.assertIs(stored(Record({"days": (True, 1)}))["days"][0], True)
        self.assertIs(type(stored(Record({"days": (True, 1)}))["days"][1]), int)
