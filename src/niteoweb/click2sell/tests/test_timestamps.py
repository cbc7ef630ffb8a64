"""Moments as people and scripts write them."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import timestamps
from zoneinfo import ZoneInfo

import unittest


VIENNA = ZoneInfo("Europe/Vienna")


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=timezone.utc)


class TestWhen(unittest.TestCase):
    def test_a_date_is_a_day_of_the_time_zone(self):
        self.assertEqual(timestamps.begin("2027-01-31", VIENNA), utc(2027, 1, 30, 23))
        self.assertEqual(
            timestamps.end("2027-01-31", VIENNA), utc(2027, 1, 31, 22, 59, 59, 999_999)
        )

    def test_days_have_23_to_25_hours(self):
        for day, hours in (("2027-03-28", 23), ("2027-03-29", 24), ("2027-10-31", 25)):
            with self.subTest(day):
                length = (
                    timestamps.end(day, VIENNA)
                    - timestamps.begin(day, VIENNA)
                    + timestamps.TICK
                )
                self.assertEqual(length, timedelta(hours=hours))

    def test_a_date_and_time_is_a_moment(self):
        for text, expected in (
            ("2027-01-31T12:00", utc(2027, 1, 31, 11)),
            ("2027-01-31 12:00", utc(2027, 1, 31, 11)),
            ("2027-01-31T12:00:30.5", utc(2027, 1, 31, 11, 0, 30, 500_000)),
            ("2027-01-31T12:00:00Z", utc(2027, 1, 31, 12)),
            ("2027-01-31T12:00:00+02:00", utc(2027, 1, 31, 10)),
            ("2027-01-31T12:00-0230", utc(2027, 1, 31, 14, 30)),
            # A plus sign that nobody quoted.
            ("2027-01-31T12:00:00 02:00", utc(2027, 1, 31, 10)),
        ):
            with self.subTest(text):
                self.assertEqual(timestamps.begin(text, VIENNA), expected)
                self.assertEqual(timestamps.end(text, VIENNA), expected)

    def test_what_is_neither(self):
        for text in (
            "",
            "2027",
            "2027-02-30",
            "2027-1-31",
            "20270131",
            "31.1.2027",
            "2027-01-31T",
            "2027-01-31T25:00",
            "2027-01-31T12:00:00+99:00",
            "2027-01-31T12:00 CET",
            "٢٠٢٧-٠١-٣١",
            "9999-12-31",
            "0001-01-01",
            "tomorrow",
        ):
            with self.subTest(text), self.assertRaises(ValueError):
                timestamps.begin(text, VIENNA)
