"""Click2Sell: what a genuine notification says."""

from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from niteoweb.click2sell.tests.cases import deliveries
from zoneinfo import ZoneInfo

import json
import unittest


UTC = ZoneInfo("UTC")


def parsed(zone: ZoneInfo = UTC, **changes: str | None) -> Notification:
    return parse(deliveries.body(**changes), zone)


def parse(body: bytes, zone: ZoneInfo = UTC) -> Notification:
    form = click2sell.verify(deliveries.delivery(body), deliveries.keys(), deliveries.NOW)
    (notification,) = click2sell.parse(form, zone)
    return notification


class ParserTestCase(unittest.TestCase):
    def assert_invalid(self, name: str, **changes: str | None) -> None:
        with self.assertRaises(ParameterInvalid) as caught:
            parsed(**changes)
        self.assertEqual(caught.exception.parameter, name)

    def assert_broken(self, name: str, body: bytes) -> None:
        with self.assertRaises(ParameterInvalid) as caught:
            parse(body)
        self.assertEqual(caught.exception.parameter, name)


class TestFields(ParserTestCase):
    def test_sale(self):
        found = parsed(
            buyer_email="John.Smith@Example.org", buyer_country="SI", cp_campaign="spring"
        )
        self.assertEqual(found.provider, "click2sell")
        self.assertEqual(found.kind, Kind.PURCHASE)
        self.assertEqual(found.transaction, "T-1")
        self.assertEqual(found.receipt, "R-1")
        self.assertEqual(found.occurred_at, datetime(2026, 5, 3, 10, 20, 30, tzinfo=UTC))
        self.assertEqual(found.email, "John.Smith@Example.org")
        self.assertEqual(found.buyer, "john.smith@example.org")
        self.assertEqual((found.product_id, found.product_name), ("1", "Test Product"))
        self.assertEqual(found.fullname, "John Smith")
        self.assertEqual((found.amount, found.currency), (Decimal("9.90"), "EUR"))
        self.assertEqual((found.country, found.affiliate), ("SI", "affiliate"))
        self.assertIsNone(found.valid_until)
        self.assertFalse(found.subscription)
        self.assertEqual(found.payload["cp_campaign"], "spring")

    def test_only_what_is_required(self):
        required = {*click2sell.REQUIRED, "acquirer_transaction_id"}
        others = {name: None for name in deliveries.SALE if name not in required}
        found = parsed(**others)
        self.assertEqual(found.fullname, "")
        self.assertEqual((found.amount, found.currency, found.affiliate), (None, "", ""))

    def test_required(self):
        for name in click2sell.REQUIRED:
            for value in (None, "", "  "):
                with self.subTest(name, value=value), self.assertRaises(ParameterMissing) as e:
                    parsed(**{name: value})
                self.assertEqual(str(e.exception), f"POST parameter missing: '{name}'")

    def test_spaces_around_values_do_not_count(self):
        found = parsed(buyer_email=" john@example.org ", product_id=" 1 ", buyer_name=" J ")
        self.assertEqual((found.email, found.product_id), ("john@example.org", "1"))
        self.assertEqual(found.first_name, "J")

    def test_the_longest_value(self):
        for name in ("c2s_transaction_id", "product_id"):
            with self.subTest(name=name):
                self.assert_invalid(name, **{name: "x" * 256})
        self.assertEqual(parsed(product_name="x" * 256).product_name, "x" * 255)
        self.assertEqual(len(parsed(buyer_address="x" * 9000).payload["buyer_address"]), 9000)

    def test_the_payload_is_everything_but_the_checksum(self):
        values = deliveries.fields(buyer_phone="+386 1", cp_a="")
        checksum = values.pop("checksum")
        found = parsed(buyer_phone="+386 1", cp_a="")
        self.assertEqual(found.payload, values)
        self.assertNotIn(checksum, repr(found))
        upper = deliveries.body(CHECKSUM=checksum, Checksum=checksum)
        self.assertNotIn(checksum, repr(parse(upper)))

    def test_kinds(self):
        both = ("transaction_type", "subscription_status")
        for kind, values in (
            (Kind.PURCHASE, (None, None)),
            (Kind.PURCHASE, ("", "")),
            (Kind.PURCHASE, ("Sale", None)),
            (Kind.PURCHASE, ("Subscription", "New")),
            (Kind.RENEWAL, ("Subscription", "Recurring")),
            (Kind.CANCELLATION, ("Subscription", "Cancel")),
            (Kind.REFUND, ("Refund", None)),
            (Kind.UNKNOWN, ("Chargeback", None)),
            (Kind.UNKNOWN, ("Subscription", None)),
            (Kind.UNKNOWN, ("Subscription", "Paused")),
            (Kind.UNKNOWN, (None, "New")),
            (Kind.UNKNOWN, ("Sale", "Cancel")),
        ):
            with self.subTest(values):
                self.assertEqual(parsed(**dict(zip(both, values, strict=True))).kind, kind)

    def test_kinds_in_any_letters(self):
        found = parsed(transaction_type="SUBSCRIPTION", subscription_status="recurring")
        self.assertEqual((found.kind, found.subscription), (Kind.RENEWAL, True))

    def test_payment_status(self):
        for status, kind in (
            ("OK", Kind.PURCHASE),
            ("", Kind.PURCHASE),
            ("Failed", Kind.PAYMENT_FAILED),
            ("FAILED", Kind.PAYMENT_FAILED),
            ("Pending", Kind.UNKNOWN),
        ):
            with self.subTest(status):
                self.assertEqual(parsed(payment_status=status).kind, kind)
        renewal = {"transaction_type": "Subscription", "subscription_status": "Recurring"}
        self.assertEqual(parsed(payment_status="Failed", **renewal).kind, Kind.PAYMENT_FAILED)

    def test_prices(self):
        for text, amount, currency in (
            ("9.90 EUR", "9.90", "EUR"),
            ("1234.5 USD", "1234.5", "USD"),
            ("1234 GBP", "1234", "GBP"),
            ("9,90 EUR", "9.90", "EUR"),
            ("9.90EUR", "9.90", "EUR"),
            ("9.90", "9.90", ""),
            ("0.00 eur", "0.00", "EUR"),
            ("-9.90 EUR", "9.90", "EUR"),
        ):
            with self.subTest(text):
                found = parsed(product_price=text)
                self.assertEqual((str(found.amount), found.currency), (amount, currency))
        for text in ("", " "):
            self.assertIsNone(parsed(product_price=text).amount)

    def test_a_price_of_another_form_is_left_to_the_payload(self):
        for text in (
            "nonsense",
            "EUR",
            "EUR 9.90",
            "1,234.50 EUR",
            "9.999 EUR",
            "NaN EUR",
            "1e9 EUR",
            "9.90 EURO",
            "٩ EUR",
            "9" * 13,
            "9.90  EUR",
        ):
            with self.subTest(text):
                found = parsed(product_price=text)
                self.assertEqual((found.amount, found.currency), (None, ""))
                self.assertEqual(found.payload["product_price"], text)

    def test_addresses(self):
        for address in (
            "a@b.org",
            "first.last+tag@mail.example.co.uk",
            "o'brien@example.org",
            "a&b@example.org",
            "x@xn--mnchen-3ya.de",
            f"{'a' * 64}@example.org",
        ):
            with self.subTest(address):
                self.assertEqual(parsed(buyer_email=address).email, address)

    def test_addresses_that_are_none(self):
        for address in (
            "john",
            "john@",
            "@example.org",
            "john@example",
            "john@example.",
            "john@.org",
            "john@example..org",
            "john@@example.org",
            "john@example.org, jane@example.org",
            "john@example.org;jane@example.org",
            "John <john@example.org>",
            '"john"@example.org',
            "jo hn@example.org",
            "john\t@example.org",
            "jo\x01hn@example.org",
            "john\x7f@example.org",
            "john@exa\x1bmple.org",
            "john\u200b@example.org",
            "john\u202e@example.org",
            "(comment)john@example.org",
            "john@[127.0.0.1]",
            f"{'a' * 65}@example.org",
            f"a@{'b' * 250}.org",
        ):
            with self.subTest(address):
                self.assert_invalid("buyer_email", buyer_email=address)


class TestTheHourThatComesTwice(unittest.TestCase):
    """Clocks in Vienna show 02:30 at 00:30 and at 01:30 of UTC; in March they skip it."""

    def moments(self, arrived_at, zone="Europe/Vienna", day="2026-10-25", hour="02:30:00"):
        body = deliveries.body(purchase_date=day, purchase_time=hour)
        form = click2sell.verify(deliveries.delivery(body), deliveries.keys(), arrived_at)
        (notification,) = click2sell.parse(form, ZoneInfo(zone))
        return notification.earliest, notification.occurred_at

    def test_the_arrival_tells(self):
        first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
        for arrived_at in (first, first - timedelta(hours=3), first + timedelta(minutes=29)):
            with self.subTest(arrived_at):
                self.assertEqual(self.moments(arrived_at), (None, first))
        for arrived_at in (second, second - timedelta(minutes=10), second + timedelta(days=3)):
            with self.subTest(arrived_at):
                self.assertEqual(self.moments(arrived_at), (first, second))

    def test_in_other_zones(self):
        for zone, day, hour, first in (
            ("America/New_York", "2026-11-01", "01:30:00", "2026-11-01T05:30Z"),
            ("Australia/Lord_Howe", "2026-04-05", "01:45:00", "2026-04-04T14:45Z"),
            ("Africa/Cairo", "2026-10-29", "23:30:00", "2026-10-29T20:30Z"),
        ):
            with self.subTest(zone):
                expected = datetime.fromisoformat(first)
                late = self.moments(expected + timedelta(days=1), zone, day, hour)
                self.assertEqual(late[0], expected)
                self.assertGreater(late[1], expected)
                self.assertEqual(self.moments(expected, zone, day, hour), (None, expected))

    def test_an_hour_that_no_clock_shows_and_others(self):
        arrived_at = datetime(2026, 12, 1, tzinfo=UTC)
        for day, hour, expected in (
            ("2026-03-29", "02:30:00", "2026-03-29T01:30Z"),
            ("2026-10-25", "03:00:00", "2026-10-25T02:00Z"),
            ("2026-10-25", "01:59:59", "2026-10-24T23:59:59+00:00"),
        ):
            with self.subTest(day, hour=hour):
                moments = self.moments(arrived_at, day=day, hour=hour)
                self.assertEqual(moments, (None, datetime.fromisoformat(expected)))


class TestEncodings(ParserTestCase):
    def test_utf8(self):
        found = parsed(buyer_name="Žiga", product_name="日本 ✓", cp_ž="ž")
        self.assertEqual((found.first_name, found.product_name), ("Žiga", "日本 ✓"))
        self.assertEqual(found.payload["cp_ž"], "ž")

    def test_windows_1252(self):
        for body in (
            deliveries.body(buyer_name="x") + b"&buyer_city=K%F6ln&cp_a=%80",
            deliveries.body(buyer_name="x") + b"&buyer_city=K\xf6ln&cp_a=\x80",
        ):
            with self.subTest(body):
                found = parse(body)
                self.assertEqual(found.first_name, "x")
                self.assertEqual(found.payload["buyer_city"], "Köln")
                self.assertEqual(found.payload["cp_a"], "€")

    def test_bytes_in_neither_encoding(self):
        self.assert_broken("cp_a", deliveries.body() + b"&cp_a=%81")
        self.assert_broken("?", deliveries.body() + b"&cp_%81=a")
        self.assert_broken("cp_a", deliveries.body() + b"&cp_b=%E9&cp_a=\x9d")

    def test_line_breaks_and_nul_are_refused_anywhere(self):
        for name in (*deliveries.SALE, "cp_a"):
            if name != "acquirer_transaction_id":
                for character in "\r\n\0":
                    with self.subTest(name, character=character):
                        self.assert_invalid(name, **{name: f"a{character}b"})
                        self.assert_invalid(name, **{name: f"1{character}"})
        self.assert_broken("?", deliveries.body() + b"&cp%0Aa=1")

    def test_twice(self):
        for name in (*deliveries.SALE, "cp_a"):
            if name != "acquirer_transaction_id":
                with self.subTest(name):
                    body = deliveries.body(cp_a="1")
                    self.assert_broken(name, body + f"&{name}=1".encode("ascii"))
        self.assert_broken("?", deliveries.body() + b"&=1&=2")

    def test_an_error_repeats_only_what_can_be_a_name(self):
        for name in (b"<b>", b"john%40example.org", b"x" * 65, b"a+b", b"%C3%A9"):
            with self.subTest(name):
                self.assert_broken("?", deliveries.body() + b"&" + name + b"=%0A")


class TestKey(ParserTestCase):
    def test_a_repeat_has_the_same_key(self):
        key = parsed().key
        self.assertRegex(key, r"\A[0-9a-f]{64}\Z")
        for changes in (
            {"buyer_email": "JOHN@example.org"},
            {"purchase_time": "10:20:31"},
            {"purchase_date": "2026/05/04"},
            {"buyer_name": "Jane"},
            {"product_name": "Other"},
            {"product_price": "1.00 USD"},
            {"checksum": click2sell.sign(deliveries.SECRET_KEY, "T-1").lower()},
            {"cp_a": "b"},
        ):
            with self.subTest(changes):
                self.assertEqual(parsed(**changes).key, key)

    def test_another_notification_has_another_key(self):
        keys = [parsed().key]
        for changes in (
            {"acquirer_transaction_id": "T-2"},
            {"c2s_transaction_id": "R-2"},
            {"transaction_type": "Refund"},
            {"subscription_status": "New"},
            {"payment_status": "Failed"},
            {"product_id": "2"},
            {"buyer_email": "jane@example.org"},
        ):
            keys.append(parsed(**changes).key)
        self.assertEqual(len(set(keys)), len(keys))


class TestBrokenPayload(unittest.TestCase):
    def test_what_cannot_be_read_is_kept_escaped(self):
        body = deliveries.body() + b"&cp_%81=%81&cp_b=%00&cp_c=\xff"
        form = click2sell.verify(deliveries.delivery(body), deliveries.keys(), deliveries.NOW)
        kept = form.payload()
        self.assertEqual(kept["cp_\\x81"], "\\x81")
        self.assertEqual((kept["cp_b"], kept["cp_c"]), ("\0", "\\xff"))
        self.assertEqual(kept["buyer_email"], "john@example.org")
        self.assertNotIn("checksum", kept)
        self.assertEqual(json.loads(json.dumps(kept)), kept)

    def test_of_a_parameter_that_came_twice_both_values_are_kept(self):
        body = deliveries.body() + b"&product_id=2"
        form = click2sell.verify(deliveries.delivery(body), deliveries.keys(), deliveries.NOW)
        kept = form.payload()
        self.assertEqual(sorted(v for k, v in kept.items() if "product_id" in k), ["1", "2"])
