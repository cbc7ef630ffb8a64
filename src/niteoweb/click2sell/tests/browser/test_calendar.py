"""The ends of the calendar, on each page and in each file, east and west of Greenwich."""

from dataclasses import replace
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.owner import importfile
from niteoweb.click2sell.owner import importing
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases.callback import CallbackTestCase
from niteoweb.click2sell.tests.cases.layers import SHOP_HTTP
from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from plone import api
from unittest import mock
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import requests
import transaction


ZONES = ("Pacific/Kiritimati", "Asia/Kathmandu", "Europe/Vienna", "UTC", "America/Lima")

#: Moments at the ends of the calendar, some of them beyond it on the clocks of some zones.
EDGES = (
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc),
    datetime(9999, 12, 31, 10, 30, tzinfo=timezone.utc),
    datetime.max.replace(tzinfo=timezone.utc),
    datetime(1, 1, 1, tzinfo=timezone.utc),
    datetime(1, 1, 1, 11, tzinfo=timezone.utc),
    datetime(99, 2, 28, tzinfo=timezone.utc),
    datetime(2028, 2, 29, 23, 59, 59, tzinfo=timezone.utc),
)

PAGES = (
    *(
        "@@click2sell-members",
        "@@click2sell-members/BUYER",
        "@@click2sell-members/BUYER/extend",
    ),
    *("@@click2sell-members.csv", "@@click2sell-notifications", "@@click2sell-accounting"),
    *("@@click2sell-notifications.csv", "@@click2sell-accounting.csv?month=2026-05"),
    *("@@click2sell-report", "@@click2sell-overview", "@@click2sell-check"),
    *("@click2sell-members", "@click2sell-members/BUYER", "@click2sell-notifications"),
    "@click2sell-report",
)

PAGES_OF_ONE = ("@@click2sell-notifications/", "@click2sell-notifications/")


class TestPages(PageTestCase):
    layer = SHOP_HTTP

    def setUp(self):
        super().setUp()
        self.account()
        self.buy()

    def get(self, path, who=MANAGER):
        json = {} if path.startswith("@@") else {"Accept": "application/json"}
        return requests.get(
            f"{self.portal.absolute_url()}/{path}", auth=who, headers=json, timeout=30
        )

    def process(self, number, **changes):
        notification = self.notification(
            acquirer_transaction_id=f"T-{number}", product_id=str(number)
        )
        pipeline.process(replace(notification, **changes))

    def assert_pages(self):
        buyer = self.buyer()["id"]
        keys = list(ledger.newest_first(self.portal))
        pages = [page.replace("BUYER", buyer) for page in PAGES]
        pages += [f"{page}{key}" for page in PAGES_OF_ONE for key in keys]
        for zone in ("Pacific/Kiritimati", "America/Lima"):
            self.registry(portal_timezone=zone)
            for page in pages:
                with self.subTest(page, zone=zone):
                    answer = self.get(page)
                    self.assertEqual(answer.status_code, 200, answer.text[-1000:])
            with self.subTest("my purchases", zone=zone):
                answer = self.get("@@my-purchases", (EMAIL, PASSWORD))
                self.assertIn("Test Product", answer.text)

    def test_ends_of_access(self):
        for number, moment in enumerate(EDGES, 2):
            self.process(number, valid_until=moment, subscription=True)
        self.assert_pages()

    def test_times_of_a_provider(self):
        for number, moment in enumerate(EDGES, 2):
            self.process(number, occurred_at=moment)
        self.assert_pages()

    def test_the_day_that_no_clock_has(self):
        self.process(2, valid_until=EDGES[0])
        self.registry(portal_timezone="Asia/Tokyo")
        text = self.get("@@click2sell-members").text
        self.assertIn("Dec 31, 9999", text)
        self.assertIn('datetime="9999-12-31T23:59:59+00:00"', text)
        for file in ("@@click2sell-members.csv", "@@click2sell-notifications.csv"):
            self.assertIn("9999-12-31 23:59:59", self.get(file).text)

    def test_a_record_that_cannot_be_shown(self):
        """However it came to be: the other rows are there, and this one is named."""
        self.process(2)
        self.buy(buyer_email="jane@example.org", acquirer_transaction_id="T-9")
        broken = ledger.get(self.portal, self.key(1))
        ledger.change(self.portal, broken, valid_until="some day")
        transaction.commit()
        for page in (
            *("@@click2sell-notifications.csv", "@@click2sell-members.csv"),
            "@@click2sell-members",
        ):
            with self.subTest(page):
                answer = self.get(page)
                self.assertEqual(answer.status_code, 200)
                self.assertIn("This record cannot be shown.", answer.text)
                self.assertIn("jane@example.org", answer.text)
        entry = ledger.get(self.portal, self.key())
        for broken, shown in (({**entry, "received_at": "some day"}, True), (entry, False)):
            with mock.patch.object(ledger, "get", return_value=broken):
                (line,) = formatting.entry_lines(self.portal, "", [entry["key"]])
            self.assertEqual("cannot be shown" in line.kind, shown)
        listed = self.get("@click2sell-members").json()["items"]
        self.assertEqual(len(listed), 2)

    def test_forms(self):
        for zone in ("Pacific/Kiritimati", "America/Lima"):
            self.registry(portal_timezone=zone)
            for text, works in (
                ("9999-12-31", True),
                ("9999-12-31T23:59:59Z", True),
                ("2028-02-29", True),
                ("2027-02-29", False),
                ("2027-02-31", False),
                ("2027-01-01T24:00", False),
                ("2016-12-31T23:59:60", False),
                ("10000-01-01", False),
                ("0001-01-01", False),
                ("0000-01-01", False),
            ):
                with self.subTest(text, zone=zone):
                    browser = self.browser()
                    browser.open(f"{self.portal.absolute_url()}/@@click2sell-members/grant")
                    for name, value in (
                        ("address", "jane@example.org"),
                        ("product", ["click2sell 1"]),
                        ("until", text),
                        ("reason", "a gift"),
                    ):
                        browser.getControl(name=name).value = value
                    browser.getControl("Show what this would change").click()
                    self.assertIn("200", browser.headers["Status"])
                    shown = 'name="confirm"' in browser.contents
                    self.assertEqual(shown, works, self.text(browser)[-800:])

    def test_filters(self):
        for zone in ("Pacific/Kiritimati", "America/Lima"):
            self.registry(portal_timezone=zone)
            for text in ("0001-01-01", "9999-12-31", "2027-02-31", "2027-02-29T24:00"):
                for page in ("@@click2sell-notifications", "@@click2sell-notifications.csv"):
                    for query in ({"from": text}, {"to": text}):
                        with self.subTest(page, zone=zone, **query):
                            answer = self.get(f"{page}?{urlencode(query)}")
                            self.assertIn(answer.status_code, (200, 400))
                for query in (
                    {"month": text[:7]},
                    {"period": "days", "from": text, "to": text},
                ):
                    for page in ("@@click2sell-accounting", "@@click2sell-accounting.csv"):
                        with self.subTest(page, zone=zone, **query):
                            answer = self.get(f"{page}?{urlencode(query)}")
                            self.assertIn(answer.status_code, (200, 400))


class TestImport(PageTestCase):
    def file(self, zone, until, reference=""):
        head = "address,product,valid until,reference"
        return importfile.read(f"{head}\n{EMAIL},1,{until},{reference}\n", zone)

    def test_ends(self):
        for zone in map(ZoneInfo, ZONES):
            self.registry(portal_timezone=str(zone))
            for text, day in (
                ("9999-12-31", "9999-12-31"),
                ("31.12.9999", "9999-12-31"),
                ("29.2.2028", "2028-02-29"),
            ):
                with self.subTest(text, zone=zone):
                    file = self.file(zone, text, f"{zone} {text}")
                    self.assertEqual(file.mistakes, ())
                    until = timestamps.in_zone(file.rows[0].until, zone)
                    self.assertEqual(str(until.date()), day)
                    importing.run(file.rows, "boss")
                    self.assertIn("premium", self.groups())
            for text in ("29.2.2027", "31.2.2027", "10000-01-01", "0000-01-01"):
                with self.subTest(text, zone=zone):
                    (mistake,) = self.file(zone, text).mistakes
                    self.assertEqual((mistake.code, mistake.subject), ("date", text))

    def test_a_day_before_the_calendar_of_utc(self):
        (mistake,) = self.file(ZoneInfo("Asia/Tokyo"), "0001-01-01").mistakes
        self.assertEqual((mistake.code, mistake.subject), ("date", "0001-01-01"))


class TestDeliveries(CallbackTestCase):
    def test_dates(self):
        for number, (day, hour, status) in enumerate(
            (
                ("9998-12-31", "23:59:59", 200),
                ("2024-02-29", "10:00:00", 200),
                ("2025-02-29", "10:00:00", 400),
                ("2026-02-31", "10:00:00", 400),
                ("0001-01-01", "00:00:00", 400),
                ("0000-00-00", "00:00:00", 400),
                ("10000-01-01", "00:00:00", 400),
                ("2026-01-01", "24:00:00", 400),
                ("2016-12-31", "23:59:60", 400),
            )
        ):
            for zone in ("Pacific/Kiritimati", "UTC", "Etc/GMT+12", "America/Lima"):
                with self.subTest(day, hour=hour, zone=zone):
                    transaction.begin()
                    records = api.portal.get_tool("portal_registry").records
                    records._values["plone.portal_timezone"] = zone
                    transaction.commit()
                    answer = self.sell(
                        acquirer_transaction_id=f"T-{number}-{zone}",
                        purchase_date=day,
                        purchase_time=hour,
                    )
                    self.assertEqual(answer.status_code, status, answer.text)
                    if status == 400:
                        self.assertIn("POST parameter invalid: 'purchase_", answer.text)
