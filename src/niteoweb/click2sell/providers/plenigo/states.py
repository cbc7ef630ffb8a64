"""plenigo's subscriptions and customers: how they stand, by a callback or by plenigo's API.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

Names and meanings of the fields are those of plenigo's OpenAPI description, version 250520. It
says that values which are the default may be missing, so that a subscription without ``status``
is taken for an active one, and one without ``accessBlocked`` for one that is not blocked.
"""

from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import SEVERAL_PIECES
from niteoweb.click2sell.notification import SEVERAL_USERS
from niteoweb.click2sell.provider import for_several
from niteoweb.click2sell.provider import JsonBody
from typing import Any

import json


NAME = "plenigo"

#: The beginning of names in a payload whose values were read through the API.
READ = "read."

ACTIVE, INACTIVE, IGNORED = "ACTIVE", "INACTIVE", "IGNORED"
#: The status of a customer who may use what was bought, and those of one who may not.
ACTIVATED = "ACTIVATED"
SUSPENDED = ("BLOCKED", "DEACTIVATED", "DISABLED")
#: The end of addresses that plenigo makes up for customers without one: nobody reads them.
PSEUDO = "@plenigo-mail.com"

#: A start that is later than this is one to come; clocks differ by less.
SOON = timedelta(minutes=10)

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
        return replace(notification, **bought(subscription))
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
        customer_id=recipient(subscription),
        payload={**notification.payload, **read(subscription, read_at)},
    )
    if notification.kind in _HAPPENED:
        return replace(notification, **bought(subscription))
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
        customer_id=recipient(subscription),
        fully_signed=True,
        payload=read(subscription, read_at),
    )
    stands, until = _standing(subscription, read_at)
    kind = Kind.PLAN_CHANGE if stands in _GIVING else stands
    return _with_state(notification, subscription, kind, until)


def of_customer(notification: Notification, customer: JsonBody) -> Notification:
    """A notification with the address and the names of its customer.

    :raises ParameterInvalid: the address cannot be one.
    """
    email = customer.address("email")
    if email.lower().endswith(PSEUDO):
        email = ""
    return replace(
        notification,
        buyer=email.lower(),
        email=email,
        first_name=customer.title("firstName"),
        last_name=customer.title("lastName"),
    )


def of_status(notification: Notification, customer: JsonBody) -> Notification:
    """A notification about a customer, with the meaning of the status for access.

    :raises ParameterInvalid: a field is malformed.
    """
    if customer.boolean("processingBlocked"):
        # Nothing may be done with the customer's data any more, as after a deletion.
        return replace(
            notification, kind=Kind.EXPIRY, customer_deleted=True, buyer="", email=""
        )
    status = customer.text("status")
    if status in (ACTIVATED, *SUSPENDED):
        return replace(notification, customer_suspended=status != ACTIVATED)
    return notification


def of_read_customer(customer: JsonBody, read_at: datetime) -> Notification:
    """The notification of a customer whom plenigo's API showed, without a callback.

    :raises ParameterMissing: the id is missing.
    :raises ParameterInvalid: a field is malformed.
    """
    customer_id = customer.required("customerId")
    state = json.dumps([customer.text("status"), str(customer.moment("changedDate"))])
    notification = Notification(
        key=idempotency_key(NAME, "customer", customer_id, state),
        provider=NAME,
        kind=Kind.INFORMATION,
        transaction=f"customer {customer_id}",
        receipt="",
        occurred_at=customer.moment("changedDate") or read_at,
        buyer="",
        email="",
        product_id="",
        customer_id=customer_id,
        fully_signed=True,
    )
    return of_status(of_customer(notification, customer), customer)


def recipient(bought: JsonBody) -> str:
    """The customer whom access belongs to: who pays for it, where plenigo names nobody else.

    :raises ParameterMissing: nobody is named, or not who gets the gift.
    """
    if bought.has("deliveryCustomerId") or bought.has("giftInfo"):
        return bought.required("deliveryCustomerId")
    return bought.identifier("invoiceCustomerId") or bought.required("deliveryCustomerId")


def _standing(subscription: JsonBody, now: datetime) -> tuple[Kind, datetime | None]:
    """The state of a subscription at a moment, and the end of access, None for an open end.

    :returns: plan change for one that goes on, cancellation, or expiry.
    """
    status = subscription.choice("status", (ACTIVE, INACTIVE, IGNORED)) or ACTIVE
    end = subscription.moment("endDate")
    if status == IGNORED:
        # A step that will never begin: a trial was cancelled before it.
        return Kind.EXPIRY, subscription.moment("startDate")
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
        valid_from=_start(subscription, notification.occurred_at) if kind in _GIVING else None,
        valid_until=until,
        snapshot=kind in _GIVING,
        # A subscription that was not cancelled goes on: its end is that of the term.
        subscription=kind in _GIVING and not subscription.has("cancellationDate"),
        **bought(subscription),
    )
    if kind not in _GIVING:
        return notification
    # Another customer may pay; access belongs to this one.
    customer_id = recipient(subscription)
    if not notification.product_id:
        subscription.required("plenigoOfferId")
    notification = replace(notification, customer_id=customer_id)
    if subscription.has("multiuserSettings") or "MULTIUSER" in subscription.text(
        "subscriptionType"
    ):
        return for_several(notification, SEVERAL_USERS)
    if any((item.integer("quantity") or 1) > 1 for item in items_of(subscription)):
        return for_several(notification, SEVERAL_PIECES)
    return notification


def _start(subscription: JsonBody, now: datetime) -> datetime | None:
    """When access begins: a start to come, or the end of a pause; None for now."""
    start = subscription.moment("startDate")
    paused = subscription.part("paused")
    if paused.text("pauseType") != "PAYMENT_ONLY" and paused.has("endPauseDate"):
        since, back = (_day(paused, f"{name}PauseDate") for name in ("start", "end"))
        if back and (since is None or since <= now):
            start = max(start or back, back)
    return start if start and start - now > SOON else None


def _day(body: JsonBody, name: str) -> datetime | None:
    """The beginning of a day, which plenigo writes without a time."""
    text = body.text(name)[:10]
    try:
        return datetime.fromisoformat(text).replace(tzinfo=timezone.utc) if text else None
    except ValueError:
        raise ParameterInvalid(name) from None


def bought(subscription: JsonBody) -> dict[str, Any]:
    """The product as fields of a notification: the offer, else the items."""
    items = items_of(subscription)
    named = [subscription.identifier("plenigoOfferId")]
    named += [item.identifier("productId") for item in items]
    named += [item.identifier("accessRightUniqueId") for item in items]
    names = tuple(dict.fromkeys(filter(None, named)))
    return {
        "product_id": names[0] if names else "",
        "aliases": names[1:],
        "product_name": items[0].title("title") if items else "",
    }


def items_of(subscription: JsonBody) -> list[JsonBody]:
    """The items that are active; where none is, all that there were."""
    items = subscription.parts("items")
    return [item for item in items if item.text("status") != INACTIVE] or items


def read(subscription: JsonBody, read_at: datetime) -> dict[str, str]:
    """A subscription that was read, for a payload."""
    payload = {READ + name: value for name, value in subscription.payload().items()}
    return {**payload, f"{READ}at": read_at.isoformat()}
