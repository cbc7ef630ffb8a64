"""The benchmarks notice a purchase that is lost, and judge their figures rightly.

The benchmarks themselves are too slow for here; ``make bench`` runs them.
"""

from niteoweb.click2sell import group
from niteoweb.click2sell import ledger
from niteoweb.click2sell import memberindex
from niteoweb.click2sell import store
from niteoweb.click2sell.tests.base import EMAIL
from niteoweb.click2sell.tests.base import SiteTestCase
from pathlib import Path
from unittest import mock
from unittest import skipUnless
from unittest import TestCase

import json
import sys
import transaction


ROOT = Path(__file__).resolve().parents[4]
HERE = skipUnless(
    (ROOT / "bench" / "run.py").is_file(),
    "the benchmarks are not part of an installed package",
)


def _importable(case: TestCase) -> None:
    path = mock.patch.object(sys, "path", [str(ROOT), *sys.path])
    path.start()
    case.addCleanup(path.stop)


@HERE
class TestMembers(SiteTestCase):
    def setUp(self):
        super().setUp()
        _importable(self)
        from bench import members
        from demo import settings as demo

        self.bench = members
        self.group(demo.GROUP)
        self.settings(secretkey=demo.SECRET_KEY, mapping=[f"{demo.PRODUCT}|{demo.GROUP}"])

    def fill(self, total=3):
        transaction.begin()
        self.bench.fill(self.portal, total)
        return sorted(store.tree(self.portal, "buyer_by_address"))

    def assert_missing(self, sold, total, text):
        with self.assertRaisesRegex(self.bench.Missing, text):
            self.bench.check(self.portal, sold, total)

    def test_what_is_filled_is_what_a_purchase_leaves(self):
        (filled,) = self.fill(1)
        with mock.patch("niteoweb.click2sell.tests.deliveries.SECRET_KEY", "secret"):
            self.buy()
        for name in ("grants", "due", "live", "pending", "made", "revision"):
            self.assertEqual(self.buyer(filled)[name], self.buyer()[name], name)
        self.assertEqual(self.groups(filled), self.groups())
        self.assertEqual(self.member(filled).getRoles(), self.member().getRoles())
        self.assertEqual(self.member(filled).getProperty("email"), filled)
        self.assertEqual(self.entries(), [(ledger.ACCEPTED, "", "")] * 2)

    def test_index_of_members_is_as_rebuilt(self):
        self.fill(3)
        names = ("member_addresses", "member_logins", "member_ids")
        before = [dict(store.tree(self.portal, name)) for name in names]
        memberindex.rebuild(self.portal)
        after = [dict(store.tree(self.portal, name)) for name in names]
        self.assertEqual(before, after)

    def test_it_goes_on_where_it_stopped(self):
        first = self.fill(2)
        both = self.fill(3)
        self.assertEqual(len(both), 3)
        self.assertLess(set(first), set(both))

    def test_nothing_is_missing(self):
        self.fill(3)
        self.bench.check(self.portal, [], 3)

    def test_an_entry_too_few_or_too_many(self):
        self.fill(3)
        self.assert_missing([], 4, "4 entries are due")
        self.assert_missing([], 2, "2 entries are due")

    def test_a_purchase_that_was_lost(self):
        self.fill(3)
        self.assert_missing([EMAIL], 3, "not one accepted notification")

    def test_an_account_that_was_lost(self):
        (address,) = self.fill(1)
        with self.owner():
            self.portal.acl_users.source_users.removeUser(address)
        self.assert_missing([address], 1, "no account")

    def test_a_group_that_was_lost(self):
        (address,) = self.fill(1)
        self.bench.check(self.portal, [address], 1)
        with self.owner(), group.own_run():
            self.portal.acl_users.source_groups.removePrincipalFromGroup(address, "click2sell")
        self.assert_missing([address], 1, "not in the groups")

    def test_a_line_of_the_group_that_was_lost(self):
        (address,) = self.fill(1)
        with self.owner():
            members = self.portal.acl_users.source_groups._group_principal_map["click2sell"]
            members.remove(address)
        self.assert_missing([address], 1, "not listed")


@HERE
class TestOutcome(TestCase):
    def setUp(self):
        _importable(self)
        from bench import measure
        from bench import outcome

        figures = [
            measure.Figures(100, 20.0, 5.0, 4.4, 4.0, 29_000, 0, 200_000_000),
            measure.Figures(100_000, 21.0, 6.4, 5.0, 4.0, 31_000, 0, 210_000_000),
        ]
        crowd = measure.Crowd(
            100_000,
            8,
            2000,
            seconds={1: 40.0, 8: 44.0},
            p50={1: 20.0, 8: 150.0},
            p99={1: 40.0, 8: 400.0},
            failed=1,
        )
        self.outcome = outcome.Outcome(figures, crowd, "link")
        self.alone = outcome.Outcome(figures[:1], None, "link")

    def test_bars(self):
        bars = {bar.name.partition(",")[0]: bar for bar in self.outcome.bars()}
        self.assertEqual(
            {name: bar.met for name, bar in bars.items()},
            {
                "a purchase": True,
                "bytes a purchase": False,
                "a purchase over the floor": False,
                "duplicate over first": False,
                "forged over the floor": True,
                "growth by 1": True,
                "failed or lost": False,
                "total time over one client's": True,
                "p99 over one client's median": False,
            },
        )

    def test_table(self):
        text = self.outcome.table()
        self.assertIn("100,000", text)
        self.assertEqual(text.count("\nNOT "), 5)
        self.assertIn("  8 clients: 2,000 purchases in 44.0 s", text)

    def test_one_size_and_no_crowd(self):
        self.assertNotIn("clients", self.alone.table())

    def test_json(self):
        read = json.loads(self.outcome.json())
        self.assertEqual(read["figures"][1]["members"], 100_000)
        self.assertEqual(read["crowd"]["failed"], 1)
        self.assertEqual(len(read["bars"]), 9)
        self.assertIn("ZODB", read["versions"])
        self.assertEqual(set(read["machine"]) & {"cores", "python"}, {"cores", "python"})

    def test_plot(self):
        plot = self.outcome.plot().decode("utf-8")
        self.assertIn("100,000", plot)
        self.assertNotIn("<script", plot)
