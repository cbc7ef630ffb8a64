"""The compression that ``base.cfg`` brings: nothing is lost by it, or by its end."""

from configparser import RawConfigParser
from contextlib import contextmanager
from pathlib import Path
from persistent.mapping import PersistentMapping
from tempfile import TemporaryDirectory
from ZODB.blob import Blob
from ZODB.config import databaseFromString
from ZODB.serialize import referencesf

import time
import transaction
import unittest


ROOT = Path(__file__).resolve().parents[5]
#: Says the same again and again, as records do.
TEXT = "Jane Buyer <jane@example.org> " * 100


def configured(name: str) -> dict[str, str]:
    parser = RawConfigParser(strict=False)
    parser.read(ROOT / f"{name}.cfg", encoding="utf-8")
    return dict(parser["instance"])


class TestCompression(unittest.TestCase):
    def setUp(self):
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.addCleanup(transaction.abort)

    @contextmanager
    def opened(self, compressed: bool = True, name: str = "Data"):
        """A database with blobs, inside of the wrapper of ``base.cfg`` or by itself."""
        storage = (
            f"<blobstorage>\nblob-dir {self.folder}/{name}\n"
            f"<filestorage>\npath {self.folder}/{name}.fs\n</filestorage>\n</blobstorage>"
        )
        imports = ""
        if compressed:
            instance = configured("base")
            imports = f"%import {instance['zope-conf-imports']}\n"
            storage = instance["storage-wrapper"] % storage
        database = databaseFromString(f"{imports}<zodb>\n{storage}\n</zodb>")
        try:
            yield database
        finally:
            database.close()

    @property
    def size(self) -> int:
        return (self.folder / "Data.fs").stat().st_size

    def write(self, database, **values) -> int:
        """Commit values, each in a record of its own; the bytes that this took."""
        before = self.size
        with database.transaction() as connection:
            for name, value in values.items():
                connection.root()[name] = PersistentMapping({"text": value})
        return self.size - before

    def read(self, database, name: str) -> str:
        with database.transaction() as connection:
            return connection.root()[name]["text"]

    def write_plainly(self, **values) -> int:
        """The same, to the database as it is without the wrapper."""
        with self.opened(compressed=False) as database:
            return self.write(database, **values)

    def test_less_is_written(self):
        much = self.write_plainly(one=TEXT)
        with self.opened() as database:
            self.assertLess(self.write(database, two=TEXT), much / 2)

    def test_what_was_written_before_is_read_and_changed(self):
        self.write_plainly(one=TEXT, two=TEXT)
        with self.opened() as database:
            self.write(database, one="new", three=TEXT)
        with self.opened() as database:
            found = [self.read(database, name) for name in ("one", "two", "three")]
        self.assertEqual(["new", TEXT, TEXT], found)

    def test_undo(self):
        with self.opened() as database:
            self.write(database, one="old" * 100)
            self.write(database, one=TEXT)
            database.undo(database.undoInfo()[0]["id"])
            transaction.commit()
            self.assertEqual("old" * 100, self.read(database, "one"))

    def test_packing_leaves_what_is_in_use(self):
        self.write_plainly(old=TEXT)
        with self.opened() as database:
            self.write(database, one=TEXT, gone=TEXT)
            with database.transaction() as connection:
                lost = connection.root()["gone"]._p_oid
                del connection.root()["gone"]
                blob = connection.root()["blob"] = Blob()
                with blob.open("w") as file:
                    file.write(b"A picture")
            database.storage.pack(time.time() + 1, referencesf)
        with self.opened() as database:
            self.assertEqual([TEXT, TEXT], [self.read(database, n) for n in ("old", "one")])
            with database.transaction() as connection, connection.root()["blob"].open() as file:
                self.assertEqual(b"A picture", file.read())
            with self.assertRaises(KeyError):
                database.storage.load(lost)

    def test_the_way_back(self):
        with self.opened() as compressed, self.opened(False, "Plain") as plain:
            self.write(compressed, one=TEXT)
            self.write(compressed, two=TEXT)
            plain.storage.copyTransactionsFrom(compressed.storage)
        with self.opened(False, "Plain") as plain:
            self.assertEqual([TEXT, TEXT], [self.read(plain, name) for name in ("one", "two")])
        self.assertIn(TEXT.encode(), (self.folder / "Plain.fs").read_bytes())

    def test_the_cluster_does_without(self):
        """RelStorage hands out storages of its own to each connection, past the wrapper."""
        self.assertEqual("", configured("cluster")["storage-wrapper"])
