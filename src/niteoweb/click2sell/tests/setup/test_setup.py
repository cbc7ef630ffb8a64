"""Installing and uninstalling: everything that one adds, the other takes away."""

from AccessControl.Permission import pname
from AccessControl.PermissionRole import rolesForPermissionOn
from Acquisition import aq_base
from DateTime import DateTime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.interfaces import IClick2SellLayer
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.member import index
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.testing.layers import INTEGRATION
from niteoweb.click2sell.tests.cases.visits import visited
from plone import api
from plone.app.testing import setRoles
from plone.app.testing import TEST_USER_ID
from plone.browserlayer.utils import registered_layers
from plone.registry.interfaces import IRegistry
from Products.CMFPlone.controlpanel.browser.quickinstaller import ManageProductsView
from zope.component import getUtility
from zope.schema import getFieldNames

import unittest


PRODUCT = "niteoweb.click2sell"
PROFILE = "niteoweb.click2sell:default"
PREFIX = IClick2SellSettings.__identifier__ + "."
PERMISSIONS = (
    "Click2Sell: Configure",
    "Click2Sell: View purchases",
    "Click2Sell: Operate purchases",
)
FIELDS = {
    "product_id": "42",
    "product_name": "Žlahtna knjiga",
    "affiliate": "aff@example.org",
    "last_purchase_id": "t-1",
    "last_purchase_timestamp": DateTime("2026/01/02 03:04:05 UTC"),
}


def records() -> list[str]:
    return [name for name in getUtility(IRegistry).records if name.startswith(PREFIX)]


def own_actions() -> list:
    """Our actions in the member's menu."""
    actions = api.portal.get_tool("portal_actions")["user"].objectValues()
    return [action for action in actions if "click2sell" in action.getId()]


def configlets() -> list:
    tool = api.portal.get_tool("portal_controlpanel")
    return [action for action in tool.listActions() if action.getAppId() == PRODUCT]


class TestInstall(unittest.TestCase):
    layer = INTEGRATION

    def setUp(self):
        self.portal = self.layer["portal"]
        setRoles(self.portal, TEST_USER_ID, ["Manager"])

    def test_profile_version(self):
        setup = api.portal.get_tool("portal_setup")
        self.assertEqual(setup.getLastVersionForProfile(PROFILE), ("1000",))
        self.assertEqual(setup.getVersionForProfile(PROFILE), "1000")

    def test_services_can_be_used(self):
        setup = api.portal.get_tool("portal_setup")
        self.assertNotEqual(setup.getLastVersionForProfile("plone.restapi:default"), "unknown")

    def test_layer(self):
        self.assertIn(IClick2SellLayer, registered_layers())

    def test_records_have_the_names_of_release_0_4_5(self):
        self.assertEqual(
            set(records()), {PREFIX + name for name in getFieldNames(IClick2SellSettings)}
        )
        self.assertIn("niteoweb.click2sell.interfaces.IClick2SellSettings.secretkey", records())
        self.assertIn("niteoweb.click2sell.interfaces.IClick2SellSettings.mapping", records())

    def test_defaults(self):
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        self.assertIsNone(settings.secretkey)
        self.assertEqual(settings.mapping, [])
        self.assertEqual(settings.buyers_group, "click2sell")

    def test_the_public_address_is_that_of_the_request(self):
        setup = api.portal.get_tool("portal_setup")
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        # As in a script, whose request nobody made.
        self.assertEqual(settings.site_address, "")
        with visited(self.layer["request"]):
            setup.runAllImportStepsFromProfile("profile-" + PROFILE)
        self.assertEqual(settings.site_address, "https://www.example.org/plone")
        # Installing it again keeps it.
        setup.runAllImportStepsFromProfile("profile-" + PROFILE)
        with visited(self.layer["request"], "other.example.org"):
            setup.runAllImportStepsFromProfile("profile-" + PROFILE)
        self.assertEqual(settings.site_address, "https://www.example.org/plone")

    def test_the_site_gets_an_id_of_its_own(self):
        """Installing again changes nothing; uninstalling removes it."""
        setup = api.portal.get_tool("portal_setup")
        place = ("/plone", "")
        self.assertEqual(plone_site.noted_place(), place)
        rules.save({"site_address": "https://www.example.org"})
        first = ("/plone", "https://www.example.org")
        self.assertEqual(plone_site.noted_place(), first)
        rules.save({"site_address": "https://other.example.org"})
        setup.runAllImportStepsFromProfile("profile-" + PROFILE)
        self.assertEqual(plone_site.noted_place(), first)
        self.assertTrue(plone_site.is_copy())
        setup.runAllImportStepsFromProfile("profile-niteoweb.click2sell:uninstall")
        self.assertIsNone(plone_site.noted_place())
        setup.runAllImportStepsFromProfile("profile-" + PROFILE)
        self.assertEqual(plone_site.noted_place(), place)
        self.assertFalse(plone_site.is_copy())

    def test_member_properties(self):
        tool = api.portal.get_tool("portal_memberdata")
        self.assertEqual(
            {name: tool.getPropertyType(name) for name in FIELDS},
            {
                "product_id": "string",
                "product_name": "string",
                "affiliate": "string",
                "last_purchase_id": "string",
                "last_purchase_timestamp": "date",
            },
        )

    def test_one_configlet_for_all_pages(self):
        (configlet,) = configlets()
        self.assertEqual(configlet.Title(), "Memberships")
        self.assertEqual(configlet.getCategory(), "Products")
        self.assertEqual(set(configlet.getPermissions()), set(PERMISSIONS))
        self.assertEqual(
            configlet.getActionExpression(), "string:${portal_url}/@@click2sell-overview"
        )

    def test_the_overview_is_in_the_menu_of_those_who_may_view_purchases(self):
        _members_own, action = sorted(own_actions(), key=lambda one: one.getId(), reverse=True)
        self.assertEqual(action.getProperty("title"), "Memberships")
        url = "string:${portal_url}/@@click2sell-overview"
        self.assertEqual(action.getProperty("url_expr"), url)
        self.assertEqual(action.getProperty("permissions"), ("Click2Sell: View purchases",))

    def test_the_members_own_page_is_in_their_menu(self):
        action, _overview = sorted(own_actions(), key=lambda one: one.getId(), reverse=True)
        self.assertEqual(action.getProperty("url_expr"), "string:${portal_url}/@@my-purchases")
        self.assertEqual(action.getProperty("permissions"), ("View",))
        user = api.portal.get_tool("portal_actions")["user"]
        self.assertLess(
            user.objectIds().index(action.getId()), user.objectIds().index("logout")
        )
        name = action.getProperty("icon_expr").removeprefix("string:")
        icons = self.portal.restrictedTraverse("@@iconresolver")
        self.assertNotEqual(icons.lookup(name), icons.defaulticon)

    def test_the_icon_is_in_the_registry(self):
        configlet = configlets()[0]
        name = configlet.getIconExpression().removeprefix("string:")
        icons = self.portal.restrictedTraverse("@@iconresolver")
        self.assertNotEqual(icons.lookup(name), icons.defaulticon)
        # Plone 6.1 answers with bytes.
        self.assertIn("<svg", str(icons.tag(name)))

    def test_permissions_belong_to_managers_and_site_administrators(self):
        for permission in PERMISSIONS:
            with self.subTest(permission):
                roles = rolesForPermissionOn(permission, self.portal)
                self.assertEqual(set(roles), {"Manager", "Site Administrator"})

    def test_members_that_were_there_are_found(self):
        member = api.user.create(email="Before@Example.org", username="before")
        index.trees.tree(self.portal, "member_ids").clear()
        index.trees.tree(self.portal, "member_addresses").clear()
        self.assertEqual(index.find(self.portal, "before@example.org"), ())
        setup = api.portal.get_tool("portal_setup")
        setup.runAllImportStepsFromProfile("profile-" + PROFILE)
        (match,) = index.find(self.portal, "before@example.org")
        self.assertEqual(match.user_id, member.getId())

    def test_the_add_ons_panel_offers_the_default_profile_only(self):
        view = ManageProductsView(self.portal, self.layer["request"])
        addons = view.marshall_addons()
        offered = {product for product in addons if product.startswith(PRODUCT)}
        self.assertEqual(offered, {PRODUCT})
        addon = addons[PRODUCT]
        self.assertEqual(addon["install_profile"]["id"], PROFILE)
        self.assertEqual(addon["other_profiles"], [])
        self.assertFalse(addon["upgrade_info"]["available"])
        self.assertFalse(addon["upgrade_info"]["required"])

    def test_installing_again_keeps_the_settings(self):
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        settings.secretkey = "k" * 24
        settings.buyers_group = ""
        setup = api.portal.get_tool("portal_setup")
        setup.runAllImportStepsFromProfile("profile-" + PROFILE)
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        self.assertEqual(settings.secretkey, "k" * 24)
        self.assertEqual(settings.buyers_group, "")


class TestUninstall(unittest.TestCase):
    layer = INTEGRATION

    def setUp(self):
        self.portal = self.layer["portal"]
        setRoles(self.portal, TEST_USER_ID, ["Manager"])
        api.group.create(groupname="readers")
        self.member = api.user.create(
            email="buyer@example.org", username="buyer", properties=dict(FIELDS)
        )
        api.group.add_user(groupname="readers", username="buyer")
        for permission in PERMISSIONS:
            self.portal.manage_permission(permission, roles=["Manager", "Editor"])
        self.portal.manage_permission("Add portal member", roles=["Manager"])
        getUtility(IRegistry).forInterface(IClick2SellSettings).secretkey = "k" * 24
        view = ManageProductsView(self.portal, self.layer["request"])
        self.assertTrue(view.uninstall_product(PRODUCT))

    def test_profile_is_not_installed(self):
        setup = api.portal.get_tool("portal_setup")
        self.assertEqual(setup.getLastVersionForProfile(PROFILE), "unknown")

    def test_layer_is_gone(self):
        self.assertNotIn(IClick2SellLayer, registered_layers())

    def test_records_are_gone(self):
        self.assertEqual(records(), [])

    def test_configlet_is_gone(self):
        self.assertEqual(configlets(), [])

    def test_the_members_own_page_is_gone(self):
        self.assertEqual(own_actions(), [])

    def test_permission_settings_are_gone(self):
        for permission in PERMISSIONS:
            with self.subTest(permission):
                self.assertFalse(hasattr(aq_base(self.portal), pname(permission)))
                roles = rolesForPermissionOn(permission, self.portal)
                self.assertEqual(set(roles), {"Manager", "Site Administrator"})

    def test_permission_settings_of_others_stay(self):
        self.assertTrue(hasattr(aq_base(self.portal), pname("Add portal member")))

    def test_member_stays_with_groups_and_fields(self):
        member = api.user.get(username="buyer")
        self.assertEqual({name: member.getProperty(name) for name in FIELDS}, FIELDS)
        self.assertEqual(member.getProperty("email"), "buyer@example.org")
        self.assertIn("readers", [group.getId() for group in api.group.get_groups(user=member)])

    def test_members_can_still_be_changed(self):
        member = api.user.get(username="buyer")
        member.setMemberProperties({"product_id": "43"})
        self.assertEqual(api.user.get(username="buyer").getProperty("product_id"), "43")

    def test_can_be_installed_again(self):
        view = ManageProductsView(self.portal, self.layer["request"])
        self.assertTrue(view.install_product(PRODUCT))
        self.assertEqual(len(configlets()), 1)
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        self.assertIsNone(settings.secretkey)
        self.assertEqual(api.user.get(username="buyer").getProperty("product_id"), "42")
