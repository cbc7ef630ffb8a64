"""Site Setup: the report."""

from datetime import timedelta
from lxml import html
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.notification import MIGRATION
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.setup import duration
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.worker import sweep
from plone.app.testing import TEST_USER_PASSWORD
from unittest import mock

import dataclasses
import re
import transaction


class ReportTestCase(PageTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@@click2sell-report"

    def tree(self, **query):
        return html.fromstring(self.opened(**query).contents)

    def table(self, caption, **query):
        """The cells of a table, its head first."""
        for table in self.tree(**query).iter("table"):
            if caption in (table.findtext("caption") or ""):
                return [
                    [" ".join(cell.text_content().split()) for cell in row.iter("th", "td")]
                    for row in table.iter("tr")
                ]
        return None


class TestEmpty(ReportTestCase):
    def test_says_what_to_do_next(self):
        browser = self.opened()
        text = self.text(browser)
        self.assertIn("There is nothing to report yet", text)
        self.assertNotIn("What happened", text)
        browser.getLink("What to do next").click()
        self.assertIn("Enter this address for the notifications", self.text(browser))

    def test_nothing_that_can_be_plotted(self):
        """A notification that counts for nothing."""
        self.buy(payment_status="Failed")
        for query in ({}, {"months": "24"}):
            browser = self.opened(**query)
            self.assertTrue(browser.headers["Status"].startswith("200"))
            self.assertIn("New buyers: 0", self.text(browser))
            self.assertNotIn('role="img"', browser.contents)


class TestMembersByMonth(ReportTestCase):
    def test_members_and_those_who_did_not_renew(self):
        self.settings(mapping=["1|premium|20"])
        subscription = {"transaction_type": "Subscription", "subscription_status": "New"}
        self.buy(**subscription)
        self.later(days=40)
        sweep.sweep(confirmed=True)
        transaction.begin()
        head, now, before = self.table("and renewals")
        self.assertEqual(head[0], "Month")
        self.assertEqual(now, ["June 2026", "0", "1 of 1 (100 %)"])
        self.assertEqual(before, ["May 2026", "1", ""])
        self.assertIn('id="plot-members', self.opened().contents)


class TestFigures(ReportTestCase):
    def test_a_table_with_everything_that_is_plotted(self):
        self.buy()
        self.later(days=1)
        self.refund(purchase_date="2026-05-04")
        rows = self.table("Newest first")
        self.assertEqual(
            rows[0],
            [
                *("When", "New buyers", "Purchases", "Renewals", "Refunds", "Chargebacks"),
                "Access ended",
            ],
        )
        self.assertEqual(rows[1], ["May 04, 2026", "0", "0", "0", "1", "0", "1"])
        self.assertEqual(rows[2], ["May 03, 2026", "1", "1", "0", "0", "0", "0"])
        self.assertEqual(rows[-1], ["Total", "1", "1", "0", "1", "0", "1"])
        self.assertEqual(len(rows), 32)

    def test_the_ranges(self):
        self.buy()
        for query, length, oldest in (
            ({}, 30, "Apr 04, 2026"),
            ({"days": "90"}, 90, "Feb 03, 2026"),
            ({"months": "12"}, 12, "June 2025"),
            ({"months": "24"}, 24, "June 2024"),
            ({"days": "1000000"}, 30, "Apr 04, 2026"),
            ({"months": "x"}, 30, "Apr 04, 2026"),
            ({"days": ["90", "30"]}, 30, "Apr 04, 2026"),
        ):
            with self.subTest(query):
                rows = self.table("Newest first", **query)
                self.assertEqual(len(rows), length + 2)
                self.assertEqual(rows[-2][0], oldest)
                self.assertEqual(rows[-1][1], "1")

    def test_the_chosen_range_is_marked(self):
        self.buy()
        marked = [
            link.text
            for link in self.tree(months="12").iter("a")
            if link.get("aria-current") == "page"
        ]
        self.assertEqual(marked, ["Site Setup", "Report", "Last 12 months"])

    def test_plots_need_no_script_and_nothing_from_elsewhere(self):
        self.buy()
        self.refund()
        contents = self.opened(days="90").contents
        plots = re.findall(r"<svg[^>]*role=\"img\".*?</svg>", contents, re.DOTALL)
        self.assertEqual(len(plots), 4)
        ids = re.findall(r'id="([^"]+)"', "".join(plots))
        self.assertEqual(len(ids), len(set(ids)), "ids have to be unique on the page")
        for plot in plots:
            self.assertNotRegex(plot, r"<script|<style|style=|href|https?:")
        main = contents.partition('id="content"')[2].partition("<footer")[0]
        self.assertNotRegex(main, r"<script|\son\w+=")

    def test_money(self):
        self.buy()
        self.buy_again(product_price="7.00 USD", product_id="2", product_name="Course")
        self.later(days=1)
        self.refund(purchase_date="2026-05-04")
        text = self.text(self.opened(months="12"))
        for table in (
            "Income by month: EUR Month Income Refunds Net May 2026 9.90 -9.90 0.00",
            "Income by month: USD Month Income Refunds Net May 2026 7.00 0.00 7.00",
            "Income by product: EUR Product Income Refunds Net Test Product 9.90 -9.90 0.00",
            "Income by product: USD Product Income Refunds Net Course 7.00 0.00 7.00",
        ):
            self.assertIn(table, text)

    def test_money_of_the_last_days_of_a_month(self):
        self.buy()
        sums = "Income Refunds Net May 2026{} 9.90 0.00 9.90"
        for days, rest in ((27, ""), (1, ", from May 2 on")):
            self.later(days=days)
            self.assertIn(sums.format(rest), self.text(self.opened(days="30")))
        self.assertIn(sums.format(""), self.text(self.opened(months="12")))

    def test_a_plot_in_words(self):
        self.buy()
        (plot, *_rest) = [svg for svg in self.tree().iter("svg") if svg.get("role") == "img"]
        title, description = (
            plot.xpath(f".//*[@id='{one}']")[0].text
            for one in plot.get("aria-labelledby").split()
        )
        self.assertEqual(title, "New buyers")
        self.assertIn("From Apr 4 to May 3: 1 in all, at most 1 (May 3).", description)

    def test_tables_can_be_read_aloud(self):
        self.buy()
        for table in self.tree().xpath("//main//table | //*[@id='content']//table"):
            self.assertTrue(table.findtext("caption").strip())
            for head in table.iter("th"):
                self.assertIn(head.get("scope"), ("col", "row"))

    def test_members_by_product(self):
        self.buy()
        self.buy_again(product_id="2", product_name="<b>Course", buyer_email="j@example.org")
        self.buy_again(3, product_id="2", product_name="<b>Course")
        rows = self.table("with access to several products")
        self.assertEqual(rows[1:], [["<b>Course", "2"], ["Test Product", "1"]])
        self.assertIn("Members with access: 2", self.text(self.opened()))

    def test_the_day_is_that_of_the_site(self):
        self.registry(portal_timezone="Asia/Tokyo")
        self.buy()
        rows = self.table("Newest first")
        self.assertEqual(rows[1][0], "May 04, 2026")
        self.assertIn("Time zone: Asia/Tokyo", self.text(self.opened()))


class TestAmiss(ReportTestCase):
    def test_nothing(self):
        self.buy()
        schedule.begin(self.portal, schedule.CLOCK, self.now)
        transaction.commit()
        self.assertIn("No problems are known", self.text(self.opened()))

    def test_what_needs_somebody_is_counted_as_on_the_overview(self):
        self.settings(mapping=["1|missing"])
        self.buy()
        self.fail_to_buy(acquirer_transaction_id="T-9", buyer_email="june@example.org")
        # It names another buyer in a transaction.
        self.buy(buyer_email="june@example.org")
        self.assertEqual(ledger.waiting(self.portal), 3)
        browser = self.opened()
        self.assertNotIn("No problems are known", self.text(browser))
        browser.getLink("Notifications that need you: 3").click()
        self.assertIn("Needs you: 3", self.text(browser))

    def fail_to_mail(self, *kinds):
        def work(site):
            for kind in kinds:
                mail = outbox.file(site, kind, EMAIL, EMAIL, "1", self.now, "localhost")
                outbox.sending(mail, self.now)
                outbox.failed(site, mail, "SMTPServerDisconnected", self.now)

        transactions.run(work)

    def test_mails(self):
        self.buy()
        self.fail_to_mail(outbox.WELCOME)
        rows = self.table("could not be sent")
        self.assertEqual(
            rows[1],
            [
                "May 03, 2026 06:00 PM",
                "Welcome mail",
                EMAIL,
                "1",
                "The mail server cannot be reached.",
            ],
        )

    def test_mails_about_the_end_of_access(self):
        self.buy()
        self.fail_to_mail(outbox.REMINDER, outbox.ENDED)
        self.assertEqual(
            {row[1] for row in self.table("could not be sent")[1:]},
            {"Reminder that access ends", "Mail that access has ended"},
        )

    def test_a_provider_that_is_heard(self):
        self.buy()
        self.later(hours=3)
        rows = self.table("When each provider")
        self.assertEqual(
            rows[1:],
            [["Click2Sell", "May 03, 2026 06:00 PM", "3 h", "it is too early to tell"]],
        )

    def arrivals(self):
        for number in range(3):
            self.buy_again(number, buyer_email=f"b{number}@example.org")
            self.later(hours=20)

    def test_a_provider_that_is_silent(self):
        self.arrivals()
        self.assertNotIn("has been silent", self.text(self.opened()))
        self.later(hours=30)
        rows = self.table("When each provider")
        self.assertEqual(rows[1][2:], ["2 days", "40 h"])
        self.assertIn(
            "Click2Sell has been silent for longer than usual", self.text(self.opened())
        )

    def test_a_provider_that_is_heard_again(self):
        self.arrivals()
        self.later(hours=30)
        self.buy_again(9, buyer_email="b9@example.org")
        text = self.text(self.opened())
        self.assertIn("Click2Sell had been silent for unusually long", text)
        self.assertNotIn("has been silent", text)

    def test_who_never_speaks_is_not_waited_for(self):
        for provider in (MIGRATION, OWNER):
            found = dataclasses.replace(self.notification(), provider=provider, key=provider)
            pipeline.process(found)
            transaction.begin()
            self.assertEqual(overview.providers(self.portal, self.now), [])


class TestWhomToAsk(ReportTestCase):
    def test_never_logged_in(self):
        self.buy()
        browser = self.opened()
        self.assertIn("Paid and never logged in: 1", self.text(browser))
        self.assertEqual(
            self.table("never used")[1:], [["john@example.org", "May 03, 2026 06:00 PM"]]
        )
        browser.getLink(EMAIL, index=0).click()
        self.assertTrue(browser.url.endswith(f"/@@click2sell-members/{self.buyer()['id']}"))

    def test_everybody_logged_in(self):
        self.account()
        self.buy()
        self.assertIn("has logged in", self.text(self.opened()))

    def test_renewals(self):
        self.settings(mapping=["1|premium|30"])
        self.assertNotIn("Missing renewals", self.text(self.opened()))
        self.buy(transaction_type="Subscription", subscription_status="New")
        self.assertIn("Every renewal expected", self.text(self.opened()))
        self.later(days=30)
        self.assertEqual(
            self.table("missing renewals")[1:],
            [[EMAIL, "Test Product", "Jun 02, 2026 10:20 AM", "goes on"]],
        )
        self.later(days=4)
        pipeline.provision(self.buyer()["id"], despite_silence=True)
        self.assertEqual(self.table("missing renewals")[1][-1], "has ended")
        link = self.opened().getLink(EMAIL, index=1)
        self.assertTrue(link.url.endswith(f"/@@click2sell-members/{self.buyer()['id']}"))

    def test_the_way_to_the_accounts(self):
        self.buy()
        self.assertIn("/@@click2sell-accounting", self.opened().contents)

    def test_more_than_are_counted(self):
        self.settings(mapping=["1|premium|30"])
        for number in range(3):
            self.buy_again(
                number,
                buyer_email=f"b{number}@example.org",
                transaction_type="Subscription",
                subscription_status="New",
            )
        self.later(days=31)
        with mock.patch.object(overview, "CAPPED", 2):
            self.assertIn(
                "Missing renewals of the last 30 days: more than 2", self.text(self.opened())
            )


class TestWho(ReportTestCase):
    def test_permission(self):
        self.buy()
        viewer = self.person("viewer", permissions=("View purchases",))
        operator = self.person("operator", permissions=("Operate purchases", "Configure"))
        member = self.person("member")
        administrator = self.person("siteadmin", "Site Administrator")
        for who in (MANAGER, administrator, viewer):
            self.assertIn("What happened", self.text(self.opened(who=who)))
        for who in (operator, member, NOBODY):
            self.assertNotIn("What happened", self.text(self.opened(who=who)))
        self.assertEqual(member[1], TEST_USER_PASSWORD)

    def test_who_may_not_change_the_settings_has_no_link_to_them(self):
        viewer = self.person("viewer", permissions=("View purchases",))
        self.assertNotIn("@@click2sell-settings", self.opened(who=viewer).contents)

    def test_nothing_is_written_and_nothing_is_kept_by_browsers(self):
        self.buy()
        self.opened()
        before = self.last_transaction()
        browser = self.opened()
        self.assertEqual(self.last_transaction(), before)
        self.assertEqual(browser.headers["Cache-Control"], "no-store")

    def test_what_came_from_outside_is_escaped(self):
        script = "<script>alert(1)</script>"
        self.buy(product_name=script)
        self.assertNotIn(script, self.opened().contents)


class TestDurations(ReportTestCase):
    def test_words(self):
        for length, number, unit in (
            (timedelta(0), 1, " min"),
            (timedelta(minutes=119), 119, " min"),
            (timedelta(hours=2), 2, " h"),
            (timedelta(hours=47, minutes=59), 47, " h"),
            (timedelta(days=2), 2, "days"),
            (-timedelta(hours=1), 1, " min"),
        ):
            message = duration(length)
            self.assertEqual(message.mapping["number"], number)
            self.assertTrue(str(message).endswith(unit))
