"""The settings as a control panel of plone.restapi, over real HTTP."""

from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.testing.layers import HTTP
from plone import api
from plone.app.testing import setRoles
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.app.testing import TEST_USER_ID
from plone.app.testing import TEST_USER_PASSWORD
from plone.registry.interfaces import IRegistry
from zope.component import getUtility
from zope.globalrequest import getRequest

import requests
import transaction
import unittest


KEY = "a-key-of-more-than-twenty-characters"
MANAGER = (SITE_OWNER_NAME, SITE_OWNER_PASSWORD)
SITE_ADMINISTRATOR = ("siteadmin", TEST_USER_PASSWORD)
MEMBER = ("member", TEST_USER_PASSWORD)
#: May see Site Setup, but not configure this add-on.
OTHER_ADMINISTRATOR = ("other", TEST_USER_PASSWORD)


def stored() -> IClick2SellSettings:
    # The registry keeps what it once read for as long as a request lasts, and the request of a
    # test lasts until its end.
    getRequest().other.pop("_plone_registry_cache", None)
    return getUtility(IRegistry).forInterface(IClick2SellSettings)


class TestControlPanelService(unittest.TestCase):
    layer = HTTP

    def setUp(self):
        self.portal = self.layer["portal"]
        setRoles(self.portal, TEST_USER_ID, ["Manager"])
        api.group.create(groupname="readers")
        for name, role in (
            ("siteadmin", "Site Administrator"),
            ("member", "Member"),
            ("other", "Reviewer"),
        ):
            api.user.create(
                username=name, email=f"{name}@example.org", password=TEST_USER_PASSWORD
            )
            self.portal.acl_users.userFolderEditUser(name, None, [role], [])
        self.portal.manage_permission(
            "Plone Site Setup: Overview", roles=["Manager", "Site Administrator", "Reviewer"]
        )
        stored().secretkey = KEY
        transaction.commit()
        self.url = f"{self.portal.absolute_url()}/@controlpanels/click2sell"

    def get(self, auth=MANAGER, url=None) -> requests.Response:
        headers = {"Accept": "application/json"}
        return requests.get(url or self.url, auth=auth, headers=headers, timeout=30)

    def patch(self, body, auth=MANAGER) -> requests.Response:
        headers = {"Accept": "application/json"}
        answer = requests.patch(self.url, json=body, auth=auth, headers=headers, timeout=30)
        transaction.begin()
        return answer

    def test_get(self):
        for auth in MANAGER, SITE_ADMINISTRATOR:
            with self.subTest(auth[0]):
                answer = self.get(auth)
                self.assertEqual(answer.status_code, 200)
                data = answer.json()["data"]
                self.assertEqual(data["buyers_group"], "click2sell")
                self.assertEqual(data["mapping"], [])
                self.assertEqual(data["welcome_mail"]["token"], "password")

    def test_key_is_not_sent(self):
        for auth in MANAGER, SITE_ADMINISTRATOR:
            with self.subTest(auth[0]):
                answer = self.get(auth)
                self.assertNotIn(KEY, answer.text)
                self.assertIsNone(answer.json()["data"]["secretkey"])
                self.assertIs(answer.json()["secretkey_is_set"], True)
        self.assertNotIn(KEY, self.patch({"secretkey": KEY, "mapping": ["1"]}).text)

    def test_schema_tells_whether_a_key_is_set(self):
        for key, expected in (
            (KEY, "A secret key is set."),
            ("short", "fewer than 20 characters"),
            (None, "No secret key is set."),
        ):
            with self.subTest(expected):
                stored().secretkey = key
                transaction.commit()
                answer = self.get().json()
                self.assertIs(answer["secretkey_is_set"], bool(key))
                field = answer["schema"]["properties"]["secretkey"]
                self.assertIn(expected, field["description"])

    def test_schema_offers_to_remove_the_key(self):
        schema = self.get().json()["schema"]
        names = schema["fieldsets"][0]["fields"]
        self.assertEqual(
            names[:6],
            [
                *("secretkey", "secretkey_keep_old", "secretkey_clear"),
                *("previous_secretkey", "previous_secretkey_clear", "mapping"),
            ],
        )
        for name in names[1], names[2], names[4]:
            self.assertEqual(schema["properties"][name]["type"], "boolean")

    def test_minutes_between_automatic_checks(self):
        answer = self.get().json()
        self.assertEqual(answer["data"]["sweep_minutes"], 10)
        names = answer["schema"]["fieldsets"][0]["fields"]
        self.assertEqual(names.index("sweep_minutes") + 1, names.index("breaker_members"))
        self.assertEqual(self.patch({"sweep_minutes": 1441}).status_code, 400)
        self.assertEqual(self.patch({"sweep_minutes": 0}).status_code, 204)
        self.assertEqual(stored().sweep_minutes, 0)
        self.assertEqual(self.get().json()["data"]["sweep_minutes"], 0)

    def test_is_listed_for_those_who_may_use_it(self):
        url = f"{self.portal.absolute_url()}/@controlpanels"
        for auth, expected in (
            (MANAGER, True),
            (SITE_ADMINISTRATOR, True),
            (OTHER_ADMINISTRATOR, False),
        ):
            with self.subTest(auth[0]):
                answer = self.get(auth, url)
                self.assertEqual(answer.status_code, 200)
                addresses = [panel["@id"] for panel in answer.json()]
                self.assertEqual(self.url in addresses, expected)

    def test_others_get_and_change_nothing(self):
        for auth in OTHER_ADMINISTRATOR, MEMBER, None:
            with self.subTest(auth and auth[0]):
                answer = self.get(auth)
                self.assertEqual(answer.status_code, 401)
                self.assertNotIn("buyers_group", answer.text)
                answer = self.patch({"buyers_group": "stolen"}, auth)
                self.assertEqual(answer.status_code, 401)
                self.assertEqual(stored().buyers_group, "click2sell")

    def test_patch_by_those_who_may(self):
        for auth in MANAGER, SITE_ADMINISTRATOR:
            with self.subTest(auth[0]):
                answer = self.patch({"buyers_group": f"buyers of {auth[0]}"}, auth)
                self.assertEqual(answer.status_code, 204)
                self.assertEqual(stored().buyers_group, f"buyers of {auth[0]}")

    def test_a_key_that_is_not_named_or_blank_stays(self):
        for body in ({}, {"secretkey": None}, {"secretkey": ""}, {"secretkey": " \n"}):
            with self.subTest(body):
                self.assertEqual(self.patch({"notice_mail": False} | body).status_code, 204)
                self.assertEqual(stored().secretkey, KEY)

    def test_key_can_be_replaced(self):
        self.assertEqual(self.patch({"secretkey": f"{KEY}-2\n"}).status_code, 204)
        self.assertEqual(stored().secretkey, f"{KEY}-2")

    def test_the_old_key_is_kept_when_that_is_asked_for(self):
        self.patch({"secretkey": "new-1", "secretkey_keep_old": True})
        self.assertEqual((stored().secretkey, stored().previous_secretkey), ("new-1", KEY))
        answer = self.get()
        self.assertNotIn(KEY, answer.text)
        self.assertIsNone(answer.json()["data"]["previous_secretkey"])
        told = {name: v for name, v in answer.json().items() if "secretkey" in name}
        self.assertEqual(
            told,
            {
                "secretkey_is_set": True,
                "secretkey_last_used": None,
                "previous_secretkey_is_set": True,
                "previous_secretkey_last_used": None,
                "previous_secretkey_can_go": False,
            },
        )
        self.patch({"previous_secretkey": "of-old"})
        self.assertEqual((stored().secretkey, stored().previous_secretkey), ("new-1", "of-old"))
        self.patch({"previous_secretkey_clear": True})
        self.assertEqual((stored().secretkey, stored().previous_secretkey), ("new-1", None))

    def test_a_body_that_names_only_the_key_keeps_no_other(self):
        stored().previous_secretkey = "of-old"
        transaction.commit()
        self.patch({"secretkey": "new-1"})
        self.assertEqual((stored().secretkey, stored().previous_secretkey), ("new-1", None))

    def test_key_can_be_removed(self):
        answer = self.patch({"secretkey": None, "secretkey_clear": True})
        self.assertEqual(answer.status_code, 204)
        self.assertIsNone(stored().secretkey)

    def test_key_and_removal_together_are_an_error(self):
        answer = self.patch({"secretkey": "another", "secretkey_clear": True})
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(stored().secretkey, KEY)

    def test_what_get_gives_patch_takes(self):
        stored().mapping = ["", "# comment", "1|readers"]
        stored().buyers_group = ""
        stored().previous_secretkey = "of-old"
        stored().site_address = self.layer["portal"].absolute_url()
        transaction.commit()
        before = {name: getattr(stored(), name) for name in IClick2SellSettings}
        answer = self.patch(self.get().json()["data"])
        self.assertEqual((answer.status_code, answer.text), (204, ""))
        self.assertEqual({name: getattr(stored(), name) for name in before}, before)

    def test_the_public_address_is_filled_in_from_the_request(self):
        self.assertEqual(self.patch({"notice_mail": False}).status_code, 204)
        self.assertIn(f":{self.layer['port']}/plone", stored().site_address)

    def test_errors_are_those_of_the_form_and_nothing_is_saved(self):
        answer = self.patch(
            {
                "buyers_group": "other",
                "mapping": ["1|readers", "1|premum-members", "2", "3|Administrators"],
                "welcome_subject": "Hello $foo",
                "welcome_mail": {"token": "link", "title": ""},
                "welcome_text": "Hello",
            }
        )
        self.assertEqual(answer.status_code, 400)
        # plone.rest answers with the text of a Python list.
        for expected in (
            'Line 2: there is no group "premum-members"',
            "Line 3: expected PRODUCT_ID|GROUP_ID",
            'Line 4: the group "Administrators" can administer the site',
            'There is no placeholder "$foo"; write $$ for a dollar sign',
            "The text has to contain $credentials",
            "'field': 'mapping'",
        ):
            self.assertIn(expected, answer.json()["message"])
        self.assertEqual(stored().buyers_group, "click2sell")
        self.assertEqual(stored().mapping, [])

    def test_null_switches_off_or_is_an_error(self):
        self.assertEqual(self.patch({"buyers_group": None}).status_code, 204)
        self.assertEqual(stored().buyers_group, "")
        self.assertEqual(self.patch({"mapping": None}).status_code, 204)
        self.assertEqual(stored().mapping, [])
        self.assertEqual(self.patch({"welcome_subject": None}).status_code, 400)

    def test_broken_bodies_are_refused(self):
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        for body in b"{", b"[]", b'"text"':
            with self.subTest(body):
                answer = requests.patch(
                    self.url, data=body, auth=MANAGER, headers=headers, timeout=30
                )
                self.assertEqual(answer.status_code, 400)

    def test_is_not_there_when_the_add_on_is_not_installed(self):
        setup = api.portal.get_tool("portal_setup")
        setup.runAllImportStepsFromProfile("profile-niteoweb.click2sell:uninstall")
        transaction.commit()
        self.assertEqual(self.get().status_code, 404)
