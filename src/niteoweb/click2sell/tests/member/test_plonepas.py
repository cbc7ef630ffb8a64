"""Groups that stay cheap: the set is exchanged once, and Plone goes on as before."""

from BTrees.OOBTree import OOSet
from BTrees.OOBTree import OOTreeSet
from contextlib import contextmanager
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import plonepas
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.testing.zope import Browser
from Products.CMFPlone.controlpanel.browser.quickinstaller import ManageProductsView
from ZODB.POSException import ConflictError

import transaction


LOG = "niteoweb.click2sell"
JANE = "jane@example.org"


class LargeGroupTestCase(SiteTestCase):
    def setUp(self):
        super().setUp()
        self.plugin = self.portal.acl_users.source_groups

    def members(self, group_id="premium"):
        """The set that Plone's plugin keeps."""
        transaction.begin()
        return self.plugin._group_principal_map[group_id]

    def fill(self, number, kind=OOSet):
        """Put ids of members into the group, as Plone's plugin does."""
        transaction.begin()
        ids = [f"member-{i:07}@example.com" for i in range(number)]
        self.plugin._group_principal_map["premium"] = kind(ids)
        self.plugin._principal_groups.update(dict.fromkeys(ids, ("premium",)))
        transaction.commit()
        return ids

    def grant(self, user_id):
        """Grant the group as provisioning does, in a commit of its own."""
        transactions.run(lambda site: group.grant(user_id, "premium"))

    def written(self):
        """Bytes of the records of the last transaction."""
        storage = self.portal._p_jar.db().storage
        tid = storage.lastTransaction()
        (written,) = storage.changes.iterator(tid, tid)
        return sum(len(record.data) for record in written)

    @contextmanager
    def elsewhere(self):
        """The group plugin as another process has it; commit with the manager."""
        manager = transaction.TransactionManager()
        connection = self.portal._p_jar.db().open(manager)
        try:
            site = connection.root()["Application"]["plone"]
            plugin = site.acl_users.source_groups
            # A snapshot of now, whatever happens here meanwhile.
            list(plugin._group_principal_map["premium"])
            yield manager, plugin
        finally:
            manager.abort()
            connection.close()


class TestConversion(LargeGroupTestCase):
    def test_at_the_first_grant(self):
        before = self.fill(100)
        with self.assertLogs(LOG, "INFO") as logs:
            self.buy()
        told = [line for line in logs.output if "in a tree" in line]
        self.assertEqual(
            [line for line in told if "premium" in line],
            [f'INFO:{LOG}:The 100 members of group "premium" are kept in a tree now.'],
        )
        self.assertIs(type(self.members()), OOTreeSet)
        self.assertEqual(list(self.members()), sorted([*before, EMAIL]))

    def test_once(self):
        self.buy()
        members = self.members()
        with self.assertNoLogs(LOG, "INFO"):
            self.buy(buyer_email=JANE, acquirer_transaction_id="T-2")
        self.assertIs(self.members(), members)
        self.assertEqual(list(members), [JANE, EMAIL])

    def test_group_made_again(self):
        self.buy()
        with self.owner():
            self.portal.portal_groups.removeGroup("premium")
        self.group("premium")
        self.assertIs(type(self.members()), OOSet)
        self.provision()
        self.assertIs(type(self.members()), OOTreeSet)
        self.assertEqual(list(self.members()), [EMAIL])

    def test_at_a_revocation(self):
        self.buy()
        before = self.fill(100)
        with self.owner():
            api.group.add_user(groupname="premium", username=EMAIL)
        self.assertIs(type(self.members()), OOSet)
        self.refund()
        self.assertIs(type(self.members()), OOTreeSet)
        self.assertEqual(list(self.members()), before)

    def test_other_groups_stay_as_they_are(self):
        self.buy()
        self.assertIs(type(self.members("course")), OOSet)

    def test_nothing_is_told_of_what_is_undone(self):
        with self.assertNoLogs(LOG, "INFO"):
            transaction.begin()
            plonepas.keep_in_tree("premium")
            transaction.abort()
        self.assertIs(type(self.members()), OOSet)

    def test_a_group_that_nobody_keeps(self):
        transaction.begin()
        plonepas.keep_in_tree("nothing of this name")
        self.assertNotIn("nothing of this name", self.plugin._group_principal_map)


class TestCost(LargeGroupTestCase):
    """The bytes that one more member costs, with 20,000 in the group."""

    def test_of_a_grant(self):
        self.fill(20_000)
        self.grant(EMAIL)
        self.assertGreater(self.written(), 400_000)
        self.grant(JANE)
        self.assertLess(self.written(), 10_000)

    def test_without_the_tree(self):
        self.fill(20_000)
        with group.own_run():
            self.plugin.addPrincipalToGroup(JANE, "premium")
        transaction.commit()
        self.assertGreater(self.written(), 400_000)


class TestAtOnce(LargeGroupTestCase):
    def test_two_members_and_two_neighbours(self):
        for names in (
            ("member-0000100-a@example.com", "member-0000900-a@example.com"),
            ("member-0000500-a@example.com", "member-0000500-b@example.com"),
        ):
            with self.subTest(names):
                before = self.fill(1000, OOTreeSet)
                with self.elsewhere() as (manager, plugin), group.own_run():
                    plugin.addPrincipalToGroup(names[0], "premium")
                    transaction.begin()
                    self.plugin.addPrincipalToGroup(names[1], "premium")
                    manager.commit()
                    transaction.commit()
                self.assertEqual(list(self.members()), sorted([*before, *names]))

    def test_conversion_while_another_adds(self):
        for number in (0, 1, 100):
            with self.subTest(number):
                self.fill(number)
                with self.elsewhere() as (manager, plugin), group.own_run():
                    plugin.addPrincipalToGroup(JANE, "premium")
                    self.grant(f"buyer-{number}")
                    with self.assertRaises(ConflictError):
                        manager.commit()

    def test_another_adds_while_it_is_converted(self):
        for number in (0, 1, 100):
            with self.subTest(number):
                before = self.fill(number)
                names = [f"buyer-{number}", f"other-{number}"]
                others = iter([names[1]])

                def work(site, names=names, others=others):
                    list(self.plugin._group_principal_map["premium"])
                    for name in others:
                        with self.elsewhere() as (manager, plugin):
                            plugin.addPrincipalToGroup(name, "premium")
                            manager.commit()
                    group.grant(names[0], "premium")

                with group.own_run():
                    transactions.run(work)
                self.assertIs(type(self.members()), OOTreeSet)
                self.assertEqual(list(self.members()), sorted([*before, *names]))

    def test_both_convert(self):
        before = self.fill(100)
        with self.elsewhere() as (manager, plugin), group.own_run():
            self.grant(EMAIL)
            groups = plugin._group_principal_map
            plonepas._convert(groups, "premium", groups["premium"])
            plugin.addPrincipalToGroup(JANE, "premium")
            with self.assertRaises(ConflictError):
                manager.commit()
        self.assertEqual(list(self.members()), sorted([*before, EMAIL]))


class TestPlone(LargeGroupTestCase):
    """Plone's own operations on groups work on a converted group."""

    def setUp(self):
        super().setUp()
        self.account("anna", "anna@example.org")
        self.buy()
        self.assertIs(type(self.members()), OOTreeSet)

    def names(self):
        return sorted(user.getId() for user in api.user.get_users(groupname="premium"))

    def test_members_are_listed(self):
        found = self.portal.portal_groups.getGroupById("premium")
        self.assertEqual(self.names(), [EMAIL])
        self.assertEqual(found.getGroupMemberIds(), [EMAIL])
        self.assertEqual([m.getId() for m in found.getGroupMembers()], [EMAIL])
        self.assertEqual(self.portal.portal_groups.getGroupMembers("premium"), [EMAIL])

    def test_adding_and_removing(self):
        with self.owner():
            api.group.add_user(groupname="premium", username="anna")
        self.assertEqual(self.names(), ["anna", EMAIL])
        with self.owner():
            api.group.remove_user(groupname="premium", username=EMAIL)
        self.assertEqual(self.names(), ["anna"])
        self.assertEqual(self.groups(), ["click2sell"])

    def test_group_in_it(self):
        self.group("staff", inside="premium")
        with self.owner():
            api.group.add_user(groupname="staff", username="anna")
        user = self.portal.acl_users.getUserById("anna")
        self.assertIn("premium", user.getGroups())
        with self.owner():
            self.portal.portal_groups.removePrincipalFromGroup("staff", "premium")
        self.assertNotIn("premium", self.portal.acl_users.getUserById("anna").getGroups())

    def test_in_a_group(self):
        self.group("everybody")
        with self.owner():
            self.portal.portal_groups.addPrincipalToGroup("premium", "everybody")
        user = self.portal.acl_users.getUserById(EMAIL)
        self.assertIn("everybody", user.getGroups())

    def test_title(self):
        with self.owner():
            self.portal.portal_groups.editGroup("premium", title="Paying")
        self.assertEqual(api.group.get("premium").getProperty("title"), "Paying")
        self.assertEqual(self.names(), [EMAIL])

    def test_deleting_a_member(self):
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        self.assertEqual(self.names(), [])
        self.assertEqual(list(self.members()), [])

    def test_deleting_the_group(self):
        with self.owner():
            api.group.delete(groupname="premium")
        self.assertNotIn("premium", self.plugin._group_principal_map)
        self.assertEqual(self.groups(), ["click2sell"])

    def test_control_panel(self):
        browser = Browser(self.layer["app"])
        browser.handleErrors = False
        browser.addHeader("Authorization", f"Basic {SITE_OWNER_NAME}:{SITE_OWNER_PASSWORD}")
        url = f"{self.portal.absolute_url()}/@@usergroup-groupmembership?groupname=premium"
        browser.open(url)
        self.assertIn(EMAIL, browser.contents)
        browser.getControl(name="searchstring").value = "anna"
        browser.getControl(name="form.button.Search").click()
        browser.getControl(name="add:list").value = ["anna"]
        browser.getControl(name="form.button.Add").click()
        self.assertEqual(self.names(), ["anna", EMAIL])
        browser.open(url)
        browser.getControl(name="delete:list").value = ["anna"]
        browser.getControl(name="form.button.Edit").click()
        self.assertEqual(self.names(), [EMAIL])

    def test_after_uninstalling(self):
        with self.owner():
            view = ManageProductsView(self.portal, self.layer["request"])
            self.assertTrue(view.uninstall_product("niteoweb.click2sell"))
        self.assertEqual(type(self.members()).__module__, "BTrees.OOBTree")
        self.assertEqual(self.names(), [EMAIL])
        with self.owner():
            api.group.add_user(groupname="premium", username="anna")
        self.assertEqual(self.names(), ["anna", EMAIL])


class TestPrivateAttributes(SiteTestCase):
    """The private attributes of Plone's plugins, in the Plone that is installed."""

    def test_the_hash_of_a_password_is_found(self):
        api.user.create(email=JANE, username=JANE)
        self.assertTrue(plonepas.password_hash(JANE).startswith(b"{"))
        self.assertEqual(plonepas.password_hash("nobody"), b"")

    def test_roles_and_groups_are_forgotten(self):
        folder = self.portal.acl_users
        api.user.create(email=JANE, username=JANE)
        api.group.add_user(groupname="premium", username=JANE)
        kept = (
            folder.portal_role_manager._principal_roles,
            folder.source_groups._principal_groups,
        )
        self.assertTrue(all(JANE in names for names in kept))
        plonepas.forget(JANE)
        self.assertFalse(any(JANE in names for names in kept))
