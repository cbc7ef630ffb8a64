"""Members: how a new one is made, and what happens to one that exists."""

from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone.app.users.browser.interfaces import IUserIdGenerator
from plone.uuid.interfaces import IUUIDGenerator
from Products.PluggableAuthService.interfaces.events import IPrincipalCreatedEvent
from Products.PluggableAuthService.interfaces.plugins import IValidationPlugin
from Products.PluggableAuthService.plugins.BasePlugin import BasePlugin
from unittest import mock
from zope.component import getGlobalSiteManager
from zope.component import getUtility
from zope.interface import implementer

import re
import string


UUID = re.compile(r"[0-9a-f]{32}")


class NewMemberTestCase(SiteTestCase):
    def bought(self, **changes):
        """Process a sale; the new member's password."""
        passwords = []
        create = accounts.create

        def keep(*args):
            user_id, password = create(*args)
            passwords.append(password)
            return user_id, password

        with mock.patch.object(accounts, "create", keep):
            result = self.buy(**changes)
        self.assertEqual(result, pipeline.Result(Outcome.ACCEPTED))
        (password,) = passwords
        return password

    def assert_login(self, user_id, login, password):
        found = self.portal.acl_users.getUserById(user_id)
        self.assertEqual(found.getUserName(), login)
        self.assertEqual(self.authenticates(login, password), user_id)
        self.assertEqual(self.authenticates(login, password + "x"), "")


class TestIdentity(NewMemberTestCase):
    """User id and login name, as the settings of the site have them."""

    def test_defaults(self):
        password = self.bought(buyer_email="John@Example.org")
        self.assertEqual(self.user_id(), EMAIL)
        self.assert_login(EMAIL, EMAIL, password)
        self.assertEqual(self.member().getProperty("email").lower(), EMAIL)

    def test_email_as_login(self):
        self.registry(use_email_as_login=True)
        password = self.bought()
        self.assertEqual(self.user_id(), "john-smith")
        self.assert_login("john-smith", EMAIL, password)
        self.assertEqual(self.authenticates("JOHN@Example.org", password), "john-smith")

    def test_email_as_login_same_name_twice(self):
        self.registry(use_email_as_login=True)
        self.bought()
        password = self.bought(buyer_email="smith@example.org", acquirer_transaction_id="T-2")
        self.assert_login("john-smith-1", "smith@example.org", password)

    def test_uuid_as_user_id(self):
        self.registry(use_uuid_as_userid=True)
        password = self.bought()
        self.assertRegex(self.user_id(), UUID)
        self.assert_login(self.user_id(), EMAIL, password)

    def test_email_as_login_and_uuid_as_user_id(self):
        self.registry(use_email_as_login=True, use_uuid_as_userid=True)
        password = self.bought()
        self.assertRegex(self.user_id(), UUID)
        self.assert_login(self.user_id(), EMAIL, password)

    def test_generator_of_the_site(self):
        sites = getGlobalSiteManager()
        sites.registerUtility(lambda data: f"buyer-{len(data['email'])}", IUserIdGenerator)
        self.addCleanup(sites.unregisterUtility, provided=IUserIdGenerator)
        password = self.bought()
        self.assertEqual(self.user_id(), "buyer-16")
        self.assert_login("buyer-16", EMAIL, password)

    def test_address_that_cannot_be_a_user_id(self):
        for number, address in enumerate(("o'brien@example.org", "a&b@example.org")):
            with self.subTest(address):
                password = self.bought(
                    buyer_email=address, acquirer_transaction_id=f"T-{number}"
                )
                self.assertRegex(self.user_id(address), UUID)
                self.assert_login(self.user_id(address), address, password)

    def test_group_has_the_address_as_its_id(self):
        self.group(EMAIL)
        password = self.bought()
        self.assertRegex(self.user_id(), UUID)
        self.assert_login(self.user_id(), EMAIL, password)
        self.assertEqual(self.groups(self.user_id()), ["click2sell", "premium"])
        self.assertEqual(self.groups(EMAIL), [])

    def test_second_buyer_is_found_by_the_generated_id(self):
        self.registry(use_uuid_as_userid=True)
        self.bought()
        user_id = self.user_id()
        self.buy_again(product_id="2")
        self.assertEqual(self.user_id(), user_id)
        self.assertEqual(self.groups(user_id), ["click2sell", "course", "premium"])
        self.assertEqual(len(self.portal.acl_users.source_users.listUserIds()), 2)

    def test_root_user_without_power(self):
        self.root_user(roles=[])
        password = self.bought()
        self.assertRegex(self.user_id(), UUID)
        self.assert_login(self.user_id(), EMAIL, password)


class TestRegistration(NewMemberTestCase):
    """Plone's own registration is asked to do it, and no more often than it has to be."""

    def test_plone_is_asked_for_the_user_id_by_itself_alone(self):
        name = "Products.CMFPlone.RegistrationTool.RegistrationTool.isMemberIdAllowed"
        with mock.patch(name, return_value=1) as asked:
            self.bought()
        self.assertEqual(asked.call_args_list, [mock.call(EMAIL)] * 2)

    def test_a_generated_id_that_is_taken(self):
        self.account("buyer", "other@example.org")
        sites = getGlobalSiteManager()
        sites.registerUtility(lambda data: "buyer", IUserIdGenerator)
        self.addCleanup(sites.unregisterUtility, provided=IUserIdGenerator)
        password = self.bought()
        self.assertRegex(self.user_id(), UUID)
        self.assert_login(self.user_id(), EMAIL, password)

    def test_a_subscriber_that_fails_gets_no_second_account(self):
        """It has the words of a refused user id, but the account was made."""
        made = []

        def refuse(event):
            made.append(event.principal.getId())
            raise ValueError

        sites = getGlobalSiteManager()
        sites.registerHandler(refuse, (IPrincipalCreatedEvent,))
        self.addCleanup(sites.unregisterHandler, refuse, (IPrincipalCreatedEvent,))
        with (
            self.assertRaises(pipeline.Failed),
            self.assertLogs("niteoweb.click2sell", "ERROR"),
        ):
            pipeline.process(self.notification())
        self.assertEqual(made, [EMAIL])
        self.assertEqual(
            list(self.portal.acl_users.source_users.listUserIds()), ["test_user_1_"]
        )


class TestRefusedAddress(SiteTestCase):
    def assert_nothing_made(self, reason):
        self.assertEqual(self.attention(), [[reason, ""]])
        self.assertEqual(
            list(self.portal.acl_users.source_users.listUserIds()), ["test_user_1_"]
        )
        self.assertEqual(self.groups(), [])

    def test_address_that_plone_refuses(self):
        for number, address in enumerate(
            ("jöhn@example.org", "john@exämple.org", "john@example.o")
        ):
            with self.subTest(address):
                result = self.buy(buyer_email=address, acquirer_transaction_id=f"T-{number}")
                self.assertEqual(
                    result, pipeline.Result(Outcome.ATTENTION, "address not accepted")
                )
                self.assertEqual(self.user_id(address), "")
        self.assertEqual(
            list(self.portal.acl_users.source_users.listUserIds()), ["test_user_1_"]
        )

    def test_privileged_root_user_of_that_name(self):
        self.root_user(roles=["Manager"])
        self.buy()
        self.assert_nothing_made("privileged account")

    def test_address_that_the_site_refuses(self):
        """Plone's own checks may be stricter than ours; the owner is told, nothing is made."""
        with (
            mock.patch(
                "Products.CMFPlone.RegistrationTool.RegistrationTool.testPropertiesValidity",
                return_value="You must enter a valid email address.",
            ),
            self.assertRaises(pipeline.Failed),
        ):
            self.buy()
        self.assertEqual(self.entries(), [(Outcome.FAILED, "", "")])
        self.assertIsNone(self.member())


@implementer(IValidationPlugin)
class Strict(BasePlugin):
    """A password policy that demands everything at once."""

    def validateUserInfo(self, user, set_id, set_info):
        password = set_info.get("password", "")
        wanted = (string.digits, string.ascii_lowercase, string.ascii_uppercase, "-_.!?#")
        if len(password) < 20 or not all(set(password) & set(kind) for kind in wanted):
            return [{"id": "password", "error": "Too simple."}]
        return []


class TestPassword(NewMemberTestCase):
    def test_length_and_alphabet(self):
        passwords = {accounts.new_password() for _ in range(200)}
        self.assertEqual(len(passwords), 200)
        for password in passwords:
            self.assertGreaterEqual(len(password.replace("-", "")), 20)
            for kind in (string.digits, string.ascii_lowercase, string.ascii_uppercase, "-"):
                self.assertTrue(set(password) & set(kind), password)
            self.assertFalse(set(password) & set("l1IO0o"), "look alike")

    def test_from_secrets(self):
        with mock.patch("secrets.choice", return_value="x") as choice:
            choice.side_effect = lambda letters: letters[choice.call_count % len(letters)]
            accounts.new_password()
        self.assertGreaterEqual(choice.call_count, 20)

    def test_strict_policy_of_the_site(self):
        pas = self.portal.acl_users
        with self.owner():
            pas._setObject("strict", Strict("strict"))
            pas.plugins.activatePlugin(IValidationPlugin, "strict")
        self.assertIsNotNone(
            self.portal.portal_registration.testPasswordValidity("Sufficiently_long_text")
        )
        password = self.bought()
        self.assert_login(EMAIL, EMAIL, password)

    def test_not_stored_and_not_logged(self):
        with self.assertLogs(level="DEBUG") as logs:
            password = self.bought()
            self.refund()
        self.assertNotIn(password, str(self.dump()))
        for line in logs.output:
            self.assertNotIn(password, line)
            self.assertNotIn(EMAIL, line)


class TestFields(NewMemberTestCase):
    def test_types_and_time_zone(self):
        self.registry(portal_timezone="Europe/Ljubljana")
        self.bought()
        fields = self.fields()
        when = fields.pop("last_purchase_timestamp")
        self.assertEqual(
            fields,
            {
                "product_id": "1",
                "product_name": "Test Product",
                "affiliate": "affiliate",
                "last_purchase_id": "R-1",
            },
        )
        self.assertEqual(when.ISO8601(), "2026-05-03T10:20:30+02:00")
        self.assertEqual(when.toZone("UTC").ISO8601(), "2026-05-03T08:20:30+00:00")
        found = self.member()
        self.assertEqual(found.getProperty("fullname"), "John Smith")
        self.assertEqual(found.getRoles(), ["Member", "Authenticated"])

    def test_who_is_not_there_any_more(self):
        self.assertEqual(accounts.text("nobody", "email"), "")
        self.assertEqual(accounts.fields("nobody", ("email",)), {"email": None})

    def test_member_who_bought_what_no_line_names(self):
        self.bought(product_id="77", product_name="Unmapped")
        self.assertEqual(self.fields()["product_id"], "77")
        self.assertEqual(self.groups(), ["click2sell"])

    def test_latest_payment_counts_whatever_arrived_last(self):
        self.bought()
        self.buy_again(product_id="2", product_name="Older", purchase_date="2026-05-01")
        fields = self.fields()
        self.assertEqual((fields["product_id"], fields["last_purchase_id"]), ("1", "R-1"))

    def test_affiliate_is_the_earliest(self):
        self.bought(affiliate_username="first")
        self.buy_again(affiliate_username="later", purchase_date="2026-05-04")
        self.assertEqual(self.fields()["affiliate"], "first")
        self.buy_again(3, affiliate_username="earliest", purchase_date="2026-05-01")
        self.assertEqual(self.fields()["affiliate"], "earliest")

    def test_names_that_are_not_ascii(self):
        self.bought(buyer_name="Žiga", buyer_surname="Müller", product_name="Kurs für Anfänger")
        self.assertEqual(self.member().getProperty("fullname"), "Žiga Müller")
        self.assertEqual(self.fields()["product_name"], "Kurs für Anfänger")

    def test_no_member_without_a_payment(self):
        for number, changes in enumerate(
            (
                {"payment_status": "Failed"},
                {"transaction_type": "Refund"},
                {"transaction_type": "Subscription", "subscription_status": "Cancel"},
                {"transaction_type": "Something"},
            )
        ):
            with self.subTest(changes):
                self.buy(acquirer_transaction_id=f"T-{number}", **changes)
                self.assertIsNone(self.member())

    def test_member_stays_after_the_refund_came_first(self):
        self.refund()
        self.assertEqual(self.entries()[0][:2], (Outcome.NOTHING, "waits for its purchase"))
        self.assertIsNone(self.member())
        self.bought()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_uuid_generator_is_plones(self):
        self.assertRegex(getUtility(IUUIDGenerator)(), UUID)
