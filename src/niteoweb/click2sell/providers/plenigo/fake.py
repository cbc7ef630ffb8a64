"""A plenigo that is not real: customers, subscriptions, signed callbacks, and the API.

Fields, errors and limits are those of plenigo's OpenAPI description, version 250520. A size
that is out of range counts as 5, as it says there.
"""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell.providers.plenigo import protocol
from niteoweb.click2sell.providers.plenigo import sample
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import FakeServer
from niteoweb.click2sell.testing import Request
from niteoweb.click2sell.testing import Response
from niteoweb.click2sell.testing import Sender
from typing import Any


TOKEN = "a token for tests"  # noqa: S105
SECRET = "a secret for tests"  # noqa: S105

#: When plenigo tries a callback again that failed.
RETRIES = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))

#: Days that a renewal adds to a subscription that was begun without an end.
TERM = 30

SIZES = range(5, 101)
DEFAULT_SIZE = 5

ERRORS = {
    400: (99400, "Provided data cannot be processed."),
    401: (99015, "Api token provided is not authorized."),
    404: (99404, "Entity for given id does not exist."),
    429: (99429, "The rate limit for this endpoint is reached. Please try again later."),
    500: (99500, "Currently we are not able to answer your request."),
    503: (99502, "Bad Gateway."),
}


class FakePlenigo(FakeServer):
    """A plenigo on this machine, while its ``with`` block lasts.

    Each change of a customer or subscription puts a callback on the pile of :attr:`callbacks`,
    which ``callbacks.deliver(url)`` delivers.

    :ivar token: the API asks for it.
    :ivar callbacks: sends the pending ones.
    :ivar customers: by id, as the API shows them.
    :ivar subscriptions: by id, as the API shows them.
    """

    base = "/api/v3.0"

    def __init__(
        self, secret: str = SECRET, token: str = TOKEN, clock: Clock | None = None
    ) -> None:
        super().__init__(clock)
        self.token = token
        self.callbacks = Sender(self.clock, _headers, secret, RETRIES)
        self.customers: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[int, dict[str, Any]] = {}
        self._customer_id = 100000
        self._subscription_id = 0

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
    ) -> int:
        """A customer subscribes to an offer.

        :param days: until its end, which is moved by each renewal; None for no end.
        :returns: the subscription's id.
        """
        self._subscription_id += 1
        subscription_id = self._subscription_id
        end = None if days is None else self.clock.now + timedelta(days=days)
        self.subscriptions[subscription_id] = {
            "subscriptionId": subscription_id,
            "chainId": subscription_id,
            "plenigoOfferId": offer,
            "invoiceCustomerId": customer_id,
            "deliveryCustomerId": customer_id,
            "startDate": _text(self.clock.now),
            "endDate": end and _text(end),
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
        """A subscription is cancelled: it goes on up to its end."""
        self._change(subscription_id, "CANCELLATION", cancellationDate=_text(self.clock.now))

    def undo_cancellation(self, subscription_id: int) -> None:
        """A cancellation is taken back."""
        self._change(subscription_id, "UNDO_CANCELLATION", cancellationDate=None)

    def end(self, subscription_id: int) -> None:
        """A subscription is over."""
        self._change(subscription_id, "ENDED", status="INACTIVE", endDate=_text(self.clock.now))

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
                self.change(subscription_id, endDate=_text(later))
        self.clock.now = until

    def answer(self, request: Request) -> Response:
        """The answer of the API."""
        if request.headers.get("x-plenigo-token") != self.token:
            return self.error(401)
        if request.method == "GET" and request.path == ("subscriptions",):
            return self._page(request)
        known = {
            "customers": self.customers,
            "subscriptions": {str(key): value for key, value in self.subscriptions.items()},
        }
        if request.method != "GET" or len(request.path) != 2 or request.path[0] not in known:
            return self.error(404)
        record = known[request.path[0]].get(request.path[1])
        return self.error(404) if record is None else Response(200, _shown(record))

    def error(self, status: int) -> Response:
        """An error, as plenigo documents it."""
        code, message = ERRORS[status]
        headers = {"Retry-After": "2"} if status == 429 else {}
        return Response(status, {"errorCode": code, "errorMessage": message}, headers)

    def _page(self, request: Request) -> Response:
        query = request.query
        try:
            size = int(query.get("size", DEFAULT_SIZE))
            after = int(query.get("startingAfter", 0))
            since = datetime.fromisoformat(query.get("startTime", "1990-01-01T00:00:00Z"))
        except ValueError:
            return self.error(400)
        size = size if size in SIZES else DEFAULT_SIZE
        subscriptions = [
            _shown(value)
            for key, value in sorted(self.subscriptions.items())
            if key > after and datetime.fromisoformat(value["changedDate"]) >= since
        ]
        return Response(200, {"items": subscriptions[:size]})

    def _next_due(self, until: datetime) -> tuple[datetime, int] | None:
        ends = [
            (datetime.fromisoformat(subscription["endDate"]), subscription_id)
            for subscription_id, subscription in self.subscriptions.items()
            if subscription["status"] == "ACTIVE" and subscription["endDate"]
        ]
        return min((end for end in ends if end[0] <= until), default=None)

    def _change(self, subscription_id: int, callback_type: str, **fields: Any) -> None:
        subscription = self.subscriptions[subscription_id]
        subscription.update(fields, changedDate=_text(self.clock.now))
        self._tell(
            protocol.SUBSCRIPTION, callback_type, str(subscription_id), _shown(subscription)
        )

    def _change_customer(self, customer_id: str, callback_type: str, **fields: Any) -> None:
        customer = self.customers[customer_id]
        customer.update(fields, changedDate=_text(self.clock.now))
        self._tell(protocol.CUSTOMER, callback_type, customer_id, _shown(customer))

    def _tell(self, entity_type: str, callback_type: str, entity_id: str, entity: Any) -> None:
        body = sample.callback(entity_type, callback_type, entity_id, entity)
        self.callbacks.put(f"{entity_type} {callback_type}", body)


def _headers(secret: str, moment: datetime, body: bytes) -> dict[str, str]:
    return {protocol.SIGNATURE: protocol.sign(secret, int(moment.timestamp()), body)}


def _shown(entity: dict[str, Any]) -> dict[str, Any]:
    """An entity as it goes out: values that are not there are left out."""
    return {name: value for name, value in entity.items() if value not in (None, "")}


def _text(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
