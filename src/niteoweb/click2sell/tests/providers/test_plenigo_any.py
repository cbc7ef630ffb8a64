"""plenigo: whatever happens to subscriptions, and however it gets here, access is right.

Lives are made up with fixed seeds; a fake plenigo, whose server is not started, tells them.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.outcome import compute
from niteoweb.click2sell.entitlement.outcome import Policy
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.providers.plenigo import orders as plenigoorders
from niteoweb.click2sell.providers.plenigo import protocol as plenigo
from niteoweb.click2sell.providers.plenigo import states as plenigostate
from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo
from niteoweb.click2sell.testing.fake.server import Clock
from niteoweb.click2sell.tests.cases import EXAMPLES
from niteoweb.click2sell.tests.cases.billing import of_notification
from random import Random
from types import SimpleNamespace
from typing import Any

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
        pending = self.plenigo.callbacks.pending
        self.told = [told for delivery in pending for told in self._read(delivery.body)]

    @property
    def truth(self) -> frozenset[tuple[str, str]]:
        """The access that plenigo gives in the end."""
        return self.truth_at(self.now)

    def truth_at(self, moment: datetime) -> frozenset[tuple[str, str]]:
        """The access that plenigo gives at a moment, if nothing else happens."""
        if self.plenigo.customers[self.customer_id]["status"] != "ACTIVATED":
            return frozenset()
        bought = [
            subscription["plenigoOfferId"]
            for subscription in self.plenigo.subscriptions.values()
            if subscription["status"] == "ACTIVE"
            and not subscription["accessBlocked"]
            and datetime.fromisoformat(subscription["startDate"]) <= moment
            and (not subscription["endDate"] or _moment(subscription["endDate"]) > moment)
            and not (subscription.get("paused") and _back(subscription) > moment)
        ]
        ordered = [
            order["items"][0]["productId"]
            for order in self.plenigo.orders.values()
            if order["status"] != "CANCELLED"
        ]
        in_stores = [
            subscription["accessRightUniqueId"]
            for subscription in self.plenigo.store_subscriptions.values()
            if subscription["status"] == "ACTIVE"
        ]
        return frozenset(("plenigo", name) for name in (*bought, *ordered, *in_stores))

    @property
    def moments(self) -> list[datetime]:
        """Now, and moments at which access may change by itself."""
        fake = self.plenigo
        moments = [self.now]
        for subscription in fake.subscriptions.values():
            moments += [
                _moment(subscription[name])
                for name in ("startDate", "endDate")
                if subscription[name]
            ]
            moments += [_back(subscription)] if subscription.get("paused") else []
        return sorted({max(moment, self.now) for moment in moments})

    def listed(self) -> list[Notification]:
        """Everything of plenigo's lists, as it stands in the end."""
        fake = self.plenigo
        found = [
            plenigostate.of_listed(self.shown(id_), self.now) for id_ in fake.subscriptions
        ]
        for order in fake.orders.values():
            found += plenigoorders.of_order(_json(order), self.now)
        for subscription in fake.store_subscriptions.values():
            found.append(plenigoorders.of_app_store(_json(subscription), self.now))
        return found

    def shown(self, subscription_id: int) -> jsonbody.JsonBody:
        """A subscription as the API shows it in the end."""
        subscription = self.plenigo.subscriptions[subscription_id]
        return _json(subscription)

    def _step(self) -> None:
        fake = self.plenigo
        active = [
            subscription_id
            for subscription_id, subscription in fake.subscriptions.items()
            if subscription["status"] == "ACTIVE"
        ]
        what = self.random.random()
        if what < 0.1:
            self._something_else()
            return
        if not active or what < 0.3:
            days = self.random.choice((30, 30, None))
            first = fake.subscribe(self.customer_id, self.random.choice("AB"), days=days)
            if days and what < 0.2:
                # A trial, and the step that follows it.
                start = fake.clock.now + timedelta(days=days)
                fake.subscribe(self.customer_id, "C", start=start, chain=first)
            return
        subscription_id = self.random.choice(active)
        cancelled = fake.subscriptions[subscription_id].get("cancellationDate")
        what = self.random.randint(1, 8)
        if what == 1 and not cancelled:
            fake.cancel(subscription_id)
        elif what == 1:
            fake.undo_cancellation(subscription_id)
        elif what == 2:
            fake.end(subscription_id)
        elif what == 3:
            fake.revoke_payment(subscription_id)
        elif what == 7:
            back = fake.clock.now + timedelta(days=self.random.randint(1, 40))
            pause = {"startPauseDate": "2026-01-01", "endPauseDate": back.date().isoformat()}
            kind = self.random.choice(("STANDARD", "STANDARD", "PAYMENT_ONLY"))
            fake.change(subscription_id, paused={**pause, "pauseType": kind})
        elif what == 8:
            fake.change(subscription_id, paused=None)
        elif what == 4:
            fake.change(subscription_id, accessBlocked=self.random.random() < 0.5)
        else:
            fake.change(subscription_id, plenigoOfferId=self.random.choice("AB"))

    def _something_else(self) -> None:
        fake = self.plenigo
        what = self.random.randint(1, 6)
        if what == 1:
            fake.order(self.customer_id, self.random.choice(("issue 1", "issue 2")))
        elif what == 2 and fake.orders:
            fake.cancel_order(self.random.choice(list(fake.orders)))
        elif what == 3:
            fake.subscribe_in_store(self.customer_id, "app")
        elif what == 4 and fake.store_subscriptions:
            status = self.random.choice(("ACTIVE", "PAUSED", "INACTIVE", "IGNORED"))
            id_ = self.random.choice(list(fake.store_subscriptions))
            fake.change_in_store(id_, status=status)
        else:
            status = self.random.choice(("ACTIVATED", "ACTIVATED", "BLOCKED"))
            fake.change_status(self.customer_id, status)

    def _read(self, body: bytes) -> tuple[Notification, ...]:
        settings = SimpleNamespace(secretkey="key", previous_secretkey="", tolerance=0)
        headers = {plenigo.SIGNATURE: plenigo.sign("key", 1, body)}
        genuine = plenigo.verify(
            Delivery(body, jsonbody.CONTENT_TYPE, headers), settings, self.now
        )
        return plenigo.parse(genuine, UTC)


def _json(values: Mapping[str, Any]) -> jsonbody.JsonBody:
    known = {name: value for name, value in values.items() if value is not None}
    return jsonbody.read(json.dumps(known).encode())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _back(subscription: Mapping[str, Any]) -> datetime:
    """When access begins again after a pause."""
    paused = subscription["paused"]
    stops_access = paused["pauseType"] == "STANDARD"
    return (
        _moment(paused["endPauseDate"] + "T00:00:00Z")
        if stops_access
        else datetime.min.replace(tzinfo=UTC)
    )


class TestLives(unittest.TestCase):
    def assert_right(self, life: Life, facts: Iterable[BillingEvent], now: datetime) -> None:
        outcome = compute(facts, Policy(grace_days=0))
        for moment in (now, *(moment for moment in life.moments if moment > now)):
            self.assertEqual(outcome.products(moment), life.truth_at(moment), moment)

    def test_what_callbacks_say_in_any_order_and_again(self):
        for seed in range(LIVES):
            life = Life(seed)
            # A cancelled order is in the list alone.
            told = [*life.told, *life.listed()[len(life.plenigo.subscriptions) :]]
            facts = [of_notification(one) for one in told]
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
                if told.transaction.isdigit():
                    shown = life.shown(int(told.transaction))
                    told = plenigostate.of_subscription(told, shown, life.now)
                facts.append(of_notification(told, received_at=life.now))
            facts += [of_notification(told, received_at=life.now) for told in life.listed()]
            with self.subTest(seed):
                self.assert_right(life, facts[::-1], life.now)

    def test_half_of_the_callbacks_lost_and_the_list_read(self):
        for seed in range(LIVES):
            life = Life(seed)
            kept = [
                told
                for told in life.told
                if life.random.random() < 0.5 or told.customer_suspended is not None
            ]
            facts = [
                of_notification(told, received_at=life.now) for told in (*kept, *life.listed())
            ]
            with self.subTest(seed):
                self.assert_right(life, facts, life.now)
