"""A copy of the site: how it is told, and that the settings form says so."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.testing.layers import FUNCTIONAL
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.testing.zope import Browser
from unittest.mock import patch

import os
import transaction
import unittest


#: The layer's own, http://nohost, is that of a script, which is never a copy.
ADDRESS = "http://localhost/plone"


class TestCopy(unittest.TestCase):
    layer = FUNCTIONAL

    def setUp(self):
        self.portal = self.layer["portal"]

    def browser(self) -> Browser:
        browser = Browser(self.layer["app"])
        browser.addHeader("Authorization", f"Basic {SITE_OWNER_NAME}:{SITE_OWNER_PASSWORD}")
        browser.open(f"{ADDRESS}/@@click2sell-settings")
        return browser

    def says_so(self) -> bool:
        return "nothing is mailed and no access is ended here" in self.browser().contents

    def set_address(self, address: str) -> None:
        plone_site.settings().site_address = address
        transaction.commit()

    def test_the_settings_say_that_this_is_a_copy(self):
        self.assertFalse(self.says_so())
        self.set_address("https://www.example.org")
        self.assertTrue(self.says_so())

    def test_the_address_is_filled_in_from_the_request(self):
        browser = self.browser()
        browser.getControl("Save").click()
        transaction.begin()
        self.assertEqual(plone_site.settings().site_address, ADDRESS)
        self.assertFalse(self.says_so())

    def test_an_address_that_is_none_is_refused(self):
        for address in ("example.org", "ftp://example.org", "https://", "https://a:b"):
            with self.subTest(address=address):
                browser = self.browser()
                browser.getControl(name="form.widgets.site_address").value = address
                browser.getControl("Save").click()
                self.assertTrue("has to be an address such as" in browser.contents)

    def test_hosts(self):
        here = ADDRESS
        self.layer["request"].setServerURL("http", "localhost", "80")
        for public, copy in (
            ("", False),
            (here, False),
            (here.replace("http://", "https://"), False),
            (f"{here}/", False),
            ("https://nohost.example.org", True),
        ):
            with self.subTest(public=public):
                plone_site.settings().site_address = public
                self.assertEqual(plone_site.is_copy(), copy)

    def test_ports(self):
        for one, other, same in (
            ("http://example.org", "https://example.org:443", True),
            ("http://EXAMPLE.org:80", "https://example.org", True),
            ("http://example.org:8080", "http://example.org", False),
            ("http://a.example.org", "http://b.example.org", False),
        ):
            with self.subTest(one=one, other=other):
                self.assertEqual(plone_site.host(one) == plone_site.host(other), same)

    def test_the_environment_decides(self):
        with patch.dict(os.environ, {"CLICK2SELL_STAGING": "1"}):
            self.assertTrue(plone_site.is_copy())
            self.assertTrue(self.says_so())
        self.assertFalse(plone_site.is_copy())
