"""A site that ran release 0.4.5 upgrades in place."""

from BTrees.OOBTree import OOBTree
from BTrees.OOBTree import OOTreeSet
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.interfaces import IClick2SellLayer
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.ledger import correction
from niteoweb.click2sell.ledger import entries as shelf
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import mentions
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.storage import trees as store
from niteoweb.click2sell.testing.layers import INTEGRATION
from niteoweb.click2sell.tests.cases.entries import START
from niteoweb.click2sell.tests.cases.entries import write
from niteoweb.click2sell.tests.cases.sweeps import SweepTestCase
from niteoweb.click2sell.tests.proof import dump
from niteoweb.click2sell.upgrades import to1003
from plone import api
from plone.app.testing import setRoles
from plone.app.testing import TEST_USER_ID
from plone.browserlayer.utils import registered_layers
from plone.browserlayer.utils import unregister_layer
from plone.registry import field
from plone.registry import Record
from plone.registry.interfaces import IRegistry
from Products.CMFPlone.controlpanel.browser.quickinstaller import ManageProductsView
from unittest import mock
from zope.annotation.interfaces import IAnnotations
from zope.component import getUtility

import transaction
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

    def test_all_steps_are_pending_before(self):
        steps = self.setup.listUpgrades(PROFILE)
        # What belongs together comes as a list.
        groups = [group if isinstance(group, list) else [group] for group in steps]
        found = [step["sdest"] for group in groups for step in group]
        self.assertEqual(found, ["1000", "1001", "1002", "1003", "1004", "1005"])
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
        self.assertEqual(self.setup.getLastVersionForProfile(PROFILE), ("1005",))
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

    def test_the_key_may_be_cleared_now(self):
        self.upgrade()
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        settings.secretkey = None
        self.assertIsNone(settings.secretkey)

    def test_there_is_one_configlet_with_our_permission(self):
        self.upgrade()
        tool = api.portal.get_tool("portal_controlpanel")
        (configlet,) = [
            action for action in tool.listActions() if "click2sell" in action.getId().lower()
        ]
        self.assertEqual(configlet.getPermissions(), ("Click2Sell: Configure",))
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
        """What the step sets up is what the default profile sets up."""
        self.upgrade()
        upgraded = self.exported()
        self.setup.runAllImportStepsFromProfile("profile-" + PROFILE)
        self.assertEqual(self.exported(), upgraded)

    def test_a_site_without_the_newest_settings_gets_them(self):
        self.upgrade()
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        settings.welcome_mail = "link"
        del getUtility(IRegistry).records[PREFIX + "previous_secretkey"]
        self.setup.setLastVersionForProfile(PROFILE, "1000")
        with self.assertRaises(KeyError):
            getUtility(IRegistry).forInterface(IClick2SellSettings)
        self.upgrade()
        settings = getUtility(IRegistry).forInterface(IClick2SellSettings)
        self.assertIsNone(settings.previous_secretkey)
        self.assertEqual((settings.secretkey, settings.welcome_mail), ("secret", "link"))

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


class TestUpgradeFrom1000(unittest.TestCase):
    """A site that has the add-on since before the pages of members."""

    layer = INTEGRATION

    def setUp(self):
        self.portal = self.layer["portal"]
        setRoles(self.portal, TEST_USER_ID, ["Manager"])
        self.setup = api.portal.get_tool("portal_setup")
        entry = write(self.portal, 1)
        buyers.own(self.portal, buyers.of_address(self.portal, entry["buyer"]), entry)
        outbox.file(self.portal, outbox.WELCOME, "john", "", "", START, "x")
        for name in ("buyer_words", "buyers_paid", "mails_by_user"):
            store.tree(self.portal, name).clear()
        del api.portal.get_tool("portal_actions")["user"]["click2sell-my-purchases"]
        self.setup.setLastVersionForProfile(PROFILE, "1000")

    def test_the_action_and_the_indexes_are_there_afterwards(self):
        self.assertEqual(search.buyers(self.portal, "t-1").ids, ())
        view = ManageProductsView(self.portal, self.layer["request"])
        self.assertTrue(view.upgrade_product(PRODUCT))
        self.assertEqual(self.setup.listUpgrades(PROFILE), [])
        self.assertIn("click2sell-my-purchases", api.portal.get_tool("portal_actions")["user"])
        self.assertEqual(len(search.buyers(self.portal, "t-1").ids), 1)
        self.assertEqual(store.tree(self.portal, "buyers_paid_count")(), 1)
        self.assertEqual(len(outbox.of_user(self.portal, "john")), 1)


class TestMentionsFrom1002(unittest.TestCase):
    """A site that has notifications which name another address than their buyer's."""

    layer = INTEGRATION

    def test_the_addresses_are_found_afterwards(self):
        portal = self.layer["portal"]
        setRoles(portal, TEST_USER_ID, ["Manager"])
        entry = write(portal, 1)
        wrong, entry["buyer"] = entry["buyer"], "right@example.org"
        store.tree(portal, "corrected")["", wrong] = "right@example.org"
        ledger.finish(portal, entry, ledger.REFUSED, ledger.ANOTHER)
        entry["dismissed"] = (ledger.ANOTHER, "")
        self.assertEqual((mentions.find(portal, wrong), ledger.waiting(portal)), ([], 1))
        setup = api.portal.get_tool("portal_setup")
        setup.setLastVersionForProfile(PROFILE, "1002")
        view = ManageProductsView(portal, self.layer["request"])
        self.assertTrue(view.upgrade_product(PRODUCT))
        self.assertEqual(mentions.find(portal, wrong), [entry["key"]])
        self.assertEqual(ledger.waiting(portal), 0)
        self.assertEqual(correction.leading_to(portal, "right@example.org"), [("", wrong)])


class TestUpgradeFrom1002(SweepTestCase):
    """A site whose indexes held the keys of notifications."""

    def rebuild_profile_1002(self):
        """Leave the ledger as that version of the profile left it."""
        trees = IAnnotations(self.portal)[store.KEY]
        entries = list(trees["entries"].values())
        kept = [shelf.at(self.portal, place) for place in trees["payloads_kept"]]
        for name in ("facets", "money", "entries", "payloads_kept"):
            trees[name] = store.TREES[name]()
        del trees["entry_places"]
        for entry in entries:
            if entry["transaction"] == "T-5":
                # Of the same microsecond as another one.
                entry["received_at"] = entries[0]["received_at"]
            trees["entries"][entry["key"]] = entry
            place = (shelf.place(entry), entry["key"])
            for name in ("all=", *(f"{facet}={entry[facet]}" for facet in ledger.FACETS)):
                if name not in trees["facets"]:
                    trees["facets"][name] = OOTreeSet()
                trees["facets"][name].insert(place)
            trees["money"].insert(
                (timestamps.microseconds(ledger.moved_at(entry)), entry["key"])
            )
        trees["payloads_kept"].update((shelf.place(entry), entry["key"]) for entry in kept)
        told = {(e["provider"], e["transaction"]): e for e in entries}
        trees["transactions"] = OOBTree()
        for place, entry in told.items():
            entry.pop("binds", None)
            trees["transactions"][place] = (entry["buyer"], entry["product_id"], 1, 0, 0)
        for record in trees["buyers"].values():
            record["paid_at"] = "2026-01-01T00:00:00.000000+00:00"
            record["paid"] = None
        trees["buyer_words"].clear()
        trees["buyers_paid"] = OOTreeSet()
        setup = api.portal.get_tool("portal_setup")
        setup.setLastVersionForProfile(PROFILE, "1002")
        transaction.commit()

    def test_everything_is_found_as_before(self):
        self.buy()
        for number in range(2, 7):
            self.later(minutes=1)
            self.buy(
                buyer_email=f"b{number}@example.org",
                acquirer_transaction_id=f"T-{number}",
                c2s_transaction_id=f"R-{number}",
                product_id="2" if number == 3 else "1",
            )
        self.assertEqual(dump.contradictions(self.portal), [])
        keys = set(ledger.newest_first(self.portal))
        self.rebuild_profile_1002()
        with self.owner(), mock.patch.object(to1003, "BATCH", 2):
            view = ManageProductsView(self.portal, self.layer["request"])
            self.assertTrue(view.upgrade_product(PRODUCT))
        transaction.commit()
        self.assertEqual(dump.contradictions(self.portal), [])
        self.assertEqual(set(ledger.newest_first(self.portal)), keys)
        self.assertEqual(len(list(ledger.newest_first(self.portal, "product_id", "2"))), 1)
        self.assertEqual(ownership.bound(self.portal, ("click2sell", "T-4"))[1], "1")
        self.assertEqual(len(search.buyers(self.portal, "r-4").ids), 1)
        self.assertEqual(len(store.tree(self.portal, "buyers_paid")), 6)
        self.assertEqual(len(store.tree(self.portal, "money")), 6)
        self.assertNotIn("paid_at", self.buyer())
        # A delivery of before is recognised.
        self.buy()
        self.assertEqual(ledger.count(self.portal), 6)
