"""Stripe's subscriptions and features: how they stand, by an event or by Stripe's API.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A subscription has several items, and each is a product with a chain of its own: the item's id
is the transaction, and stays when its price changes. Since API version 2025-03-31 the period
stands on the items, before on the subscription; both are read.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.notification import SEVERAL_PIECES
from niteoweb.click2sell.provider import for_several
from niteoweb.click2sell.provider import JsonBody
from typing import Any


NAME = "stripe"

#: The beginning of names in a payload whose values were read through the API.
READ = "read."
READ_AT = f"{READ}at"

#: The product of a customer's features: each feature is another name of it.
FEATURES = "features"

#: The kinds that a subscription with access can be told as.
GIVING = frozenset(
    {Kind.PURCHASE, Kind.RENEWAL, Kind.PLAN_CHANGE, Kind.REACTIVATION, Kind.CANCELLATION}
)

#: The statuses without access. A subscription that never was active has nothing to lose.
_NEVER = ("incomplete", "incomplete_expired")
_OVER = ("canceled", "unpaid", "paused")
PAST_DUE = "past_due"
_GOES_ON = ("active", "trialing", PAST_DUE)


def expanded(body: JsonBody, name: str) -> JsonBody:
    """An object that stands there in full, or as its id alone.

    :raises ParameterInvalid: it is neither.
    """
    try:
        return JsonBody({"id": body.identifier(name)})
    except ParameterInvalid:
        return body.part(name)


def reference(body: JsonBody, name: str) -> str:
    """The id of an object that stands there in full, or as its id alone; "" for none."""
    return expanded(body, name).identifier("id")


def bought(price: JsonBody) -> dict[str, Any]:
    """A price as fields of a notification: price, product and lookup key are its names."""
    product = expanded(price, "product")
    named = (price.identifier("id"), product.identifier("id"), price.text("lookup_key"))
    names = tuple(dict.fromkeys(filter(None, named)))
    return {
        "product_id": names[0] if names else "",
        "aliases": names[1:],
        "product_name": product.title("name") or price.title("nickname"),
    }


def of_item(notification: Notification, event_id: str, item_id: str) -> Notification:
    """The notification of one item out of an event about a whole subscription."""
    key = idempotency_key(NAME, event_id, item_id)
    return replace(notification, key=key, transaction=item_id)


def of_subscription(
    notification: Notification,
    event_id: str,
    subscription: JsonBody,
    before: JsonBody | None = None,
) -> tuple[Notification, ...]:
    """The notifications of a subscription: one for each item, and for each that is gone.

    :param notification: with the kind by the type of the event, and the time of the state.
    :param before: what an event says of the subscription before it.
    :raises ParameterMissing: an id is missing.
    :raises ParameterInvalid: a field is malformed.
    """
    before = before or JsonBody({})
    notification = replace(notification, customer_id=reference(subscription, "customer"))
    if before.boolean("cancel_at_period_end") or before.has("cancel_at"):
        notification = replace(notification, kind=Kind.REACTIVATION)
    items = {item.required("id"): item for item in subscription.parts("items.data")}
    gone = [item.required("id") for item in before.parts("items.data")]
    told = [
        _stated(of_item(notification, event_id, id_), subscription, item)
        for id_, item in items.items()
    ]
    told += [
        over(of_item(notification, event_id, id_))
        for id_ in dict.fromkeys(gone)
        if id_ not in items
    ]
    return tuple(told) or (replace(notification, kind=Kind.INFORMATION, receipt=""),)


def over(notification: Notification, ended_at: datetime | None = None) -> Notification:
    """A notification of an item that gives no access any more.

    :param ended_at: when it ended, if that was before the time of the notification.
    """
    moment = notification.occurred_at
    return replace(
        notification,
        kind=Kind.EXPIRY,
        # The invoice of a whole subscription must not end what is left of it.
        receipt="",
        valid_until=min(ended_at or moment, moment),
        snapshot=False,
        subscription=False,
    )


def of_features(notification: Notification, keys: Iterable[str]) -> Notification:
    """A notification that states all features which a customer has at its time.

    :param keys: the lookup keys of the features.
    """
    names = tuple(sorted({key for key in keys if key}))
    notification = replace(
        notification,
        transaction=f"{FEATURES} {notification.customer_id}",
        product_id=FEATURES,
        product_name=", ".join(names)[:255],
        aliases=names,
    )
    if not names:
        return over(notification)
    return replace(notification, kind=Kind.PLAN_CHANGE, snapshot=True)


def of_customer(notification: Notification, customer: JsonBody) -> Notification:
    """A notification with the address and the name of its customer.

    :raises ParameterInvalid: the address cannot be one.
    """
    email = customer.address("email")
    return replace(
        notification, buyer=email.lower(), email=email, first_name=customer.title("name")
    )


def with_read(notification: Notification, read: JsonBody, at: datetime) -> Notification:
    """A notification with an object of the API in its payload.

    :param at: when it was read, in UTC.
    """
    values = {READ + name: value for name, value in read.payload().items()}
    payload = {**notification.payload, **values, READ_AT: at.isoformat()}
    return replace(notification, payload=payload)


def _stated(notification: Notification, subscription: JsonBody, item: JsonBody) -> Notification:
    """A notification that states one item of a subscription."""
    notification = replace(notification, **bought(item.part("price")))
    status = subscription.required("status")
    if status in _NEVER:
        return replace(notification, kind=Kind.INFORMATION)
    if status in _OVER or subscription.text("pause_collection.behavior") == "void":
        return over(notification, subscription.moment("ended_at"))
    if status not in _GOES_ON:
        return replace(notification, kind=Kind.UNKNOWN)
    item.part("price").required("id")
    quantity = item.integer("quantity")
    if quantity == 0:
        return over(notification)
    if (quantity or 1) > 1:
        return for_several(notification, SEVERAL_PIECES)
    kind, until, renews = _standing(status, subscription, item)
    if kind is Kind.PLAN_CHANGE and notification.kind in GIVING - {Kind.CANCELLATION}:
        kind = notification.kind
    elif notification.kind is Kind.RENEWAL:
        kind = Kind.RENEWAL
    return replace(
        notification, kind=kind, valid_until=until, snapshot=True, subscription=renews
    )


def _standing(
    status: str, subscription: JsonBody, item: JsonBody
) -> tuple[Kind, datetime, bool]:
    """Plan change or cancellation, the end of access, and whether a renewal is expected."""
    start = _period(subscription, item, "current_period_start")
    end = _period(subscription, item, "current_period_end")
    if status == PAST_DUE:
        # The days of grace count from the invoice that is not paid, if that is known: it may be
        # for a change within a period that was paid. Else the period itself is not paid for.
        invoiced = expanded(subscription, "latest_invoice").moment("created")
        return Kind.PLAN_CHANGE, max(start, invoiced or start), True
    cancelled_to = subscription.moment("cancel_at")
    if subscription.boolean("cancel_at_period_end"):
        cancelled_to = cancelled_to or end
    # One that is to end after a later period is paid for until then, period by period.
    if cancelled_to is None or cancelled_to > end:
        return Kind.PLAN_CHANGE, end, True
    return Kind.CANCELLATION, cancelled_to, False


def _period(subscription: JsonBody, item: JsonBody, name: str) -> datetime:
    moment = item.moment(name) or subscription.moment(name)
    if moment is None:
        raise ParameterMissing(name)
    return moment
