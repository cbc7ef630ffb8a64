"""A buyer with hundreds of renewals: one more of them writes no more than another buyer's."""

from collections.abc import Iterator
from contextlib import contextmanager
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.ledger.entries import Entry
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from unittest import mock
from ZODB.Connection import Connection

import itertools


JOHN, JANE = "john@example.org", "jane@example.org"
#: A payment and renewals.
MANY, FEW = 300, 10


class TestLongHistory(SiteTestCase):
    def setUp(self):
        super().setUp()
        # As many objects as a site keeps in memory.
        self.layer["app"]._p_jar.db().setCacheSize(30000)
        self.settings(mapping=["1|premium|1"])
        self.numbers = itertools.count(1)
        for address, times in ((JOHN, MANY), (JANE, FEW)):
            self.pay(address, "New")
            self.fill(address, times - 1)

    def payment(self, address: str, status: str = "Recurring") -> Notification:
        number = next(self.numbers)
        return self.notification(
            buyer_email=address,
            transaction_type="Subscription",
            subscription_status=status,
            acquirer_transaction_id=f"T-{number}",
            c2s_transaction_id=f"R-{number}",
            purchase_date=f"{self.now:%Y-%m-%d}",
        )

    def pay(self, address: str, status: str = "Recurring") -> None:
        self.assertEqual(pipeline.process(self.payment(address, status)).outcome, "accepted")

    def fill(self, address: str, times: int) -> None:
        """Let a payment come each day, all of them in one commit."""

        def work(site) -> None:
            for _renewal in range(times):
                self.later(days=1)
                entry = recording.write_down(site, self.payment(address), self.now)
                ledger.change(site, entry, counts=True)
                ownership.bind(site, entry)
                ledger.set_outcome(site, entry, Outcome.ACCEPTED)

        writer.run(work)
        self.later(days=1)
        self.provision(address)

    @contextmanager
    def written(self) -> Iterator[list[int]]:
        """The bytes of each object that is written."""
        sizes: list[int] = []
        store = Connection._store_objects

        def note(connection, objects, transaction) -> None:
            put = connection._storage.store

            def note_one(oid, serial, data, *others):
                sizes.append(len(data))
                return put(oid, serial, data, *others)

            with mock.patch.object(connection._storage, "store", note_one, create=True):
                store(connection, objects, transaction)

        with mock.patch.object(Connection, "_store_objects", note):
            yield sizes

    def of_renewals(self, address: str) -> list[int]:
        with self.written() as sizes:
            for _renewal in range(4):
                self.later(days=1)
                self.pay(address)
        return sizes

    def test_a_renewal_writes_as_much_as_another_buyers(self):
        many, few = self.of_renewals(JOHN), self.of_renewals(JANE)
        self.assertLessEqual(sum(many), 1.5 * sum(few))
        self.assertLessEqual(len(many), 1.5 * len(few))

    def reads(self, address: str) -> tuple[int, int]:
        """The fields of entries that a renewal reads, and the objects that it loads."""
        self.later(days=1)
        self.pay(address)
        self.layer["app"]._p_jar.db().cacheMinimize()
        read, load = Entry.__getitem__, Connection.setstate
        with (
            mock.patch.object(Entry, "__getitem__", autospec=True, side_effect=read) as reads,
            mock.patch.object(Connection, "setstate", autospec=True, side_effect=load) as loads,
        ):
            self.later(days=1)
            self.pay(address)
        return reads.call_count, loads.call_count

    def test_a_renewal_reads_no_more_for_a_longer_history(self):
        """Reading all entries took 40 ms of a thousand renewals, and 3,000 objects."""
        before = self.reads(JOHN)
        self.fill(JOHN, MANY)
        after = self.reads(JOHN)
        for number, more in zip(before, after, strict=True):
            self.assertLess(more, 1.2 * number)

    def test_all_of_them_are_known(self):
        buyer = self.buyer(JOHN)
        self.assertEqual(len(buyer["keys"]), MANY)
        self.assertEqual(
            {ledger.get(self.portal, key)["buyer"] for key in buyer["keys"]}, {JOHN}
        )
        self.assertEqual(buyer["live"], (("click2sell", "1"),))

    def test_each_is_found_by_its_receipt_and_its_transaction(self):
        for word in ("R-1", "t-150", f"r-{MANY}"):
            found = search.buyers(self.portal, word).ids
            self.assertEqual(found, (self.buyer(JOHN)["id"],), word)
        (key,) = search.entries(self.portal, f"r-{MANY}").ids
        self.assertEqual(ledger.get(self.portal, key)["receipt"], f"R-{MANY}")

    def test_an_entry_of_which_the_processing_failed_is_no_entry(self):
        """What a commit that failed had looked up is not taken for the history."""
        before = len(self.buyer(JOHN)["keys"])
        payment = self.payment(JOHN)
        with (
            mock.patch.object(recording.buyers, "add_entry", self._add_and_fail),
            self.assertRaises(ZeroDivisionError),
        ):
            pipeline.process(payment)
        self.later(days=1)
        self.pay(JOHN)
        self.assertEqual(len(self.buyer(JOHN)["keys"]), before + 1)
        self.assertEqual(len(self.entries()), MANY + FEW + 1)

    _add = staticmethod(recording.buyers.add_entry)

    def _add_and_fail(self, *args) -> None:
        self._add(*args)
        raise ZeroDivisionError
