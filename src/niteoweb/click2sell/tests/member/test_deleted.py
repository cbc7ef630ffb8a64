"""A member whom an owner deletes: gone, with all entries in groups, until the next payment."""

from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.member import group
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases.site import ByHandTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from unittest import mock


class TestDeletedMember(ByHandTestCase):
    def assert_gone(self):
        self.assertIsNone(self.member())
        self.assertEqual(self.groups(), [])
        self.assertEqual(self.user_id(), "")
        for group_id in ("premium", "course", "click2sell"):
            if group.exists(group_id):
                members = self.portal.portal_groups.getGroupMembers(group_id)
                self.assertNotIn(EMAIL, members)

    def test_entries_in_groups_are_gone(self):
        self.buy()
        self.buy_again(product_id="2")
        self.delete_member()
        self.assert_gone()
        self.account(email="new@example.org")
        self.assertEqual(self.groups(), [])

    def test_entries_by_hand_are_gone_too(self):
        self.account()
        self.put("premium")
        self.buy()
        self.delete_member()
        self.assert_gone()

    def test_nothing_makes_the_member_again(self):
        self.settings(mapping=["1|premium|30"])
        self.buy()
        self.delete_member()
        self.assertEqual(self.buy(), pipeline.Result(Outcome.ACCEPTED), "delivered again")
        self.replay_all()
        self.refund()
        self.later(days=60)
        self.replay_all()
        self.assert_gone()
        self.assertEqual(self.attention(), [])
        self.assertEqual(self.buyer()["next_change"], "")

    def test_entry_that_failed_before_does_not_make_the_member(self):
        self.buy()
        with (
            mock.patch.object(ownership, "bind", side_effect=ValueError),
            self.assertRaises(pipeline.Failed),
        ):
            self.buy_again()
        self.delete_member()
        for key in self.buyer()["keys"]:
            pipeline.resume(key)
        self.assert_gone()

    def test_later_payment_makes_a_new_member(self):
        self.buy()
        self.take("click2sell")
        self.delete_member()
        self.settings(welcome_mail="password")
        self.buy_again(product_id="2")
        self.assertEqual(self.user_id(), EMAIL)
        # What was paid for before the account was deleted is still paid for.
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.assertEqual(self.fields()["last_purchase_id"], "R-2")
        self.assertEqual(len(self.dump()["trees"]["mails"]), 1)

    def test_somebody_else_registers_the_name(self):
        self.buy()
        self.delete_member()
        self.account(email="new@example.org")
        self.replay_all()
        self.assertEqual(self.groups(), [])
        self.buy_again()
        self.assertEqual(self.groups(), [])
        self.assertEqual(self.attention(), [["account not certain", ""]])

    def test_account_that_was_there_before(self):
        self.account()
        self.buy()
        self.delete_member()
        self.replay_all()
        self.assert_gone()

    def test_behind_the_back_of_every_event(self):
        self.buy()
        with self.owner():
            self.portal.acl_users.source_users.removeUser(EMAIL)
        self.provision()
        self.assertIsNone(self.member())
        self.assertEqual(self.attention(), [["account missing", ""]])

    def test_payment_under_another_address_of_the_same_buyer(self):
        self.buy()
        with self.owner():
            self.portal.portal_membership.getMemberById(EMAIL).setMemberProperties(
                {"email": "new@example.org"}
            )
        self.buy_again(buyer_email="new@example.org")
        self.delete_member()
        self.buy_again(3, buyer_email="new@example.org")
        self.assertEqual(
            self.member(self.user_id("new@example.org")).getProperty("email"),
            "new@example.org",
        )

    def test_roles_that_an_administrator_left_behind(self):
        self.account()
        with self.owner():
            self.portal.acl_users.portal_role_manager.assignRolesToPrincipal(
                ("Manager",), EMAIL
            )
            self.portal.manage_setLocalRoles(EMAIL, ("Site Administrator",))
            self.portal.portal_membership.deleteMembers([EMAIL], delete_localroles=0)
        self.buy()
        self.assertEqual(
            set(self.member(self.user_id()).getRolesInContext(self.portal)),
            {"Member", "Authenticated"},
        )

    def test_what_an_administrator_left_behind(self):
        """Plone keeps the groups of a deleted account for whoever gets its id next."""
        self.account()
        self.put("Administrators")
        self.delete_member()
        self.assertEqual(self.groups(), ["Administrators"])
        self.buy()
        user_id = self.user_id()
        self.assertEqual(self.groups(user_id), ["click2sell", "premium"])
        self.assertNotIn("Manager", self.member(user_id).getRoles())
