"""The one form of addresses, and which of them cannot be used."""

from hypothesis import given
from hypothesis import strategies as st
from niteoweb.click2sell import webaddress

import unittest


class TestNormal(unittest.TestCase):
    def test_one_form(self):
        for address, normal in {
            "https://www.example.org": "https://www.example.org",
            " HTTPS://WWW.Example.ORG./ ": "https://www.example.org",
            "https://www.example.org:443/Plone/": "https://www.example.org/Plone",
            "http://www.example.org:80": "http://www.example.org",
            "https://www.example.org:": "https://www.example.org",
            "https://www.example.org:8443//a//b/": "https://www.example.org:8443/a/b",
            "http://localhost:8080/Plone": "http://localhost:8080/Plone",
            "https://Müller.de": "https://xn--mller-kva.de",
            "https://xn--MLLER-kva.de": "https://xn--mller-kva.de",
            "https://faß.de": "https://xn--fa-hia.de",
            "https://本。jp": "https://xn--8pv.jp",
            "https://ČAJ.example.org./čaj": "https://xn--aj-dma.example.org/%C4%8Daj",
            "https://example.org/%c4%8daj": "https://example.org/%C4%8Daj",
            "http://intra_net:8080": "http://intra_net:8080",
            "http://192.0.2.1/": "http://192.0.2.1",
            "http://[2001:DB8::0:1]:8080": "http://[2001:db8::1]:8080",
        }.items():
            with self.subTest(address):
                self.assertEqual(webaddress.normal(address), normal)
                self.assertEqual(webaddress.normal(normal), normal)

    def test_that_cannot_be_used(self):
        for part, addresses in {
            "form": ["", "example.org", "ftp://example.org", "https://", "https:/a", "\ud800"],
            "host": [
                "https://a b",
                "https://a..b",
                "https://-a.org",
                "https://%41",
                "http://ü ü",
            ],
            "port": ["https://a:b", "https://a:0", "https://a:65536", "https://a:-1"],
            "user": ["https://john@example.org", "https://:secret@example.org", "https://@a"],
            "query": ["https://example.org?a=b", "https://example.org/Plone#top"],
            "page": ["https://example.org/@@click2sell-settings", "https://example.org/a/../b"],
        }.items():
            for address in addresses:
                with self.subTest(address), self.assertRaises(webaddress.Unusable) as caught:
                    webaddress.normal(address)
                self.assertEqual(caught.exception.part, part, address)
                self.assertIsNone(webaddress.host(address))

    @given(st.text() | st.text().map("https://{}".format))
    def test_no_text_raises_anything_else(self, text):
        try:
            normal = webaddress.normal(text)
        except webaddress.Unusable:
            return
        self.assertTrue(normal.isascii())
        self.assertEqual(webaddress.normal(normal), normal)


class TestHost(unittest.TestCase):
    def test_same(self):
        for one, other, same in (
            ("http://example.org", "https://example.org:443", True),
            ("http://EXAMPLE.org.:80", "https://example.org/Plone", True),
            ("https://müller.de", "http://XN--MLLER-KVA.de", True),
            ("http://example.org:8080", "http://example.org", False),
            ("http://a.example.org", "http://b.example.org", False),
        ):
            with self.subTest(one=one, other=other):
                self.assertEqual(webaddress.host(one) == webaddress.host(other), same)
