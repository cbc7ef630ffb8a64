"""The codec of notifications and billing events."""

from dataclasses import field
from dataclasses import fields
from dataclasses import make_dataclass
from datetime import datetime
from datetime import timezone
from decimal import Decimal
from enum import StrEnum
from hypothesis import given
from hypothesis import strategies as st
from niteoweb.click2sell.entitlement import BillingEvent
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import records
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.tests.cases.entries import SALE
from niteoweb.click2sell.tests.cases.entries import START

import dataclasses
import unittest


MOMENTS = st.datetimes(timezones=st.just(timezone.utc))
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False)
NOTIFICATIONS = st.builds(
    Notification,
    **{
        f.name: st.from_type(f.type)
        for f in fields(Notification)
        if f.type in (str, bool, Kind)
    },
    occurred_at=MOMENTS,
    valid_until=st.none() | MOMENTS,
    amount=st.none() | AMOUNTS,
    aliases=st.lists(st.text()).map(tuple),
    payload=st.dictionaries(st.text(), st.text()),
)


class TestRecords(unittest.TestCase):
    @given(NOTIFICATIONS)
    def test_every_field_survives(self, notification):
        record = {**records.DEFAULTS, **records.write(notification)}
        self.assertEqual(records.read(Notification, record), notification)

    @given(NOTIFICATIONS)
    def test_plain_values_only(self, notification):
        for value in records.write(notification).values():
            self.assertIn(type(value), (str, bool, tuple, dict))

    def test_an_enum_in_the_place_of_a_text(self):
        record = records.write(dataclasses.replace(SALE, attention=Reason.SEVERAL_USERS))
        self.assertIs(type(record["attention"]), str)

    def test_what_is_not_stored(self):
        required = {f.name for f in fields(Notification)} - records.DEFAULTS.keys()
        self.assertEqual(records.write(SALE).keys(), required)

    def test_a_new_field_needs_no_line(self):
        class Colour(StrEnum):
            RED = "red"

        new = [
            ("gift_until", datetime | None, field(default=None)),
            ("fee", Decimal, field(default=Decimal("0.10"))),
            ("colour", Colour, field(default=Colour.RED)),
            ("pieces", int, field(default=1)),
        ]
        gift = make_dataclass("Gift", new, bases=(Notification,), frozen=True)
        for values in ({}, {"gift_until": START, "fee": Decimal("1.5"), "pieces": 3}):
            notification = gift(**vars(SALE), **values)
            record = {**records.DEFAULTS, **records.write(notification)}
            self.assertEqual(records.read(gift, record), notification)
            self.assertIs(type(record["colour"]), str)

    def test_fields_under_another_name(self):
        record = {**records.DEFAULTS, **records.write(SALE)}
        others = {f.name: None for f in fields(BillingEvent) if f.name not in record}
        event = records.read(BillingEvent, record, **others)
        self.assertEqual((event.kind, event.occurred_at), (SALE.kind, SALE.occurred_at))
