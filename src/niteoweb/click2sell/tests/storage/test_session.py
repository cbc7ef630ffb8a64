"""The requests of threads: the addresses that they make of a site."""

from niteoweb.click2sell.storage.session import Surroundings

import unittest


class TestAddresses(unittest.TestCase):
    def test_the_public_address(self):
        for address in (
            "https://shop.example.org",
            "https://shop.example.org/members",
            "http://shop.example.org",
            "http://localhost:8080/Plone",
        ):
            with self.subTest(address):
                request = Surroundings.at(address, ("", "Plone")).request()
                self.assertEqual(request.physicalPathToURL(("", "Plone")), address)
                self.assertEqual(
                    request.physicalPathToURL(("", "Plone", "login")), f"{address}/login"
                )
                request.close()
