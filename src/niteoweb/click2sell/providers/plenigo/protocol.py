"""plenigo: signed callbacks about subscriptions, payments and customers.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A callback is an object with ``entityType``, ``callbackType``, ``entityId`` and ``entity``, and
without an id of its own. The header ``plenigo-signature`` holds the time and one signature or
more, each an HMAC-SHA256 over time and raw body. A retry may carry a new time, so that the key
of a callback is its body.

A callback states all of a subscription, but names customers only by id; and it may be late.
:mod:`niteoweb.click2sell.providers.plenigo.states` reads the present state from plenigo's API.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from datetime import tzinfo
from niteoweb.click2sell.notification import Answer
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Event
from niteoweb.click2sell.notification import EVERYTHING
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import SEVERAL_USERS
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.provider import for_several
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import signatures
from niteoweb.click2sell.providers.plenigo import orders
from niteoweb.click2sell.providers.plenigo import states
from typing import Any

import hmac


NAME = states.NAME
TITLE = "plenigo"
SIGNED = EVERYTHING
#: plenigo looks at the status alone, and tries again after an error.
answer = Answer
#: The header with time and signatures, in lower case.
SIGNATURE = "plenigo-signature"

#: Between the secrets of several callbacks; a part that is shorter is none.
BETWEEN = "|"
SHORTEST_SECRET = 16

SUBSCRIPTION = "SUBSCRIPTION"
MULTIUSER_SUBSCRIPTION = "MULTIUSER_SUBSCRIPTION"
CUSTOMER = "CUSTOMER"
ORDER = "ORDER"
APP_STORE_SUBSCRIPTION = "APP_STORE_SUBSCRIPTION"
FAILED_PAYMENT = "FAILED_PAYMENT"
PAYMENT_FAILED = "PAYMENT_FAILED"
CHANGE = "CHANGE"
CREATION = "CREATION"
DELETION = "DELETION"

#: The kinds of callbacks about a subscription, by their type.
KINDS: Mapping[str, Kind] = {
    CREATION: Kind.PURCHASE,
    CHANGE: Kind.PLAN_CHANGE,
    "UNDO_CANCELLATION": Kind.REACTIVATION,
    "CANCELLATION": Kind.CANCELLATION,
    "ENDED": Kind.EXPIRY,
    "PAYMENT_REVOKED": Kind.CHARGEBACK,
    PAYMENT_FAILED: Kind.PAYMENT_FAILED,
}

_ATTENTION = "needs attention: who uses it is not said; nothing is granted"
_FAILED = "nothing changes; plenigo says when access ends"

#: Everything that plenigo tells, as entity type and callback type.
EVENTS = (
    Event("SUBSCRIPTION CREATION", Kind.PURCHASE, "access from its start to its end"),
    Event("SUBSCRIPTION CHANGE", Kind.PLAN_CHANGE, "product, start and end become plenigo's"),
    Event("SUBSCRIPTION UNDO_CANCELLATION", Kind.REACTIVATION, "access as plenigo states it"),
    Event("SUBSCRIPTION CANCELLATION", Kind.CANCELLATION, "access stays until its end"),
    Event("SUBSCRIPTION ENDED", Kind.EXPIRY, "access ends"),
    Event("SUBSCRIPTION PAYMENT_REVOKED", Kind.CHARGEBACK, "access ends now"),
    Event("SUBSCRIPTION PAYMENT_FAILED", Kind.PAYMENT_FAILED, _FAILED),
    Event("FAILED_PAYMENT PAYMENT_FAILED", Kind.PAYMENT_FAILED, _FAILED),
    Event("SUBSCRIPTION with a quantity above one", Kind.UNKNOWN, _ATTENTION),
    Event("ORDER CREATION", Kind.PURCHASE, "its single products give access"),
    Event("APP_STORE_SUBSCRIPTION CHANGE", Kind.PLAN_CHANGE, "access as plenigo states it"),
    Event("MULTIUSER_SUBSCRIPTION CREATION", Kind.UNKNOWN, _ATTENTION),
    Event("MULTIUSER_SUBSCRIPTION UNDO_CANCELLATION", Kind.UNKNOWN, _ATTENTION),
    Event("MULTIUSER_SUBSCRIPTION CANCELLATION", Kind.UNKNOWN, _ATTENTION),
    Event("CUSTOMER CREATION", Kind.INFORMATION, "the customer's address is remembered"),
    Event(
        "CUSTOMER CHANGE",
        Kind.INFORMATION,
        "the address tied to the customer follows; BLOCKED gives nothing until ACTIVATED",
    ),
    Event(
        "CUSTOMER DELETION",
        Kind.EXPIRY,
        "access by all of the customer's subscriptions ends; the member is marked for erasure",
    ),
    Event("anything else", Kind.INFORMATION, "recorded only"),
)


def verify(delivery: Delivery, settings: Any, now: datetime) -> signatures.SealedBody:
    """Prove that a delivery comes from plenigo, see :class:`.IPaymentProvider`.

    :raises WrongSignature: the signature is missing, malformed, too old, in the future, or not
        the one of this body, with either key.
    """
    signatures.keys(delivery, settings)
    time, digests = signatures.timed(delivery.headers.get(SIGNATURE, ""), "s")
    message = time.encode("ascii") + b"." + delivery.body
    by_previous_key = _prove(digests, message, settings)
    sent_at = signatures.sent_at(time, now, settings.tolerance)
    ids = ("entity.subscriptionId", "entityId")
    return signatures.SealedBody(delivery.body, by_previous_key, sent_at, ids)


def parse(genuine: signatures.SealedBody, timezone_: tzinfo) -> tuple[Notification, ...]:
    """Read a genuine callback; plenigo's times name their zone."""
    body = genuine.read()
    entity_type = body.required("entityType")
    callback_type = body.required("callbackType")
    entity = body.part("entity")
    notification = Notification(
        key=genuine.key(NAME),
        provider=NAME,
        kind=Kind.INFORMATION,
        transaction="",
        receipt="",
        occurred_at=entity.moment("changedDate") or genuine.moment,
        buyer="",
        email="",
        product_id="",
        customer_id=_customer_id(entity),
        fully_signed=True,
        payload=body.payload(),
    )
    if entity_type == CUSTOMER:
        return (_customer(notification, callback_type, body, entity),)
    if entity_type == MULTIUSER_SUBSCRIPTION:
        notification = replace(notification, transaction=body.required("entityId"))
        return (for_several(notification, SEVERAL_USERS),)
    if entity_type == FAILED_PAYMENT:
        transaction = entity.identifier("subscriptionId")
        return (replace(notification, kind=Kind.PAYMENT_FAILED, transaction=transaction),)
    if entity_type == ORDER:
        entity_id = body.required("entityId")
        notification = replace(notification, transaction=f"order {entity_id}")
        items = orders.of_order(entity, genuine.moment) if entity.has("items") else ()
        return (notification, *items)
    if entity_type == APP_STORE_SUBSCRIPTION:
        transaction = f"app store {body.required('entityId')}"
        notification = replace(notification, transaction=transaction)
        return (orders.standing(notification, entity),)
    if entity_type == SUBSCRIPTION:
        kind = KINDS.get(callback_type, Kind.INFORMATION)
        notification = replace(notification, kind=kind, transaction=_id_of(body, entity))
        return (states.stated(notification, entity),)
    return (notification,)


def manage(settings: Any, customer_ids: tuple[str, ...]) -> str | None:
    """The page of the site with plenigo's self-service, for customers whom plenigo knows."""
    return "@@plenigo-account" if sells(settings) and customer_ids else None


def sells(settings: Any) -> bool:
    """Whether the site sells with plenigo's checkout."""
    return bool(settings.enabled and settings.company_id and settings.api_token)


def sign(secret_key: str, time: int, body: bytes) -> str:
    """The header ``plenigo-signature`` of a body.

    :param time: Unix seconds.
    """
    message = str(time).encode("ascii") + b"." + body
    return f"t={time},s={signatures.sign(secret_key.encode('utf-8'), message).hex()}"


def is_prompt(notification: Notification) -> bool:
    """Whether plenigo can be asked at once for the state that a callback is about."""
    payload = notification.payload
    about = payload.get("entityType")
    if about == ORDER:
        # What is in an order never changes: only where it does not tell it is asked for.
        return not any(name.startswith("entity.items.") for name in payload)
    return about in (SUBSCRIPTION, APP_STORE_SUBSCRIPTION) and bool(notification.transaction)


def secrets(secret_keys: str | None) -> list[str]:
    """The secrets in a setting, one for each callback, with ``|`` between them.

    A secret may have that character in it, too, so that all of it counts as well.
    """
    whole = secret_keys or ""
    parts = [part for part in whole.split(BETWEEN) if len(part) >= SHORTEST_SECRET]
    return list(filter(None, dict.fromkeys((whole, *parts))))


def _prove(digests: list[bytes], message: bytes, settings: Any) -> bool:
    """Prove a signature by any of the secrets.

    All are compared, so that the time taken tells nothing of which one matched.

    :returns: whether only a previous one proved it.
    :raises WrongSignature: none does.
    """
    by_current, by_previous = (
        sum(
            hmac.compare_digest(digest, signatures.sign(key.encode("utf-8"), message))
            for key in secrets(keys)
            for digest in digests
        )
        for keys in (settings.secretkey, settings.previous_secretkey)
    )
    if not by_current + by_previous:
        raise WrongSignature
    return not by_current


def _id_of(body: JsonBody, entity: JsonBody) -> str:
    """The id of the subscription, which may stand in two places."""
    inside = entity.identifier("subscriptionId")
    outside = body.required("entityId")
    if inside and inside != outside:
        raise ParameterInvalid("entity.subscriptionId")
    return outside


def _customer_id(entity: JsonBody) -> str:
    """The customer of an entity: the recipient, else any customer that is named."""
    names = ("deliveryCustomerId", "customerId", "invoiceCustomerId")
    return next(filter(None, (entity.identifier(name) for name in names)), "")


def _customer(
    notification: Notification, callback_type: str, body: JsonBody, entity: JsonBody
) -> Notification:
    inside = entity.identifier("customerId")
    customer_id = body.required("entityId")
    if inside and inside != customer_id:
        raise ParameterInvalid("entity.customerId")
    # No subscription has such an id, so that nothing else is taken for the same transaction.
    notification = replace(
        notification, customer_id=customer_id, transaction=f"customer {customer_id}"
    )
    if callback_type == DELETION:
        return replace(notification, kind=Kind.EXPIRY, customer_deleted=True)
    if callback_type in (CREATION, CHANGE):
        return states.of_status(states.of_customer(notification, entity), entity)
    return notification
