"""The life of a plenigo that is not real: customers, subscriptions, signed callbacks."""

from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.providers.plenigo import protocol
from niteoweb.click2sell.providers.plenigo import sample
from niteoweb.click2sell.providers.plenigo.fake.access import FakeAccess
from niteoweb.click2sell.providers.plenigo.fake.api import shown
from niteoweb.click2sell.providers.plenigo.fake.api import text
from niteoweb.click2sell.providers.plenigo.fake.apps import FakeApps
from niteoweb.click2sell.providers.plenigo.fake.imports import FakeImports
from niteoweb.click2sell.providers.plenigo.fake.oauth import FakeOAuth
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import Sender
from typing import Any


TOKEN = "a token for tests"  # noqa: S105
SECRET = "a secret for tests"  # noqa: S105

#: When plenigo tries a callback again that failed.
RETRIES = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))

#: Days that a renewal adds to a subscription that was begun without an end.
TERM = 30


class FakePlenigo(FakeAccess, FakeApps, FakeImports, FakeOAuth):
    """A plenigo on this machine, while its ``with`` block lasts.

    Each change of a customer or subscription puts a callback on the pile of :attr:`callbacks`,
    which ``callbacks.deliver(url)`` delivers.

    :ivar token: the API asks for it.
    :ivar callbacks: sends the pending ones.
    """

    def __init__(
        self, secret: str = SECRET, token: str = TOKEN, clock: Clock | None = None
    ) -> None:
        super().__init__(token, clock)
        self.callbacks = Sender(self.clock, _headers, secret, RETRIES)
        self._customer_id = 100000
        self._subscription_id = self._order_id = 0
        self._ends: dict[int, datetime] = {}

    def add_customer(self, email: str, first_name: str = "", last_name: str = "") -> str:
        """A customer registers.

        :returns: the customer's id.
        """
        self._customer_id += 1
        customer_id = str(self._customer_id)
        self.customers[customer_id] = {"customerId": customer_id, "status": "ACTIVATED"}
        names = {"firstName": first_name, "lastName": last_name}
        self._change_customer(customer_id, protocol.CREATION, email=email, **names)
        return customer_id

    def change_address(self, customer_id: str, email: str) -> None:
        """A customer has another mail address from now on."""
        self._change_customer(customer_id, protocol.CHANGE, email=email)

    def change_status(self, customer_id: str, status: str) -> None:
        """plenigo keeps a customer out, or lets the customer in: ``ACTIVATED``."""
        self._change_customer(customer_id, protocol.CHANGE, status=status)

    def delete_customer(self, customer_id: str) -> None:
        """A customer is gone; the callback has no entity."""
        del self.customers[customer_id]
        self._tell(protocol.CUSTOMER, protocol.DELETION, customer_id, None)

    def subscribe(
        self,
        customer_id: str,
        offer: str,
        days: int | None = 30,
        product: str = "P_1",
        access_right: str = "access",
        quantity: int = 1,
        start: datetime | None = None,
        chain: int | None = None,
    ) -> int:
        """A customer subscribes to an offer.

        Like plenigo's a subscription has no end until it is cancelled.

        :param days: of the term; None for none.
        :param start: None for now.
        :param chain: id of the subscription that it follows.
        :returns: the subscription's id.
        """
        self._subscription_id += 1
        subscription_id = self._subscription_id
        start = start or self.clock.now
        self._ends[subscription_id] = start + timedelta(days=days or TERM)
        self.subscriptions[subscription_id] = {
            "subscriptionId": subscription_id,
            "chainId": chain or subscription_id,
            "plenigoOfferId": offer,
            "invoiceCustomerId": customer_id,
            "deliveryCustomerId": customer_id,
            "startDate": text(start),
            "endDate": None,
            "nextBookingDate": self._ends[subscription_id].date().isoformat(),
            "term": days or 0,
            "termTimeSpan": "DAY" if days else "NONE",
            "currency": "EUR",
            "paymentMethod": "CREDIT_CARD",
            "accessBlocked": False,
            "status": "ACTIVE",
            "items": [
                {
                    "subscriptionItemId": subscription_id,
                    "productId": product,
                    "accessRightUniqueId": access_right,
                    "title": offer,
                    "price": 9.9,
                    "quantity": quantity,
                    "status": "ACTIVE",
                }
            ],
        }
        self._change(subscription_id, protocol.CREATION)
        return subscription_id

    def change(self, subscription_id: int, **fields: Any) -> None:
        """A subscription changes: its offer, its end, whether access is blocked.

        :param fields: as the API shows them, ``plenigoOfferId`` for example.
        """
        self._change(subscription_id, protocol.CHANGE, **fields)

    def cancel(self, subscription_id: int) -> None:
        """A subscription is cancelled: it goes on up to its end.

        Steps of its chain that have not begun never will.
        """
        subscription, now = self.subscriptions[subscription_id], self.clock.now
        end = max(self._ends[subscription_id], now)
        self._change(
            subscription_id, "CANCELLATION", cancellationDate=text(now), endDate=text(end)
        )
        for id_, other in self.subscriptions.items():
            begins = datetime.fromisoformat(other["startDate"])
            follows = id_ != subscription_id and other["chainId"] == subscription["chainId"]
            if follows and begins > now and other["status"] == "ACTIVE":
                self._change(id_, protocol.CHANGE, status="IGNORED")

    def undo_cancellation(self, subscription_id: int) -> None:
        """A cancellation is taken back."""
        self._change(subscription_id, "UNDO_CANCELLATION", cancellationDate=None, endDate=None)

    def end(self, subscription_id: int) -> None:
        """A subscription is over."""
        self._change(subscription_id, "ENDED", status="INACTIVE", endDate=text(self.clock.now))

    def revoke_payment(self, subscription_id: int) -> None:
        """The bank takes a payment back, and plenigo the subscription."""
        self._change(subscription_id, "PAYMENT_REVOKED", status="INACTIVE")

    def fail_payment(self, subscription_id: int) -> None:
        """A payment for a subscription fails."""
        customer_id = self.subscriptions[subscription_id]["deliveryCustomerId"]
        entity = {"subscriptionId": subscription_id, "customerId": customer_id}
        self._tell(
            protocol.FAILED_PAYMENT, protocol.PAYMENT_FAILED, str(subscription_id), entity
        )

    def order(
        self,
        customer_id: str,
        product: str,
        offer: str = "",
        access_right: str = "",
        subscription_item: int | None = None,
        **fields: Any,
    ) -> int:
        """A customer orders a product.

        :param subscription_item: the item is a subscription's.
        :param fields: of the item, ``validityEndDate`` for example.
        :returns: the order's id.
        """
        self._order_id += 1
        item = {
            "position": 0,
            "productId": product,
            "plenigoOfferId": offer,
            "accessRightUniqueId": access_right,
            "title": product,
            "price": 2.5,
            "quantity": 1,
            "deliveryCustomerId": customer_id,
            "subscriptionItemId": subscription_item,
            **fields,
        }
        self.orders[self._order_id] = {
            "orderId": self._order_id,
            "status": "DONE",
            "orderDate": text(self.clock.now),
            "accumulatedPrice": 2.5,
            "currency": "EUR",
            "paymentMethod": "CREDIT_CARD",
            "invoiceCustomerId": customer_id,
            "changedDate": text(self.clock.now),
            "items": [shown(item)],
        }
        self._tell(
            protocol.ORDER, protocol.CREATION, str(self._order_id), self.orders[self._order_id]
        )
        return self._order_id

    def cancel_order(self, order_id: int) -> None:
        """plenigo cancels an order, and tells nobody."""
        self.orders[order_id].update(status="CANCELLED", changedDate=text(self.clock.now))

    def subscribe_in_store(
        self, customer_id: str, access_right: str, days: int | None = None
    ) -> int:
        """A subscription in an app store becomes a customer's.

        :returns: its id.
        """
        self._subscription_id += 1
        end = None if days is None else text(self.clock.now + timedelta(days=days))
        self.store_subscriptions[self._subscription_id] = {
            "appStoreSubscriptionId": self._subscription_id,
            "customerId": customer_id,
            "startDate": text(self.clock.now),
            "endDate": end,
            "status": "ACTIVE",
            "accessRightUniqueId": access_right,
        }
        self.change_in_store(self._subscription_id, protocol.CREATION)
        return self._subscription_id

    def change_in_store(
        self, id_: int, callback_type: str = protocol.CHANGE, **fields: Any
    ) -> None:
        """A subscription in an app store changes."""
        subscription = self.store_subscriptions[id_]
        subscription.update(fields, changedDate=text(self.clock.now))
        type_ = protocol.APP_STORE_SUBSCRIPTION
        self._tell(type_, callback_type, str(id_), shown(subscription))

    def let_pass(self, **by: float) -> None:
        """Move the clock, and renew the subscriptions that are due, or end the cancelled ones.

        :param by: arguments of :class:`datetime.timedelta`: ``days=30``.
        """
        until = self.clock.now + timedelta(**by)
        while due := self._next_due(until):
            end, subscription_id = due
            self.clock.now = max(self.clock.now, end)
            subscription = self.subscriptions[subscription_id]
            if subscription.get("cancellationDate"):
                self.end(subscription_id)
            else:
                later = end + timedelta(days=subscription["term"] or TERM)
                self._ends[subscription_id] = later
                self.change(subscription_id, nextBookingDate=later.date().isoformat())
        self.clock.now = until

    def _next_due(self, until: datetime) -> tuple[datetime, int] | None:
        ends = [
            (self._ends[subscription_id], subscription_id)
            for subscription_id, subscription in self.subscriptions.items()
            if subscription["status"] == "ACTIVE"
            and (subscription["term"] or subscription.get("cancellationDate"))
        ]
        return min((end for end in ends if end[0] <= until), default=None)

    def _change(self, subscription_id: int, callback_type: str, **fields: Any) -> None:
        subscription = self.subscriptions[subscription_id]
        subscription.update(fields, changedDate=text(self.clock.now))
        self._tell(
            protocol.SUBSCRIPTION, callback_type, str(subscription_id), shown(subscription)
        )

    def _change_customer(self, customer_id: str, callback_type: str, **fields: Any) -> None:
        customer = self.customers[customer_id]
        customer.update(fields, changedDate=text(self.clock.now))
        self._tell(protocol.CUSTOMER, callback_type, customer_id, shown(customer))

    def _tell(self, entity_type: str, callback_type: str, entity_id: str, entity: Any) -> None:
        body = sample.callback(entity_type, callback_type, entity_id, entity)
        self.callbacks.put(f"{entity_type} {callback_type}", body)


def _headers(secret: str, moment: datetime, body: bytes) -> dict[str, str]:
    return {protocol.SIGNATURE: protocol.sign(secret, int(moment.timestamp()), body)}
