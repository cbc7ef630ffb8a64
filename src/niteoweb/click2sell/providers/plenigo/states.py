"""plenigo's subscriptions and customers: how they stand, by a callback or by plenigo's API.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

Names and meanings of the fields are those of plenigo's OpenAPI description, version 250520. It
says that values which are the default may be missing, so that a subscription without ``status``
is taken for an active one, and one without ``accessBlocked`` for one that is not blocked.
"""

from dataclasses import replace
from datetime import datetime
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import SEVERAL_PIECES
from niteoweb.click2sell.notification import SEVERAL_USERS
from niteoweb.click2sell.provider import JsonBody
from typing import Any

import json


NAME = "plenigo"

#: The beginning of names in a payload whose values were read through the API.
READ = "read."

ACTIVE, INACTIVE, IGNORED = "ACTIVE", "INACTIVE", "IGNORED"

#: The kinds by which a subscription that is active can be told.
_GIVING = frozenset({Kind.PURCHASE, Kind.PLAN_CHANGE, Kind.REACTIVATION, Kind.CANCELLATION})
#: Kinds of events that stay as they are, in any state of the subscription.
_HAPPENED = frozenset({Kind.CHARGEBACK, Kind.PAYMENT_FAILED, Kind.UNKNOWN})


def stated(notification: Notification, subscription: JsonBody) -> Notification:
    """A callback about a subscription, with the state of the subscription in it.

    :param notification: with the kind by the type of the callback.
    :raises ParameterMissing: it gives access, but customer or product is missing.
    :raises ParameterInvalid: a field is malformed.
    """
    kind = notification.kind
    if kind in _HAPPENED or kind is Kind.INFORMATION:
        return replace(notification, **_bought(subscription))
    stands, until = _standing(subscription, notification.occurred_at)
    if kind is not Kind.EXPIRY and stands not in _GIVING:
        kind = stands
    return _with_state(notification, subscription, kind, until)


def of_subscription(
    notification: Notification, subscription: JsonBody, read_at: datetime
) -> Notification:
    """A notification, restated by the subscription as plenigo's API showed it later.

    A chargeback, a failed payment and an unknown kind keep their kind and their own time. All
    else becomes the state that was read: late and reordered callbacks do no harm.

    :param notification: of a callback.
    :param subscription: the answer to ``GET /subscriptions/{id}``.
    :param read_at: when it was read, in UTC.
    :raises ParameterMissing: an id is missing.
    :raises ParameterInvalid: a field is malformed, or it is another subscription.
    """
    if subscription.required("subscriptionId") != notification.transaction:
        raise ParameterInvalid("subscriptionId")
    notification = replace(
        notification,
        customer_id=subscription.required("deliveryCustomerId"),
        payload={**notification.payload, **_read(subscription, read_at)},
    )
    if notification.kind in _HAPPENED:
        return replace(notification, **_bought(subscription))
    stands, until = _standing(subscription, read_at)
    kind = stands
    if stands in _GIVING:
        # The kind of the callback, unless a cancellation came or was taken back since then.
        kinds = {Kind.PURCHASE, Kind.PLAN_CHANGE}
        kinds.add(stands if stands is Kind.CANCELLATION else Kind.REACTIVATION)
        kind = notification.kind if notification.kind in kinds else Kind.PLAN_CHANGE
    elif notification.kind is Kind.EXPIRY:
        kind = Kind.EXPIRY
    notification = replace(notification, occurred_at=read_at)
    return _with_state(notification, subscription, kind, until)


def of_listed(subscription: JsonBody, read_at: datetime) -> Notification:
    """The notification of a subscription that was found in a list, without a callback.

    :param subscription: an item of the answer to ``GET /subscriptions``.
    :param read_at: when it was read, in UTC.
    :returns: its state; two readings of one state have the same key.
    :raises ParameterMissing: an id is missing.
    :raises ParameterInvalid: a field is malformed.
    """
    transaction = subscription.required("subscriptionId")
    state = json.dumps(subscription.payload(), sort_keys=True)
    notification = Notification(
        key=idempotency_key(NAME, "listed", transaction, state),
        provider=NAME,
        kind=Kind.PLAN_CHANGE,
        transaction=transaction,
        receipt="",
        occurred_at=read_at,
        buyer="",
        email="",
        product_id="",
        customer_id=subscription.required("deliveryCustomerId"),
        fully_signed=True,
        payload=_read(subscription, read_at),
    )
    stands, until = _standing(subscription, read_at)
    kind = Kind.PLAN_CHANGE if stands in _GIVING else stands
    return _with_state(notification, subscription, kind, until)


def for_several(notification: Notification, why: str = SEVERAL_USERS) -> Notification:
    """A notification that does not tell whom it gives access.

    :param why: the code of the reason.
    """
    return replace(
        notification, kind=Kind.UNKNOWN, attention=why, snapshot=False, valid_until=None
    )


def of_customer(notification: Notification, customer: JsonBody) -> Notification:
    """A notification with the address and the names of its customer.

    :raises ParameterInvalid: the address cannot be one.
    """
    email = customer.address("email")
    return replace(
        notification,
        buyer=email.lower(),
        email=email,
        first_name=customer.title("firstName"),
        last_name=customer.title("lastName"),
    )


def _standing(subscription: JsonBody, now: datetime) -> tuple[Kind, datetime | None]:
    """The state of a subscription at a moment, and the end of access, None for an open end.

    :returns: plan change for one that goes on, cancellation, expiry, or information for one
        that never was.
    """
    status = subscription.choice("status", (ACTIVE, INACTIVE, IGNORED)) or ACTIVE
    end = subscription.moment("endDate")
    if status == IGNORED:
        return Kind.INFORMATION, None
    if status == INACTIVE:
        return Kind.EXPIRY, end
    if subscription.boolean("accessBlocked"):
        # plenigo itself keeps the customer out, until the change that takes it back.
        return Kind.EXPIRY, now
    cancelled = subscription.has("cancellationDate")
    return Kind.CANCELLATION if cancelled else Kind.PLAN_CHANGE, end


def _with_state(
    notification: Notification, subscription: JsonBody, kind: Kind, until: datetime | None
) -> Notification:
    """A notification that states a subscription: its kind, product and end."""
    if kind is Kind.EXPIRY:
        until = min(until or notification.occurred_at, notification.occurred_at)
    notification = replace(
        notification,
        kind=kind,
        valid_until=until if kind is not Kind.INFORMATION else None,
        snapshot=kind in _GIVING,
        # A subscription that was not cancelled goes on: its end is that of the term.
        subscription=kind in _GIVING and not subscription.has("cancellationDate"),
        **_bought(subscription),
    )
    if kind not in _GIVING:
        return notification
    # Another customer may pay; access belongs to this one.
    customer_id = subscription.required("deliveryCustomerId")
    if not notification.product_id:
        subscription.required("plenigoOfferId")
    notification = replace(notification, customer_id=customer_id)
    if subscription.has("multiuserSettings") or "MULTIUSER" in subscription.text(
        "subscriptionType"
    ):
        return for_several(notification)
    if any((item.integer("quantity") or 1) > 1 for item in _items(subscription)):
        return for_several(notification, SEVERAL_PIECES)
    return notification


def _bought(subscription: JsonBody) -> dict[str, Any]:
    """The product as fields of a notification: the offer, else the items."""
    items = _items(subscription)
    named = [subscription.identifier("plenigoOfferId")]
    named += [item.identifier("productId") for item in items]
    named += [item.identifier("accessRightUniqueId") for item in items]
    names = tuple(dict.fromkeys(filter(None, named)))
    return {
        "product_id": names[0] if names else "",
        "aliases": names[1:],
        "product_name": items[0].title("title") if items else "",
    }


def _items(subscription: JsonBody) -> list[JsonBody]:
    """The items that are active; where none is, all that there were."""
    items = subscription.parts("items")
    return [item for item in items if item.text("status") != INACTIVE] or items


def _read(subscription: JsonBody, read_at: datetime) -> dict[str, str]:
    """A subscription that was read, for a payload."""
    payload = {READ + name: value for name, value in subscription.payload().items()}
    return {**payload, f"{READ}at": read_at.isoformat()}
