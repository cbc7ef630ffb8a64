"""The sender of a request: pure, without a site."""

from ipaddress import ip_address
from ipaddress import ip_network
from niteoweb.click2sell.settings import networks as network
from niteoweb.click2sell.settings.networks import NetworkError

import unittest


PROXIES = [ip_network(text) for text in ("10.0.0.0/8", "2001:db8:9::/48", "127.0.0.1")]


class TestNetwork(unittest.TestCase):
    def test_networks(self):
        for text, expected in (
            ("192.0.2.0/24", "192.0.2.0/24"),
            (" 192.0.2.7 ", "192.0.2.7/32"),
            ("192.0.2.0/255.255.255.0", "192.0.2.0/24"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ):
            with self.subTest(text):
                self.assertEqual(network.network(text), ip_network(expected))

    def test_no_networks(self):
        for text, meant in (
            ("", None),
            ("everybody", None),
            ("192.0.2", None),
            ("192.0.2.0/33", None),
            ("192.0.2.256", None),
            ("192.0.02.1", None),
            ("192.0.2.0/", None),
            ("192.0.2.1-192.0.2.9", None),
            ("2001:db8::/129", None),
            ("fe80::1%eth0", None),
            ("click2sell.example", None),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("2001:db8::1/32", "2001:db8::/32"),
        ):
            with self.subTest(text), self.assertRaises(NetworkError) as caught:
                network.network(text)
            self.assertEqual(caught.exception.meant, meant and ip_network(meant))


class TestAddress(unittest.TestCase):
    def test_addresses(self):
        for text, expected in (
            ("192.0.2.7", "192.0.2.7"),
            (" 192.0.2.7 ", "192.0.2.7"),
            ("192.0.2.7:443", "192.0.2.7"),
            ("2001:DB8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:443", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("::FFFF:c000:207", "192.0.2.7"),
            ("[::ffff:192.0.2.7]:443", "192.0.2.7"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%eth0]:80", "fe80::1"),
            # No port: the last part of an address.
            ("2001:db8::7:443", "2001:db8::7:443"),
        ):
            with self.subTest(text):
                self.assertEqual(network.address(text), ip_address(expected))

    def test_no_addresses(self):
        for text in (
            *("", " ", "unknown", "_hidden", "localhost", "192.0.2", "192.0.2.7.8"),
            *("192.0.2.07", "192.0.2.7:", "192.0.2.7:x", "192.0.2.7:123456", "192.0.2.7/32"),
            *("[192.0.2.7]", "[192.0.2.7]:80", "[2001:db8::7", "2001:db8::7]", "[]", "[]:80"),
            *("[2001:db8::7]80", "[[::1]]", '"192.0.2.7"', "for=192.0.2.7", "192.0.2.7 x"),
            *("192.0.2.7\x00", "١٩٢.0.2.7", "3221225991", "0xC0000207"),
        ):
            with self.subTest(text):
                self.assertIsNone(network.address(text))

    def test_the_subscriber_of_an_address(self):
        for text, expected in (
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::", "2001:db8:1:3::/64"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            *((text, text) for text in ("192.0.2.7", "unknown", "")),
        ):
            with self.subTest(text):
                self.assertEqual(network.subscriber(text), expected)


class TestSender(unittest.TestCase):
    def assert_sender(self, expected, peer, forwarded=""):
        found = network.sender(peer, forwarded, PROXIES)
        self.assertEqual(found, expected and ip_address(expected))

    def test_without_a_proxy_the_header_does_not_count(self):
        for forwarded in ("", "198.51.100.1", "10.0.0.1", "nonsense"):
            with self.subTest(forwarded):
                self.assert_sender("192.0.2.7", "192.0.2.7", forwarded)
                self.assert_sender("2001:db8::7", "2001:db8::7", forwarded)

    def test_a_proxy_is_believed(self):
        for peer in ("10.0.0.1", "::ffff:10.0.0.1", "2001:db8:9::1", "127.0.0.1"):
            with self.subTest(peer):
                self.assert_sender("192.0.2.7", peer, "192.0.2.7")
                self.assert_sender("2001:db8::7", peer, "[2001:db8::7]:50123")

    def test_from_right_to_left(self):
        for forwarded, expected in (
            # What stands left of the first that is no proxy, anybody can have written.
            ("198.51.100.1, 192.0.2.7", "192.0.2.7"),
            ("198.51.100.1, 192.0.2.7, 10.9.9.9", "192.0.2.7"),
            ("198.51.100.1,192.0.2.7,2001:db8:9::2,10.9.9.9", "192.0.2.7"),
            ("10.0.0.1, 192.0.2.7", "192.0.2.7"),
            ("nonsense, 192.0.2.7", "192.0.2.7"),
            (", 192.0.2.7", "192.0.2.7"),
            # A proxy itself sent it.
            ("10.9.9.9", "10.9.9.9"),
            ("10.1.1.1, 10.9.9.9", "10.1.1.1"),
            ("", "10.0.0.1"),
            (" ", "10.0.0.1"),
        ):
            with self.subTest(forwarded):
                self.assert_sender(expected, "10.0.0.1", forwarded)

    def test_what_cannot_be_read_is_nobody(self):
        for forwarded in (
            "nonsense",
            "192.0.2.7, nonsense",
            "192.0.2.7, nonsense, 10.9.9.9",
            "192.0.2.7,",
            "192.0.2.7, , 10.9.9.9",
            ",",
            "unknown",
            "192.0.2.7; 10.9.9.9",
        ):
            with self.subTest(forwarded):
                self.assert_sender(None, "10.0.0.1", forwarded)
        for peer in ("", "localhost", "unix:"):
            with self.subTest(peer):
                self.assert_sender(None, peer, "192.0.2.7")


class TestIsIn(unittest.TestCase):
    def test_is_in(self):
        networks = [ip_network(text) for text in ("192.0.2.0/24", "2001:db8::/32")]
        for text, expected in (
            ("192.0.2.7", True),
            ("192.0.3.7", False),
            ("2001:db8::7", True),
            ("2001:db9::7", False),
            # The same bits in the other version.
            ("::c000:207", False),
        ):
            with self.subTest(text):
                self.assertEqual(network.is_in(ip_address(text), networks), expected)
        self.assertFalse(network.is_in(ip_address("192.0.2.7"), []))
