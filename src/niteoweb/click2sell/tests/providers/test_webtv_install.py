"""A site with users and sales of a store: the add-on is uninstalled, and installed again."""

from AccessControl.Permission import pname
from Acquisition import aq_base
from niteoweb.click2sell.interfaces import IWebTVSettings
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import WEBTV
from niteoweb.click2sell.tests.cases.selling import ProcessorTestCase
from niteoweb.click2sell.tests.cases.services import MANAGER
from plone.registry.interfaces import IRegistry
from Products.CMFPlone.controlpanel.browser.quickinstaller import ManageProductsView
from zope.component import getUtility
from zope.schema import getFieldNames

import requests
import transaction


PRODUCT, SELL = "niteoweb.click2sell", "Click2Sell: Sell in the store"


class TestInstall(ProcessorTestCase):
    def setUp(self):
        super().setUp()
        self.store.users[self.jane]["order"] = None
        self.sold = self.pay(self.begin("12"))

    def change(self, what):
        transaction.begin()
        view = ManageProductsView(self.portal, self.layer["request"])
        with self.owner():
            self.assertTrue(getattr(view, f"{what}_product")(PRODUCT))

    def records(self):
        transaction.begin()
        prefix = f"{IWebTVSettings.__identifier__}."
        return {
            name.removeprefix(prefix): record.value
            for name, record in getUtility(IRegistry).records.items()
            if name.startswith(prefix)
        }

    def statuses(self):
        base, headers = self.portal.absolute_url(), {"Accept": "application/json"}
        paths = ("@webtv-sales", "@webtv-profiles", f"@webtv-users/{self.jane}")
        pages = ("@@webtv-sales", f"@@webtv?{self.order()}", "@@webtv-return?id=x")
        return [
            requests.get(
                f"{base}/{path}",
                auth=MANAGER,
                headers=headers,
                allow_redirects=False,
                timeout=30,
            ).status_code
            for path in (*paths, "@webtv-products?type=other", *pages)
        ]

    def test_install_adds_each_setting_with_its_default(self):
        names = set(getFieldNames(IWebTVSettings))
        self.assertEqual(set(self.records()), names)
        self.change("uninstall")
        self.change("install")
        fresh = self.records()
        self.assertEqual(set(fresh), names)
        self.assertEqual((fresh["enabled"], fresh["api_token"]), (False, None))
        for name in names:
            with self.subTest(name):
                self.assertEqual(fresh[name] or None, IWebTVSettings[name].default or None)

    def test_uninstalled_nothing_answers_and_no_secret_is_left(self):
        with self.owner():
            self.portal.manage_permission(SELL, roles=["Manager", "Editor"])
        self.assertTrue(hasattr(aq_base(self.portal), pname(SELL)))
        self.assertEqual(self.statuses()[:5], [200] * 5)
        self.change("uninstall")
        self.assertEqual(self.records(), {})
        self.assertFalse(hasattr(aq_base(self.portal), pname(SELL)))
        asked = len(self.fake.requests)
        self.assertEqual(self.statuses(), [404] * 7)
        self.assertEqual(self.post("sales", reference="R-2").status_code, 404)
        kept = [record.value for record in getUtility(IRegistry).records.values()]
        kept.append(sales.get(self.portal, self.sold["id"]))
        for secret in (self.fake.secret, self.KEY):
            self.assertNotIn(secret, repr(kept))
        self.assertEqual(len(self.fake.requests), asked)
        # Who has bought stays a member.
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])

    def test_installed_again_it_goes_on_where_it_was(self):
        before = self.kinds()
        self.change("uninstall")
        self.change("install")
        self.assertFalse(registry.is_enabled(WEBTV))
        self.set(enabled=True, api_url=self.fake.url, api_key_id="x", mapping=["12|premium"])
        self.set(api_key_id=self.fake_key, api_token=self.fake.secret, currency="EUR")
        self.pass_time(hours=25)
        self.sweep()
        self.assertEqual(self.kinds(), before)
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        # The same reference is the same sale, and one transaction pays one sale.
        self.assertEqual(self.begin("12", status=200)["id"], self.sold["id"])
        other = self.begin("30", reference="R-2")
        self.assertEqual(self.pay(other, 409)["type"], "ChargeUsed")

    @property
    def fake_key(self):
        return self.fake.requests[0].query["key"]
