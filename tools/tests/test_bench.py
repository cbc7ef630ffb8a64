"""The benchmarks notice a purchase that is lost, and fill sites as purchases would."""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.ledger import daysums
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import index
from niteoweb.click2sell.provider import unreadable
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import daily
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import trees as store
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from tools.bench import histories
from tools.bench import ledgerfill
from tools.bench import members
from tools.bench import plain
from tools.demo import seeding
from tools.demo import settings as demo
from unittest import mock
from zope.annotation.interfaces import IAnnotations

import transaction


class TestMembers(SiteTestCase):
    def setUp(self):
        super().setUp()
        self.group(demo.GROUP)
        self.settings(secretkey=demo.SECRET_KEY, mapping=[f"{demo.PRODUCT}|{demo.GROUP}"])

    def fill(self, total=3):
        transaction.begin()
        members.fill(self.portal, total)
        return sorted(store.tree(self.portal, "buyer_by_address"))

    def assert_missing(self, sold, total, text):
        with self.assertRaisesRegex(members.Missing, text):
            members.check(self.portal, sold, total)

    def test_what_is_filled_is_what_a_purchase_leaves(self):
        (filled,) = self.fill(1)
        with mock.patch("niteoweb.click2sell.tests.cases.deliveries.SECRET_KEY", "secret"):
            self.buy()
        for name in ("grants", "due", "live", "pending", "made", "revision"):
            self.assertEqual(self.buyer(filled)[name], self.buyer()[name], name)
        self.assertEqual(self.groups(filled), self.groups())
        self.assertEqual(self.member(filled).getRoles(), self.member().getRoles())
        self.assertEqual(self.member(filled).getProperty("email"), filled)
        self.assertEqual(self.entries(), [(Outcome.ACCEPTED, "", "")] * 2)

    def test_index_of_members_is_as_rebuilt(self):
        self.fill(3)
        names = ("member_addresses", "member_logins", "member_ids")
        before = [dict(store.tree(self.portal, name)) for name in names]
        index.rebuild(self.portal)
        after = [dict(store.tree(self.portal, name)) for name in names]
        self.assertEqual(before, after)

    def test_it_goes_on_where_it_stopped(self):
        first = self.fill(2)
        both = self.fill(3)
        self.assertEqual(len(both), 3)
        self.assertLess(set(first), set(both))

    def test_nothing_is_missing(self):
        self.fill(3)
        members.check(self.portal, [], 3)

    def test_an_entry_too_few_or_too_many(self):
        self.fill(3)
        self.assert_missing([], 4, "4 entries are due")
        self.assert_missing([], 2, "2 entries are due")

    def test_entries_of_purchases_that_failed(self):
        self.fill(3)
        members.check(self.portal, [], 2, failed=1)
        members.check(self.portal, [], 3, failed=1)
        with self.assertRaisesRegex(members.Missing, "1 entries are due"):
            members.check(self.portal, [], 1, failed=1)

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
        members.check(self.portal, [address], 1)
        with self.owner(), group.own_run():
            self.portal.acl_users.source_groups.removePrincipalFromGroup(address, "click2sell")
        self.assert_missing([address], 1, "not in the groups")

    def test_a_line_of_the_group_that_was_lost(self):
        (address,) = self.fill(1)
        with self.owner():
            members = self.portal.acl_users.source_groups._group_principal_map["click2sell"]
            members.remove(address)
        self.assert_missing([address], 1, "not listed")


class TestPlain(SiteTestCase):
    """Pages of the site without the add-on; the groups do not need it."""

    def setUp(self):
        super().setUp()
        for name in members.GROUPS:
            if not group.exists(name):
                self.group(name)
        with self.owner():
            members.write_account(self.portal, EMAIL, {})
        self.total = len(self.portal.acl_users.source_users.getUserIds())

    def check(self, more=0):
        plain.check(self.portal, [EMAIL], self.total + more)

    def assert_missing(self, text, **what):
        with self.assertRaisesRegex(members.Missing, text):
            self.check(**what)

    def test_nothing_is_missing(self):
        self.check()

    def test_a_member_too_few_or_too_many(self):
        self.assert_missing("members are due", more=1)
        self.assert_missing("members are due", more=-1)

    def test_an_account_that_was_lost(self):
        with self.owner():
            self.portal.acl_users.source_users.removeUser(EMAIL)
        self.assert_missing("no account", more=-1)

    def test_a_group_that_was_lost(self):
        with self.owner():
            kept = self.portal.acl_users.source_groups._principal_groups
            kept[EMAIL] = kept[EMAIL][:1]
        self.assert_missing("not in the groups")

    def test_a_line_of_the_group_that_was_lost(self):
        with self.owner():
            groups = self.portal.acl_users.source_groups
            groups._group_principal_map["click2sell"].remove(EMAIL)
        self.assert_missing("not listed")


class TestLedgerFill(SiteTestCase):
    """The site that is filled fast is the one that the ordinary road would have left."""

    #: One buyer of each history, and of those that are not alike in every cycle two.
    NUMBERS = (0, 11, 15, 17, 18, 19, 20, 38)
    END = datetime(2026, 5, 3, 18, tzinfo=timezone.utc)

    def setUp(self):
        super().setUp()
        for product in demo.PRODUCTS.values():
            if product.group not in ("", demo.MISSING_GROUP):
                self.group(product.group)
        with self.owner():
            group.make(demo.BUYERS_GROUP, "Click2Sell")
        self.empty()
        self.settings(
            secretkey=demo.SECRET_KEY,
            mapping=seeding.mapping(),
            welcome_mail="link",
            site_address=self.portal.absolute_url(),
        )
        self.registry(email_from_address="shop@example.org", email_from_name="Shop")

    def ordinary_road(self):
        """Process each notification when it arrives, and sweep where the history says so."""
        arrivals = [
            (at, number, arrival)
            for number in self.NUMBERS
            for arrival in histories.history(number, self.END)
            for at in arrival.tried_at or (arrival.at,)
        ]
        sent = mock.patch.object(delivery, "_send", lambda message: None)
        with sent, self.assertLogs("niteoweb.click2sell"):
            for at, number, arrival in sorted(arrivals, key=lambda found: found[0]):
                self.now = at
                self._arrived(number, arrival)

    def _arrived(self, number, arrival):
        if not arrival.form:
            buyer = self.buyer(histories.buyer_address(number))
            pipeline.provision(buyer["id"], despite_silence=True)
        elif arrival.broken:
            pipeline.process(unreadable(*histories.broken(arrival), self.now))
        else:
            notification = histories.read(arrival, plone_site.timezone())
            if arrival.tried_at:
                step = mock.patch.object(steps, "reached", self._fail)
                with step, self.assertRaises(pipeline.Failed):
                    pipeline.process(notification)
            else:
                pipeline.process(notification)

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
        # Where a record was counted before it moved on, a zero or an empty set is left.
        for name in ("facets", "counts", "products_with_access", "access_ends_by_day"):
            trees[name] = {key: value for key, value in trees[name].items() if value}
        del dump["passwords"], trees["remarks"]
        # The id of a mail begins as that of a buyer of the same moment does.
        return _named(dump, dict(sorted(names.items(), key=lambda name: -len(name[0]))))

    def empty(self):
        with self.owner():
            self.portal.portal_membership.deleteMembers(
                list(self.portal.acl_users.source_users.getUserIds())
            )
        # What holds the trees is looked up once in a transaction.
        with self.owner():
            del IAnnotations(self.portal)[store.KEY]
            store.install(self.portal)

    def test_it_is_what_the_ordinary_road_leaves(self):
        self.ordinary_road()
        slow = self.found()
        self.empty()
        self.assertFalse(self.found()["trees"]["entries"])
        with self.owner():
            ledgerfill.fill_buyers(self.portal, self.NUMBERS, self.END)
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
            ledgerfill.fill(self.portal, 200, self.END)
        found = {outcome for outcome, *_ in self.entries()}
        self.assertEqual(found, {*outcomes.FINAL, Outcome.FAILED})
        with self.owner(), self.assertRaises(ledgerfill.NotEmpty):
            ledgerfill.fill(self.portal, 200, self.END)

    def test_the_money_of_each_day_is_added_up(self):
        with self.owner():
            ledgerfill.fill(self.portal, 200, self.END)
        ledgerfill.add_up(self.portal, self.END)
        transaction.begin()
        days = (self.END - daily.KEPT).date().isoformat(), self.END.date().isoformat()
        found = daily.breakdown(self.portal, *days)
        self.assertGreater(len(daysums.kept(self.portal, *days)), 100)
        with mock.patch.object(daysums, "kept", return_value={}):
            self.assertEqual(found, daily.breakdown(self.portal, *days))


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
