"""Which account a purchase belongs to, and the index that finds it without looking at all."""

from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member.index import Match
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import FIELDS
from niteoweb.click2sell.tests.cases.site import PASSWORD
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from unittest import mock

import transaction


class TestExisting(SiteTestCase):
    """An account that was there before the first purchase."""

    def assert_attached(self, user_id, login):
        self.assertEqual(self.entries(), [(Outcome.ACCEPTED, "", "")])
        self.assertEqual(self.user_id(), user_id)
        self.assertEqual(self.groups(user_id), ["click2sell", "premium"])
        self.assertEqual(self.authenticates(login, PASSWORD), user_id)

    def assert_untouched(self, before, reason):
        self.assertEqual(self.entries(), [(Outcome.ATTENTION, reason, "")])
        self.assertEqual(self.user_id(), "")
        after = self.dump()
        for part in ("passwords", "logins", "properties", "groups", "roles"):
            self.assertEqual(after[part], before[part], part)
        (mail,) = after["trees"]["mails"].values()
        self.assertEqual((mail["kind"], mail["to"], mail["user_id"]), ("claim", EMAIL, ""))

    def test_login_name_and_address(self):
        self.account()
        self.buy()
        self.assert_attached(EMAIL, EMAIL)

    def test_in_any_letter_case(self):
        self.account("John@Example.ORG", "JOHN@example.org")
        self.buy(buyer_email="joHN@exaMPLE.org")
        self.assert_attached("John@Example.ORG", "John@Example.ORG")

    def test_login_name_differs_from_the_user_id(self):
        """Members can edit address and login name, where Plone keeps them alike, at once."""
        self.account("old-name", "John@example.org", login="JOHN@example.org")
        before = self.dump()
        self.buy()
        self.assert_untouched(before, "account not certain")

    def test_what_is_changed_and_what_is_not(self):
        self.group("choir")
        self.account(email="John@Example.org", fullname="Johnny", affiliate="before")
        with self.owner():
            self.portal.portal_groups.addPrincipalToGroup(EMAIL, "choir")
        stored = self.portal.acl_users.source_users._user_passwords[EMAIL]
        self.buy()
        self.assertEqual(self.portal.acl_users.source_users._user_passwords[EMAIL], stored)
        member = self.member()
        self.assertEqual(member.getProperty("email"), "John@Example.org")
        self.assertEqual(member.getProperty("fullname"), "Johnny")
        fields = self.fields()
        self.assertEqual(fields.pop("last_purchase_timestamp").year(), 2026)
        self.assertEqual(
            fields,
            {
                "product_id": "1",
                "product_name": "Test Product",
                "affiliate": "before",
                "last_purchase_id": "R-1",
            },
        )
        self.assertEqual(self.groups(), ["choir", "click2sell", "premium"])

    def test_address_alone(self):
        self.account("john", EMAIL)
        before = self.dump()
        self.buy()
        self.assert_untouched(before, "account not certain")

    def test_login_name_alone(self):
        self.account("john", "other@example.org", login=EMAIL)
        before = self.dump()
        self.buy()
        self.assert_untouched(before, "account not certain")

    def test_user_id_alone(self):
        self.account(EMAIL, "other@example.org", login="john")
        before = self.dump()
        self.buy()
        self.assert_untouched(before, "account not certain")

    def test_name_in_another_letter_case_alone(self):
        self.account("JOHN@example.org", "other@example.org")
        before = self.dump()
        self.buy()
        self.assert_untouched(before, "account not certain")

    def test_two_accounts(self):
        self.account("john", EMAIL)
        self.account("johnny", EMAIL)
        before = self.dump()
        self.buy()
        self.assert_untouched(before, "several accounts")

    def test_two_accounts_that_are_both_certain(self):
        self.account(EMAIL, EMAIL)
        self.account("John@example.org", EMAIL)
        before = self.dump()
        self.buy()
        self.assert_untouched(before, "several accounts")

    def test_one_certain_account_beside_an_uncertain_one(self):
        """Anybody can write any address into a profile; that must not lock the buyer out."""
        self.account(EMAIL, EMAIL)
        self.account("mallory", EMAIL)
        self.buy()
        self.assert_attached(EMAIL, EMAIL)
        self.assertEqual(self.groups("mallory"), [])

    def test_login_name_and_address_edited_at_once(self):
        self.account("john", EMAIL)
        self.buy()
        with self.owner():
            self.portal.acl_users.updateLoginName("john", EMAIL)
        before = self.dump()
        self.provision()
        self.assert_untouched(before, "account not certain")


class TestMadeByUs(SiteTestCase):
    """An account that a purchase made."""

    def change(self, email, login=""):
        with self.owner():
            self.portal.portal_membership.getMemberById(EMAIL).setMemberProperties(
                {"email": email}
            )
            if login:
                self.portal.acl_users.updateLoginName(EMAIL, login)

    def test_tie_outlives_a_changed_address(self):
        self.buy()
        self.change("new@example.org")
        self.buy_again(product_id="2")
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.assertEqual(self.member().getProperty("email"), "new@example.org")

    def test_tie_outlives_a_changed_login_name(self):
        self.registry(use_uuid_as_userid=True)
        self.buy()
        user_id = self.user_id()
        with self.owner():
            self.portal.acl_users.updateLoginName(user_id, "johnny")
            self.portal.portal_membership.getMemberById(user_id).setMemberProperties(
                {"email": "new@example.org"}
            )
        self.buy_again(product_id="2")
        self.assertEqual(self.user_id(), user_id)
        self.assertEqual(self.groups(user_id), ["click2sell", "course", "premium"])

    def test_tie_outlives_an_account_that_now_has_the_address(self):
        self.buy()
        self.change("new@example.org", "johnny")
        self.account("mallory", EMAIL)
        self.buy_again(product_id="2")
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.assertEqual(self.groups("mallory"), [])

    def test_new_address_of_the_account_proves_nothing(self):
        self.buy()
        self.change("new@example.org")
        self.buy_again(product_id="2", buyer_email="New@example.org")
        self.assertEqual(self.user_id("new@example.org"), "")
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.attention(), [["account not certain", ""]])

    def two_addresses(self):
        """A product paid for twice: under the old and under the new address."""
        self.buy()
        self.change("new@example.org")
        self.buy_again(buyer_email="new@example.org")
        self.choose(EMAIL, "new@example.org")

    def test_refund_under_one_address_keeps_what_the_other_paid_for(self):
        self.two_addresses()
        self.refund()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_refund_under_the_new_address_keeps_what_the_old_one_paid_for(self):
        self.two_addresses()
        self.buy_again(buyer_email="new@example.org", transaction_type="Refund")
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_provisioning_both_addresses_changes_nothing(self):
        self.two_addresses()
        self.provision()
        before = self.dump()
        self.provision("new@example.org")
        self.assertEqual(self.dump(), before)

    def test_taking_away_by_hand_holds_for_both_addresses(self):
        self.two_addresses()
        with self.owner():
            self.portal.portal_groups.removePrincipalFromGroup(EMAIL, "premium")
        self.provision()
        self.provision("new@example.org")
        self.assertEqual(self.groups(), ["click2sell"])

    def test_deleted_account_unties_both_addresses(self):
        self.two_addresses()
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        self.assertEqual([self.user_id(), self.user_id("new@example.org")], ["", ""])
        self.assertEqual(self.groups(), [])


class TestIndex(SiteTestCase):
    def found(self, address):
        transaction.begin()
        return index.find(self.portal, address)

    def test_follows_an_account(self):
        self.assertEqual(self.found(EMAIL), ())
        self.account("john", "John@Example.org")
        self.assertEqual(self.found(EMAIL), (Match("john", True, False),))
        with self.owner():
            self.portal.portal_membership.getMemberById("john").setMemberProperties(
                {"email": "new@example.org"}
            )
        self.assertEqual(self.found(EMAIL), ())
        self.assertEqual(self.found("new@example.org"), (Match("john", True, False),))
        with self.owner():
            self.portal.portal_membership.deleteMembers(["john"])
        self.assertEqual(self.found("new@example.org"), ())
        for name in ("member_addresses", "member_logins", "member_ids"):
            self.assertNotIn("john", str(list(trees.tree(self.portal, name).items())))

    def test_an_account_whose_address_is_its_id_is_found_without_the_index(self):
        self.account(EMAIL, EMAIL)
        for name in ("member_addresses", "member_logins", "member_ids"):
            self.assertNotIn(EMAIL, str(list(trees.tree(self.portal, name).items())))
        self.assertEqual(self.found(EMAIL), (Match(EMAIL, True, True),))
        with self.owner():
            self.member(EMAIL).setMemberProperties({"email": "new@example.org"})
        self.assertEqual(self.found("new@example.org"), (Match(EMAIL, True, False),))
        self.assertEqual(self.found(EMAIL), (Match(EMAIL, False, True),))
        with self.owner():
            self.member(EMAIL).setMemberProperties({"email": EMAIL})
        self.assertEqual(self.found("new@example.org"), ())
        for name in ("member_addresses", "member_logins", "member_ids"):
            self.assertNotIn(EMAIL, str(list(trees.tree(self.portal, name).items())))

    def test_several_accounts_of_one_address(self):
        for name in ("anna", "bert", "carl"):
            self.account(name, EMAIL)
        with self.owner():
            self.portal.portal_membership.deleteMembers(["bert"])
        self.assertEqual([match.user_id for match in self.found(EMAIL)], ["anna", "carl"])

    def test_outdated_line_finds_nobody(self):
        self.account("john", EMAIL)
        with self.owner():
            # Behind the back of every event.
            self.portal.acl_users.source_users.removeUser("john")
        self.assertEqual(self.found(EMAIL), ())

    def test_login_name_changed_without_an_event(self):
        self.account("john", "john@example.net")
        with self.owner():
            self.portal.acl_users.updateLoginName("john", EMAIL)
        self.assertEqual(self.found(EMAIL), (Match("john", False, True),))
        self.assertEqual(self.found("john"), (Match("john", False, True),))

    def test_rebuild(self):
        before = self.dump()["trees"]
        self.account("john", "John@example.org")
        self.account("Jane@Example.org", "jane@example.org")
        filed = self.dump()["trees"]
        self.assertNotEqual(filed["member_ids"], before["member_ids"])
        with self.owner():
            for name in ("member_addresses", "member_logins", "member_ids"):
                trees.tree(self.portal, name).clear()
            trees.tree(self.portal, "member_addresses")["left@example.org"] = ("gone",)
            count = index.rebuild(self.portal)
        after = self.dump()["trees"]
        for name in ("member_addresses", "member_logins", "member_ids"):
            self.assertEqual(after[name], filed[name])
        self.assertEqual(count, 3)

    def test_no_full_scan(self):
        self.account("john", EMAIL)
        with (
            mock.patch(
                "Products.PluggableAuthService.PluggableAuthService.PluggableAuthService."
                "searchUsers",
                side_effect=AssertionError("a full scan"),
            ),
            mock.patch(
                "Products.PlonePAS.plugins.property.ZODBMutablePropertyProvider.testMemberData",
                side_effect=AssertionError("a full scan"),
            ),
        ):
            self.assertEqual(len(self.found(EMAIL)), 1)
            self.assertEqual(self.found("nobody@example.org"), ())

    def test_fields_exist(self):
        known = self.portal.portal_memberdata.propertyIds()
        self.assertEqual([name for name in FIELDS if name not in known], [])
