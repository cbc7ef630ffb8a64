"""Moments as people and scripts write them."""

from datetime import date
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import timestamps
from zoneinfo import available_timezones
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
            "0001-01-01",
            "tomorrow",
        ):
            with self.subTest(text), self.assertRaises(ValueError):
                timestamps.begin(text, VIENNA)

    def test_the_end_of_a_day_is_before_the_next_in_every_zone(self):
        for name in sorted(available_timezones()):
            zone = ZoneInfo(name)
            # All of a year, and the days around one that was left out in Samoa.
            for first, days in ((date(2026, 1, 1), 366), (date(2011, 12, 28), 6)):
                for number in range(days):
                    day = first + timedelta(days=number)
                    following = timestamps.begin(f"{day + timedelta(days=1)}", zone)
                    self.assertEqual(
                        timestamps.end(f"{day}", zone) + timestamps.TICK, following, (name, day)
                    )

    def test_the_ends_of_the_calendar(self):
        for zone in map(ZoneInfo, ("Asia/Tokyo", "UTC", "America/Lima")):
            with self.subTest(zone):
                last = timestamps.end("9999-12-31", zone)
                self.assertEqual(timestamps.in_zone(last, zone).date(), date(9999, 12, 31))
                for text in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+00:00"):
                    moment = timestamps.begin(text, zone)
                    self.assertEqual(timestamps.in_zone(moment, zone), moment)
        self.assertEqual(
            timestamps.end("9999-12-31", ZoneInfo("America/Lima")), timestamps.LAST
        )
        with self.assertRaises(ValueError):
            timestamps.end("0001-01-01", ZoneInfo("Asia/Tokyo"))

    def test_the_hour_that_comes_twice_and_the_one_that_is_left_out(self):
        for text, first, last in (
            ("2026-10-25T02:30", utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30)),
            ("2026-03-29T02:30", utc(2026, 3, 29, 0, 30), utc(2026, 3, 29, 1, 30)),
            ("2026-10-25T02:30+01:00", utc(2026, 10, 25, 1, 30), utc(2026, 10, 25, 1, 30)),
        ):
            with self.subTest(text):
                self.assertEqual(timestamps.begin(text, VIENNA), first)
                self.assertEqual(timestamps.end(text, VIENNA), last)


class TestMachines(unittest.TestCase):
    def test_no_end(self):
        for text, expected in (
            ("9999-12-31T23:59:59Z", utc(9999, 12, 31, 23, 59, 59)),
            ("9999-12-31T23:59:59.999Z", utc(9999, 12, 31, 23, 59, 59, 999_000)),
            ("9999-12-31T23:59:59+14:00", utc(9999, 12, 31, 9, 59, 59)),
            ("9999-12-31T23:59:59-00:01", timestamps.LAST),
            ("2028-02-29T00:00:00Z", utc(2028, 2, 29)),
            (253402300799, utc(9999, 12, 31, 23, 59, 59)),
        ):
            with self.subTest(text):
                self.assertEqual(timestamps.parse(text), expected)

    def test_no_moments(self):
        for value in (
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "2027-02-29T00:00:00Z",
            "2027-02-31T00:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-01-01T25:00:00Z",
            "2016-12-31T23:59:60Z",
            "10000-01-01T00:00:00Z",
            "9999-12-31",
            253402300800,
            10**30,
            -(10**30),
            True,
            None,
        ):
            with self.subTest(value), self.assertRaises(ValueError):
                timestamps.parse(value)


class TestStamp(unittest.TestCase):
    def test_ids_sort_as_their_moments_do(self):
        moments = [utc(1990, 1, 1), utc(2026, 11, 30), utc(2026, 11, 30) + timestamps.TICK]
        stamps = [*map(timestamps.stamp, moments), timestamps.stamp(utc(2099, 12, 31))]
        self.assertEqual(stamps, sorted(set(stamps)))
        self.assertEqual({len(stamp) for stamp in stamps}, {13})
