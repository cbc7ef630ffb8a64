"""Stripe: whatever happens in a shop, and however it gets here, access is right.

Lives are made up with fixed seeds; a shop of the fake tells them, and Stripe's own library
signs and reads what it tells.
"""

from collections.abc import Iterable
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.outcome import compute
from niteoweb.click2sell.entitlement.outcome import Policy
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.providers.stripe import protocol
from niteoweb.click2sell.providers.stripe.fakeaccount import StripeAccount
from niteoweb.click2sell.providers.stripe.fakerecord import Values
from niteoweb.click2sell.testing.fake.server import Clock
from niteoweb.click2sell.tests.cases import EXAMPLES
from niteoweb.click2sell.tests.cases.billing import of_notification
from niteoweb.click2sell.tests.cases.providers import signed_by_library
from random import Random
from types import SimpleNamespace

import json
import stripe
import unittest


UTC = timezone.utc
LIVES = round(40 * EXAMPLES)
SECRET = "whsec_of_lives"
PRICES = ("gold", "silver", "bronze")


class Life:
    """A made-up course of events in a shop.

    :ivar told: the notifications of all events, in the order in which they happened.
    :ivar now: the end of the story.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.shop = StripeAccount(
            Clock(datetime(2026, 5, 1, 12, tzinfo=UTC)), lambda event: None
        )
        self.shop.old_shape = self.random.random() < 0.5
        for name in PRICES:
            self.shop.add_price(name, cents=self.random.randint(100, 2000))
        self.shop.add_price("book", recurring=False)
        self.customer = self.shop.add_customer("john@example.org")
        self.books: list[Values] = []
        self.disputed: dict[str, Values] = {}
        for _ in range(self.random.randint(1, 10)):
            self.shop.let_pass(hours=self.random.randint(1, 460))
            self._step()
        self.shop.let_pass(minutes=5)
        self.now = self.shop.clock.now
        self.told = [one for event in self.shop.events for one in self._read(event)]

    @property
    def truth(self) -> frozenset[tuple[str, str]]:
        """The access that Stripe gives in the end, without grace."""
        prices = {
            item["price"]["id"]
            for one in self._subscriptions("active", "trialing")
            if (one["pause_collection"] or {}).get("behavior") != "void"
            for item in one["items"]["data"]
        }
        if any(map(self._is_paid, self.books)):
            prices.add("book")
        return frozenset(("stripe", price) for price in prices)

    def _is_paid(self, charge: Values) -> bool:
        dispute = self.disputed.get(charge["id"])
        return not charge["refunded"] and (dispute is None or dispute["status"] == "won")

    def _subscriptions(self, *statuses: str) -> list[Values]:
        return [
            one
            for one in self.shop.objects.values()
            if one.get("object") == "subscription" and one["status"] in statuses
        ]

    def _step(self) -> None:
        shop, random = self.shop, self.random
        going = self._subscriptions("active", "trialing", "past_due")
        if not going or random.random() < 0.2:
            days = random.choice((0, 0, 7))
            shop.subscribe(self.customer, random.sample(PRICES, random.randint(1, 2)), 1, days)
            return
        if random.random() < 0.3:
            self._sell_books()
            return
        one = random.choice(going)
        items = one["items"]["data"]
        what = random.randint(1, 9)
        if one["status"] == "past_due":
            random.choice((shop.recover, shop.end))(one)
        elif what == 1:
            shop.change(one, cancel_at_period_end=not one["cancel_at_period_end"])
        elif what == 2:
            pause = None if one["pause_collection"] else {"behavior": "void"}
            shop.change(one, pause_collection=pause)
        elif what == 3:
            shop.change_price(one, random.choice(PRICES), random.randrange(len(items)))
        elif what == 4:
            shop.add_item(one, random.choice(PRICES))
        elif what == 5 and len(items) > 1:
            shop.remove_item(one, random.randrange(len(items)))
        elif what == 6:
            shop.end(one)
        elif what == 7 and one["status"] == "active":
            shop.refund(shop.payment(one))
            shop.end(one)
        elif what == 8:
            shop.let_payments_fail(self.customer)
        else:
            shop.let_payments_fail(self.customer, False)

    def _sell_books(self) -> None:
        shop, random = self.shop, self.random
        paid = [charge for charge in self.books if not charge["refunded"]]
        what = random.randint(1, 5)
        if what == 1 or not self.books:
            known = {"metadata": {"product": "book"}, "email": "john@example.org"}
            self.books.append(shop.payment(shop.checkout("book", **known)))
        elif what == 2 and paid:
            shop.refund(random.choice(paid), random.choice((None, 100)))
        elif what == 3:
            refunds = [
                one
                for one in shop.objects.values()
                if one.get("object") == "refund" and one["status"] == "succeeded"
            ]
            books = [one for one in refunds if shop.objects[one["charge"]] in self.books]
            if books:
                shop.fail_refund(random.choice(books))
        elif what == 4:
            charge = random.choice(self.books)
            if charge["id"] not in self.disputed:
                self.disputed[charge["id"]] = shop.dispute(charge)
        else:
            opened = [d for d in self.disputed.values() if d["status"] == "needs_response"]
            if opened:
                shop.close_dispute(random.choice(opened), random.choice(("won", "lost")))

    def _read(self, event: Values) -> tuple[Notification, ...]:
        body = json.dumps(event).encode("utf-8")
        settings = SimpleNamespace(
            secretkey=SECRET, previous_secretkey="", tolerance=0, test_mode=False
        )
        header = signed_by_library(SECRET, event["created"], body)
        known = stripe.Webhook.construct_event(body, header, SECRET, tolerance=0)
        delivery = Delivery(body, jsonbody.CONTENT_TYPE, {protocol.SIGNATURE: header})
        told = protocol.parse(protocol.verify(delivery, settings, self.now), UTC)
        for one in told:
            assert one.occurred_at == datetime.fromtimestamp(known.created, UTC)
            assert one.payload["type"] == known.type
        return told


class TestLives(unittest.TestCase):
    def access(self, life: Life, facts: Iterable[BillingEvent]) -> frozenset[tuple[str, str]]:
        outcome = compute(facts, Policy(grace_days=0))
        return outcome.products(life.now)

    def test_in_any_order_and_again(self):
        seen = set()
        for seed in range(LIVES):
            life = Life(seed)
            facts = [of_notification(one) for one in life.told]
            seen |= {(one.kind, bool(one.undoing)) for one in facts}
            with self.subTest(seed, shape=life.shop.old_shape):
                for _ in range(3):
                    again = life.random.choices(facts, k=2)
                    shuffled = life.random.sample(facts + again, k=len(facts) + 2)
                    self.assertEqual(self.access(life, shuffled), life.truth)
        self.assertGreaterEqual(len(seen), min(10, LIVES // 10))

    def test_no_more_than_a_refund_takes_back(self):
        """One event more that takes money back never gives access."""
        for seed in range(LIVES):
            life = Life(seed)
            facts = [of_notification(one) for one in life.told]
            full = self.access(life, facts)
            for one in facts:
                if one.kind in ("refund", "chargeback"):
                    fewer = [other for other in facts if other is not one]
                    self.assertLessEqual(full, self.access(life, fewer), seed)
