"""Accounts and groups that administer the site: no purchase touches them."""

from AccessControl.Permissions import manage_users
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api
from zope.component import getUtilitiesFor
from zope.security.interfaces import IPermission

import transaction


class PrivilegeTestCase(SiteTestCase):
    def add_role(self, *permissions):
        """A role of the site's own that holds permissions, named "Clerk"."""
        with self.owner():
            self.portal._addRole("Clerk")
            self.portal.acl_users.portal_role_manager.addRole("Clerk")
            for permission in permissions:
                self.portal.manage_permission(permission, ["Manager", "Clerk"], acquire=True)

    def own_permissions(self):
        """The permissions that the add-on registers, as the role manager names them."""
        return [
            str(permission.title)
            for name, permission in getUtilitiesFor(IPermission)
            if name.startswith("niteoweb.click2sell.")
        ]

    def put(self, user_id, group_id):
        with self.owner():
            self.portal.portal_groups.addPrincipalToGroup(user_id, group_id)

    def give(self, user_id, *roles):
        with self.owner():
            self.portal.acl_users.portal_role_manager.assignRolesToPrincipal(
                ("Member", *roles), user_id
            )

    def local_role(self, principal_id, context, *roles):
        with self.owner():
            context.manage_setLocalRoles(principal_id, roles)


class TestAccounts(PrivilegeTestCase):
    def setUp(self):
        super().setUp()
        self.settings(welcome_mail="password", notice_mail=True)
        self.account()

    def assert_privileged(self):
        """A purchase changes nothing but the ledger, and a person has to decide, once."""
        before = self.dump()
        self.assertEqual(self.buy(), pipeline.Result(Outcome.ATTENTION, "privileged account"))
        for _ in range(3):
            self.provision()
        after = self.dump()
        for part in ("passwords", "logins", "properties", "groups", "roles"):
            self.assertEqual(after[part], before[part], part)
        self.assertEqual(after["trees"]["mails"], {})
        self.assertEqual(self.attention(), [["privileged account", ""]])
        self.assertEqual(self.user_id(), "")

    def assert_harmless(self):
        self.assertEqual(self.buy(), pipeline.Result(Outcome.ACCEPTED))
        self.assertIn("premium", self.groups())

    def test_manager(self):
        self.give(EMAIL, "Manager")
        self.assert_privileged()

    def test_site_administrator(self):
        self.give(EMAIL, "Site Administrator")
        self.assert_privileged()

    def test_through_a_group(self):
        self.group("board", ["Site Administrator"])
        self.put(EMAIL, "board")
        self.assert_privileged()

    def test_through_a_nested_group(self):
        self.group("board", inside="Administrators")
        self.group("chair", inside="board")
        self.put(EMAIL, "chair")
        self.assert_privileged()

    def test_local_role_at_the_site_root(self):
        self.local_role(EMAIL, self.portal, "Manager")
        self.assert_privileged()

    def test_local_role_of_a_group_at_the_site_root(self):
        self.group("board")
        self.put(EMAIL, "board")
        self.local_role("board", self.portal, "Site Administrator")
        self.assert_privileged()

    def test_role_that_manages_users(self):
        self.add_role(manage_users)
        self.give(EMAIL, "Clerk")
        self.assert_privileged()

    def test_role_for_the_users_panel(self):
        self.add_role("Plone Site Setup: Users and Groups")
        self.give(EMAIL, "Clerk")
        self.assert_privileged()

    def test_each_permission_of_the_add_on(self):
        own = self.own_permissions()
        self.assertLessEqual(set(own), set(privilege.PERMISSIONS))
        self.assertEqual(len(own), 6)
        self.add_role()
        self.give(EMAIL, "Clerk")
        for permission in own:
            with self.subTest(permission), self.owner():
                self.assertFalse(privilege.member(EMAIL))
                self.portal.manage_permission(permission, ["Manager", "Clerk"], acquire=True)
                self.assertTrue(privilege.member(EMAIL))
                self.portal.manage_permission(permission, ["Manager"], acquire=True)
        self.assert_harmless()

    def test_root_user_of_the_same_name(self):
        self.root_user(["Manager"])
        self.assert_privileged()

    def test_editors_are_not_privileged(self):
        self.add_role("Modify portal content")
        self.give(EMAIL, "Clerk", "Editor", "Contributor", "Reviewer")
        self.assert_harmless()

    def test_local_role_in_a_folder_is_not_privileged(self):
        with self.owner():
            folder = api.content.create(self.portal, "Folder", "page")
            folder.manage_setLocalRoles(EMAIL, ("Manager",))
        self.assert_harmless()

    def test_root_user_without_power(self):
        self.root_user([])
        self.assert_harmless()

    def test_unknown_account(self):
        self.assertFalse(privilege.member("nobody"))


class TestTiedAccount(PrivilegeTestCase):
    """A buyer who became an administrator after the first purchase."""

    def setUp(self):
        super().setUp()
        self.buy()

    def test_becomes_privileged(self):
        self.give(EMAIL, "Manager")
        fields = self.fields()
        result = self.buy_again(product_id="2")
        self.assertEqual(result, pipeline.Result(Outcome.ATTENTION, "privileged account"))
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.fields(), fields)

    def test_one_item_for_a_person(self):
        self.buy_again(product_id="2")
        self.give(EMAIL, "Manager")
        self.buy_again(3)
        self.provision()
        self.assertEqual(self.attention(), [["privileged account", ""]])

    def test_refund_changes_nothing_and_is_reported(self):
        self.give(EMAIL, "Manager")
        self.refund()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.attention(), [["privileged account", ""]])

    def test_is_not_privileged_any_more(self):
        self.give(EMAIL, "Manager")
        self.buy_again(product_id="2")
        self.give(EMAIL)
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.assertEqual(self.attention(), [])


class TestGroups(PrivilegeTestCase):
    def assert_not_given(self, reason="group privileged", name="premium"):
        before = self.groups()
        with self.assertLogs("niteoweb.click2sell", "ERROR") as logs:
            result = self.buy()
        self.assertEqual(result, pipeline.Result(Outcome.ATTENTION, reason, name))
        self.assertIn("'1'", logs.output[0])
        self.assertIn(f"'{name}'", logs.output[0])
        self.assertNotIn(EMAIL, str(logs.output))
        self.assertEqual(self.groups(), [*before, "click2sell"])

    def is_privileged(self, group_id: str) -> bool:
        return privilege.group(self.portal.acl_users.getGroup(group_id))

    def test_roles_of_its_own(self):
        for role in ("Manager", "Site Administrator"):
            with self.owner():
                api.group.create(f"group-{role}", roles=[role])
            self.assertTrue(self.is_privileged(f"group-{role}"), role)
        with self.owner():
            api.group.grant_roles(groupname="premium", roles=["Manager"])
        self.assert_not_given()

    def test_nested(self):
        self.group("board", inside="Administrators")
        self.put("premium", "board")
        self.assert_not_given()

    def test_local_role_at_the_site_root(self):
        self.local_role("premium", self.portal, "Manager")
        self.assert_not_given()

    def test_nested_in_one_with_a_local_role(self):
        self.group("board")
        self.local_role("board", self.portal, "Site Administrator")
        self.put("premium", "board")
        self.assert_not_given()

    def test_local_role_in_zopes_root(self):
        self.local_role("premium", self.layer["app"], "Manager")
        self.assert_not_given()

    def test_role_of_the_site(self):
        self.add_role(manage_users)
        with self.owner():
            api.group.grant_roles(groupname="premium", roles=["Clerk"])
        self.assert_not_given()

    def test_role_of_the_site_with_a_permission_from_zopes_root(self):
        with self.owner():
            self.layer["app"].manage_permission(manage_users, ["Manager", "Reviewer"])
            api.group.grant_roles(groupname="premium", roles=["Reviewer"])
        self.assert_not_given()

    def test_own_permission(self):
        """Of a role, of the group it is nested in, and by a local role at the site root."""
        self.add_role("Click2Sell: View purchases")
        self.group("board")
        with self.owner():
            api.group.grant_roles(groupname="board", roles=["Clerk"])
        self.assertTrue(self.is_privileged("board"))
        self.assertFalse(self.is_privileged("course"))
        self.local_role("course", self.portal, "Clerk")
        self.assertTrue(self.is_privileged("course"))
        self.put("premium", "board")
        lines = {"mapping": ["1|premium"]}
        self.assertEqual([name for name, _text in rules.validate(lines)], ["mapping"])
        self.assert_not_given()

    def test_groups_in_a_circle(self):
        self.put("premium", "course")
        self.put("course", "premium")
        self.assertFalse(self.is_privileged("premium"))
        self.put("course", "Administrators")
        self.assertTrue(self.is_privileged("premium"))

    def test_harmless(self):
        with self.owner():
            api.group.grant_roles(groupname="premium", roles=["Reviewer", "Editor"])
        self.local_role("premium", self.portal, "Contributor")
        self.assertFalse(self.is_privileged("premium"))
        self.assertEqual(self.buy(), pipeline.Result(Outcome.ACCEPTED))
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_group_of_all_buyers(self):
        self.group("click2sell", ["Site Administrator"])
        result = self.buy()
        self.assertEqual(
            result, pipeline.Result(Outcome.ATTENTION, "group privileged", "click2sell")
        )
        self.assertEqual(self.groups(), ["premium"])

    def test_one_that_becomes_privileged_later(self):
        self.buy()
        with self.owner():
            api.group.grant_roles(groupname="premium", roles=["Manager"])
        result = self.buy(
            buyer_email="jane@example.org",
            acquirer_transaction_id="T-2",
            c2s_transaction_id="R",
        )
        self.assertEqual(
            result, pipeline.Result(Outcome.ATTENTION, "group privileged", "premium")
        )
        self.assertEqual(self.groups("jane@example.org"), ["click2sell"])
        # Whoever is in it already is privileged now, and so is not touched either.
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(
            self.attention(), [["privileged account", ""], ["group privileged", "premium"]]
        )

    def test_given_once_it_is_harmless_again(self):
        with self.owner():
            api.group.grant_roles(groupname="premium", roles=["Manager"])
        self.assert_not_given()
        with self.owner():
            api.group.revoke_roles(groupname="premium", roles=["Manager"])
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.attention(), [])
        transaction.abort()
