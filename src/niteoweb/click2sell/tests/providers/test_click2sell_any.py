"""Click2Sell: times of every zone, and parameters of every kind."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import DeliveryError
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from niteoweb.click2sell.providers.click2sell.form import Form
from niteoweb.click2sell.tests.cases import deliveries
from urllib.parse import parse_qsl
from urllib.parse import quote_from_bytes
from zoneinfo import ZoneInfo

import json
import unittest


LJUBLJANA = ZoneInfo("Europe/Ljubljana")
NEW_YORK = ZoneInfo("America/New_York")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")  # 14 hours east
PAGO_PAGO = ZoneInfo("Pacific/Pago_Pago")  # 11 hours west
UTC = ZoneInfo("UTC")


def parse(body: bytes, zone: ZoneInfo, key: str = deliveries.SECRET_KEY) -> Notification:
    delivery = Delivery(body, click2sell.CONTENT_TYPE)
    form = click2sell.verify(delivery, deliveries.keys(key), deliveries.NOW)
    (notification,) = click2sell.parse(form, zone)
    return notification


def moment(date: str, time: str, zone: ZoneInfo = UTC) -> datetime:
    return parse(deliveries.body(purchase_date=date, purchase_time=time), zone).occurred_at


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)


class TestMoments(unittest.TestCase):
    def assert_invalid(self, name: str, date: str, time: str, zone: ZoneInfo = UTC) -> None:
        with self.assertRaises(ParameterInvalid) as caught:
            moment(date, time, zone)
        self.assertEqual(caught.exception.parameter, name)

    def test_both_forms(self):
        for date in ("2012-01-01", "2012/01/01", "2012-1-1", "2012/1/1", " 2012-01-01 "):
            with self.subTest(date):
                self.assertEqual(moment(date, "00:00:00"), utc(2012, 1, 1))
        self.assertEqual(moment("2012-01-01", "7:08:09"), utc(2012, 1, 1, 7, 8, 9))

    def test_the_time_is_in_the_zone_and_becomes_utc(self):
        found = moment("2026-05-03", "10:20:30", LJUBLJANA)
        self.assertEqual(found, utc(2026, 5, 3, 8, 20, 30))
        self.assertEqual(found.utcoffset(), timedelta(0))
        self.assertEqual(moment("2026-01-01", "10:00:00", LJUBLJANA), utc(2026, 1, 1, 9))
        self.assertEqual(moment("2026-01-01", "01:00:00", KIRITIMATI), utc(2025, 12, 31, 11))
        self.assertEqual(moment("2026-12-31", "23:00:00", PAGO_PAGO), utc(2027, 1, 1, 10))

    def test_a_leap_day(self):
        self.assertEqual(moment("2028-02-29", "12:00:00"), utc(2028, 2, 29, 12))
        self.assert_invalid("purchase_date", "2026-02-29", "12:00:00")

    def test_an_hour_that_the_clocks_skip(self):
        # 02:30 does not exist on that day; the offset from before the change counts.
        self.assertEqual(moment("2026-03-29", "02:30:00", LJUBLJANA), utc(2026, 3, 29, 1, 30))
        self.assertEqual(moment("2026-03-08", "02:30:00", NEW_YORK), utc(2026, 3, 8, 7, 30))

    def test_an_hour_that_comes_twice(self):
        # The first of the two: an earlier time never makes an access longer.
        self.assertEqual(moment("2026-10-25", "02:30:00", LJUBLJANA), utc(2026, 10, 25, 0, 30))
        self.assertEqual(moment("2026-11-01", "01:30:00", NEW_YORK), utc(2026, 11, 1, 5, 30))

    def test_broken_dates(self):
        for date in (
            "2026-02-30",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "2026-01-32",
            "0000-01-01",
            "0001-01-01",
            "1989-12-31",
            "10000-01-01",
            "26-01-01",
            "2026-01/01",
            "2026.01.01",
            "01-01-2026",
            "20260101",
            "2026-01-01T00:00:00",
            "yesterday",
            "٢٠٢٦-٠١-٠١",
            "-2026-01-01",
        ):
            with self.subTest(date):
                self.assert_invalid("purchase_date", date, "10:00:00")

    def test_broken_times(self):
        for time in (
            "24:00:00",
            "23:60:00",
            "23:59:60",
            "10:00",
            "10:00:00.5",
            "10:00:00 PM",
            "10:00:00Z",
            "10-00-00",
            "1000",
            "-1:00:00",
            "١٠:٠٠:٠٠",
            "noon",
        ):
            with self.subTest(time):
                self.assert_invalid("purchase_time", "2026-05-03", time)

    def test_the_ends_of_the_calendar(self):
        self.assertEqual(moment("1990-01-01", "00:00:00"), utc(1990, 1, 1))
        last = utc(9999, 12, 31, 23, 59, 59)
        self.assertEqual(moment("9999-12-31", "23:59:59"), last)
        self.assertEqual(
            moment("9999-12-31", "23:59:59", KIRITIMATI), last - timedelta(hours=14)
        )
        self.assert_invalid("purchase_date", "9999-12-31", "23:59:59", PAGO_PAGO)
        self.assert_invalid("purchase_date", "9999-12-31", "13:00:00", PAGO_PAGO)

    @given(
        st.datetimes(datetime(1990, 1, 2), datetime(9999, 12, 30)),
        st.sampled_from([UTC, LJUBLJANA, NEW_YORK, KIRITIMATI, PAGO_PAGO]),
    )
    def test_every_time_of_the_clock_is_read(self, local, zone):
        found = moment(f"{local:%Y-%m-%d}", f"{local:%H:%M:%S}", zone)
        again = found.astimezone(zone).replace(tzinfo=None)
        # In an hour that the clocks skip, the clock on the wall shows an hour later.
        self.assertIn(again - local.replace(microsecond=0), (timedelta(0), timedelta(hours=1)))


NAMES = [
    *deliveries.SALE,
    "checksum",
    "transaction_type",
    "subscription_status",
    "payment_status",
    "buyer_country",
    "cp_a",
    "",
]
NAME = st.one_of(st.sampled_from(NAMES), st.text(max_size=10))
VALUE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "Sale", "Refund", "Subscription", "New", "Failed", "9999-12-31", "23:59:59"]
    ),
)
RAW = st.one_of(
    VALUE.map(lambda text: text.encode("utf-8")),
    VALUE.map(lambda text: text.encode("windows-1252", "replace")),
    st.binary(max_size=20),
)
ZONES = st.sampled_from([UTC, LJUBLJANA, NEW_YORK, KIRITIMATI, PAGO_PAGO])


#: What bodies are put together of, with a parameter "a" often enough.
PIECES = st.one_of(
    st.sampled_from(
        (b"a=", b"%61=", b"&", b"=", b"%", b"+", b";", b"a", b"1", b"%2", b"%C3%A9")
    ),
    st.binary(max_size=3),
)


class TestAnything(unittest.TestCase):
    """Any delivery is a notification or one of the documented errors."""

    def check(self, body: bytes, zone: ZoneInfo, key: str = deliveries.SECRET_KEY):
        try:
            found = parse(body, zone, key)
        except DeliveryError as error:
            self.assertRegex(
                str(error),
                r"\A(No POST request\.|POST has the wrong content type\."
                r"|Secret key is not set\.|Checksum verification failed\."
                r"|POST parameter (missing|invalid): '[A-Za-z0-9_.?-]{1,64}')\Z",
            )
            return None
        self.assertIsInstance(found, Notification)
        self.assertNotIn("checksum", map(str.lower, found.payload))
        # What the ledger does with it.
        json.dumps(dict(found.payload)).encode("ascii")
        self.assertEqual(
            timestamps.from_iso(timestamps.iso(found.occurred_at)), found.occurred_at
        )
        for text in (found.transaction, found.receipt, found.product_id, found.buyer):
            self.assertTrue(text.encode("utf-8"))
            self.assertNotRegex(text, r"[\r\n\0]")
        return found

    @given(st.binary(), ZONES, st.text())
    @example(b"&&;=&", UTC, "k")
    @example(b"checksum=%&acquirer_transaction_id=%zz", UTC, "k")
    def test_any_bytes(self, body, zone, key):
        self.check(body, zone, key)

    @given(st.binary(max_size=200), ZONES)
    def test_any_bytes_beside_a_signature(self, junk, zone):
        body = deliveries.body(
            **{name: None for name in deliveries.SALE if name != "acquirer_transaction_id"},
            acquirer_transaction_id="T-1",
        )
        self.check(body + b"&" + junk, zone)

    @given(st.dictionaries(NAME, RAW), ZONES, st.text(min_size=1))
    def test_any_parameters_with_a_signature(self, changes, zone, key):
        values = {name: value.encode("ascii") for name, value in deliveries.SALE.items()}
        values.update(changes)
        values["checksum"] = click2sell.sign(key, values["acquirer_transaction_id"]).encode()
        body = "&".join(
            f"{quote_from_bytes(name.encode())}={quote_from_bytes(value)}"
            for name, value in values.items()
        ).encode("ascii")
        self.check(body, zone, key)
        # The same without percent signs, as far as that is possible.
        self.check(b"&".join(n.encode() + b"=" + v for n, v in values.items()), zone, key)

    @given(st.lists(PIECES, max_size=12))
    @example([b"a", b"=", b"%", b"\xe9", b"4"])
    @example([b"%61=", b"+", b"&", b"a"])
    @example([b"a=", b"%4", b"\xe9", b"1"])
    def test_what_is_signed_is_what_everybody_reads(self, pieces):
        """The parameters of the signature are looked for by themselves, the others are not."""
        body = b"".join(pieces)
        read = [
            value
            for name, value in parse_qsl(
                body.decode("latin-1"), keep_blank_values=True, encoding="latin-1"
            )
            if name == "a"
        ]
        if len(read) == 1 and read[0]:
            self.assertEqual(Form(body).signed("a"), read[0].encode("latin-1"))
        else:
            with self.assertRaises(ParameterInvalid if len(read) > 1 else ParameterMissing):
                Form(body).signed("a")

    @given(st.binary())
    def test_a_broken_form_can_be_kept(self, body):
        kept = click2sell.Form(body).payload()
        self.assertEqual(json.loads(json.dumps(kept)), kept)
        self.assertNotIn("checksum", map(str.lower, kept))
