"""plenigo's single products and in-app purchases: orders, and subscriptions of app stores.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

An order has items. Those of a subscription name it, and the subscription tells the rest; the
others are bought once. The content of an order never changes: an item has one key, however it
became known. A subscription of an app store gives the access right that it names.

Names and meanings of the fields are those of plenigo's OpenAPI description, version 250520.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import SEVERAL_PIECES
from niteoweb.click2sell.provider import for_several
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.providers.plenigo import states

import json


CANCELLED = "CANCELLED"
PAUSED = "PAUSED"


def of_order(order: JsonBody, read_at: datetime) -> Iterator[Notification]:
    """The notifications of the single products in an order.

    :param order: of a callback, or the answer to ``GET /orders/{id}``.
    :param read_at: when it was read, in UTC.
    :raises ParameterMissing: an id is missing; of an item, after all others.
    :raises ParameterInvalid: a field is malformed; of an item, after all others.
    """
    number = order.required("orderId")
    unreadable = None
    for item in order.parts("items"):
        if item.has("subscriptionItemId") or item.has("voucherPurchase"):
            continue
        try:
            yield _of_item(order, number, item, read_at)
        except ParameterError as error:
            unreadable = unreadable or error
    if unreadable is not None:
        raise unreadable


def _of_item(order: JsonBody, number: str, item: JsonBody, read_at: datetime) -> Notification:
    cancelled = order.text("status") == CANCELLED
    position = item.required("position")
    parts = (number, position, *((CANCELLED,) if cancelled else ()))
    at = order.moment("changedDate") if cancelled else order.moment("orderDate")
    fields = ("plenigoOfferId", "productId", "plenigoProductId", "accessRightUniqueId")
    names = list(dict.fromkeys(filter(None, map(item.identifier, fields))))
    gives_to = item if item.has("deliveryCustomerId") else order
    notification = Notification(
        key=idempotency_key(states.NAME, "order", *parts),
        provider=states.NAME,
        kind=Kind.REFUND if cancelled else Kind.PURCHASE,
        transaction=f"order {number}/{position}",
        receipt=number,
        occurred_at=at or read_at,
        buyer="",
        email="",
        product_id=names[0] if names else item.required("productId"),
        product_name=item.title("title"),
        aliases=tuple(names[1:]),
        valid_until=item.moment("validityEndDate"),
        customer_id=states.recipient(gives_to),
        fully_signed=True,
        payload=states.read(item, read_at),
    )
    if not cancelled and (item.integer("quantity") or 1) > 1:
        notification = for_several(notification, SEVERAL_PIECES)
    return notification


def of_app_store(subscription: JsonBody, read_at: datetime) -> Notification:
    """The notification of a subscription in an app store: its state.

    :param subscription: of a callback, or as ``GET /appStores/subscriptions`` shows it.
    :param read_at: when it was read, in UTC.
    :returns: information while it is no customer's.
    :raises ParameterMissing: an id is missing.
    :raises ParameterInvalid: a field is malformed.
    """
    number = subscription.required("appStoreSubscriptionId")
    state = json.dumps(subscription.payload(), sort_keys=True)
    notification = Notification(
        key=idempotency_key(states.NAME, "app store", number, state),
        provider=states.NAME,
        kind=Kind.INFORMATION,
        transaction=f"app store {number}",
        receipt="",
        occurred_at=read_at,
        buyer="",
        email="",
        product_id="",
        customer_id=subscription.identifier("customerId"),
        fully_signed=True,
        payload=states.read(subscription, read_at),
    )
    return standing(notification, subscription)


def standing(notification: Notification, subscription: JsonBody) -> Notification:
    """A notification that states a subscription of an app store as it is at its time.

    :raises ParameterMissing: an id is missing.
    :raises ParameterInvalid: a field is malformed.
    """
    customer_id = subscription.identifier("customerId")
    if not customer_id:
        return notification
    statuses = (states.ACTIVE, PAUSED, states.INACTIVE, states.IGNORED)
    status = subscription.choice("status", statuses) or states.ACTIVE
    now, end = notification.occurred_at, subscription.moment("endDate")
    notification = replace(
        notification,
        customer_id=customer_id,
        product_id=subscription.required("accessRightUniqueId"),
    )
    if status != states.ACTIVE:
        begun = subscription.moment("startDate") if status == states.IGNORED else end
        return replace(notification, kind=Kind.EXPIRY, valid_until=min(begun or now, now))
    cancelled = subscription.has("cancellationDate")
    start = subscription.moment("startDate")
    return replace(
        notification,
        kind=Kind.CANCELLATION if cancelled and end else Kind.PLAN_CHANGE,
        valid_from=start if start and start - now > states.SOON else None,
        valid_until=end,
        snapshot=True,
        subscription=not cancelled,
    )
