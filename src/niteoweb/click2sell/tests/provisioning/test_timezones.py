"""Sites in every time zone sell, and keep the exact time of the purchase."""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.tests.cases.callback import CallbackTestCase
from niteoweb.click2sell.tests.cases.callback import PARSED
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api
from zoneinfo import available_timezones
from zoneinfo import ZoneInfo
from zope.globalrequest import getRequest

import os
import time
import transaction


#: Zones with offsets that Zope's DateTime does not know, and some with others that are rare.
ODD = {
    "Asia/Kathmandu": "+05:45",
    "Pacific/Chatham": "+12:45",
    "Australia/Eucla": "+08:45",
    "Pacific/Kiritimati": "+14:00",
    "Pacific/Marquesas": "-09:30",
    "Etc/GMT+12": "-12:00",
    "Asia/Kolkata": "+05:30",
}


def set_zone(value):
    """Write a value into the record, be it one that Plone's form offers or not."""
    api.portal.get_tool("portal_registry").records._values["plone.portal_timezone"] = value
    # Plone 6.2 keeps a value that was read for the rest of the request.
    getRequest().other.pop("_plone_registry_cache", None)


class TestSales(CallbackTestCase):
    def test_over_http(self):
        for number, (zone, offset) in enumerate(ODD.items()):
            with self.subTest(zone):
                transaction.begin()
                set_zone(zone)
                transaction.commit()
                buyer = f"b{number}@example.org"
                answer = self.sell(
                    buyer_email=buyer,
                    acquirer_transaction_id=f"T-{number}",
                    c2s_transaction_id=f"R-{number}",
                )
                self.assert_answer(answer, 200, PARSED)
                kept = self.member(buyer).getProperty("last_purchase_timestamp")
                bought_at = datetime.fromisoformat(f"2026-05-03T10:20:30{offset}")
                self.assertEqual(kept.micros(), timestamps.microseconds(bought_at))


class TestEveryZone(SiteTestCase):
    def test_the_instant_is_exact(self):
        moments = [
            datetime(2026, 5, 3, 10, 20, 30, 123_457, timezone.utc),
            datetime(2026, 11, 1, 5, 59, 59, 999_999, timezone.utc),
            datetime(1990, 1, 1, tzinfo=timezone.utc),
            datetime(9999, 12, 31, 23, 59, 59, 999_999, timezone.utc),
        ]
        for name in sorted(available_timezones()):
            set_zone(name)
            for moment in moments:
                with self.subTest(name, moment=moment):
                    kept = plone_site.zope_time(moment)
                    self.assertEqual(kept.micros(), timestamps.microseconds(moment))

    def test_the_offset_is_that_of_the_site_where_zope_knows_it(self):
        for zone, shown in (
            ("Europe/Vienna", "2026-05-03T12:20:30+02:00"),
            ("Asia/Kathmandu", "2026-05-03T10:20:30+00:00"),
        ):
            with self.subTest(zone):
                self.registry(portal_timezone=zone)
                moment = datetime(2026, 5, 3, 10, 20, 30, tzinfo=timezone.utc)
                self.assertEqual(plone_site.zope_time(moment).ISO8601(), shown)

    def test_a_record_that_names_no_zone(self):
        for value in ("Europe", "", "../UTC", "Nowhere/City", "a" * 300, "\udcff", 5, ["UTC"]):
            with self.subTest(value):
                set_zone(value)
                self.assertEqual(plone_site.timezone(), ZoneInfo("UTC"))

    def test_an_hour_that_the_process_skips_is_shown_as_it_is(self):
        # The process may be in another zone than the site, where clocks jump at another time.
        self.addCleanup(time.tzset)
        self.addCleanup(os.environ.__setitem__, "TZ", os.environ.get("TZ", "UTC"))
        os.environ["TZ"] = "Europe/Vienna"
        time.tzset()
        moment = datetime(2026, 3, 29, 2, 30, tzinfo=timezone.utc)
        self.assertEqual(plone_site.shown(moment), "Mar 29, 2026 02:30 AM")

    def test_a_refund_in_the_hour_that_comes_twice_asks_the_owner(self):
        self.registry(portal_timezone="Europe/Vienna")
        day = {"purchase_date": "2026-10-25"}
        self.now = datetime(2026, 10, 25, 0, 55, tzinfo=timezone.utc)
        names = {"acquirer_transaction_id": "T-9", "c2s_transaction_id": "R-9"}
        self.refund(**day, **names, purchase_time="02:55:00")
        # The purchase five minutes before it comes hours late: nobody knows which 02:50 it was.
        self.later(hours=3)
        self.buy(**day, purchase_time="02:50:00")
        self.assertEqual(self.attention(), [["unmatched refund", ""]])
        self.assertIn("premium", self.groups())

    def test_a_refund_in_that_hour_that_is_on_time(self):
        self.registry(portal_timezone="Europe/Vienna")
        day = {"purchase_date": "2026-10-25"}
        self.now = datetime(2026, 10, 25, 0, 50, tzinfo=timezone.utc)
        self.buy(**day, purchase_time="02:50:00")
        self.later(minutes=25)
        names = {"acquirer_transaction_id": "T-9", "c2s_transaction_id": "R-9"}
        self.refund(**day, **names, purchase_time="02:15:00")
        self.assertEqual(self.attention(), [])
        self.assertNotIn("premium", self.groups())

    def test_a_sale_where_the_hour_is_rare(self):
        self.registry(portal_timezone="Pacific/Chatham")
        self.buy()
        self.assertEqual(
            self.fields(EMAIL)["last_purchase_timestamp"].micros(),
            timestamps.microseconds(datetime(2026, 5, 2, 21, 35, 30, tzinfo=timezone.utc)),
        )
