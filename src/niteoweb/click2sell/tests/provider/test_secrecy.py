"""No secret is kept of a delivery, by its name or by its value."""

from dataclasses import replace
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import PARAMETER
from niteoweb.click2sell.provider import secrecy
from urllib.parse import quote
from urllib.parse import quote_plus

import unittest


KEY = "k3y of the shop"

NOTIFICATION = Notification(
    key="k",
    provider="click2sell",
    kind=Kind.PURCHASE,
    transaction="T-1",
    receipt="R-1",
    occurred_at=datetime(2026, 5, 3, tzinfo=timezone.utc),
    buyer="john@example.org",
    email="john@example.org",
    product_id="1",
    first_name="John",
    payload={"buyer_name": "John"},
)


class TestNames(unittest.TestCase):
    def test_secrets(self):
        for name in (
            *(
                "secretkey",
                "SecretKey",
                "secret_key",
                "secret-key ",
                "my.secret",
                "c2s_secret_2",
            ),
            *(
                "password",
                "user.passwd",
                "pwd",
                "PASSWORD[0]",
                "token",
                "apiToken",
                "token_type",
            ),
            *(
                "key",
                "api_key",
                "apikey2",
                "a.key.b",
                "keys.0",
                "signature",
                "X-Signature",
                "sig",
            ),
            *("checksum", "check_sum", "Authorization", "hmac", "credentials", "secretkey (2)"),
        ):
            with self.subTest(name):
                self.assertTrue(secrecy.is_secret(name))

    def test_others(self):
        for name in (
            *("buyer_name", "product_id", "c2s_transaction_id", "purchase_time", "keyword"),
            *(
                "designation",
                "assigned",
                "data.offerId",
                "author",
                "passenger",
            ),
        ):
            with self.subTest(name):
                self.assertFalse(secrecy.is_secret(name))


class TestPayload(unittest.TestCase):
    def test_values_of_secrets_go_with_them(self):
        parameters = [
            ("checksum", "0123456789ABCDEF"),
            ("note", "see 0123456789ABCDEF"),
            ("pin_token", "1"),
            ("quantity", "1"),
            ("a", KEY),
            ("b", f"x {KEY} y"),
            (f"c {KEY}", ""),
            ("d", "word"),
            ("e", "a word"),
            ("f", "1"),
            ("f", "2"),
        ]
        self.assertEqual(
            secrecy.payload(parameters, [KEY, "word"]),
            {"quantity": "1", "e": "a word", "f": "1", "f (2)": "2"},
        )

    def test_inside_of_an_address_a_form_or_json(self):
        key = "k3y/of+the&shop"
        for value in (
            *(quote(key, safe=""), f"https://x.example/?a=1&b={quote_plus(key)}"),
            *(
                "https://order.example/?p=1&cp_member=am9obg.1.2",
                "secretkey=abc",
                "a=1&Token=b",
            ),
            *('{"a": {"secretkey": "abc"}}', "a%3D1%26api%5Fkey%3Dabc"),
        ):
            with self.subTest(value):
                self.assertEqual(
                    secrecy.payload([("note", value), ("a", "1")], [key]), {"a": "1"}
                )
        for value in (
            "https://x.example/?product=1",
            "Master key: a course",
            '{"a": "key"}',
            "50%",
        ):
            with self.subTest(value):
                self.assertEqual(secrecy.payload([("note", value)], [key]), {"note": value})


class TestNotification(unittest.TestCase):
    def test_without_secrets(self):
        self.assertEqual(secrecy.discreet(NOTIFICATION, [KEY, "1"]), NOTIFICATION)

    def test_titles(self):
        leaky = replace(NOTIFICATION, first_name=f"-{KEY}-", attention_subject=KEY)
        expected = replace(NOTIFICATION, first_name="")
        self.assertEqual(secrecy.discreet(leaky, [KEY]), expected)

    def test_ids(self):
        for name in ("transaction", "receipt", "product_id", "aliases", "email"):
            with self.subTest(name):
                value = (KEY,) if name == "aliases" else KEY
                leaky = replace(NOTIFICATION, **{name: value, "payload": {"x": KEY, "y": "z"}})
                kept = secrecy.discreet(leaky, [KEY])
                self.assertNotIn(KEY, repr(kept))
                self.assertEqual((kept.key, kept.kind), ("k", Kind.UNKNOWN))
                self.assertEqual((kept.attention, kept.attention_subject), (PARAMETER, name))
                self.assertEqual(kept.payload, {"y": "z"})
