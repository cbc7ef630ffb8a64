"""The sums of a month."""

from datetime import datetime
from datetime import timezone
from decimal import Decimal
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan
from niteoweb.click2sell.report import accounting
from niteoweb.click2sell.testing.layers import INTEGRATION
from niteoweb.click2sell.tests.cases.entries import write
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from unittest import mock
from zoneinfo import ZoneInfo

import transaction
import unittest


VIENNA = ZoneInfo("Europe/Vienna")
MAY = accounting.month("2026-05", timezone.utc)
MAY_3 = datetime(2026, 5, 3)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


class TestPeriod(unittest.TestCase):
    def test_a_month_is_that_of_the_zone(self):
        for text, since, until in (
            ("2026-05", "2026-04-30T22:00", "2026-05-31T21:59:59.999999"),
            ("2026-03", "2026-02-28T23:00", "2026-03-31T21:59:59.999999"),
            ("2026-12", "2026-11-30T23:00", "2026-12-31T22:59:59.999999"),
        ):
            with self.subTest(text):
                found = accounting.month(text, VIENNA)
                self.assertEqual((found.since, found.until), (at(since), at(until)))
                self.assertEqual(found.name, text)

    def test_what_is_no_month(self):
        for text in ("", "2026-13", "2026-00", "2026-5", "2026", "may", "9999-12", "0000-01"):
            with self.subTest(text), self.assertRaises(ValueError):
                accounting.month(text, VIENNA)

    def test_days(self):
        found = accounting.between("2026-05-01", "2026-05-01", VIENNA)
        self.assertEqual(found.since, at("2026-04-30T22:00"))
        self.assertEqual(found.until, at("2026-05-01T21:59:59.999999"))
        self.assertEqual(found.name, "2026-05-01-2026-05-01")
        # A leap year, and one in which the clock was changed in between.
        accounting.between("2028-01-01", "2028-12-31", VIENNA)
        accounting.between("2026-03-29", "2027-03-28", VIENNA)

    def test_what_are_no_days(self):
        for first, last in (
            ("", ""),
            ("2026-05-01", ""),
            ("2026-05-02", "2026-05-01"),
            ("2026-05-01", "2027-05-03"),
            ("yesterday", "2026-05-01"),
        ):
            with self.subTest(first, last=last), self.assertRaises(ValueError):
                accounting.between(first, last, VIENNA)


class TestPostings(unittest.TestCase):
    layer = INTEGRATION

    def setUp(self):
        self.portal = self.layer["portal"]
        self.number = 0

    def write(self, occurred_at: str, late: float = 0, **changes):
        """An entry whose money moved at a time, and that arrived some days later."""
        self.number += 1
        moment = at(occurred_at)
        changes = {"amount": Decimal("9.90"), "currency": "EUR", **changes}
        with mock.patch("niteoweb.click2sell.tests.cases.entries.START", moment):
            return write(
                self.portal,
                self.number,
                minutes=late * 24 * 60,
                occurred_at=moment,
                **{"receipt": f"R-{self.number}", "outcome": Outcome.ACCEPTED, **changes},
            )

    def receipts(self, period=MAY):
        found = accounting.postings(self.portal, period)
        return [posting.entry["receipt"] for posting in found]

    def test_the_time_of_the_provider_decides_and_both_ends_count(self):
        self.write("2026-04-30T23:59:59.999999")
        self.write("2026-05-31T23:59:59.999999")
        self.write("2026-05-01T00:00:00")
        self.write("2026-06-01T00:00:00")
        self.assertEqual(self.receipts(), ["R-3", "R-2"])

    def test_what_arrives_years_later_is_not_missed(self):
        self.write("2026-05-03T10:00", late=900)
        self.write("2026-05-03T11:00", late=1)
        found = list(accounting.postings(self.portal, MAY))
        self.assertEqual([posting.late for posting in found], [True, False])

    def test_a_time_that_cannot_be_is_that_of_arrival(self):
        # A day and a second after it arrived, and just a day.
        self.write("2026-06-01T10:00:01", late=-1 - 1 / 86_400)
        self.write("2026-06-01T10:00:00", late=-1)
        self.write("2099-01-01T00:00:00", late=-(datetime(2099, 1, 1) - MAY_3).days)
        self.assertEqual(self.receipts(), ["R-3", "R-1"])

    def test_only_what_moves_money_counts(self):
        money = {Kind.PURCHASE, Kind.RENEWAL, Kind.REFUND, Kind.CHARGEBACK}
        for kind in Kind:
            self.write("2026-05-03T10:00", kind=kind, receipt=kind.value)
        self.assertEqual(set(self.receipts()), {kind.value for kind in money})

    def test_money_moved_whatever_became_of_access(self):
        for outcome in (
            *(Outcome.ACCEPTED, Outcome.NOTHING, Outcome.ATTENTION),
            *(Outcome.REFUSED, Outcome.FAILED, ""),
        ):
            self.write("2026-05-03T10:00", outcome=outcome, receipt=outcome)
        self.assertEqual(
            set(self.receipts()),
            {Outcome.ACCEPTED, Outcome.NOTHING, Outcome.ATTENTION, Outcome.FAILED, ""},
        )

    def test_what_owners_grant_and_what_was_taken_over_is_no_money(self):
        for provider in ("owner", "migration", "click2sell"):
            self.write("2026-05-03T10:00", provider=provider, receipt=provider)
        self.assertEqual(self.receipts(), ["click2sell"])

    def test_signs_sums_and_decimals(self):
        self.write("2026-05-01T10:00")
        self.write("2026-05-02T10:00", amount=Decimal("5"), kind=Kind.RENEWAL)
        self.write("2026-05-03T10:00", kind=Kind.REFUND)
        self.write("2026-05-04T10:00", amount=Decimal("-1.00"), kind=Kind.CHARGEBACK)
        self.write("2026-05-05T10:00", amount=Decimal("500"), currency="JPY")
        self.write("2026-05-06T10:00", amount=Decimal("7.5"), currency="")
        self.write("2026-05-07T10:00", amount=None, currency="")
        found = list(accounting.postings(self.portal, MAY))
        self.assertEqual(
            [str(posting.amount) for posting in found],
            ["9.90", "5", "-9.90", "-1.00", "500", "7.5", "None"],
        )
        summary = accounting.summary(found)
        self.assertEqual((summary.number, summary.without_amount, summary.late), (7, 1, 0))
        self.assertEqual(
            [
                (currency, total.number, str(total.sales), str(total.refunds), str(total.net))
                for currency, total in summary.in_order
            ],
            [
                ("", 1, "7.5", "0.0", "7.5"),
                ("EUR", 4, "14.90", "-10.90", "4.00"),
                ("JPY", 1, "500", "0", "500"),
            ],
        )

    def test_a_dispute_counts_once_and_the_money_again_when_it_is_won(self):
        """And so do a refund that fails, and the next one; a part was never counted."""
        buyer = buyers.of_address(self.portal, "john@example.org")
        for day, kind, undoing in (
            *((3, Kind.CHARGEBACK, "dp_1"), (4, Kind.CHARGEBACK, "dp_1")),
            *((5, Kind.REACTIVATION, "dp_1"), (6, Kind.REACTIVATION, "dp_1")),
            *((7, Kind.REFUND, "ch_1"), (8, Kind.REACTIVATION, "ch_1")),
            *((9, Kind.REFUND, "ch_1"), (10, Kind.REACTIVATION, "ch_2")),
            (11, Kind.CHARGEBACK, "dp_2"),
        ):
            told = {"kind": kind, "undoing": undoing, "fully_signed": True}
            buyers.add_entry(self.portal, buyer, self.write(f"2026-05-{day:02}T10:00", **told))
        found = [
            (posting.moved_at.day, str(posting.amount))
            for posting in accounting.postings(self.portal, MAY)
        ]
        told = [(3, "-9.90"), (5, "9.90"), (7, "-9.90"), (8, "9.90"), (9, "-9.90")]
        self.assertEqual(found, [*told, (11, "-9.90")])
        total = accounting.summary(accounting.postings(self.portal, MAY)).totals["EUR"]
        self.assertEqual(str(total.refunds), "-19.80")

    def test_sums_are_exact(self):
        for day in range(1, 11):
            self.write(f"2026-05-{day:02}T10:00", amount=Decimal("0.10"))
        summary = accounting.summary(accounting.postings(self.portal, MAY))
        self.assertEqual(str(summary.totals["EUR"].sales), "1.00")

    def test_months_to_choose(self):
        now = at("2026-06-30T23:00:00")
        self.assertEqual(accounting.months(self.portal, now, timezone.utc), ["2026-06"])
        self.assertEqual(accounting.months(self.portal, now, VIENNA), ["2026-07"])
        self.write("2025-11-30T23:30:00")
        months = accounting.months(self.portal, now, timezone.utc)
        self.assertEqual((months[0], months[-1], len(months)), ("2026-06", "2025-11", 8))
        self.assertEqual(accounting.months(self.portal, now, VIENNA)[-1], "2025-12")

    def test_only_the_entries_of_the_time_are_read(self):
        for month in range(1, 13):
            self.write(f"2026-{month:02}-03T10:00")
        self.receipts()
        with mock.patch.object(entries, "at", wraps=entries.at) as read:
            self.assertEqual(self.receipts(), ["R-5"])
        self.assertEqual(len({call.args[1] for call in read.call_args_list}), 1)


class TestTwice(SiteTestCase):
    """Payments that were announced twice, on the whole road."""

    def amounts(self):
        transaction.begin()
        found = accounting.postings(self.portal, accounting.month("2026-05", VIENNA))
        return sorted(str(posting.amount) for posting in found)

    def test_a_delivery_again_is_no_second_payment(self):
        self.buy()
        self.buy()
        self.assertEqual(self.amounts(), ["9.90"])

    def test_a_payment_that_is_told_in_two_ways_counts_once(self):
        self.buy()
        self.buy(transaction_type="Sale", subscription_status="New", purchase_time="10:20:31")
        self.assertEqual(ledger.count(self.portal), 2)
        self.assertEqual(self.amounts(), ["9.90"])

    def test_renewals_of_one_transaction_all_count(self):
        self.buy()
        for number in (2, 3):
            self.buy_again(
                number,
                acquirer_transaction_id="T-1",
                transaction_type="Subscription",
                subscription_status="Recurring",
            )
        self.assertEqual(self.amounts(), ["9.90"] * 3)

    def test_a_second_refund_of_another_amount_counts(self):
        self.buy()
        self.refund(product_price="5.00 EUR")
        self.refund(product_price="4.90 EUR", subscription_status="New")
        self.refund(product_price="4.90 EUR", subscription_status="Recurring")
        self.assertEqual(self.amounts(), ["-4.90", "-5.00", "9.90"])

    def test_the_first_does_not_hide_the_second_when_it_was_refused(self):
        self.buy()
        self.buy(buyer_email="thief@example.org")
        self.assertEqual(self.amounts(), ["9.90"])

    def test_what_is_not_finished_and_will_be_refused_is_no_money(self):
        self.buy()
        changes = {"buyer_email": "thief@example.org", "product_price": "90.00 EUR"}
        with (
            mock.patch.object(ownership, "belongs_to_another", return_value=False),
            mock.patch.object(plan, "make", side_effect=RuntimeError),
            self.assertRaises(pipeline.Failed),
        ):
            pipeline.process(self.notification(**changes))
        outcomes = {outcome for outcome, *_rest in self.entries()}
        self.assertEqual(outcomes, {Outcome.ACCEPTED, Outcome.FAILED})
        self.assertEqual(self.amounts(), ["9.90"])
