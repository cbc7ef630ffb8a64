"""A site that ran release 0.4.5 upgrades in place."""

from niteoweb.click2sell.interfaces import IClick2SellLayer
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.testing.layers import INTEGRATION
from niteoweb.click2sell.tests.cases.visits import visited
from plone import api
from plone.app.testing import setRoles
from plone.app.testing import TEST_USER_ID
from plone.browserlayer.utils import registered_layers
from plone.browserlayer.utils import unregister_layer
from plone.registry import field
from plone.registry import Record
from plone.registry.interfaces import IRegistry
from Products.CMFPlone.controlpanel.browser.quickinstaller import ManageProductsView
from zope.component import getUtility

import unittest


PRODUCT = "niteoweb.click2sell"
PROFILE = "niteoweb.click2sell:default"
PREFIX = "niteoweb.click2sell.interfaces.IClick2SellSettings."
MAPPING = ["1|readers", "", "# two", "2|writers"]


def rebuild_release_0_4_5(portal) -> None:
    """Leave the site as that release left it: two records, one configlet, no layer."""
    records = getUtility(IRegistry).records
    for name in [name for name in records if name.startswith(PREFIX)]:
        del records[name]
    old_fields = {
        "secretkey": (field.Password(title="Click2Sell Secret Key", required=True), "secret"),
        "mapping": (
            field.List(
                title="Click2Sell Product ID to Plone Group mappings",
                value_type=field.TextLine(title="Mapping"),
            ),
            MAPPING,
        ),
    }
    for name, (old_field, value) in old_fields.items():
        old_field.interfaceName = IClick2SellSettings.__identifier__
        old_field.fieldName = name
        records[PREFIX + name] = Record(old_field, value)
    control_panel = api.portal.get_tool("portal_controlpanel")
    control_panel.unregisterConfiglet("click2sellConfiguration")
    control_panel.registerConfiglet(
        id="click2sellConfiguration",
        name="Click2Sell",
        action="string:${portal_url}/@@click2sell-settings",
        appId="niteoweb.click2sell",
        category="Products",
        permission="Manage portal",
    )
    del api.portal.get_tool("portal_actions")["user"]["click2sell-my-purchases"]
    unregister_layer(PRODUCT)
    setup = api.portal.get_tool("portal_setup")
    setup.setLastVersionForProfile(PROFILE, "0400")


class TestUpgrade(unittest.TestCase):
    layer = INTEGRATION

    def setUp(self):
        self.portal = self.layer["portal"]
        setRoles(self.portal, TEST_USER_ID, ["Manager"])
        self.setup = api.portal.get_tool("portal_setup")
        api.group.create(groupname="readers")
        api.user.create(
            email="old@example.org",
            username="old",
            properties={"product_id": "1", "affiliate": "aff@example.org"},
        )
        api.group.add_user(groupname="readers", username="old")
        rebuild_release_0_4_5(self.portal)

    def upgrade(self) -> None:
        """As the Add-ons panel does."""
        view = ManageProductsView(self.portal, self.layer["request"])
        self.assertTrue(view.upgrade_product(PRODUCT))

    def test_one_step_is_pending_before(self):
        steps = self.setup.listUpgrades(PROFILE)
        # What belongs together comes as a list.
        groups = [group if isinstance(group, list) else [group] for group in steps]
        found = [step["sdest"] for group in groups for step in group]
        self.assertEqual(found, ["1000"])
        info = ManageProductsView(self.portal, self.layer["request"]).upgrade_info(PRODUCT)
        self.assertTrue(info["available"])
        self.assertEqual(info["installedVersion"], "0400")

    def test_the_state_before_is_that_of_the_old_release(self):
        records = getUtility(IRegistry).records
        names = {name for name in records if name.startswith(PREFIX)}
        self.assertEqual(names, {PREFIX + "secretkey", PREFIX + "mapping"})
        self.assertNotIn(IClick2SellLayer, registered_layers())

    def test_nothing_is_pending_afterwards(self):
        self.upgrade()
        self.assertEqual(self.setup.listUpgrades(PROFILE), [])
        self.assertEqual(self.setup.getLastVersionForProfile(PROFILE), ("1000",))
        info = ManageProductsView(self.portal, self.layer["request"]).upgrade_info(PRODUCT)
        self.assertFalse(info["required"])
        self.assertFalse(info["available"])

    def test_settings_are_kept_and_new_ones_have_their_defaults(self):
        self.upgrade()
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        self.assertEqual(settings.secretkey, "secret")
        self.assertEqual(settings.mapping, MAPPING)
        for name in set(IClick2SellSettings) - {"secretkey", "mapping"}:
            with self.subTest(name):
                self.assertEqual(getattr(settings, name), IClick2SellSettings[name].default)

    def test_the_public_address_is_that_of_the_request(self):
        with visited(self.layer["request"]):
            self.upgrade()
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        self.assertEqual(settings.site_address, "https://www.example.org/plone")

    def test_the_key_may_be_cleared_now(self):
        self.upgrade()
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        settings.secretkey = None
        self.assertIsNone(settings.secretkey)

    def test_there_is_one_configlet_for_all_pages(self):
        self.upgrade()
        tool = api.portal.get_tool("portal_controlpanel")
        (configlet,) = [one for one in tool.listActions() if one.getAppId() == PRODUCT]
        self.assertEqual(configlet.Title(), "Memberships")
        self.assertIn("Click2Sell: View purchases", configlet.getPermissions())
        self.assertTrue(configlet.getIconExpression())

    def test_layer_is_there(self):
        self.upgrade()
        self.assertIn(IClick2SellLayer, registered_layers())

    def test_members_keep_their_fields_and_groups(self):
        self.upgrade()
        member = api.user.get(username="old")
        self.assertEqual(member.getProperty("product_id"), "1")
        self.assertEqual(member.getProperty("affiliate"), "aff@example.org")
        self.assertIn("readers", [group.getId() for group in api.group.get_groups(user=member)])

    def test_services_can_be_used_afterwards(self):
        self.setup.unsetLastVersionForProfile("plone.restapi:default")
        self.upgrade()
        self.assertNotEqual(
            self.setup.getLastVersionForProfile("plone.restapi:default"), "unknown"
        )

    def test_older_profile_versions_upgrade_too(self):
        self.setup.setLastVersionForProfile(PROFILE, "0100")
        self.upgrade()
        self.assertEqual(self.setup.listUpgrades(PROFILE), [])

    def test_upgrading_twice_changes_nothing(self):
        self.upgrade()
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        settings.welcome_mail = "link"
        self.setup.setLastVersionForProfile(PROFILE, "0400")
        self.upgrade()
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        self.assertEqual(settings.welcome_mail, "link")
        self.assertEqual(settings.secretkey, "secret")
        self.assertEqual(len(registered_layers()), len(set(registered_layers())))

    def test_a_new_installation_and_an_upgraded_site_are_the_same(self):
        """The upgrade step sets up all that the default profile does, and no more."""
        self.upgrade()
        upgraded = self.exported()
        self.setup.runAllImportStepsFromProfile("profile-" + PROFILE)
        self.assertEqual(self.exported(), upgraded)

    def exported(self) -> dict:
        """All that the two have to agree on."""
        records = getUtility(IRegistry).records
        tool = api.portal.get_tool("portal_controlpanel")
        memberdata = api.portal.get_tool("portal_memberdata")
        return {
            "records": {
                name: (type(record.field).__name__, record.value)
                for name, record in records.items()
                if name.startswith(PREFIX)
            },
            "configlets": [
                action.getMapping()
                for action in tool.listActions()
                if action.getId() == "click2sellConfiguration"
            ],
            "actions": [
                action.propertyItems()
                for action in api.portal.get_tool("portal_actions")["user"].objectValues()
                if "click2sell" in action.getId()
            ],
            "properties": sorted(memberdata.propertyItems(), key=lambda item: item[0]),
            "layers": sorted(layer.__identifier__ for layer in registered_layers()),
        }
