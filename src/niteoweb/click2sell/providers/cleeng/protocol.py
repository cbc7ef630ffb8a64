"""Cleeng: signed webhooks, also about in-app purchases such as those of Vizio's TV sets.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A webhook is an object with ``broadcasterId``, ``topic`` and ``data``, signed with an
HMAC-SHA256 over the raw body. No public document covers the following assumptions, which the
documentation names:

* Name and encoding of the signature's header are settings.
* A notification of Vizio that Cleeng passes on is named by the topic itself, or by
  ``notificationType`` in ``data`` or in the in-app specific data.
* A webhook has no time of its own, so that the time of its arrival counts. If there is a
  ``timestamp`` beside ``topic``, that one counts, and is held against the tolerance.
* ``expirationDate`` is ISO 8601 with its time zone, or Unix seconds.
* Where a subscription is switched, ``toOfferId`` names the new offer, else ``offerId`` does.

Webhooks with equal bodies are one: the key is the body. Only the webhooks about a validation
have a ``correlationId``, so that it tells nothing apart.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from datetime import tzinfo
from niteoweb.click2sell.notification import Answer
from niteoweb.click2sell.notification import CONFIRMED
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Event
from niteoweb.click2sell.notification import EVERYTHING
from niteoweb.click2sell.notification import GIVING
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.notification import REFUSED
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import signatures
from typing import Any

import base64
import binascii
import re


NAME = "cleeng"
TITLE = "Cleeng"
SIGNED = EVERYTHING
#: Cleeng looks at the status alone.
answer = Answer

HEX, BASE64 = "hex", "base64"
#: How a signature may be written.
ENCODINGS = (HEX, BASE64)

VALIDATED = "inappPurchaseValidationSucceeded"
NOT_VALIDATED = "inappPurchaseValidationFailed"
TRANSFERRED = "SubscriptionTransferred"

#: The kinds of topics.
TOPICS: Mapping[str, Kind] = {
    "subscriptionCreated": Kind.PURCHASE,
    "subscriptionRenewed": Kind.RENEWAL,
    "subscriptionSwitched": Kind.PLAN_CHANGE,
    "subscriptionCanceled": Kind.CANCELLATION,
    "subscriptionTerminated": Kind.EXPIRY,
}

#: The kinds of results of a validation.
RESULTS: Mapping[str, Kind] = {
    "SubscriptionCreated": Kind.PURCHASE,
    "SubscriptionSynchronized": Kind.PLAN_CHANGE,
    "SubscriptionRevived": Kind.REACTIVATION,
    TRANSFERRED: Kind.PURCHASE,
}

#: The kinds of notifications of Vizio.
VIZIO: Mapping[str, Kind] = {
    "SUBSCRIPTION.CREATED": Kind.PURCHASE,
    "SUBSCRIPTION.PAYMENT.SUCCESSFUL": Kind.RENEWAL,
    "SUBSCRIPTION.PAYMENT.FAILED": Kind.PAYMENT_FAILED,
    "SUBSCRIPTION.PAYMENT.REFUND": Kind.REFUND,
    "SUBSCRIPTION.CANCELED": Kind.CANCELLATION,
    "SUBSCRIPTION.REACTIVATED": Kind.REACTIVATION,
    "SUBSCRIPTION.DOWNGRADE.PENDING": Kind.INFORMATION,
    "SUBSCRIPTION.UPDATED": Kind.PLAN_CHANGE,
    "SUBSCRIPTION.EXPIRED": Kind.EXPIRY,
}

_EFFECTS = {
    Kind.PURCHASE: "access until the end that is stated, a trial too",
    Kind.RENEWAL: "access until the new end",
    Kind.PLAN_CHANGE: "the product that is stated takes the place of the old one",
    Kind.CANCELLATION: "access stays until its end",
    Kind.REACTIVATION: "access again",
    Kind.REFUND: "access ends now",
    Kind.PAYMENT_FAILED: "access stays for the days of grace",
    Kind.EXPIRY: "access ends",
    Kind.INFORMATION: "recorded only",
}
_TRANSFER = "the subscription of the old customer ends, that of the new one begins"

#: Everything that Cleeng tells, by topic, result and Vizio's name.
EVENTS = (
    *(Event(topic, kind, _EFFECTS[kind]) for topic, kind in TOPICS.items()),
    *(
        Event(
            f"{VALIDATED} {result}",
            kind,
            _TRANSFER if result == TRANSFERRED else _EFFECTS[kind],
        )
        for result, kind in RESULTS.items()
    ),
    *(
        Event(topic, Kind.INFORMATION, _EFFECTS[Kind.INFORMATION])
        for topic in (NOT_VALIDATED, "inappPurchaseSyncResult", "transactionCreated")
    ),
    *(Event(name, kind, _EFFECTS[kind]) for name, kind in VIZIO.items()),
    Event("a result or notificationType of another name", Kind.UNKNOWN, "needs attention"),
    Event("any other topic", Kind.INFORMATION, _EFFECTS[Kind.INFORMATION]),
)

_VERDICTS = {VALIDATED: CONFIRMED, NOT_VALIDATED: REFUSED}
_SPECIFIC = ("data.inAppSpecificData", "data.InAppSpecificData")
_PREFIX = "sha256="
_DIGEST = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
_COUNTRY = re.compile(r"(.+)_[A-Z]{2}", re.ASCII)


def verify(delivery: Delivery, settings: Any, now: datetime) -> signatures.SealedBody:
    """Prove that a delivery comes from Cleeng, see :class:`.IPaymentProvider`.

    :raises WrongSignature: the signature is missing, malformed, not the one of this body with
        either key, or the body is too old or from the future.
    """
    secret_keys = signatures.keys(delivery, settings)
    header = delivery.headers.get(header_name(settings), "").strip(" ")
    digest = _digest(header.removeprefix(_PREFIX), settings.signature_encoding)
    by_previous_key = signatures.prove([digest], delivery.body, secret_keys)
    genuine = signatures.SealedBody(
        delivery.body, by_previous_key, now, ("data.subscriptionId",)
    )
    try:
        genuine.moment = genuine.read().moment("timestamp") or now
    except ParameterError:
        # It is genuine: parse names the broken field, and the webhook is recorded.
        return genuine
    if not signatures.in_time(genuine.moment, now, settings.tolerance):
        raise WrongSignature
    return genuine


def parse(genuine: signatures.SealedBody, timezone_: tzinfo) -> tuple[Notification, ...]:
    """Read a genuine webhook; Cleeng's times name their zone.

    :returns: one notification; of a transfer two, the end for the old customer first.
    """
    body = genuine.read()
    body.moment("timestamp")
    topic = body.required("topic")
    data, specific = body.part("data"), _specific(body)
    kind = _kind(topic, data, specific)
    email = data.address("customerEmail")
    offer = data.identifier("toOfferId") or data.identifier("offerId")
    notification = Notification(
        key=genuine.key(NAME),
        provider=NAME,
        kind=kind,
        transaction=data.identifier("subscriptionId"),
        receipt=specific.identifier("invoiceNumber"),
        occurred_at=genuine.moment,
        buyer=email.lower(),
        email=email,
        product_id=offer,
        product_name=data.title("offerTitle"),
        subscription=True,
        customer_id=data.identifier("customerId"),
        external_subscription_id=specific.identifier("subscriptionId"),
        in_reply_to=data.identifier("correlationId") if topic in _VERDICTS else "",
        validation_result=_VERDICTS.get(topic, ""),
        aliases=aliases(offer),
        fully_signed=True,
        payload=body.payload(),
    )
    if kind in (Kind.INFORMATION, Kind.UNKNOWN):
        return (notification,)
    notification = _with_end(notification, data)
    data.required("subscriptionId")
    if notification.kind in GIVING and not offer:
        data.required("offerId")
    if not (notification.customer_id or notification.buyer):
        raise ParameterMissing("data.customerId")
    if topic == VALIDATED and data.text("result") == TRANSFERRED:
        return _end_of_old(genuine, notification, data), notification
    return (notification,)


def sign(secret_key: str, body: bytes, encoding: str = HEX) -> str:
    """The signature of a body, as it stands in the header.

    :param encoding: one of :data:`ENCODINGS`.
    """
    digest = signatures.sign(secret_key.encode("utf-8"), body)
    return base64.b64encode(digest).decode("ascii") if encoding == BASE64 else digest.hex()


def header_name(settings: Any) -> str:
    """The name of the header with the signature, as a delivery has it; "" for none."""
    # To a WSGI server an underscore in the name of a header is a hyphen.
    return (settings.signature_header or "").strip().lower().replace("_", "-")


def aliases(offer: str) -> tuple[str, ...]:
    """An offer without the country that Cleeng adds to its id."""
    match = _COUNTRY.fullmatch(offer)
    return (match[1],) if match else ()


def _digest(text: str, encoding: str) -> bytes:
    """The bytes of a signature, written in an encoding."""
    if encoding == BASE64:
        try:
            digest = base64.b64decode(text.encode("ascii"), validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise WrongSignature from None
        # The last sign has bits to spare, which must not make a second way of writing it.
        if base64.b64encode(digest) != text.encode("ascii"):
            raise WrongSignature
        return digest
    if encoding != HEX or not _DIGEST.fullmatch(text):
        raise WrongSignature
    return bytes.fromhex(text)


def _specific(body: JsonBody) -> JsonBody:
    """The in-app specific data, which Cleeng's documents spell in two ways."""
    first, second = (body.part(name) for name in _SPECIFIC)
    if first.payload() and second.payload():
        raise ParameterInvalid(_SPECIFIC[1])
    return second if second.payload() else first


def _kind(topic: str, data: JsonBody, specific: JsonBody) -> Kind:
    if topic == NOT_VALIDATED:
        # A failed validation is no purchase.
        return Kind.INFORMATION
    name = data.text("notificationType") or specific.text("notificationType")
    if name:
        return VIZIO.get(name, Kind.UNKNOWN)
    if topic == VALIDATED:
        return RESULTS.get(data.text("result"), Kind.UNKNOWN)
    return {**TOPICS, **VIZIO}.get(topic, Kind.INFORMATION)


def _with_end(notification: Notification, data: JsonBody) -> Notification:
    """A notification with the end of access, as far as it states one."""
    end, now = data.moment("expirationDate"), notification.occurred_at
    kind = notification.kind
    if data.boolean("active") is False and kind in GIVING:
        # An inactive subscription gives nothing now.
        kind = Kind.EXPIRY
    if kind is Kind.EXPIRY:
        end = min(end or now, now)
    elif kind not in GIVING and kind is not Kind.CANCELLATION:
        end = None
    # A webhook without an end must not replace a known end, and a purchase has no old product
    # to replace.
    snapshot = kind in GIVING - {Kind.PURCHASE} and end is not None
    return replace(notification, kind=kind, valid_until=end, snapshot=snapshot)


def _end_of_old(
    genuine: signatures.SealedBody, notification: Notification, data: JsonBody
) -> Notification:
    """The end of access of the customer who had the subscription before a transfer."""
    return replace(
        notification,
        key=genuine.key(NAME, TRANSFERRED),
        kind=Kind.EXPIRY,
        transaction=data.required("prevSubscriptionId"),
        customer_id=data.required("prevCustomerId"),
        receipt="",
        buyer="",
        email="",
        valid_until=notification.occurred_at,
        snapshot=False,
        in_reply_to="",
        validation_result="",
    )
