"""The sums of days: kept when a day is over, and never wrong."""

from dataclasses import replace
from decimal import Decimal
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import daysums
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import accounting
from niteoweb.click2sell.report import daily
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.entries import write
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.worker import sweep
from unittest import mock
from ZODB.POSException import ConflictError
from zope.annotation.interfaces import IAnnotations

import transaction


FIRST = "2026-04-01"


class TestDaily(SiteTestCase):
    def sell(self, number: int, price: str = "9.90 EUR", **changes):
        """A sale to another buyer, at the present time."""
        return self.buy(
            **{
                "buyer_email": f"{number}@example.org",
                "acquirer_transaction_id": f"T-{number}",
                "c2s_transaction_id": f"R-{number}",
                "product_price": price,
                "purchase_date": f"{self.now:%Y-%m-%d}",
                "purchase_time": f"{self.now:%H:%M:%S}",
                **changes,
            }
        )

    def sell_for_days(self, days: int) -> None:
        """A sale on each day, the last one yesterday."""
        for number in range(days):
            self.sell(number)
            self.later(days=1)

    def kept(self) -> list[str]:
        """The days whose sums are kept."""
        transaction.begin()
        return list(daysums.kept(self.portal, FIRST, f"{self.now:%Y-%m-%d}"))

    def found(self) -> daily.Breakdown:
        """All money until now, which is the same whether sums are kept or not."""
        transaction.begin()
        last = f"{self.now:%Y-%m-%d}"
        found = daily.breakdown(self.portal, FIRST, last)
        with mock.patch.object(daysums, "kept", return_value={}):
            self.assertEqual(found, daily.breakdown(self.portal, FIRST, last))
        return found

    def sales(self) -> str:
        """The sum of all sales."""
        return str(self.found().currencies["EUR"].sales)

    def test_money_by_currency_month_and_product(self):
        self.later(days=28)
        for _days in range(2):
            self.sell(1, acquirer_transaction_id=f"T-{self.now:%j}")
            self.sell(2, "7.00 USD", product_id="2", acquirer_transaction_id=f"U-{self.now:%j}")
            self.later(days=1)
        before = self.found()
        daily.keep_up(self.now)
        self.assertEqual(self.kept(), ["2026-05-31", "2026-06-01"])
        self.assertEqual(self.found(), before)
        months = {key: str(total.net) for key, total in before.months.items()}
        self.assertEqual(
            months,
            {
                ("2026-05", "EUR"): "9.90",
                ("2026-05", "USD"): "7.00",
                ("2026-06", "EUR"): "9.90",
                ("2026-06", "USD"): "7.00",
            },
        )
        self.assertEqual(len(before.products), 2)

    def test_the_automatic_check_keeps_the_days_that_are_over(self):
        self.sell_for_days(2)
        self.sell(3)
        sweep.sweep()
        self.assertEqual(self.kept(), ["2026-05-03", "2026-05-04"])
        read = mock.patch.object(accounting, "postings", wraps=accounting.postings)
        with read as postings:
            daily.breakdown(self.portal, "2026-05-03", "2026-05-05")
        ((_site, period),) = [call.args for call in postings.call_args_list]
        self.assertEqual(f"{period.since:%Y-%m-%d}", "2026-05-05", "More was added up.")
        self.assertEqual(self.sales(), "29.70")

    def test_a_day_counts_as_over_an_hour_later(self):
        self.sell(1)
        self.now = self.now.replace(hour=23, minute=59)
        self.later(minutes=30)
        daily.keep_up(self.now)
        self.assertEqual(self.kept(), [])
        self.later(minutes=32)
        daily.keep_up(self.now)
        self.assertEqual(self.kept(), ["2026-05-03"])

    def test_what_arrives_late_counts(self):
        self.sell_for_days(2)
        daily.keep_up(self.now)
        self.refund(
            buyer_email="0@example.org",
            acquirer_transaction_id="T-0",
            c2s_transaction_id="R-0",
            purchase_date="2026-05-04",
        )
        self.assertEqual(self.kept(), ["2026-05-03"])
        self.assertEqual(str(self.found().currencies["EUR"].refunds), "-9.90")
        daily.keep_up(self.now)
        self.assertEqual(self.kept(), ["2026-05-03", "2026-05-04"])
        self.assertEqual(str(self.found().currencies["EUR"].refunds), "-9.90")

    def test_what_is_refused_later_does_not_count(self):
        failing = mock.patch.object(pipeline, "apply", side_effect=RuntimeError)
        with failing, self.assertRaises(pipeline.Failed):
            self.sell(9, buyer_email="stranger@example.org")
        self.later(days=1)
        daily.keep_up(self.now)
        self.assertEqual(self.sales(), "9.90")
        self.sell(9)
        transaction.begin()
        (key,) = ledger.newest_first(self.portal, outcome=Outcome.FAILED)
        self.assertEqual(pipeline.replay(key).outcome, Outcome.REFUSED)
        self.assertEqual(self.kept(), [])
        self.assertEqual(self.sales(), "9.90")

    def test_one_payment_that_is_told_in_two_ways(self):
        """The day of the earlier one is the one that counts."""
        self.later(days=3)
        told = self.notification(purchase_date="2026-05-06")
        pipeline.process(told)
        self.later(days=1)
        daily.keep_up(self.now)
        self.assertEqual(self.kept(), ["2026-05-06"])
        earlier = self.notification(purchase_date="2026-05-05")
        pipeline.process(replace(earlier, key="f" * 64))
        self.assertEqual(self.kept(), [])
        self.assertEqual(self.sales(), "9.90")

    def test_another_time_zone(self):
        self.now = self.now.replace(hour=23)
        self.sell(1)
        self.later(days=1)
        daily.keep_up(self.now)
        self.registry(portal_timezone="Europe/Vienna")
        self.assertEqual(self.kept(), [])
        self.assertEqual(list(self.found().months), [("2026-05", "EUR")])
        daily.keep_up(self.now)
        self.assertEqual(self.kept(), ["2026-05-04"])

    def test_who_adds_up_while_money_comes(self):
        self.sell_for_days(1)
        transaction.begin()
        seen = daysums.noted(self.portal, "2026-05-03")
        self.sell(7, purchase_date="2026-05-03")
        transaction.begin()
        daysums.keep(self.portal, "2026-05-03", seen, ())
        transaction.commit()
        self.assertEqual(self.kept(), [])
        self.assertEqual(self.sales(), "19.80")

    def test_another_process_that_adds_up_conflicts(self):
        self.sell_for_days(1)
        transaction.begin()
        manager = transaction.TransactionManager()
        other = self.portal._p_jar.db().open(manager)
        self.addCleanup(other.close)
        self.addCleanup(manager.abort)
        site = other.root()["Application"].unrestrictedTraverse(self.portal.getPhysicalPath())
        IAnnotations(site)[trees.KEY]["money_by_day"]["2026-05-03"] = ()
        self.sell(7, purchase_date="2026-05-03")
        with self.assertRaises(ConflictError):
            manager.commit()

    def test_so_much_at_a_time(self):
        self.sell_for_days(3)
        with mock.patch.object(daily, "MOST", 1):
            daily.keep_up(self.now)
            self.assertEqual(self.kept(), ["2026-05-05"])
            self.assertTrue(daily.breakdown(self.portal, FIRST, "2026-05-06").capped)
            daily.keep_up(self.now)
            daily.keep_up(self.now)
        self.assertEqual(len(self.kept()), 3)
        self.assertFalse(self.found().capped)

    def test_a_clock_that_was_put_back(self):
        """Sums of a day that is not over, by the clock that is right."""
        self.sell(1)
        self.jump(days=2)
        daily.keep_up(self.now)
        self.assertEqual(self.kept(), ["2026-05-03"])
        self.jump(days=-2)
        self.sell(2)
        self.assertEqual(self.sales(), "19.80")
        self.later(days=1)
        daily.keep_up(self.now)
        self.assertEqual(self.sales(), "19.80")

    def test_another_time_zone_for_a_while(self):
        """What arrives meanwhile belongs to another day in the zone of before."""
        self.now = self.now.replace(hour=23)
        self.sell(1)
        self.later(days=2)
        daily.keep_up(self.now)
        self.registry(portal_timezone="Europe/Vienna")
        daily.keep_up(self.now)
        self.sell(2, purchase_date="2026-05-04", purchase_time="01:30:00")
        self.registry(portal_timezone="UTC")
        self.assertEqual(self.sales(), "19.80")
        daily.keep_up(self.now)
        self.assertEqual(self.sales(), "19.80")

    def test_payments_without_an_amount_count_towards_the_limit(self):
        for day in range(2):
            self.sell(day, product_price="")
            self.later(minutes=1)
            self.sell(day + 10)
            self.later(days=1)
        with mock.patch.object(daily, "MOST", 1):
            self.assertTrue(daily.breakdown(self.portal, FIRST, "2026-05-06").capped)
        with mock.patch.object(daily, "MOST", 2):
            daily.keep_up(self.now)
        self.assertEqual(self.kept(), ["2026-05-04"])

    def tell(self, number: int, address: str = "", **changes) -> str:
        """Tell of one refund again.

        :param address: of its buyer, "" while nobody is known.
        :returns: the key of the entry.
        """
        told = {"kind": Kind.REFUND, "undoing": "re_1", "amount": Decimal("9.90")}
        told |= {"currency": "EUR", "fully_signed": True, "outcome": Outcome.ACCEPTED}
        with mock.patch("niteoweb.click2sell.tests.cases.entries.START", self.now):
            key = write(self.portal, number, occurred_at=self.now, **told | changes)["key"]
        if address:
            self.assign(key, address)
        transaction.commit()
        self.later(days=1)
        return key

    def assign(self, key: str, address: str) -> None:
        """Add an entry to a buyer's history."""
        entry = ledger.get(self.portal, key)
        buyers.add_entry(self.portal, buyers.of_address(self.portal, address), entry)

    def refunds(self) -> str:
        """The sum of all refunds."""
        return str(self.found().currencies["EUR"].refunds)

    def test_notifications_whose_buyer_is_known_later(self):
        keys = [self.tell(number) for number in range(2)]
        daily.keep_up(self.now)
        self.assertEqual(self.refunds(), "-19.80")
        for key in keys:
            self.assign(key, EMAIL)
        transaction.commit()
        self.assertEqual(self.refunds(), "-9.90")

    def test_buyers_who_turn_out_to_be_one(self):
        self.tell(1, EMAIL)
        self.tell(2, "jane@example.org")
        daily.keep_up(self.now)
        self.assertEqual(self.refunds(), "-19.80")
        for_both = [buyers.find(self.portal, name) for name in (EMAIL, "jane@example.org")]
        buyers.merge(self.portal, *for_both)
        transaction.commit()
        self.assertEqual(self.refunds(), "-9.90")

    def test_an_entry_that_goes_to_another_buyer(self):
        """The one that stays is the only one of its buyer then."""
        first, _second = self.tell(1, EMAIL), self.tell(2, EMAIL)
        daily.keep_up(self.now)
        self.assertEqual(self.refunds(), "-9.90")
        buyers.remove_entries(self.portal, buyers.find(self.portal, EMAIL), {first})
        self.assign(first, "jane@example.org")
        transaction.commit()
        self.assertEqual(self.refunds(), "-19.80")

    def test_a_failed_one_that_was_another_buyers_meanwhile(self):
        wrong, right = "wrong@example.org", "9@example.org"
        failing = mock.patch.object(pipeline, "apply", side_effect=RuntimeError)
        with failing, self.assertRaises(pipeline.Failed):
            self.sell(9, buyer_email=wrong, c2s_transaction_id="R-8")
        self.sell(9)
        self.later(days=1)
        daily.keep_up(self.now)
        self.assertEqual(self.sales(), "9.90")
        buyers.merge(self.portal, *(buyers.find(self.portal, name) for name in (wrong, right)))
        transaction.commit()
        daily.keep_up(self.now)
        (key,) = ledger.newest_first(self.portal, outcome=Outcome.FAILED)
        self.assertEqual(pipeline.replay(key).outcome, Outcome.ACCEPTED)
        self.assertEqual(self.sales(), "19.80")

    def test_an_amount_that_is_told_later(self):
        """And the entry, whose provider could not be reached, fails again."""
        key = self.tell(1, amount=None, outcome=Outcome.FAILED)
        self.tell(2, undoing="re_2")
        entry = ledger.get(self.portal, key)
        ledger.change(self.portal, entry, asks=True)
        transaction.commit()
        daily.keep_up(self.now)
        self.assertEqual(self.refunds(), "-9.90")
        complete = replace(history.notification(entry), amount=Decimal("7.00"))
        ledger.amend(self.portal, entry, complete, self.now)
        transaction.commit()
        self.assertEqual(self.refunds(), "-16.90")

    def test_one_payment_under_two_addresses(self):
        """The second was refused, until the owner corrected the first."""
        self.sell(9, buyer_email="wrong@example.org")
        self.sell(9)
        self.later(days=1)
        daily.keep_up(self.now)
        self.assertEqual(self.sales(), "9.90")
        transaction.begin()
        (key,) = ledger.newest_first(self.portal, outcome=Outcome.ACCEPTED)
        action.carry_out(decisions.Correct(key, "admin", "9@example.org", False, "typo"))
        self.assertEqual(self.sales(), "9.90")

    def test_the_indexes_made_anew(self):
        self.sell_for_days(2)
        daily.keep_up(self.now)
        before = self.found()
        transaction.begin()
        indexes.rebuild(self.portal)
        transaction.commit()
        self.assertEqual(self.kept(), [])
        self.assertEqual(self.found(), before)
        daily.keep_up(self.now)
        self.assertEqual(len(self.kept()), 2)
