"""The sums of days: kept when a day is over, and never wrong."""

from dataclasses import replace
from niteoweb.click2sell.ledger import daysums
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import accounting
from niteoweb.click2sell.report import daily
from niteoweb.click2sell.storage import trees
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
        IAnnotations(site)[trees.KEY]["money_by_day"]["2026-05-03"] = ("UTC",)
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
