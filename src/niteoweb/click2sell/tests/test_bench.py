"""The benchmarks notice a purchase that is lost, and judge their figures rightly.

The benchmarks themselves are too slow for here; ``make bench`` runs them.
"""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import group
from niteoweb.click2sell import ledger
from niteoweb.click2sell import memberindex
from niteoweb.click2sell import postman
from niteoweb.click2sell import provisioning
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import store
from niteoweb.click2sell.tests.base import EMAIL
from niteoweb.click2sell.tests.base import SiteTestCase
from pathlib import Path
from unittest import mock
from unittest import skipUnless
from unittest import TestCase
from zope.annotation.interfaces import IAnnotations

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
class TestLedgerFill(SiteTestCase):
    """The site that is filled fast is the one that the ordinary road would have left."""

    #: One buyer of each history, and of those that are not alike in every cycle two.
    NUMBERS = (0, 11, 15, 17, 18, 19, 20, 38)
    END = datetime(2026, 5, 3, 18, tzinfo=timezone.utc)

    def setUp(self):
        super().setUp()
        _importable(self)
        from bench import histories
        from bench import ledgerfill
        from demo import seeding
        from demo import settings as demo

        self.histories, self.filling = histories, ledgerfill
        for product in demo.PRODUCTS.values():
            if product.group not in ("", demo.MISSING_GROUP):
                self.group(product.group)
        with self.owner():
            group.make(demo.BUYERS_GROUP, "Click2Sell")
        self.empty()
        self.settings(secretkey=demo.SECRET_KEY, mapping=seeding.mapping(), welcome_mail="link")
        self.registry(email_from_address="shop@example.org", email_from_name="Shop")

    def ordinary_road(self):
        """Process each notification when it arrives, and sweep where the history says so."""
        arrivals = [
            (at, number, arrival)
            for number in self.NUMBERS
            for arrival in self.histories.history(number, self.END)
            for at in arrival.tried_at or (arrival.at,)
        ]
        sent = mock.patch.object(postman, "_send", lambda message: "")
        with sent, self.assertLogs("niteoweb.click2sell"):
            for at, number, arrival in sorted(arrivals, key=lambda found: found[0]):
                self.now = at
                self._arrived(number, arrival)

    def _arrived(self, number, arrival):
        if not arrival.form:
            buyer = self.buyer(self.histories.buyer_address(number))
            provisioning.provision(buyer["id"], despite_silence=True)
        elif arrival.broken:
            provisioning.process_broken(*self.histories.broken(arrival))
        else:
            notification = self.histories.read(arrival, plone_site.timezone())
            if arrival.tried_at:
                step = mock.patch.object(provisioning, "step", self._fail)
                with step, self.assertRaises(provisioning.Failed):
                    provisioning.process(notification)
            else:
                provisioning.process(notification)

    @staticmethod
    def _fail(step):
        if step == "before plan":
            raise TimeoutError

    def found(self):
        """Everything that there is, with other words for what is made by chance."""
        dump, names = self.dump(), {}
        trees = dump["trees"]
        for buyer_id, record in trees["buyers"].items():
            names[buyer_id] = f"buyer {record['addresses'][0]}"
            self.assertEqual(len(record.pop("password_print")), 64)
        for mail_id, mail in trees["mails"].items():
            names[mail_id] = f"mail to {mail['to']}"
        for entry in trees["entries"].values():
            for noted in (entry, *entry["failures"]):
                noted["error"] = noted["error"].partition("\n")[0]
        trees["revisions"] = {
            record["id"]: record["revision"]
            for record in store.tree(self.portal, "buyers").values()
        }
        for values in dump["properties"].values():
            values["isGroup"] = bool(values["isGroup"])
        del dump["passwords"], trees["remarks"]
        return _named(dump, names)

    def empty(self):
        with self.owner():
            self.portal.portal_membership.deleteMembers(
                list(self.portal.acl_users.source_users.getUserIds())
            )
        # What holds the trees is looked up once in a transaction.
        with self.owner():
            del IAnnotations(self.portal)[store.KEY]

    def test_it_is_what_the_ordinary_road_leaves(self):
        self.ordinary_road()
        slow = self.found()
        self.empty()
        self.assertFalse(self.found()["trees"]["entries"])
        with self.owner():
            self.filling.fill_buyers(self.portal, self.NUMBERS, self.END)
        fast = self.found()
        self.maxDiff = 5000
        self.assertEqual(set(fast), set(slow))
        for name, part in slow.items():
            for inner, expected in part.items():
                with self.subTest(name, part=inner):
                    self.assertEqual(fast[name].get(inner), expected)
        self.assertEqual(fast, slow)
        self.assertEqual(len(fast["trees"]["entries"]), len(self.NUMBERS) * 10)

    def test_every_outcome_is_among_them(self):
        with self.owner():
            self.filling.fill(self.portal, 200, self.END)
        found = {outcome for outcome, *_ in self.entries()}
        self.assertEqual(found, {*ledger.FINAL, ledger.FAILED})
        with self.owner(), self.assertRaises(self.filling.NotEmpty):
            self.filling.fill(self.portal, 200, self.END)


def _named(value, names):
    """A value with other names for some texts in it, sorted where the texts did sort it."""
    if isinstance(value, dict):
        return {_named(key, names): _named(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((_named(item, names) for item in value), key=repr)
    if isinstance(value, tuple):
        return tuple(_named(item, names) for item in value)
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
    return value


@HERE
class TestOutcome(TestCase):
    def setUp(self):
        _importable(self)
        from bench import measure
        from bench import outcome
        from bench import visits

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
        looked_at = [
            visits.Pages("a list", {1000: 50.0, 1_000_000: 60.0}),
            visits.Pages("a slow list", {1000: 50.0, 1_000_000: 70.0}),
            visits.Pages(
                "a longer one", {1000: 50.0, 1_000_000: 70.0}, {1000: 5, 1_000_000: 50}
            ),
        ]
        self.of_pages = outcome.Outcome([], None, "link", looked_at)

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

    def test_pages_alone(self):
        met = {bar.name: bar.met for bar in self.of_pages.bars()}
        self.assertEqual(met, {"a list": True, "a slow list": False})
        text = self.of_pages.table()
        self.assertIn("1,000,000", text)
        self.assertIn("rows: [5, 50]", text)
        self.assertEqual(text.count("\nNOT "), 1)
        read = json.loads(self.of_pages.json())
        self.assertEqual(read["pages"][1]["times"], {"1000": 50.0, "1000000": 70.0})

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
