"""The memberships by month: members with access, and subscriptions that were not renewed."""

from niteoweb.click2sell.report import memberships
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.tests.cases.site import ByHandTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.worker import sweep

import transaction


JANE = "jane@example.org"


class TestByMonth(ByHandTestCase, SiteTestCase):
    """It is the 3rd of May 2026; product 2 gives 30 days, and there are 3 of grace."""

    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium", "2|course|30"])

    def subscribe(self, address=EMAIL, status="New", number=1, **changes):
        self.buy(
            buyer_email=address,
            product_id="2",
            transaction_type="Subscription",
            subscription_status=status,
            acquirer_transaction_id=f"T-{address}",
            c2s_transaction_id=f"R-{address}-{number}",
            purchase_date=f"{self.now:%Y-%m-%d}",
            **changes,
        )

    def pass_days(self, days):
        self.later(days=days)
        sweep.sweep(confirmed=True)

    def months(self, number=3):
        """Month, members, could renew, ended, of the last months."""
        transaction.begin()
        months = memberships.by_month(self.portal, self.now)
        self.assertEqual(len(months), memberships.MONTHS)
        return [
            (one.month[5:], one.members, one.could_renew, one.ended) for one in months[-number:]
        ]

    def test_nobody(self):
        self.assertEqual(self.months(2), [("04", 0, 0, 0), ("05", 0, 0, 0)])

    def test_renewed_and_not_renewed(self):
        self.subscribe()
        self.subscribe(JANE)
        self.assertEqual(self.months(2), [("04", 0, 0, 0), ("05", 2, 0, 0)])
        self.pass_days(29)
        self.subscribe(status="Recurring", number=2)
        # Jane's days of grace are over.
        self.pass_days(10)
        self.assertEqual(self.months(2), [("05", 2, 0, 0), ("06", 1, 2, 1)])
        self.pass_days(40)
        self.assertEqual(self.months(), [("05", 2, 0, 0), ("06", 1, 2, 1), ("07", 0, 1, 1)])
        # Jane comes back.
        self.subscribe(JANE, number=3)
        self.assertEqual(self.months(2), [("06", 1, 2, 1), ("07", 1, 1, 1)])

    def test_a_cancelled_subscription_could_have_been_renewed(self):
        self.subscribe()
        self.subscribe(status="Cancel", number=2)
        self.pass_days(31)
        self.assertEqual(self.months(2), [("05", 1, 0, 0), ("06", 0, 1, 1)])

    def test_a_single_sale_and_a_refund_could_not(self):
        self.buy(product_id="2")
        self.subscribe(JANE)
        self.refund(
            buyer_email=JANE,
            product_id="2",
            acquirer_transaction_id=f"T-{JANE}",
            c2s_transaction_id="refund",
        )
        self.pass_days(31)
        self.assertEqual(self.months(2), [("05", 1, 0, 0), ("06", 0, 0, 0)])

    def test_two_products_are_one_member(self):
        self.buy()
        self.buy_again(product_id="2")
        self.pass_days(40)
        self.assertEqual(self.months(2), [("05", 1, 0, 0), ("06", 1, 0, 0)])

    def test_an_account_that_is_deleted(self):
        self.buy()
        self.later(days=40)
        self.delete_member()
        self.assertEqual(self.months(2), [("05", 1, 0, 0), ("06", 0, 0, 0)])

    def test_counted_anew(self):
        self.subscribe()
        self.pass_days(40)
        before = self.months()
        self.assertEqual(indexes.rebuild(self.portal)["corrected"], 0)
        transaction.commit()
        self.assertEqual(self.months(), before)
