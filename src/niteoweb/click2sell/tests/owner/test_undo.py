"""What an owner did by hand is undone, for a day, by further notifications."""

from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import NotPossible
from niteoweb.click2sell.owner import undo
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import happenings
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase

import transaction


ONE = ("click2sell", "1")


class TestUndo(SiteTestCase):
    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium|30", "2|course"])
        self.buy()
        self.later(hours=1)

    def act(self, name: str, **values) -> str:
        """Carry a command out.

        :returns: the key of the newest notification.
        """
        values = {"product": ONE, "reason": "a test", **values}
        buyer = self.buyer(EMAIL)
        command = commands.asked_for(self.portal, name, buyer, values, "admin")
        action.carry_out(command)
        transaction.begin()
        return next(ledger.newest_first(self.portal))

    def undo(self, key: str) -> None:
        self.later(minutes=5)
        command = undo.Undo(buyer_id=self.buyer(EMAIL)["id"], key=key, by="admin")
        (plan,) = action.preview(command)
        action.carry_out(command)
        transaction.begin()
        self.plan = plan

    def entitlement(self):
        outcome = history.outcome(self.portal, self.buyer(EMAIL), self.now)
        return next(one for one in outcome.entitlements if one.product == ONE)

    def until(self) -> datetime | None:
        return self.entitlement().until

    def test_an_extension(self):
        before = self.until()
        key = self.act("extend", days=10)
        self.assertEqual(self.until(), before + timedelta(days=10))
        self.undo(key)
        self.assertEqual(self.until(), before)
        # The history says what the further notifications are for.
        explained = explanation.explain(self.portal, self.buyer(EMAIL), self.now)
        remarks = {one.key: happenings.remark(one) for one in explained.timeline if one.key}
        undone = {text for text in remarks.values() if text.startswith("This undoes")}
        self.assertEqual(undone, {"This undoes an act by hand."})
        self.assertEqual(remarks[key], "a test")
        self.assertEqual(self.entitlement().state_at(self.now), State.ACTIVE)
        # The member was in the group all the time.
        self.assertEqual(
            (self.plan.gained, self.plan.lost, dict(self.plan.revoked)), ((), (), {})
        )
        self.assertIn("premium", self.groups())

    def test_an_end(self):
        before = self.until()
        key = self.act("revoke")
        self.assertNotIn("premium", self.groups())
        self.undo(key)
        self.assertEqual(self.until(), before)
        self.assertIn("premium", self.groups())

    def test_an_end_of_access_without_an_end(self):
        self.buy_again(2, product_id="2", product_name="Course")
        key = self.act("revoke", product=("click2sell", "2"))
        self.assertNotIn("course", self.groups())
        self.undo(key)
        self.assertIn("course", self.groups())
        outcome = history.outcome(self.portal, self.buyer(EMAIL), self.now)
        self.assertEqual([one.until for one in outcome.entitlements][1], None)

    def test_a_grant(self):
        key = self.act("grant", product=("click2sell", "2"), days=5)
        self.assertIn("course", self.groups())
        self.undo(key)
        self.assertNotIn("course", self.groups())
        self.assertIn("premium", self.groups())

    def test_an_extension_of_access_that_was_over(self):
        self.later(days=40)
        key = self.act("extend", days=10)
        self.assertIn("premium", self.groups())
        self.undo(key)
        self.assertNotIn("premium", self.groups())

    def test_an_extension_of_access_that_begins_later(self):
        at, two = self.now + timedelta(days=3), {"product": ("click2sell", "2")}
        sale = self.notification(product_id="2", acquirer_transaction_id="T-2")
        pipeline.process(replace(sale, valid_from=at, valid_until=at + timedelta(days=9)))
        before = history.outcome(self.portal, self.buyer(EMAIL), self.now).entitlements[1]
        key = self.act("extend", days=10, **two)
        self.undo(key)
        after = history.outcome(self.portal, self.buyer(EMAIL), self.now).entitlements[1]
        self.assertEqual((after.spans, after.until), (before.spans, before.until))
        self.assertNotIn("course", self.groups())

    def renew(self) -> None:
        """A renewal under a transaction of its own."""
        self.buy(
            transaction_type="Subscription",
            subscription_status="Recurring",
            acquirer_transaction_id="T-9",
            c2s_transaction_id="R-9",
            purchase_date=f"{self.now:%Y-%m-%d}",
        )

    def test_acts_after_a_renewal_under_another_transaction(self):
        self.later(days=29)
        self.renew()
        before = self.until()
        self.assertGreater(before, self.now + timedelta(days=30))
        for name, values in (("extend", {"days": 10}), ("revoke", {})):
            self.undo(self.act(name, **values))
            self.assertEqual(self.until(), before, name)

    def test_a_grant_that_a_renewal_went_on_with(self):
        self.later(days=29)
        key = self.act("grant", days=5)
        self.later(hours=18)
        self.renew()
        self.undo(key)
        self.assertGreater(self.until(), self.now + timedelta(days=29))
        self.assertIn("premium", self.groups())

    def test_acts_in_days_of_grace(self):
        self.buy(transaction_type="Subscription", subscription_status="Recurring")
        self.later(days=31)
        before = self.entitlement().access_until
        self.assertGreater(before, self.now)
        for name, values in (("extend", {"days": 10}), ("revoke", {})):
            self.undo(self.act(name, **values))
            self.assertEqual(self.entitlement().access_until, before, name)
            self.assertIn("premium", self.groups())

    def test_only_once_and_for_a_day(self):
        key = self.act("extend", days=10)
        self.assertEqual(undo.possible(self.portal, self.buyer(EMAIL), self.now), {key})
        late = self.now + undo.PERIOD + timedelta(minutes=1)
        self.assertEqual(undo.possible(self.portal, self.buyer(EMAIL), late), frozenset())
        self.undo(key)
        self.assertEqual(undo.possible(self.portal, self.buyer(EMAIL), self.now), frozenset())
        with self.assertRaises(NotPossible):
            self.undo(key)

    def test_nothing_is_removed(self):
        key = self.act("extend", days=10)
        number = ledger.count(self.portal)
        self.undo(key)
        self.assertEqual(ledger.count(self.portal), number + 2)
        newest = ledger.get(self.portal, next(ledger.newest_first(self.portal)))
        self.assertEqual(newest["payload"]["undoes"], key)
        self.assertEqual(
            {ledger.get(self.portal, one)["outcome"] for one in self.buyer(EMAIL)["keys"]},
            {"accepted"},
        )
