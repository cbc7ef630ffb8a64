"""plenigo: whatever happens to subscriptions, and however it gets here, access is right.

Lives are made up with fixed seeds; a fake plenigo, whose server is not started, tells them.
"""

from collections.abc import Iterable
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.outcome import compute
from niteoweb.click2sell.entitlement.outcome import Policy
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.providers.plenigo import protocol as plenigo
from niteoweb.click2sell.providers.plenigo import states as plenigostate
from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo
from niteoweb.click2sell.testing.fake.server import Clock
from niteoweb.click2sell.tests.cases import EXAMPLES
from random import Random
from types import SimpleNamespace

import json
import unittest


UTC = timezone.utc
LIVES = round(150 * EXAMPLES)


class Life:
    """A made-up course of events at plenigo.

    :ivar random: goes on deciding.
    :ivar told: what all callbacks say, in the order in which they were made.
    :ivar now: the end of the story.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.plenigo = FakePlenigo(clock=Clock(datetime(2026, 5, 1, 12, tzinfo=UTC)))
        self.customer_id = self.plenigo.add_customer("john@example.org")
        self.plenigo.callbacks.pending.clear()
        for _ in range(self.random.randint(1, 8)):
            self.plenigo.let_pass(hours=self.random.randint(1, 460))
            self._step()
        self.now = self.plenigo.clock.move(minutes=5)
        self.told = [self._read(delivery.body) for delivery in self.plenigo.callbacks.pending]

    @property
    def truth(self) -> frozenset[tuple[str, str]]:
        """The access that plenigo gives in the end."""
        return frozenset(
            ("plenigo", subscription["plenigoOfferId"])
            for subscription in self.plenigo.subscriptions.values()
            if subscription["status"] == "ACTIVE" and not subscription["accessBlocked"]
        )

    def shown(self, subscription_id: int) -> jsonbody.JsonBody:
        """A subscription as the API shows it in the end."""
        subscription = self.plenigo.subscriptions[subscription_id]
        known = {name: value for name, value in subscription.items() if value is not None}
        return jsonbody.read(json.dumps(known).encode())

    def _step(self) -> None:
        fake = self.plenigo
        active = [
            subscription_id
            for subscription_id, subscription in fake.subscriptions.items()
            if subscription["status"] == "ACTIVE"
        ]
        if not active or self.random.random() < 0.2:
            days = self.random.choice((30, 30, None))
            fake.subscribe(self.customer_id, self.random.choice("AB"), days=days)
            return
        subscription_id = self.random.choice(active)
        cancelled = fake.subscriptions[subscription_id].get("cancellationDate")
        what = self.random.randint(1, 6)
        if what == 1 and not cancelled:
            fake.cancel(subscription_id)
        elif what == 1:
            fake.undo_cancellation(subscription_id)
        elif what == 2:
            fake.end(subscription_id)
        elif what == 3:
            fake.revoke_payment(subscription_id)
        elif what == 4:
            fake.change(subscription_id, accessBlocked=self.random.random() < 0.5)
        else:
            fake.change(subscription_id, plenigoOfferId=self.random.choice("AB"))

    def _read(self, body: bytes) -> Notification:
        settings = SimpleNamespace(secretkey="key", previous_secretkey="", tolerance=0)
        headers = {plenigo.SIGNATURE: plenigo.sign("key", 1, body)}
        genuine = plenigo.verify(
            Delivery(body, jsonbody.CONTENT_TYPE, headers), settings, self.now
        )
        (found,) = plenigo.parse(genuine, UTC)
        return found


def fact(told: Notification, received_at: datetime) -> BillingEvent:
    return BillingEvent(
        key=told.key,
        provider=told.provider,
        kind=told.kind,
        transaction=told.transaction,
        receipt=told.receipt,
        product_id=told.product_id,
        occurred_at=told.occurred_at,
        received_at=received_at,
        days=None,
        terms_known=False,
        subscription=told.subscription,
        valid_until=told.valid_until,
        snapshot=told.snapshot,
        fully_signed=told.fully_signed,
    )


class TestLives(unittest.TestCase):
    def assert_right(self, life: Life, facts: Iterable[BillingEvent], now: datetime) -> None:
        outcome = compute(facts, Policy())
        self.assertEqual(outcome.products(now), life.truth)

    def test_what_callbacks_say_in_any_order_and_again(self):
        for seed in range(LIVES):
            life = Life(seed)
            facts = [fact(told, told.occurred_at) for told in life.told]
            for _ in range(3):
                again = life.random.choices(facts, k=2)
                shuffled = life.random.sample(facts + again, k=len(facts) + 2)
                with self.subTest(seed):
                    self.assert_right(life, shuffled, life.now)

    def test_all_read_late_and_in_any_order(self):
        for seed in range(LIVES):
            life = Life(seed)
            facts = []
            for told in life.random.sample(life.told, k=len(life.told)):
                life.now += timedelta(minutes=1)
                shown = life.shown(int(told.transaction))
                restated = plenigostate.of_subscription(told, shown, life.now)
                facts.append(fact(restated, life.now))
            with self.subTest(seed):
                self.assert_right(life, facts[::-1], life.now)

    def test_half_of_the_callbacks_lost_and_the_list_read(self):
        for seed in range(LIVES):
            life = Life(seed)
            facts = [fact(told, life.now) for told in life.told if life.random.random() < 0.5]
            facts += [
                fact(plenigostate.of_listed(life.shown(subscription_id), life.now), life.now)
                for subscription_id in life.plenigo.subscriptions
            ]
            with self.subTest(seed):
                self.assert_right(life, facts, life.now)
