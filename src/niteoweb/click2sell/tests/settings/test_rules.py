"""The rules for settings: one set for the form and the control panel service."""

from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.providers.click2sell.provider import PROVIDER as CLICK2SELL
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.settings import secretkeys
from niteoweb.click2sell.testing.layers import INTEGRATION
from plone import api
from plone.app.testing import setRoles
from plone.app.testing import TEST_USER_ID
from plone.registry.interfaces import IRegistry
from zope.component import getUtility
from zope.i18n import translate

import unittest


KEY = "a-key-of-more-than-twenty-characters"
PRIVILEGED = "can administer the site, buyers cannot be put in it"


def stored() -> IClick2SellSettings:
    return getUtility(IRegistry).forInterface(IClick2SellSettings)


def messages(values: dict) -> list[tuple[str, str]]:
    """The faults of settings, as their reader sees them."""
    problems = rules.validate(rules.normalize(values))
    return [(name, translate(message)) for name, message in problems]


class TestRules(unittest.TestCase):
    layer = INTEGRATION

    def setUp(self):
        self.portal = self.layer["portal"]
        setRoles(self.portal, TEST_USER_ID, ["Manager"])
        api.group.create(groupname="readers")
        api.group.create(groupname="nested")
        groups = api.portal.get_tool("portal_groups")
        groups.addPrincipalToGroup("nested", "Administrators")

    def test_the_defaults_are_allowed(self):
        defaults = {name: IClick2SellSettings[name].default for name in IClick2SellSettings}
        self.assertEqual(messages(defaults), [])

    def test_nothing_is_checked_of_what_is_not_saved(self):
        stored().mapping = ["1|nobody"]
        self.assertEqual(messages({"notice_mail": False}), [])

    def test_every_faulty_line_is_named(self):
        lines = [
            "",
            "1|premum-members",
            "1-readers",
            "# a comment",
            "4|Administrators",
            "5|readers",
            "|readers",
            "7|",
            "5|readers",
            "9|nested",
        ]
        self.assertEqual(
            messages({"mapping": lines}),
            [
                ("mapping", 'Line 2: there is no group "premum-members"'),
                ("mapping", "Line 3: expected PRODUCT_ID|GROUP_ID"),
                ("mapping", f'Line 5: the group "Administrators" {PRIVILEGED}'),
                ("mapping", "Line 7: the product id is missing"),
                ("mapping", "Line 8: the group is missing"),
                ("mapping", "Line 9: this product and group stand in an earlier line"),
                ("mapping", f'Line 10: the group "nested" {PRIVILEGED}'),
            ],
        )

    def test_group_of_all_buyers(self):
        for group_id, expected in (
            ("", None),
            ("  ", None),
            ("not-made-yet", None),
            ("readers", None),
            (" readers\n", None),
            ("Administrators", f'The group "Administrators" {PRIVILEGED}.'),
            ("nested", f'The group "nested" {PRIVILEGED}.'),
            ("1|readers", '"1|readers" cannot be the id of a group'),
            ("a\x00b", "A line break or another control character"),
            ("a\tb", "A line break or another control character"),
        ):
            with self.subTest(group_id):
                found = messages({"buyers_group": group_id})
                if expected is None:
                    self.assertEqual(found, [])
                else:
                    ((name, message),) = found
                    self.assertEqual(name, "buyers_group")
                    self.assertTrue(message.startswith(expected), message)

    def test_unknown_placeholders_are_named(self):
        for text, expected in (
            ("Hello $foo", '"$foo"'),
            ("Hello ${foo}", '"${foo}"'),
            ("Hello $Name", '"$Name"'),
            ("It cost $5.00 only", '"$5.00"'),
            ("It cost 5 $", '"$"'),
            ("It cost $ 5", '"$"'),
            ("Broken ${name", '"${name"'),
            ("$credentials", '"$credentials"'),
        ):
            with self.subTest(text):
                self.assertEqual(
                    messages({"welcome_subject": text}),
                    [
                        (
                            "welcome_subject",
                            f"There is no placeholder {expected}; write $$ for a dollar sign",
                        )
                    ],
                )

    def test_several_placeholders_are_named_once_each(self):
        found = messages({"welcome_text": "$credentials $foo $bar $foo $$foo $name ${login}"})
        self.assertEqual(
            [message.split(";")[0] for name, message in found],
            ['There is no placeholder "$foo"', 'There is no placeholder "$bar"'],
        )

    def test_documented_placeholders_are_allowed(self):
        every = "$name ${login} $login_url $product $site $$"
        self.assertEqual(messages({"welcome_subject": every}), [])
        self.assertEqual(messages({"welcome_text": every + " $credentials"}), [])

    def test_subject_is_one_line(self):
        for character in "\n", "\r", "\x0b", "\x85", "\u2028", "\x00":
            with self.subTest(repr(character)):
                ((name, message),) = messages({"welcome_subject": f"Hello{character}Bcc: x"})
                self.assertEqual(name, "welcome_subject")
                self.assertTrue(message.startswith("A line break"), message)

    def test_text_has_to_give_a_way_in(self):
        expected = "The text has to contain $credentials"
        for values in (
            {"welcome_text": "Hello $name"},
            {"welcome_text": "Hello $$credentials"},
            {"welcome_text": "Hello $name", "welcome_mail": "link"},
        ):
            with self.subTest(values):
                ((name, message),) = messages(values)
                self.assertEqual(name, "welcome_text")
                self.assertTrue(message.startswith(expected), message)
        self.assertEqual(messages({"welcome_text": "Hello", "welcome_mail": "none"}), [])

    def test_switching_the_mail_on_looks_at_the_stored_text(self):
        stored().welcome_mail = "none"
        stored().welcome_text = "Hello"
        self.assertEqual(messages({"welcome_text": "Hello $name"}), [])
        ((name, message),) = messages({"welcome_mail": "password"})
        self.assertEqual(name, "welcome_text")

    def test_wrong_types_are_refused(self):
        for name, value in (
            ("secretkey", 5),
            ("mapping", "1|readers"),
            ("mapping", [5]),
            ("mapping", ["1|readers\n2|readers"]),
            ("buyers_group", 5),
            ("welcome_mail", "pigeon"),
            ("welcome_mail", None),
            ("welcome_subject", None),
            ("welcome_text", None),
            ("notice_mail", "yes"),
            ("alert_addresses", "a@example.com"),
            ("alert_addresses", [5]),
            ("daily_mail", "yes"),
            ("secretkey_clear", "yes"),
            ("secretkey_keep_old", "yes"),
            ("previous_secretkey", 5),
            ("previous_secretkey_clear", "yes"),
        ):
            with self.subTest(name=name, value=value):
                self.assertEqual([field for field, message in messages({name: value})], [name])

    def test_addresses_are_tidied(self):
        for typed, kept in (
            (None, []),
            (
                [" a@example.com ", "", "b@example.com\r", "a@example.com"],
                ["a@example.com", "b@example.com"],
            ),
            ("a@example.com", "a@example.com"),
            ([5], [5]),
        ):
            with self.subTest(typed):
                self.assertEqual(
                    rules.normalize({"alert_addresses": typed})["alert_addresses"], kept
                )

    def test_every_wrong_address_is_named(self):
        self.assertEqual(
            messages(
                {"alert_addresses": ["a@example.com", "nobody", "b@example.com, c@d.org"]}
            ),
            [
                ("alert_addresses", '"nobody" is not a valid e-mail address.'),
                ("alert_addresses", '"b@example.com, c@d.org" is not a valid e-mail address.'),
            ],
        )

    def test_secret_key_loses_what_came_with_pasting(self):
        for typed, kept in (
            (f" \t{KEY}\r\n", KEY),
            ("inner  spaces", "inner  spaces"),
            ("", None),
            (" \n ", None),
            (None, None),
        ):
            for name in "secretkey", "previous_secretkey":
                with self.subTest(typed, name=name):
                    self.assertEqual(rules.normalize({name: typed})[name], kept)

    def test_secret_key_is_one_line(self):
        for key in "two\nlines", "nul\x00":
            stored().secretkey = KEY
            for field in "secretkey", "previous_secretkey":
                with self.subTest(key, field=field):
                    ((name, message),) = messages({field: key})
                self.assertEqual(name, field)
                self.assertNotIn(key, message)

    def test_line_ends_of_the_text_are_those_of_this_system(self):
        typed = "Hello\r\n$credentials\r\n\r"
        self.assertEqual(
            rules.normalize({"welcome_text": typed})["welcome_text"],
            "Hello\n$credentials\n\n",
        )

    def test_a_blank_key_keeps_the_stored_one(self):
        rules.save({"secretkey": KEY})
        rules.save({"secretkey": None, "notice_mail": False})
        self.assertEqual(stored().secretkey, KEY)
        self.assertIs(stored().notice_mail, False)

    def test_the_key_can_be_removed(self):
        rules.save({"secretkey": KEY})
        rules.save({"secretkey": None, "secretkey_clear": True})
        self.assertIsNone(stored().secretkey)

    def test_notice_never_tells_the_key(self):
        for key, level in ((None, "danger"), ("short-key", "warning"), (KEY, "info")):
            with self.subTest(key):
                stored().secretkey = key
                notice = secretkeys.notice(self.portal, CLICK2SELL)
                self.assertEqual(notice.level, level)
                self.assertNotIn(str(key), translate(notice.text))

    def test_twenty_characters_are_enough(self):
        stored().secretkey = "x" * 19
        self.assertEqual(secretkeys.notice(self.portal, CLICK2SELL).level, "warning")
        stored().secretkey = "x" * 20
        self.assertEqual(secretkeys.notice(self.portal, CLICK2SELL).level, "info")
