"""What an owner did by hand is undone, for a day, by further notifications."""

from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import NotPossible
from niteoweb.click2sell.owner import undo
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import happenings
from niteoweb.click2sell.tests.cases.layers import NOW
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from unittest import mock

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

    def test_two_extensions(self):
        before = self.until()
        keys = [self.act("extend", days=days) for days in (5, 60)]
        for key in reversed(keys):
            self.undo(key)
        self.assertEqual(self.until(), before)

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

    def test_an_extension_of_access_that_a_grant_ended_meanwhile(self):
        self.group("vip")
        self.settings(mapping=["1|premium|30", "3|vip|20|exclusive"])
        before = self.until()
        extension = self.act("extend", days=5)
        self.later(minutes=5)
        keys = [extension, *(self.act("grant", product=("click2sell", "3")) for _ in "12")]
        self.assertEqual(self.groups(), ["click2sell", "vip"])
        for key in keys:
            self.undo(key)
        self.assertEqual(self.until(), before)
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_acts_in_days_of_grace_after_one_another(self):
        self.buy(transaction_type="Subscription", subscription_status="Recurring")
        self.later(days=31)
        before = self.entitlement().access_until
        end = self.act("revoke")
        self.later(minutes=5)
        self.undo(self.act("extend", days=10))
        self.undo(end)
        self.assertEqual(self.entitlement().access_until, before)

    def test_a_grant_that_was_ended_and_not_ended_after_all(self):
        self.later(days=40)
        key = self.act("grant", days=5)
        self.undo(self.act("revoke"))
        self.assertIn("premium", self.groups())
        self.undo(key)
        self.assertNotIn("premium", self.groups())

    def test_an_extension_of_access_that_was_over(self):
        self.later(days=40)
        key = self.act("extend", days=10)
        self.assertIn("premium", self.groups())
        self.undo(key)
        self.assertNotIn("premium", self.groups())

    def test_an_extension_of_a_subscription_whose_provider_is_silent(self):
        self.buy(transaction_type="Subscription", subscription_status="Recurring")
        with mock.patch.object(silence, "silent", lambda *_: {"click2sell": NOW}):
            self.later(days=40)
            self.undo(self.act("extend", days=10))
            self.assertIn("premium", self.groups())
        self.provision()
        self.assertNotIn("premium", self.groups())
        self.assertEqual(self.entitlement().state_at(self.now), State.LAPSED)

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


class TestGrant(SiteTestCase):
    """Undo takes a grant back, and nothing else, whatever the buyer had before."""

    #: Sales and refunds, each of a product, with the days that pass after it.
    BUYERS = {
        "never paid": (),
        "pays": (("buy", "1", 5),),
        "paid once": (("buy", "1", 40),),
        "pays without an end": (("buy", "2", 5),),
        "pays for two": (("buy", "1", 5), ("buy", "2", 5)),
        "was refunded": (("buy", "1", 5), ("refund", "1", 1)),
        "subscribes": (("buy", "1", 29), ("renew", "1", 1)),
        "is in days of grace": (("buy", "1", 29), ("renew", "1", 32)),
        "cancelled": (("buy", "1", 3), ("renew", "1", 25), ("cancel", "1", 1)),
        "has the group by another product": (("buy", "4", 5),),
        "pays for what is exclusive": (("buy", "1", 5), ("buy", "3", 5)),
        "pays again after it": (("buy", "3", 5), ("buy", "1", 5)),
    }

    #: Grants, each of a product and for some days, None for those of the product.
    GRANTS = (
        *[[("1", None)], [("1", 5)], [("1", 60)], [("2", None)], [("3", None)], [("4", None)]],
        *[[("1", None), ("1", None)], [("1", 5), ("1", 60)], [("3", None), ("1", None)]],
    )

    def setUp(self):
        super().setUp()
        self.group("vip")
        lines = ["1|premium|30", "2|course", "3|vip|20|exclusive", "4|premium|10"]
        self.settings(mapping=lines, welcome_mail="link")

    def sell(self, address: str, kind: str, product: str, days: int) -> None:
        kinds = {
            "refund": {"transaction_type": "Refund"},
            "renew": {"transaction_type": "Subscription", "subscription_status": "Recurring"},
            "cancel": {"transaction_type": "Subscription", "subscription_status": "Cancel"},
        }
        self.buy(
            buyer_email=address,
            product_id=product,
            acquirer_transaction_id=f"{address[:-12]}-{product}",
            c2s_transaction_id=f"{address[:-12]}-{product}",
            purchase_date=f"{self.now:%Y-%m-%d}",
            **kinds.get(kind, {}),
        )
        self.later(days=days)

    def grant(self, address: str, product: str, days: int | None) -> str:
        """Key of the notification of a grant."""
        named = ("click2sell", product)
        action.carry_out(commands.Grant(address, named, None, "a test", "admin", days=days))
        transaction.begin()
        return next(ledger.newest_first(self.portal))

    def access(self, address: str):
        """Ends of a buyer's access, the groups that come with it, and what it is renewed by."""
        buyer = self.buyer(address)
        if buyer["user_id"]:
            self.provision(address)
        outcome = history.outcome(self.portal, buyer, self.now)
        ends = {
            one.product: (one.access_until, one.renewable, one.state_at(self.now))
            for one in outcome.entitlements
            if one.gives_access(self.now)
        }
        groups = self.groups(buyer["user_id"]) if buyer["user_id"] else []
        return ends, [name for name in groups if name != "click2sell"]

    def test_undone_at_once(self):
        for number, (name, sales) in enumerate(self.BUYERS.items()):
            for place, grants in enumerate(self.GRANTS):
                for step in (1, -1):
                    address = f"buyer-{number}-{place}-{step}@example.org"
                    for sale in sales:
                        self.sell(address, *sale)
                    before = self.access(address)
                    keys = [self.grant(address, *one) for one in grants]
                    self.later(minutes=1)
                    for key in keys[::step]:
                        id_ = self.buyer(address)["id"]
                        action.carry_out(undo.Undo(buyer_id=id_, key=key, by="admin"))
                        self.later(minutes=1)
                    with self.subTest(name, grants=grants, step=step):
                        self.assertEqual(self.access(address), before)
