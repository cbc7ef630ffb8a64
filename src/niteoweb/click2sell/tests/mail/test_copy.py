"""A copy of the site: how it is told, and that the settings form says so."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import webaddress
from niteoweb.click2sell.testing.layers import FUNCTIONAL
from pathlib import Path
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
        for address, wrong in (
            ("example.org", "such as https://www.example.org"),
            ("ftp://example.org", "such as https://www.example.org"),
            ("https://", "such as https://www.example.org"),
            ("https://a..b", "the name of the host"),
            ("https://a:b", "a number from 1 to 65535"),
            ("https://john@example.org", "leave out the user name"),
            ("https://example.org?a=b", "from the question mark"),
            (f"{ADDRESS}/@@click2sell-settings", "leave out the name of the page"),
            ("http://localhost/", f"The site is at {ADDRESS}: links"),
        ):
            with self.subTest(address=address):
                self.assertIn(wrong, self.save(address))
                self.assertEqual(plone_site.settings().site_address, "")

    def save(self, address: str) -> str:
        """Save the form with a public address; the page that follows."""
        browser = self.browser()
        browser.getControl(name="form.widgets.site_address").value = address
        browser.getControl("Save").click()
        transaction.begin()
        return browser.contents

    def test_other_spellings_are_saved(self):
        for address in ("HTTP://LocalHost.:80/plone/", "https://localhost/plone"):
            with self.subTest(address=address):
                self.assertIn("Changes saved", self.save(address))
                self.assertFalse(self.says_so())

    def test_hosts(self):
        here = ADDRESS
        self.layer["request"].setServerURL("http", "localhost", "80")
        for public, copy in (
            ("", False),
            (here, False),
            (here.replace("http://", "https://"), False),
            (f"{here}/", False),
            ("HTTP://LocalHost.:80/plone", False),
            ("https://localhost:8080/plone", True),
            ("https://nohost.example.org", True),
        ):
            with self.subTest(public=public):
                plone_site.settings().site_address = public
                self.assertEqual(plone_site.is_copy(), copy)

    def test_every_spelling_of_the_address_is_the_address(self):
        """Browsers, proxies and owners write it in their ways."""
        request = self.layer["request"]
        for public, host, port in (
            ("https://Müller.de", "xn--mller-kva.de", "443"),
            ("https://müller.de.", "XN--mller-kva.de", "443"),
            ("HTTPS://XN--MLLER-KVA.DE:443/", "xn--mller-kva.de.", "80"),
            ("https://müller.de/plone", "xn--mller-kva.de", "443"),
            ("http://müller.de:8080", "xn--mller-kva.de", "8080"),
            ("http://[2001:DB8::0:1]:8080", "[2001:db8::1]", "8080"),
        ):
            with self.subTest(public), patch.dict(plone_site._reached, clear=True):
                request.setServerURL("https" if port == "443" else "http", host, port)
                plone_site.settings().site_address = public
                plone_site.settle()
                self.assertFalse(plone_site.is_copy())
                self.assertFalse(plone_site.is_reached())
                plone_site.note_reached(None)
                self.assertTrue(plone_site.is_reached())
                link = plone_site.link("@@my-purchases")
                self.assertTrue(link.startswith(webaddress.normal(public)), link)
                self.assertTrue(link.isascii(), link)

    def test_a_host_that_is_none_is_a_copy_and_stops_nothing(self):
        plone_site.settings().site_address = "https://www.example.org"
        for host in ("a b", "..", "%41", "www.example.org:x", ""):
            with self.subTest(host), patch.dict(plone_site._reached, clear=True):
                self.layer["request"].setServerURL("https", host, "443")
                plone_site.note_reached(None)
                self.assertTrue(plone_site.is_copy())
                self.assertFalse(plone_site.is_reached())

    def test_an_address_that_cannot_be_used_is_none(self):
        for address in ("", "www.example.org", "https://www.example.org:x"):
            with self.subTest(address):
                plone_site.settings().site_address = address
                self.assertEqual(plone_site.public_address(), "")
                self.assertFalse(plone_site.is_reached())
                with self.assertRaises(plone_site.NoAddress):
                    plone_site.link("login")

    def test_no_mail_has_an_address_that_a_request_could_choose(self):
        package = Path(plone_site.__file__).parent
        for path in (*package.glob("mail/*.py"), *package.glob("member/*.py")):
            with self.subTest(path.name):
                self.assertNotRegex(
                    path.read_text("utf-8"), r"absolute_url|site\.address\(|site_address"
                )

    def test_the_environment_decides(self):
        with patch.dict(os.environ, {"CLICK2SELL_STAGING": "1"}):
            self.assertTrue(plone_site.is_copy())
            self.assertTrue(self.says_so())
        self.assertFalse(plone_site.is_copy())
