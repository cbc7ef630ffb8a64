"""Acme Pay: signed webhooks about orders and subscriptions.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

The header ``acme-signature`` is ``t=UNIX_SECONDS,v1=HEX``: an HMAC-SHA256 over the time, a dot
and the raw body. A webhook that comes again is signed again, with a time of its own.
"""

from collections.abc import Mapping
from datetime import datetime
from datetime import timezone
from datetime import tzinfo
from decimal import Decimal
from niteoweb.click2sell.notification import Answer
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Event
from niteoweb.click2sell.notification import EVERYTHING
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import signatures
from typing import Any

import re


NAME = "acmepay"
TITLE = "Acme Pay"
#: The signature covers the body, and with it every field of a notification.
SIGNED = EVERYTHING
#: The header with time and signature, in lower case.
SIGNATURE = "acme-signature"

#: The kinds of events; any other event is only recorded.
KINDS: Mapping[str, Kind] = {
    "order.paid": Kind.PURCHASE,
    "order.renewed": Kind.RENEWAL,
    "order.failed": Kind.PAYMENT_FAILED,
    "order.refunded": Kind.REFUND,
    "subscription.changed": Kind.PLAN_CHANGE,
    "subscription.cancelled": Kind.CANCELLATION,
    "subscription.ended": Kind.EXPIRY,
}

#: All events of Acme Pay, for the table in the documentation.
EVENTS = (
    Event("order.paid", Kind.PURCHASE, "access until the end that is stated"),
    Event("order.renewed", Kind.RENEWAL, "access until the new end"),
    Event("order.failed", Kind.PAYMENT_FAILED, "nothing changes"),
    Event("order.refunded", Kind.REFUND, "access ends now"),
    Event("subscription.changed", Kind.PLAN_CHANGE, "product and end become those stated"),
    Event("subscription.cancelled", Kind.CANCELLATION, "access stays until its end"),
    Event("subscription.ended", Kind.EXPIRY, "access ends"),
    Event("anything else", Kind.INFORMATION, "recorded only"),
)

_HEADER = re.compile(r"t=([0-9]{10}),v1=([0-9a-f]{64})", re.ASCII)


# verify
def verify(delivery: Delivery, settings: Any, now: datetime) -> signatures.SealedBody:
    """Prove that a delivery comes from Acme Pay.

    :param settings: with ``secretkey``, ``previous_secretkey`` and ``tolerance``.
    :raises DeliveryError: it is refused.
    """
    secret_keys = signatures.keys(delivery, settings)
    found = _HEADER.fullmatch(delivery.headers.get(SIGNATURE, ""))
    if found is None:
        raise WrongSignature
    time, digest = found[1], bytes.fromhex(found[2])
    by_previous_key = signatures.prove([digest], _message(time, delivery.body), secret_keys)
    sent_at = datetime.fromtimestamp(int(time), timezone.utc)
    if not signatures.in_time(sent_at, now, settings.tolerance):
        raise WrongSignature
    return signatures.SealedBody(delivery.body, by_previous_key, sent_at, ("order",))


# parse
def parse(genuine: signatures.SealedBody, timezone_: tzinfo) -> tuple[Notification, ...]:
    """Read a genuine webhook.

    :param timezone_: not needed: Acme Pay's times name their zone.
    :raises ParameterError: it cannot be read.
    """
    body = genuine.read()
    kind = KINDS.get(body.required("event"), Kind.INFORMATION)
    customer, item = body.part("customer"), body.part("item")
    if kind is not Kind.INFORMATION:
        body.required("order")
    email, until = customer.address("email"), body.moment("until")
    if kind in PAYMENTS:
        item.required("id")
        if not email:
            raise ParameterMissing("customer.email")
    notification = Notification(
        key=genuine.key(NAME),
        provider=NAME,
        kind=kind,
        transaction=body.identifier("order"),
        receipt=body.identifier("invoice"),
        occurred_at=body.moment("created") or genuine.moment,
        buyer=email.lower(),
        email=email,
        product_id=item.identifier("id"),
        product_name=item.title("title"),
        first_name=customer.title("first_name"),
        last_name=customer.title("last_name"),
        amount=_amount(body),
        currency=body.title("currency"),
        customer_id=customer.identifier("id"),
        # A line of the mapping may name the series that an item belongs to.
        aliases=tuple(filter(None, [item.identifier("series")])),
        valid_until=until,
        subscription=body.has("subscription"),
        # A change says all of a subscription as it is from then on.
        snapshot=kind is Kind.PLAN_CHANGE and until is not None,
        fully_signed=True,
        payload=body.payload(),
    )
    return (notification,)


# end
def answer(status: int, text: str) -> Answer:
    """The answer to Acme Pay, which looks at the status alone."""
    return Answer(status, text)


def sign(secret_key: str, time: int, body: bytes) -> str:
    """The header of a body, as Acme Pay makes it: for tests and the fake.

    :param time: Unix seconds.
    """
    digest = signatures.sign(secret_key.encode("utf-8"), _message(str(time), body))
    return f"t={time},v1={digest.hex()}"


def _message(time: str, body: bytes) -> bytes:
    """The message that is signed."""
    return time.encode("ascii") + b"." + body


def _amount(body: JsonBody) -> Decimal | None:
    cents = body.integer("cents")
    return None if cents is None else Decimal(cents) / 100
