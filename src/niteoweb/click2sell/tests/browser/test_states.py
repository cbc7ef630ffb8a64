"""Every page says of a product's end what is true, and the same."""

from contextlib import contextmanager
from csv import DictReader
from dataclasses import replace
from datetime import timedelta
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases.layers import NOW
from niteoweb.click2sell.tests.cases.pages import MembersTestCase
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from unittest import mock


JOHN = (EMAIL, PASSWORD)


class TestStates(PageTestCase):
    def setUp(self):
        super().setUp()
        self.account()
        self.settings(mapping=["1|premium|30|title=Gold|order=https://shop.example/1"])
        self.members_folder()

    def says(self):
        """The texts of the member's page, My purchases, and the page that keeps them out."""
        site = self.portal.absolute_url()
        texts = {}
        for name, path, who in (
            ("owner", f"@@click2sell-members/{self.buyer()['id']}", None),
            ("buyer", "@@my-purchases", JOHN),
            ("visitor", "lounge", JOHN),
        ):
            self.url = f"{site}/{path}"
            browser = self.opened(who=who) if who else self.opened()
            texts[name] = self.text(browser).partition("Home")[2]
        self.url = f"{site}/@@click2sell-members.csv"
        (row,) = DictReader(self.opened().contents.lstrip("\ufeff").splitlines())
        until = next(cell for name, cell in row.items() if name.startswith("Until"))
        texts["file"] = f"{row['Status']} {until}"
        return texts

    def test_access_that_begins_later(self):
        start = self.now + timedelta(days=10)
        pipeline.process(replace(self.notification(), valid_from=start))
        texts = self.says()
        self.assertIn("No access yet: access to Gold begins on May 13, 2026", texts["owner"])
        self.assertIn("from May 13, 2026 06:00 PM until Jun 12, 2026", texts["owner"])
        self.assertIn("Begins on May 13, 2026 06:00 PM Until Jun 12, 2026", texts["buyer"])
        self.assertIn("Your access to Gold begins on May 13, 2026", texts["visitor"])
        self.assertIn("begins later 2026-06-12", texts["file"])
        for name, text in texts.items():
            with self.subTest(name):
                self.assertNotRegex(text, "nded on|Renew|Get access")

    def test_access_with_a_gap_begins_again(self):
        self.buy(transaction_type="Subscription", subscription_status="New")
        start = self.now + timedelta(days=40)
        again = {"transaction_type": "Subscription", "subscription_status": "Recurring"}
        later = self.notification(**again)
        pipeline.process(
            replace(later, valid_from=start, valid_until=start + timedelta(days=9))
        )
        self.later(days=35)
        texts = self.says()
        self.assertIn("access to Gold begins on Jun 12, 2026 06:00 PM", texts["owner"])
        self.assertIn("Begins on Jun 12, 2026 06:00 PM", texts["buyer"])

    def test_a_buyer_whom_the_provider_keeps_out(self):
        for days in ("|30", ""):
            with self.subTest(days):
                self.settings(mapping=[f"1|premium{days}|title=Gold"])
                self.buy()
                word = {"kind": Kind.INFORMATION, "customer_suspended": True}
                said = replace(self.notification(), key="0" * 64, occurred_at=self.now, **word)
                pipeline.process(said)
                texts = self.says()
                self.assertIn("the provider of Gold has suspended the buyer", texts["owner"])
                self.assertIn("Gold No access Suspended at the moment", texts["buyer"])
                self.assertIn("Your access to Gold is suspended", texts["visitor"])
                self.assertIn("suspended", texts["file"])
                for name, text in texts.items():
                    self.assertNotRegex(text, "nded on|begins|Renew|Get access", name)

    def test_the_end_of_a_subscription_that_was_not_renewed(self):
        self.buy(transaction_type="Subscription", subscription_status="New")
        self.later(days=31)
        texts = self.says()
        self.assertIn("keeps access during days of grace until Jun 05, 2026", texts["owner"])
        self.assertIn("you keep your access until Jun 05, 2026", texts["buyer"])
        self.assertNotIn("Renews on", texts["buyer"])
        with self.held():
            self.later(days=9)
            texts = self.says()
            self.assertNotIn("Jun 05", texts["owner"].partition("What happened")[0])
            self.assertIn("Access Your renewal is expected. ", texts["buyer"])
        self.provision()
        texts = self.says()
        self.assertIn("Gold ended on Jun 05, 2026 10:20 AM, because no", texts["owner"])
        self.assertIn(
            "lapsed since May 03, 2026 10:20 AM ended on Jun 05, 2026 10:20 AM", texts["owner"]
        )
        self.assertIn("Ended on Jun 05, 2026 10:20 AM", texts["buyer"])
        self.assertIn("Your access to Gold ended on Jun 05, 2026", texts["visitor"])
        self.assertIn("lapsed 2026-06-05 10:20", texts["file"])

    def test_before_its_end_a_subscription_is_not_late(self):
        self.buy(transaction_type="Subscription", subscription_status="New")
        text = self.says()["buyer"]
        self.assertIn("Renews on Jun 02, 2026", text)
        self.assertNotIn("renewal is expected", text)

    @contextmanager
    def held(self):
        """Access is over, and its provider is silent."""
        with mock.patch.object(silence, "silent", lambda *_: {"click2sell": NOW}):
            yield


class TestLastPayment(MembersTestCase):
    """The list, the file and the accounting have one time of a payment."""

    def last(self):
        cell = self.rows(self.opened())[0][-1].removeprefix("Last payment").strip()
        contents = self.opened(".csv").contents.lstrip("\ufeff")
        row = next(DictReader(contents.splitlines()))
        return cell, next(cell for name, cell in row.items() if name.startswith("Last pay"))

    def test_one_that_is_dated_in_the_future(self):
        self.buy(purchase_date="2026-06-30")
        self.assertEqual(self.last(), ("May 03, 2026", "2026-05-03 18:00:00"))

    def test_what_an_owner_gave_is_none(self):
        self.buy()
        self.later(days=3)
        given = commands.Grant(EMAIL, ("click2sell", "2"), None, "a prize", "boss")
        action.carry_out(given)
        self.assertEqual(self.last()[0], "May 03, 2026")
        self.assertIn("2026-05-03", self.last()[1])


class TestMember(PageTestCase):
    """The page of a buyer tells of every notification that needs somebody."""

    def page(self):
        buyer_id = self.buyer()["id"]
        self.url = f"{self.portal.absolute_url()}/@@click2sell-members/{buyer_id}"
        return self.opened()

    def test_not_everything_is_fine_while_a_notification_needs_somebody(self):
        self.account()
        self.buy()
        self.assertIn("has access, and everything is fine.", self.text(self.page()))
        self.buy_again(transaction_type="Gift")
        browser = self.page()
        text = self.text(browser)
        self.assertIn("The buyer has access. Notifications that need you: 1", text)
        self.assertNotIn("everything is fine", text)
        browser.getLink("Dismiss").click()
        self.assertIn("/decide?what=dismiss&back=buyer", browser.url)

    def test_of_many_payments_the_first_and_the_latest_are_named(self):
        self.account()
        subscribed = {"transaction_type": "Subscription", "acquirer_transaction_id": "T-1"}
        self.buy(**subscribed, subscription_status="New")
        for number in range(2, 10):
            self.buy_again(number, **subscribed, subscription_status="Recurring")
        text = self.text(self.page()).partition("Because of:")[2].partition("End access")[0]
        self.assertEqual(text.count(" R-"), 6)
        self.assertIn("purchase R-1 on May 03, 2026 , and 3 more , renewal R-5", text)
