"""Attacks on the rule that decides who gets what was paid: none gets another's purchase."""

from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import claims
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.explain import timeline
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.provisioning import claiming
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.tests.cases.mail import MailTestCase
from niteoweb.click2sell.tests.cases.providers import PlenigoTestCase
from niteoweb.click2sell.tests.cases.site import ByHandTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api

import json
import transaction


MALLORY = "mallory@example.org"


class RuleTestCase(SiteTestCase):
    def edit(self, user_id, email, login=""):
        """Edit one's own profile, as every member can."""
        with self.owner():
            api.user.get(userid=user_id).setMemberProperties({"email": email})
            if login:
                self.portal.acl_users.updateLoginName(user_id, login)

    def buy_as_mallory(self):
        """The cheapest product, bought by the attacker."""
        self.buy(
            buyer_email=MALLORY,
            product_id="2",
            acquirer_transaction_id="T-M",
            c2s_transaction_id="R-M",
        )

    def assert_waits(self, *user_ids):
        """Nobody got the purchase of :data:`EMAIL`, which waits for the buyer."""
        self.assertEqual(self.buyer()["user_id"], "")
        for user_id in user_ids:
            self.assertNotIn("premium", self.groups(user_id))
        self.assertIn(["account not certain", ""], self.attention())


class TestAddressRegisteredBeforehand(RuleTestCase):
    def setUp(self):
        super().setUp()
        self.account()

    def test_with_a_password_of_ones_own(self):
        self.registry(enable_self_reg=True, enable_user_pwd_choice=True)
        self.buy()
        self.assert_waits(EMAIL)

    def test_before_visitors_could_not_choose_passwords_any_more(self):
        self.registry(enable_self_reg=True, enable_user_pwd_choice=True)
        self.account("victim@example.org", "victim@example.org")
        self.registry(enable_user_pwd_choice=False)
        self.buy(buyer_email="victim@example.org")
        self.assertEqual(self.user_id("victim@example.org"), "")
        self.assertEqual(self.groups("victim@example.org"), [])

    def test_where_plone_mails_the_password_to_the_address(self):
        self.registry(enable_self_reg=True)
        self.buy()
        self.assertEqual(self.user_id(), EMAIL)

    def test_where_nobody_registers(self):
        self.registry(enable_user_pwd_choice=True)
        self.buy()
        self.assertEqual(self.user_id(), EMAIL)


class TestNameRegisteredBeforehand(RuleTestCase):
    """Plone mails the link to the attacker's address, which the attacker edits afterwards."""

    def test_waits(self):
        self.registry(enable_self_reg=True)
        self.account(EMAIL, MALLORY)
        self.edit(EMAIL, EMAIL)
        self.buy()
        self.assert_waits(EMAIL)

    def test_by_way_of_no_address_at_all(self):
        self.registry(enable_self_reg=True)
        self.account(EMAIL, MALLORY)
        self.edit(EMAIL, "")
        self.edit(EMAIL, EMAIL)
        self.buy()
        self.assert_waits(EMAIL)


class TestEditedProfile(RuleTestCase):
    def test_address_of_an_account_that_we_made(self):
        self.buy_as_mallory()
        self.edit(MALLORY, EMAIL)
        self.buy()
        self.assert_waits(MALLORY)

    def test_address_of_a_member_who_has_an_account(self):
        self.account("john", EMAIL)
        self.buy_as_mallory()
        self.edit(MALLORY, EMAIL)
        self.buy()
        self.assertEqual(self.user_id(), "")
        self.assertEqual(self.attention(), [["several accounts", ""]])
        self.assertEqual(self.groups(MALLORY), ["click2sell", "course"])

    def test_login_name_and_address_at_once(self):
        self.registry(use_email_as_login=True)
        self.buy_as_mallory()
        mallory = self.user_id(MALLORY)
        self.edit(mallory, EMAIL, login=EMAIL)
        self.buy()
        self.assert_waits(mallory)


class TestStatedAddress(PlenigoTestCase):
    """A customer of plenigo states any address, the victim's for example."""

    VICTIM = "victim@example.org"

    def attack(self):
        customer = self.fake.add_customer(self.VICTIM)
        self.fake.subscribe(customer, "gold")
        self.deliver()
        return customer

    def victim_buys(self):
        self.buy(buyer_email=self.VICTIM, product_id="2", c2s_transaction_id="R-VICTIM")

    def test_it_claims_no_purchase_of_another_provider(self):
        self.attack()
        self.registry(enable_self_reg=True, enable_user_pwd_choice=True)
        customer = customers.buyer(self.portal, ("plenigo", "1"))
        self.victim_buys()
        transaction.begin()
        record = buyers.of_address(self.portal, self.VICTIM)
        self.assertNotEqual(record["id"], customer and customer["id"])
        self.assertEqual(len(record["keys"]), 1)

    def test_the_victim_paid_before(self):
        self.victim_buys()
        customer = self.attack()
        self.fake.change_address(customer, MALLORY)
        self.deliver()
        self.assertNotIn("premium", self.groups(self.VICTIM))
        told = json.dumps(export.export(self.portal, MALLORY, self.now))
        self.assertNotIn("R-VICTIM", told)
        self.assertNotIn(self.VICTIM, json.dumps(json.loads(told)["mails"]))

    def test_two_customers_state_one_address(self):
        self.fake.subscribe(self.jane, "gold")
        self.deliver()
        jane = self.fake.customers[self.jane]["email"]
        customer = self.fake.add_customer(MALLORY)
        self.fake.change_address(customer, jane)
        self.fake.subscribe(customer, "offer", access_right="right-2")
        self.deliver()
        transaction.begin()
        of_jane = customers.buyer(self.portal, ("plenigo", self.jane))
        self.assertNotEqual(
            customers.buyer(self.portal, ("plenigo", customer))["id"], of_jane["id"]
        )
        self.assertEqual(self.groups(jane), ["click2sell", "premium"])

    def test_a_link_that_went_to_an_address_which_is_stated_no_more(self):
        """A customer has mistyped the address, and a stranger has read the mail."""
        for name in ("mistyped", "right"):
            self.account(name, f"{name}@example.org")
        customer = self.fake.add_customer("mistyped@example.org")
        self.fake.subscribe(customer, "gold")
        self.deliver()
        buyer = customers.buyer(self.portal, ("plenigo", customer))
        token = claims.issue(self.portal, buyer, "mistyped@example.org", self.now)
        transaction.commit()
        self.assertEqual(claiming.look(self.portal, token, self.now).product, "gold")
        self.later(minutes=1)
        self.fake.clock.move(minutes=1)
        self.fake.change_address(customer, "right@example.org")
        self.fake.subscribe(customer, "offer", access_right="right-2")
        self.deliver()
        for use in (
            lambda: claiming.look(self.portal, token, self.now),
            lambda: claiming.confirm(token, "mistyped"),
        ):
            self.assertRaises(NotPossible, use)
        self.assertEqual(self.groups("mistyped"), [])


class TestAccountMadeAnew(ByHandTestCase):
    def remove_in_zmi(self):
        """Remove the account as the ZMI does: nobody is told of it."""
        with self.owner():
            self.portal.acl_users.source_users.removeUser(EMAIL)

    def test_a_stranger_registers_the_login(self):
        self.buy()
        self.put("course")
        self.remove_in_zmi()
        self.account(email=MALLORY)
        self.assertEqual(self.groups(), [])
        self.assertEqual(self.user_id(), "")
        self.later(days=1)
        self.registry(enable_self_reg=True, enable_user_pwd_choice=True)
        self.buy_again()
        self.assertEqual(self.groups(), [])
        self.assertEqual(self.attention(), [["account not certain", ""]])

    def test_the_account_that_was_chosen(self):
        self.account("john", EMAIL)
        self.buy()
        buyers.change(self.portal, self.buyer(), chosen="john")
        transaction.commit()
        self.delete_member("john")
        self.account("john", MALLORY)
        self.provision()
        self.assertEqual(self.groups("john"), [])

    def test_left_over_groups_of_an_account_that_is_no_buyers(self):
        self.account()
        self.put("premium")
        self.remove_in_zmi()
        self.account(email=MALLORY)
        self.assertEqual(self.groups(), [])

    def test_local_roles_in_folders(self):
        self.account()
        with self.owner():
            folder = api.content.create(self.portal, "Folder", "board")
            folder.manage_setLocalRoles(EMAIL, ["Editor"])
            folder.reindexObjectSecurity()
            self.portal.portal_membership.deleteMembers([EMAIL], delete_localroles=0)
        self.buy()
        roles = self.member(self.user_id()).getRolesInContext(self.portal["board"])
        self.assertNotIn("Editor", roles)


class TestAccountOfAnotherNow(MailTestCase, ByHandTestCase):
    """A buyer had the account "john"; a stranger has it before, or afterwards."""

    def bought_by(self, number, address):
        self.account("john", address)
        self.buy_again(number, buyer_email=address, product_name=f"Of {address}")
        self.choose("john", address)
        self.later(minutes=1)

    def test_nobody_is_told_of_the_others_mails(self):
        for number, address in enumerate((MALLORY, EMAIL, "third@example.org"), 2):
            self.bought_by(number, address)
            if number < 4:
                self.delete_member("john")
        for address in (MALLORY, EMAIL, "third@example.org"):
            with self.subTest(address):
                mails = export.find(self.portal, address).mails
                self.assertEqual({mail["to"] for mail in mails}, {address})
                self.assertIn("notice", [mail["kind"] for mail in mails])
                shown = timeline.of(self.portal, self.buyer(address), ())
                self.assertEqual({event.to for event in shown} - {""}, {address})
        erasure.erase(EMAIL, "asked for by letter", "owner")
        told = {mail["to"] for mail in self.mails()}
        self.assertLessEqual({MALLORY, "third@example.org"}, told)
        self.assertNotIn(EMAIL, told)


class TestNotice(MailTestCase):
    """The notice of an attached purchase is about that purchase."""

    def test_it_goes_to_the_address_that_paid_and_names_the_product(self):
        self.settings(welcome_mail="none")
        self.buy_again(2, product_name="Later", product_id="2")
        buyers.change(self.portal, self.buyer(MALLORY), chosen=EMAIL)
        transaction.commit()
        self.buy(buyer_email=MALLORY, product_name="Earlier", acquirer_transaction_id="T-3")
        notice = self.arrived()
        self.assertEqual(notice["To"], MALLORY)
        self.assertIn("Earlier", self.text(notice))
        self.assertNotIn("Later", self.text(notice))
