"""A database that is away leads to "try again later", not to an error."""

from niteoweb.click2sell import wsgi
from niteoweb.click2sell.storage import transactions
from persistent.mapping import PersistentMapping
from unittest import mock
from ZEO.Exceptions import ClientDisconnected
from ZODB import DB
from ZODB.POSException import ConflictError
from ZODB.POSException import POSKeyError
from ZODB.POSException import ReadOnlyError
from ZODB.POSException import StorageError
from ZODB.utils import z64

import logging
import sqlite3
import transaction
import unittest


class DriverError(Exception):
    """An error of a database driver, under the name that PEP 249 prescribes."""


OperationalError = type("OperationalError", (DriverError,), {})
AdminShutdown = type("AdminShutdown", (OperationalError,), {})
InterfaceError = type("InterfaceError", (DriverError,), {})

PASS = (
    ConflictError,
    ReadOnlyError,
    StorageError,
    ClientDisconnected,
    sqlite3.OperationalError,
    OperationalError,
    AdminShutdown,
    InterfaceError,
)
STAY = (ValueError, KeyError, POSKeyError, DriverError, OSError)


class TestAway(unittest.TestCase):
    def setUp(self):
        self.answers = []

    def call(self, error=None):
        def application(environ, start_response):
            if error is not None:
                raise error("john@example.org")
            start_response("200 OK", [])
            return [b"a page"]

        def start_response(status, headers):
            self.answers.append((status, dict(headers)))

        wrapped = wsgi.filter_factory({})(application)
        return b"".join(wrapped({}, start_response))

    def test_nothing_changes_while_it_is_there(self):
        self.assertEqual(self.call(), b"a page")
        self.assertEqual(self.answers, [("200 OK", {})])

    def test_away(self):
        for error in PASS:
            with self.subTest(error), self.assertLogs("niteoweb.click2sell") as logs:
                self.assertEqual(self.call(error), b"Try again later.")
                status, headers = self.answers.pop()
                self.assertEqual(status, "503 Service Unavailable")
                self.assertEqual(headers["Retry-After"], "10")
                self.assertNotIn("john", "".join(logs.output))

    def test_other_errors_are_left_alone(self):
        for error in STAY:
            with self.subTest(error), self.assertRaises(error):
                self.call(error)
        self.assertEqual(self.answers, [])


class TestCommit(unittest.TestCase):
    """The rest of it needs a site; see ``test_callback_failures`` and ``tests/cluster``."""

    def setUp(self):
        logging.getLogger("niteoweb.click2sell").setLevel(logging.CRITICAL)
        self.addCleanup(logging.getLogger("niteoweb.click2sell").setLevel, logging.NOTSET)
        site = mock.patch.object(transactions.plone_site, "get")
        self.connection = site.start().return_value._p_jar
        self.addCleanup(site.stop)

    def test_what_passes(self):
        for error in PASS[1:]:
            with self.subTest(error), self.assertRaises(transactions.Busy):
                transactions.run(mock.Mock(side_effect=error))
        for error in STAY:
            with self.subTest(error), self.assertRaises(error):
                transactions.run(mock.Mock(side_effect=error))

    def test_it_is_away_before_the_work_begins(self):
        work = mock.Mock()
        with (
            mock.patch.object(transactions.transaction, "begin", side_effect=OperationalError),
            self.assertRaises(transactions.Busy),
        ):
            transactions.run(work)
        work.assert_not_called()

    def test_plone_swallowed_the_error_and_failed_elsewhere(self):
        with (
            mock.patch.object(transactions.transaction, "abort", side_effect=OperationalError),
            self.assertRaises(transactions.Busy),
        ):
            transactions.run(mock.Mock(side_effect=AttributeError))
        with (
            mock.patch.object(transactions.transaction, "abort", side_effect=ValueError),
            self.assertRaises(ValueError),
        ):
            transactions.run(mock.Mock(side_effect=AttributeError))

    def test_a_number_that_is_taken(self):
        work = mock.Mock(side_effect=[ValueError(transactions.NUMBER_TAKEN), "done"])
        with mock.patch.object(transactions, "PAUSES", (0.001,)):
            self.assertEqual(transactions.run(work), "done")
        self.connection.cacheMinimize.assert_called_once_with()


class TestNumberTaken(unittest.TestCase):
    """ZODB's treatment of an object whose number is taken: why objects are forgotten then."""

    def setUp(self):
        self.database = DB(None)
        self.addCleanup(self.database.close)
        self.connection = self.database.open()
        self.addCleanup(self.connection.close)
        self.addCleanup(transaction.abort)
        root = self.connection.root()
        root["parent"] = PersistentMapping(first=PersistentMapping())
        transaction.commit()
        self.first = root["parent"]["first"]

    def work(self, site):
        root = self.connection.root()
        first = root["parent"]["first"]
        first["number"] = first.get("number", 0) + 1
        root["second"] = PersistentMapping()

    def test_nothing_is_lost(self):
        taken, free = self.first._p_oid, self.connection.new_oid()
        storage = self.connection._storage
        site = mock.Mock(_p_jar=self.connection)
        real = storage.store

        def store(oid, serial, *arguments):
            # A ZEO client hears of a conflict with what is there only later.
            return None if (oid, serial) == (taken, z64) else real(oid, serial, *arguments)

        with (
            mock.patch.object(transactions.plone_site, "get", lambda: site),
            mock.patch.object(transactions, "PAUSES", (0.001,)),
            mock.patch.object(self.connection, "new_oid", side_effect=[taken, free]),
            mock.patch.object(storage, "store", store),
        ):
            transactions.run(self.work)
        self.connection.cacheMinimize()
        root = self.connection.root()
        first = root["parent"]["first"]
        self.assertEqual((first["number"], first._p_oid), (1, taken))
        self.assertEqual(root["second"]._p_oid, free)
