"""Finding buyers and notifications by words, and what it costs."""

from dataclasses import replace
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.provider import unreadable
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import notifications
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.testing.layers import INTEGRATION
from niteoweb.click2sell.tests.cases.entries import fill
from niteoweb.click2sell.tests.cases.entries import write
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.tests.proof import dump
from unittest import mock

import transaction
import unittest


JANE = {
    "buyer_email": "Jané.O'Hara-Smith@mail.example.com".replace("é", "e"),
    "buyer_name": "Jané",
    "buyer_surname": "O'Hara-Smith",
    "acquirer_transaction_id": "T-77",
    "c2s_transaction_id": "C2S_2026/0077",
}
JANES = "jane.o'hara-smith@mail.example.com"


class TestWords(unittest.TestCase):
    def test_fold(self):
        self.assertEqual(search.fold("Jérôme ŠTRUKELJ Straße"), "jerome strukelj strasse")

    def test_words(self):
        for text, expected in (
            ("", set()),
            ("John", {"john"}),
            ("  John\u00a0Smith ", {"john", "smith"}),
            ("Anne-Marie", {"anne-marie", "anne", "marie"}),
            ("R-1", {"r-1"}),
            ("C2S_2026/0077", {"c2s_2026/0077", "c2s", "2026", "0077"}),
            ("x" * 300, {"x" * 100}),
        ):
            with self.subTest(text):
                self.assertEqual(search.words(text), expected)

    def test_words_of_an_address(self):
        self.assertEqual(
            search.address_words("John.Smith@mail.example.org"),
            {
                *("john.smith@mail.example.org", "mail.example.org"),
                *("john.smith", "john", "smith", "mail.example", "mail", "example"),
            },
        )
        self.assertEqual(search.address_words("jsmith"), {"jsmith"})
        self.assertEqual(search.address_words(""), set())

    def test_asked(self):
        self.assertEqual(
            search.asked(" <Jané@Example.org>, SMITH smith - "),
            ("jane@example.org", "smith", "-"),
        )
        self.assertEqual(search.asked("@example.org"), ("example.org",))
        self.assertEqual(search.asked(" \t\n"), ())
        self.assertEqual(len(search.asked(" ".join(map(str, range(100))))), search.WORDS)


class TestBuyers(SiteTestCase):
    def found(self, text):
        """Addresses of the buyers that a search finds."""
        transaction.begin()
        found = search.buyers(self.portal, text)
        self.assertIs(found.capped, False)
        records = [buyers.get(self.portal, buyer_id) for buyer_id in found.ids]
        return sorted(record["addresses"][0] for record in records)

    def receipts(self, text, **filters):
        """Receipts of the notifications that a search finds, the newest first."""
        transaction.begin()
        found = notifications.Listing(
            self.portal, notifications.Filters(search=text, **filters)
        )
        keys = found.keys(0, 100)
        self.assertEqual((len(keys), False), (found.total, found.capped))
        return [ledger.get(self.portal, key)["receipt"] for key in keys]

    def assert_index_agrees(self):
        """The indexes hold the rows of all records, no row more and none less."""
        transaction.begin()
        self.assertEqual(dump.misfiled(self.portal), [])

    def test_each_word_of_a_buyer(self):
        self.buy()
        self.buy(**JANE)
        for text, expected in (
            ("john", [EMAIL]),
            ("JOHN", [EMAIL]),
            ("joh", [EMAIL]),
            ("ohn", []),
            ("Jané", [JANES]),
            ("jane", [JANES]),
            ("hara", [JANES]),
            ("o'hara", [JANES]),
            ("smith", sorted([EMAIL, JANES])),
            ("smith john", [EMAIL]),
            ("smith jane example", [JANES]),
            ("smith nobody", []),
            ("exam", sorted([EMAIL, JANES])),
            ("example.org", [EMAIL]),
            ("@mail.example.com", [JANES]),
            (f"<{EMAIL.upper()}>", [EMAIL]),
            ("R-1", [EMAIL]),
            ("c2s_2026/0077", [JANES]),
            ("0077", [JANES]),
            ("T-77", [JANES]),
            ("", []),
            ("@", []),
        ):
            with self.subTest(text):
                self.assertEqual(self.found(text), expected)
        self.assert_index_agrees()

    def test_what_is_found_anyway_is_not_filed(self):
        self.buy(buyer_email="john.smith@mail.example.org")
        words = self.buyer("john.smith@mail.example.org")["filed"]["buyer_words"]
        # Not the address nor what it begins with, and not "mail", "mail.example".
        self.assertNotIn("john.smith@mail.example.org", words)
        self.assertNotIn("john.smith", words)
        self.assertEqual(
            [word for word in words if word.startswith("mail")], ["mail.example.org"]
        )
        for text in ("john.smith@mail.example.org", "john.s", "john", "mail", "mail.example."):
            with self.subTest(text):
                self.assertEqual(self.found(text), ["john.smith@mail.example.org"])

    def test_what_stands_for_an_erased_address_is_not_found(self):
        self.buy()
        self.buy(**JANE)
        erasure.erase(EMAIL, "asked for it", "admin")
        (mark,) = (record["addresses"][0] for record in self.buyers() if record["erased_at"])
        for text in ("erased", "eras", mark.split()[1], mark.split()[1][:5]):
            with self.subTest(text):
                self.assertEqual(self.found(text), [])
        self.buy(
            buyer_email="erased.too@example.org",
            acquirer_transaction_id="T-8",
            c2s_transaction_id="R-8",
        )
        self.assertEqual(self.found("erased"), ["erased.too@example.org"])
        self.assert_index_agrees()

    def buyers(self):
        """All records of buyers."""
        transaction.begin()
        return list(trees.tree(self.portal, "buyers").values())

    def test_user_id(self):
        self.account("jsmith1980", login=EMAIL)
        self.buy()
        self.choose("jsmith1980")
        self.assertEqual(self.user_id(), "jsmith1980")
        self.assertEqual(self.found("jsmith1980"), [EMAIL])
        with self.owner():
            self.portal.portal_membership.deleteMembers(["jsmith1980"])
        self.assertEqual(self.found("jsmith1980"), [])
        self.assertEqual(self.found(EMAIL), [EMAIL])
        self.assert_index_agrees()

    def test_buyers_that_turn_out_to_be_one(self):
        self.account("jane@example.org", "jane@example.org")
        self.buy(buyer_email="jane@example.org", buyer_name="Jane")
        with self.owner():
            self.member("jane@example.org").setMemberProperties({"email": EMAIL})
        self.later(days=1)
        self.buy_again()
        self.choose("jane@example.org")
        self.assertEqual(len(trees.tree(self.portal, "buyers")), 1)
        for text in ("jane@example.org", EMAIL, "john smith", "jane smith", "R-2", "R-1"):
            with self.subTest(text):
                self.assertEqual(self.found(text), ["jane@example.org"])
        self.assert_index_agrees()

    def test_what_follows_a_rebuild(self):
        self.buy()
        record = self.buyer()
        for name in ("buyer_words", "nameless_words", "buyers_active", "figures"):
            trees.tree(self.portal, name).clear()
        del record["filed"], record["log"]
        transaction.commit()
        self.assertEqual(self.found("smith"), [])
        self.assertEqual(transactions.run(indexes.rebuild)["corrected"], 1)
        self.assertEqual(self.found("smith"), [EMAIL])
        self.assert_index_agrees()

    def test_notifications(self):
        self.buy()
        self.later(days=1)
        self.buy(**JANE)
        self.later(days=1)
        self.buy_again(2)
        self.later(days=1)
        self.buy_again(3, buyer_name="", buyer_surname="", product_id="2")
        self.assertEqual(self.receipts("john"), ["R-3", "R-2", "R-1"])
        self.assertEqual(self.receipts("john smith", product="1"), ["R-2", "R-1"])
        self.assertEqual(self.receipts("r-2"), ["R-2"])
        self.assertEqual(self.receipts("r-2 john"), ["R-2"])
        self.assertEqual(self.receipts("r-2 r-1"), [])
        self.assertEqual(self.receipts("r-2 jane"), [])
        self.assertEqual(self.receipts("T-77"), [JANE["c2s_transaction_id"]])
        self.assertEqual(self.receipts("smith", buyer=EMAIL), ["R-3", "R-2", "R-1"])
        self.assertEqual(self.receipts("jane", buyer=EMAIL), [])
        self.assertEqual(self.receipts("smith", until=self.now, since=self.now), ["R-3"])
        self.assertEqual(self.receipts(" @ "), [])

    def test_a_notification_that_names_no_buyer(self):
        pipeline.process(
            unreadable("a" * 64, "click2sell", "T-BROKEN-5", {}, "buyer_email", self.now)
        )
        found = search.entries(self.portal, "t-broken")
        self.assertEqual((found.ids, found.capped), (("a" * 64,), False))
        self.assertEqual(search.entries(self.portal, "t-broken x").ids, ())
        self.assert_index_agrees()

    def test_the_latest_payment(self):
        self.buy()
        self.later(days=1)
        self.buy(**JANE)
        self.later(days=1)
        self.refund()

        def order():
            transaction.begin()
            names = ("buyers_active", "buyers_ended")
            index = {k: v for n in names for k, v in trees.tree(self.portal, n).items()}
            return [buyers.get(self.portal, index[k])["addresses"][0] for k in sorted(index)]

        self.assertEqual(order(), [JANES, EMAIL])
        self.buy_again()
        self.assertEqual(order(), [EMAIL, JANES])
        # One that is not processed yet files no buyer.
        newest = ledger.get(self.portal, next(ledger.newest_first(self.portal)))
        for outcome, first in ((Outcome.RECEIVED, JANES), (Outcome.ACCEPTED, EMAIL)):
            ledger.set_outcome(self.portal, newest, outcome)
            transaction.commit()
            self.assertEqual(order()[0], first)
        self.refund(
            buyer_email="refunded@example.org",
            acquirer_transaction_id="T-9",
            c2s_transaction_id="R-9",
        )
        self.assertEqual(order(), [EMAIL, JANES])
        # A provider states a subscription, and no payment of it is known.
        sale = self.notification(buyer_email="third@example.org", acquirer_transaction_id="S")
        pipeline.process(replace(sale, kind=Kind.PLAN_CHANGE, snapshot=True))
        self.assertEqual(order(), ["third@example.org", EMAIL, JANES])
        self.assert_index_agrees()

    def test_filing_again_writes_nothing(self):
        self.buy()
        transaction.begin()
        indexes.mark(self.portal, "buyers", self.buyer())
        indexes.flush()
        self.assertEqual(self.portal._p_jar._registered_objects, [])


class TestMany(unittest.TestCase):
    """Words that fit more than is read of the index."""

    layer = INTEGRATION

    def setUp(self):
        self.portal = self.layer["portal"]
        for number in range(40):
            entry = write(
                self.portal,
                number,
                buyer=f"b{number:02}@example.org",
                email=f"b{number:02}@example.org",
                first_name="Ann" if number % 4 else "Bo",
                last_name="Smith" if number == 39 else "Smythe",
                receipt=f"R-{number}",
            )
            buyers.add_entry(self.portal, buyers.of_address(self.portal, entry["buyer"]), entry)

    def limit(self, **limits):
        for name, value in limits.items():
            owner = ledger if name == "CAPPED" else search
            patch = mock.patch.object(owner, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def found(self, text):
        found = search.buyers(self.portal, text)
        return len(found.ids), found.capped

    def test_a_broad_word_and_a_narrow_one(self):
        self.limit(ROWS=12)
        self.assertEqual(self.found("ann"), (12 + 1, True))
        self.assertEqual(self.found("ann smith"), (1, False))
        self.assertEqual(self.found("smith ann example.org"), (1, False))
        self.assertEqual(self.found("bo smith"), (0, False))
        self.assertEqual(self.found("bo ann"), (0, False))

    def test_two_broad_words(self):
        self.limit(ROWS=12)
        number, capped = self.found("ann sm")
        self.assertTrue(capped)
        self.assertGreater(number, 5)

    def test_limits_of_what_is_looked_at(self):
        self.limit(ROWS=30, CHECKED=5)
        # The 30 Anns are read whole, five of them are checked for the broad word.
        self.assertEqual(self.found("ann example"), (5, True))
        self.limit(CAPPED=3)
        self.assertEqual(self.found("ann"), (3, True))

    def test_notifications_of_many(self):
        self.limit(BUYERS=7)
        found = notifications.Listing(self.portal, notifications.Filters(search="ann"))
        self.assertEqual((found.total, found.capped), (7, True))
        # A file has no others than the list, and certainly not those that do not fit.
        self.assertEqual(list(found.every_key()), found.keys(0, 100))
        self.limit(BUYERS=30)
        found = notifications.Listing(self.portal, notifications.Filters(search="ann"))
        self.assertEqual((found.total, found.capped), (30, False))
        self.limit(CAPPED=9)
        found = notifications.Listing(self.portal, notifications.Filters(search="ann"))
        self.assertEqual((found.total, found.capped), (9, True))
        self.assertEqual(len(list(found.every_key())), 9)


class TestCost(SiteTestCase):
    """Objects that a search loads from the database, with few and with many buyers."""

    def loads(self, text):
        connection = self.portal._p_jar
        transaction.commit()
        connection.cacheMinimize()
        connection.getTransferCounts(clear=True)
        found = search.buyers(self.portal, text), search.entries(self.portal, text)
        self.assertTrue(all(part.ids for part in found), text)
        return connection.getTransferCounts(clear=True)[0]

    def test_a_search_costs_the_same_with_many_buyers(self):
        texts = ("b00007@example.org", "smith00007 ann", "R-00007", "ann", "ann example")
        limits = {"ROWS": 200, "CHECKED": 60, "BUYERS": 20}
        for name, value in limits.items():
            patch = mock.patch.object(search, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        fill(self.portal, range(600))
        few = {text: self.loads(text) for text in texts}
        fill(self.portal, range(600, 2400))
        many = {text: self.loads(text) for text in texts}
        for text in texts:
            with self.subTest(text):
                # The trees may be deeper by a level, and the buckets less full.
                self.assertLessEqual(many[text], few[text] * 1.5 + 20)
