"""Site Setup: the files to take along, and the accounts."""

from datetime import timedelta
from niteoweb.click2sell.browser.desk import download
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.report import notifications
from niteoweb.click2sell.report import tables
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.tests.cases.entries import write
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from unittest import mock

import csv
import io
import transaction


OTHER = "jane@example.org"


class FileTestCase(PageTestCase):
    def setUp(self):
        super().setUp()
        self.registry(portal_timezone="Europe/Vienna")

    def page(self, name: str) -> None:
        self.url = f"{self.portal.absolute_url()}/@@click2sell-{name}"

    def table(self, **query) -> list[list[str]]:
        """The rows of the file, without the header."""
        self.file = self.opened(**query)
        text = self.file.contents
        text = text.encode("utf-8") if isinstance(text, str) else text
        self.assertTrue(text.startswith(b"\xef\xbb\xbf"), text[:200])
        separator = {"semicolon": ";", "tab": "\t"}.get(query.get("separator"), ",")
        found = io.StringIO(text.decode("utf-8-sig"), newline="")
        self.header, *rows = csv.reader(found, delimiter=separator)
        return rows

    def column(self, name: str, **query) -> list[str]:
        rows = self.table(**query)
        return [row[self.header.index(name)] for row in rows]


class TestNotificationsFile(FileTestCase):
    def setUp(self):
        super().setUp()
        self.page("notifications.csv")

    def test_everything_of_a_notification(self):
        self.buy(buyer_country="Slovenia", buyer_name="=1+1", product_id="-2")
        (row,) = self.table()
        self.assertEqual(
            dict(zip(self.header, row, strict=True)),
            {
                "Arrived (Europe/Vienna)": "2026-05-03 20:00:00",
                "Time of the provider (Europe/Vienna)": "2026-05-03 10:20:30",
                "Provider": "Click2Sell",
                "Kind": "purchase",
                "Outcome": "accepted",
                "Reason": "",
                "Address of the buyer": EMAIL,
                "First name": "'=1+1",
                "Last name": "Smith",
                "Product id": "'-2",
                "Product": "Test Product",
                "Transaction": "T-1",
                "Receipt": "R-1",
                "Amount": "9.90",
                "Currency": "EUR",
                "Country": "Slovenia",
                "Affiliate": "affiliate",
                "Valid until (Europe/Vienna)": "",
                "User id": EMAIL,
                "Key": self.key(),
            },
        )
        headers = self.file.headers
        self.assertEqual(headers["Content-Type"], "text/csv; charset=utf-8")
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertEqual(
            headers["Content-Disposition"],
            'attachment; filename="click2sell-notifications-2026-05-03.csv"',
        )
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")

    def test_the_filters_of_the_list(self):
        self.buy()
        self.later(days=1)
        self.buy_again(product_id="2", buyer_email=OTHER)
        self.later(days=1)
        self.fail_to_buy(acquirer_transaction_id="T-9", buyer_email="june@example.org")
        column = "Address of the buyer"
        everybody = ["june@example.org", OTHER, EMAIL]
        for query, expected in (
            ({}, everybody),
            ({"outcome": "failed"}, everybody[:1]),
            ({"product": "2"}, [OTHER]),
            ({"buyer": EMAIL}, [EMAIL]),
            ({"to": "2026-05-04"}, everybody[1:]),
            ({"outcome": "accepted", "kind": "purchase"}, everybody[1:]),
            ({"buyer": "nobody@example.org"}, []),
        ):
            with self.subTest(query):
                self.assertEqual(self.column(column, **query), expected)

    def test_more_than_the_list_counts(self):
        for number in range(8):
            write(self.portal, number, minutes=number)
        transaction.commit()
        with mock.patch.object(ledger, "CAPPED", 3):
            for query in ({}, {"kind": "purchase"}, {"kind": "purchase", "product": "1"}):
                with self.subTest(query):
                    self.assertEqual(len(self.table(**query)), 8)

    def test_separator_and_decimal_sign(self):
        self.buy()
        query = {"separator": "semicolon", "decimal": "comma"}
        self.assertEqual(self.column("Amount", **query), ["9,90"])
        self.assertIn(";9,90;EUR;", self.file.contents)

    def test_the_reader_s_language_decides_else(self):
        self.buy()
        for language, expected in (
            ("de", ";9,90;"),
            ("es", ";9,90;"),
            ("sl", ";9,90;"),
            ("en", ",9.90,"),
        ):
            self.registry(available_languages=[language], default_language=language)
            with self.subTest(language):
                self.assertIn(expected, self.opened(separator="colon").contents)

    def test_a_filter_that_is_not_possible_is_told_by_the_page(self):
        self.buy()
        browser = self.opened(outcome="lost", separator="tab")
        self.assertIn("@@click2sell-notifications?outcome=lost", browser.url)
        self.assertIn("must be one of", self.text(browser))

    def test_who_may(self):
        for name in ("notifications.csv", "members.csv", "accounting", "accounting.csv"):
            self.page(name)
            for permissions, refused in (
                (("View purchases",), False),
                (("Configure", "Operate purchases"), True),
            ):
                with self.subTest(name, permissions=permissions):
                    who = self.person(f"{name}-{refused}", permissions=permissions)
                    browser = self.opened(who=who, month="2026-05")
                    self.assertEqual("Insufficient Privileges" in browser.contents, refused)
                browser = self.opened(who=NOBODY, month="2026-05")
                self.assertIn("/login?came_from=", browser.url)

    def test_the_page_s_button_keeps_its_filters(self):
        self.buy()
        self.buy_again(product_id="2")
        self.page("notifications")
        browser = self.opened(product="2")
        form = browser.getForm(action=f"{self.url}.csv")
        form.getControl(name="separator").value = ["tab"]
        form.submit()
        self.assertIn("\tT-2\t", browser.contents)
        self.assertNotIn("\tT-1\t", browser.contents)

    def test_nothing_is_written(self):
        self.buy()
        self.page("notifications")
        self.opened()
        before = self.last_transaction()
        for name in ("notifications.csv", "members.csv", "accounting", "accounting.csv"):
            self.page(name)
            with self.subTest(name):
                self.opened(month="2026-05")
                self.assertEqual(self.last_transaction(), before)


class TestMembersFile(FileTestCase):
    def setUp(self):
        super().setUp()
        self.page("members.csv")
        self.settings(mapping=["1|premium|30", "2|course"])

    def members(self) -> dict[str, dict[str, str]]:
        rows = self.table()
        found = [dict(zip(self.header, row, strict=True)) for row in rows]
        self.assertEqual([row["E-mail"] for row in found], sorted(r["E-mail"] for r in found))
        return {(row["E-mail"], row["Product id"]): row for row in found}

    def test_members(self):
        self.buy()
        self.buy_again(product_id="2")
        self.buy_again(3, buyer_email=OTHER, buyer_name="@Jane")
        self.later(days=40)
        members = self.members()
        self.assertEqual(set(members), {(EMAIL, "1"), (EMAIL, "2"), (OTHER, "1")})
        self.assertEqual(members[EMAIL, "2"]["Status"], "active")
        self.assertEqual(
            members[EMAIL, "1"],
            {
                "E-mail": EMAIL,
                "First name": "John",
                "Last name": "Smith",
                "Product": "Test Product",
                "Status": "lapsed",
                "Until (Europe/Vienna)": "2026-06-02 10:20:30",
                "Product id": "1",
                "Provider": "Click2Sell",
                "User id": EMAIL,
                "Last payment (Europe/Vienna)": "2026-05-03 10:22:00",
            },
        )
        self.assertEqual(members[OTHER, "1"]["First name"], "'@Jane")
        self.assertEqual(
            self.file.headers["Content-Disposition"],
            'attachment; filename="click2sell-members-2026-06-12.csv"',
        )

    def test_access_that_is_held_while_the_provider_is_silent(self):
        self.buy(transaction_type="Subscription", subscription_status="New")
        self.later(days=40)
        self.assertEqual(self.members()[EMAIL, "1"]["Status"], "lapsed")
        silent = {"click2sell": self.now - timedelta(days=39)}
        with mock.patch.object(silence, "silent", lambda *_: silent):
            self.assertEqual(self.members()[EMAIL, "1"]["Status"], "days of grace")

    def test_a_member_with_two_addresses_is_one(self):
        self.buy()
        with self.owner():
            member = self.portal.portal_membership.getMemberById(EMAIL)
            member.setMemberProperties({"email": OTHER})
            self.portal.acl_users.updateLoginName(EMAIL, OTHER)
        self.buy_again(buyer_email=OTHER)
        key = next(iter(ledger.newest_first(self.portal)))
        action.carry_out(decisions.Attach(key, "admin", EMAIL, "it is hers"))
        (found,) = self.members().values()
        self.assertEqual(found["E-mail"], OTHER)

    def test_somebody_without_an_account(self):
        self.account("thief", EMAIL)
        self.buy()
        self.assertEqual(self.members()[EMAIL, "1"]["User id"], "")


class TestAccounting(FileTestCase):
    def setUp(self):
        super().setUp()
        self.page("accounting")
        self.buy(product_name="Course, big")
        self.later(milliseconds=1)
        self.buy_again(product_price="5 EUR", purchase_date="2026-05-01")
        self.later(milliseconds=1)
        self.buy_again(3, product_price="", purchase_date="2026-04-30")
        self.later(days=30)
        self.buy_again(4, product_price="7.00 USD", purchase_date="2026-05-31")
        self.later(milliseconds=1)
        self.refund(purchase_date="2026-05-31")

    def sums(self, browser) -> list[str]:
        return self.text(browser).partition("Net")[2].split()

    def test_it_opens_with_the_sums_of_the_last_month(self):
        browser = self.opened()
        self.assertIn("Sales 14.90 7.00 Refunds -9.90 0.00 Net 5.00 7.00", self.text(browser))
        self.assertEqual(browser.getControl(name="month").value, ["2026-05"])
        months = browser.getControl(name="month").options
        self.assertEqual(months[-1], "2026-04")
        self.assertEqual(browser.headers["Cache-Control"], "no-store")

    def test_sums_of_a_month(self):
        browser = self.opened(month="2026-05")
        text = self.text(browser)
        self.assertIn("Currency EUR USD Sales 14.90 7.00 Refunds -9.90 0.00", text)
        self.assertIn("Net 5.00 7.00 Number 3 1", text)
        self.assertIn("Arrived after the end of this period: 2", text)
        self.assertNotIn("Without an amount", text)
        self.assertEqual(browser.getControl(name="month").value, ["2026-05"])

    def test_days(self):
        text = self.text(self.opened(from_="2026-04-30", to="2026-05-01", decimal="comma"))
        self.assertIn("Currency EUR Sales 5 Refunds 0 Net 5 Number 1", text)
        self.assertIn("Without an amount: 1", text)

    def test_nothing_moved(self):
        text = self.text(self.opened(month="2020-01"))
        self.assertIn("No money moved in this time.", text)

    def test_what_is_not_possible(self):
        for query in ({"month": "2026-13"}, {"from_": "2026-05-01"}, {"to": "<b>"}):
            with self.subTest(query):
                browser = self.opened(**query)
                self.assertIn("Choose a month, or enter two days", self.text(browser))
                self.assertIn('aria-invalid="true"', browser.contents)

    def test_the_file(self):
        browser = self.opened(month="2026-05")
        browser.getLink("Download these as CSV").click()
        self.assertEqual(browser.url, f"{self.url}.csv?month=2026-05")
        self.assertEqual(
            browser.headers["Content-Disposition"],
            'attachment; filename="click2sell-accounting-2026-05.csv"',
        )
        self.url = f"{self.url}.csv"
        rows = self.table(month="2026-05", decimal="comma")
        arrived = ["2026-05-03 20:00:00", "2026-06-02 20:00:00"]
        self.assertEqual(
            rows,
            [
                self.row(
                    "2026-05-01", "10:22:00", "R-2", "T-2", amount="5", arrived=arrived[0]
                ),
                self.row(
                    "2026-05-03",
                    "10:20:30",
                    "R-1",
                    "T-1",
                    product="Course, big",
                    amount="9,90",
                    arrived=arrived[0],
                ),
                self.row(
                    "2026-05-31",
                    "10:20:30",
                    "R-1",
                    "T-1",
                    kind="refund",
                    amount="-9,90",
                    arrived=arrived[1],
                ),
                self.row(
                    "2026-05-31",
                    "10:24:00",
                    "R-4",
                    "T-4",
                    amount="7,00",
                    currency="USD",
                    arrived=arrived[1],
                ),
                [""] * 12,
                ["Sum of sales", *[""] * 7, "14,90", "EUR", "", ""],
                ["Sum of refunds", *[""] * 7, "-9,90", "EUR", "", ""],
                ["Net", *[""] * 7, "5,00", "EUR", "", ""],
                ["Number", *[""] * 7, "3", "EUR", "", ""],
                ["Sum of sales", *[""] * 7, "7,00", "USD", "", ""],
                ["Sum of refunds", *[""] * 7, "0,00", "USD", "", ""],
                ["Net", *[""] * 7, "7,00", "USD", "", ""],
                ["Number", *[""] * 7, "1", "USD", "", ""],
            ],
        )

    def row(
        self,
        *start: str,
        product: str = "Test Product",
        kind: str = "purchase",
        amount: str,
        currency: str = "EUR",
        arrived: str,
        remark: str = "",
    ) -> list[str]:
        return [*start, "1", product, "", kind, amount, currency, arrived, remark]

    def test_what_has_no_amount_is_listed_and_counted(self):
        self.page("accounting.csv")
        rows = self.table(from_="2026-04-30", to="2026-04-30")
        self.assertEqual(
            rows,
            [
                self.row(
                    *("2026-04-30", "10:23:00", "R-3", "T-3"),
                    amount="",
                    currency="",
                    arrived="2026-05-03 20:00:00",
                ),
                [""] * 12,
                ["Without an amount", *[""] * 7, "1", "", "", ""],
            ],
        )

    def test_a_remark_tells_what_needs_attention(self):
        self.settings(mapping=["1|missing"])
        self.buy_again(5, buyer_email=OTHER)
        self.page("accounting.csv")
        remarks = [row[11] for row in self.table(month="2026-05") if row[3] == "T-5"]
        self.assertEqual(remarks, ['The group "missing" does not exist.'])

    def test_a_file_of_no_time_leads_to_the_page(self):
        self.page("accounting.csv")
        browser = self.opened(month="2026-13")
        self.assertIn("@@click2sell-accounting?month=2026-13", browser.url)


class TestMemory(SiteTestCase):
    """However long a table is, few objects are in memory at once."""

    def test_the_cache_stays_small(self):
        connection = self.portal._p_jar
        size = connection._cache.cache_size
        self.addCleanup(setattr, connection._cache, "cache_size", size)
        for number in range(1200):
            write(self.portal, number, minutes=number, outcome=Outcome.ACCEPTED)
        transaction.commit()
        connection.cacheMinimize()
        connection._cache.cache_size = 50
        most = rows = 0
        with mock.patch.object(transactions, "BATCH", 20):
            for _row in tables.notifications(self.portal, notifications.Filters()):
                rows += 1
                most = max(most, connection._cache.cache_non_ghost_count)
        self.assertEqual(rows, 1201)
        self.assertLess(most, 400)

    def test_rows_come_one_by_one(self):
        write(self.portal, 1, outcome=Outcome.ACCEPTED)
        write(self.portal, 2, minutes=1, outcome=Outcome.ACCEPTED)
        rows = tables.notifications(self.portal, notifications.Filters())
        next(rows)
        with mock.patch.object(ledger, "get", wraps=ledger.get) as read:
            next(rows)
            self.assertEqual(read.call_count, 1)

    def test_an_error_on_the_way_is_an_error(self):
        def rows():
            yield ("header",)
            raise RuntimeError

        request = self.layer["request"]
        with self.assertRaises(RuntimeError):
            download.send(request, "x", rows(), download.layout(request))
        self.assertIsNone(request.response.getHeader("Content-Disposition"))
