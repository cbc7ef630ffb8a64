"""A Cleeng that is not real: validation of Vizio's purchases, and signed webhooks.

The assumptions are those of :mod:`niteoweb.click2sell.providers.cleeng.protocol`: webhooks pass
a notification of Vizio on under its own name, and ``purchase-status`` wants the
``correlationId`` that ``purchase-validation`` answered.
"""

from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.providers.cleeng import protocol
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import FakeServer
from niteoweb.click2sell.testing import PendingDelivery
from niteoweb.click2sell.testing import Request
from niteoweb.click2sell.testing import Response
from niteoweb.click2sell.testing import Sender
from typing import Any

import json
import secrets


TOKEN = "a publisher token for tests"  # noqa: S105
SECRET = "a shared secret for tests"  # noqa: S105
HEADER = "X-Cleeng-Signature"

#: When a webhook that failed is tried again; no public document says it.
RETRIES = (timedelta(minutes=5), timedelta(hours=1), timedelta(hours=24))

#: How long a validation takes.
VALIDATION = timedelta(seconds=10)

PENDING, SUCCEEDED, FAILED = "pending", "succeeded", "failed"


@dataclass(frozen=True)
class Subscription:
    """A subscription that Cleeng knows.

    :ivar subscription_id: Cleeng's id of it.
    :ivar vizio_id: Vizio's.
    """

    subscription_id: int
    vizio_id: str
    customer_id: int
    offer: str
    expires_at: datetime
    active: bool = True
    trial: bool = False


@dataclass
class Validation:
    """A purchase that is being validated.

    :ivar state: pending, succeeded or failed.
    """

    correlation_id: str
    email: str
    vizio_id: str
    offer: str
    due_at: datetime
    state: str = PENDING
    result: dict[str, Any] = field(default_factory=dict)


class FakeCleeng(FakeServer):
    """A Cleeng on this machine, while its ``with`` block lasts.

    :ivar token: the publisher token that its API wants to see.
    :ivar webhooks: sends the pending ones.
    :ivar encoding: of signatures.
    :ivar timestamps: whether a webhook says when it was made; the real ones do not.
    :ivar bought: the offers that were really bought, by Vizio's id of the subscription.
    :ivar subscriptions: by Vizio's id of them.
    """

    def __init__(
        self,
        secret: str = SECRET,
        token: str = TOKEN,
        clock: Clock | None = None,
        encoding: str = protocol.HEX,
    ) -> None:
        super().__init__(clock)
        self.token = token
        self.encoding = encoding
        self.timestamps = False
        self.webhooks = Sender(self.clock, self._headers, secret, RETRIES)
        self.bought: dict[str, str] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.validations: dict[str, Validation] = {}
        self._customers: dict[str, int] = {}
        self._last_id = 500000

    def customer(self, email: str) -> int:
        """The id of the customer with an address, a new one if need be."""
        return self._customers.setdefault(email.lower(), 100 + len(self._customers))

    def buy(self, vizio_id: str, offer: str) -> None:
        """Somebody buys on a TV set; Cleeng does not know until it is asked to validate it."""
        self.bought[vizio_id] = offer

    def subscribe(
        self, email: str, vizio_id: str, offer: str, days: int = 30
    ) -> PendingDelivery:
        """Somebody subscribes on a TV set, and Vizio tells of it before any app does.

        :param days: until its end.
        """
        self.buy(vizio_id, offer)
        self.subscriptions[vizio_id] = self._begin(
            vizio_id, self.customer(email), offer, self.clock.now
        )
        return self.vizio("SUBSCRIPTION.CREATED", vizio_id, days)

    def vizio(
        self, name: str, vizio_id: str, days: int = 30, offer: str = ""
    ) -> PendingDelivery:
        """Vizio notifies Cleeng, and Cleeng tells the site.

        :param name: one of :data:`niteoweb.click2sell.providers.cleeng.protocol.VIZIO`.
        :param days: until the end of access, where it has a new one.
        :param offer: the new one, of an update.
        """
        subscription = self.subscriptions[vizio_id]
        if name in ("SUBSCRIPTION.CREATED", "SUBSCRIPTION.PAYMENT.SUCCESSFUL"):
            start = max(subscription.expires_at, self.clock.now)
            subscription = replace(subscription, expires_at=start + timedelta(days=days))
        if name == "SUBSCRIPTION.UPDATED":
            subscription = replace(subscription, offer=offer or subscription.offer)
        if name == "SUBSCRIPTION.REACTIVATED":
            subscription = replace(subscription, active=True)
        if name in ("SUBSCRIPTION.EXPIRED", "SUBSCRIPTION.PAYMENT.REFUND"):
            subscription = replace(subscription, active=False, expires_at=self.clock.now)
        self.subscriptions[vizio_id] = subscription
        return self._tell(name, self._data(subscription))

    def run(self) -> None:
        """Validate the purchases that are due, and write the webhooks about them."""
        for validation in self.validations.values():
            if validation.state == PENDING and validation.due_at <= self.clock.now:
                self._validate(validation)

    def answer(self, request: Request) -> Response:
        """The answer of the API, which queues purchases to validate and tells their status."""
        if request.headers.get("x-publisher-token") != self.token:
            return self.error(401)
        if (request.method, *request.path) == ("POST", "vizio", "purchase-validation"):
            return self._queue(request)
        if (request.method, *request.path) == ("GET", "vizio", "purchase-status"):
            self.run()
            validation = self.validations.get(request.query.get("correlationId", ""))
            if validation is None:
                return self.error(404)
            return Response(200, {"status": validation.state, **validation.result})
        return self.error(404)

    def error(self, status: int) -> Response:
        """An error; how Cleeng writes it is assumed."""
        headers = {"Retry-After": "2"} if status == 429 else {}
        return Response(status, {"message": f"error {status}"}, headers)

    def _queue(self, request: Request) -> Response:
        try:
            asked = json.loads(request.body)
            email, vizio_id = str(asked["customerEmail"]), str(asked["subscriptionId"])
        except (ValueError, KeyError, TypeError):
            return self.error(422)
        correlation_id = secrets.token_hex(16)
        due_at = self.clock.now + VALIDATION
        offer = self.bought.get(vizio_id, "")
        self.validations[correlation_id] = Validation(
            correlation_id, email, vizio_id, offer, due_at
        )
        return Response(200, {"message": "OK", "correlationId": correlation_id})

    def _validate(self, validation: Validation) -> None:
        if not validation.offer:
            validation.state = FAILED
            validation.result = {"reason": "unknown purchase"}
            data = {"correlationId": validation.correlation_id, **validation.result}
            self._tell("inappPurchaseValidationFailed", data)
            return
        validation.state = SUCCEEDED
        customer_id = self.customer(validation.email)
        old = self.subscriptions.get(validation.vizio_id)
        bought = validation.vizio_id, customer_id, validation.offer
        month_ahead = self.clock.now + timedelta(days=30)
        changes: dict[str, Any] = {}
        if old is None:
            result, new = "SubscriptionCreated", self._begin(*bought, month_ahead)
        elif old.customer_id != customer_id and old.active:
            result, new = protocol.TRANSFERRED, self._begin(*bought, old.expires_at)
            changes = {
                "prevSubscriptionId": old.subscription_id,
                "prevCustomerId": old.customer_id,
            }
        elif not old.active:
            result, new = (
                "SubscriptionRevived",
                replace(old, active=True, customer_id=customer_id, expires_at=month_ahead),
            )
        else:
            result, new = "SubscriptionSynchronized", old
        self.subscriptions[validation.vizio_id] = new
        validation.result = {"result": result}
        result_data = {"result": result, "correlationId": validation.correlation_id, **changes}
        self._tell(protocol.VALIDATED, {**self._data(new), **result_data})
        if old is not None and result == protocol.TRANSFERRED:
            self._tell("subscriptionTerminated", self._data(replace(old, active=False)))
        if new is not old and result != "SubscriptionRevived":
            self._tell("subscriptionCreated", self._data(new))

    def _begin(
        self, vizio_id: str, customer_id: int, offer: str, end: datetime
    ) -> Subscription:
        self._last_id += 1
        return Subscription(self._last_id, vizio_id, customer_id, offer, end)

    def _data(self, subscription: Subscription) -> dict[str, Any]:
        """The data of a webhook about a subscription."""
        (email,) = (
            email for email, key in self._customers.items() if key == subscription.customer_id
        )
        return {
            "subscriptionId": subscription.subscription_id,
            "offerId": subscription.offer,
            "customerId": subscription.customer_id,
            "customerEmail": email,
            "active": subscription.active,
            "inTrial": subscription.trial,
            "expirationDate": subscription.expires_at.isoformat(),
            "paymentGateway": "vizio",
            "InAppSpecificData": {
                "invoiceNumber": f"{subscription.vizio_id}-{self.clock.now:%Y%m%d}",
                "subscriptionId": subscription.vizio_id,
            },
        }

    def _tell(self, topic: str, data: dict[str, Any]) -> PendingDelivery:
        webhook = {"broadcasterId": 123456789, "topic": topic, "data": data}
        if self.timestamps:
            webhook["timestamp"] = self.clock.now.isoformat()
        return self.webhooks.write(topic, webhook)

    def _headers(self, secret: str, moment: datetime, body: bytes) -> dict[str, str]:
        return {HEADER: protocol.sign(secret, body, self.encoding)}
