"""Made-up events of Stripe: about a customer, then about the customer's purchases.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.provider import TERM
from niteoweb.click2sell.providers.stripe import events
from niteoweb.click2sell.providers.stripe import protocol
from typing import Any

import hashlib
import json


#: The types of the samples' events.
TYPES: Mapping[str, str] = {
    "sale": "checkout.session.completed",
    "subscription": "customer.subscription.created",
    "renewal": "invoice.paid",
    "change": "customer.subscription.updated",
    "cancellation": "customer.subscription.updated",
    "reactivation": "customer.subscription.resumed",
    "end": "customer.subscription.deleted",
    "refund": "charge.refunded",
    "failed": "invoice.payment_failed",
}

KINDS: Mapping[str, Kind] = {
    **{name: events.KINDS[type_] for name, type_ in TYPES.items()},
    "cancellation": Kind.CANCELLATION,
}
SETTINGS: Mapping[str, Any] = {"test_mode": False}

_LIVE, _TEST = b'"livemode": true', b'"livemode": false'


def write(request: SampleRequest) -> tuple[bytes, ...]:
    """An event that tells the customer's address, and the requested one.

    :raises KeyError: the kind does not exist.
    :raises ValueError: date or time are none.
    """
    type_ = TYPES[request.kind]
    if request.kind in ("sale", "refund"):
        # A guest of Checkout, who is known by the address.
        return (event(type_, _payment(request), request.moment),)
    customer = {
        "id": request.customer_id,
        "email": request.email,
        "name": f"{request.first_name} {request.last_name}".strip(),
    }
    about = _invoice(request) if type_.startswith("invoice") else _subscription(request)
    return (
        event("customer.updated", customer, request.moment),
        event(type_, about, request.moment),
    )


def sign(body: bytes, settings: Any, moment: datetime) -> Delivery:
    """A body with the header that Stripe would send; its mode is that of the settings.

    :param settings: with ``secretkey`` and ``test_mode``.
    :param moment: when it is sent.
    """
    if settings.test_mode:
        body = body.replace(_LIVE, _TEST)
    header = protocol.sign(settings.secretkey or "", int(moment.timestamp()), body)
    return Delivery(body, jsonbody.CONTENT_TYPE, {protocol.SIGNATURE: header})


def signatures(delivery: Delivery) -> tuple[str, ...]:
    """The header with the signature."""
    return tuple(delivery.headers.values())


def event(type_: str, about: Any, moment: datetime) -> bytes:
    """The body of an event; its id is made of its content."""
    said = json.dumps([type_, about]).encode("ascii")
    value = {
        "id": f"evt_{hashlib.sha256(said).hexdigest()[:24]}",
        "object": "event",
        "api_version": "2025-03-31.basil",
        "created": int(moment.timestamp()),
        "livemode": True,
        "type": type_,
        "data": {"object": about},
    }
    return json.dumps(value).encode("ascii")


def _payment(request: SampleRequest) -> dict[str, Any]:
    amount, currency = _price(request)
    if request.kind == "refund":
        return {
            "id": f"ch_{request.transaction}",
            "payment_intent": request.transaction,
            "refunded": True,
            "amount_refunded": amount,
            "currency": currency,
            "created": int(request.moment.timestamp()),
            "billing_details": {"email": request.email},
        }
    return {
        "id": f"cs_{request.transaction}",
        "payment_intent": request.transaction,
        "mode": "payment",
        "payment_status": "paid",
        "metadata": {"product": request.product},
        "amount_total": amount,
        "currency": currency,
        "created": int(request.moment.timestamp()),
        "customer_details": {
            "email": request.email,
            "name": f"{request.first_name} {request.last_name}".strip(),
        },
    }


def _subscription(request: SampleRequest) -> dict[str, Any]:
    moment, over = request.moment, request.kind == "end"
    period = {
        "current_period_start": int(moment.timestamp()),
        "current_period_end": int((moment + TERM).timestamp()),
    }
    price = {
        "id": request.product,
        "nickname": request.product_name or None,
        "product": f"prod_{request.product}",
    }
    item = {"id": request.transaction, "price": price, "quantity": 1, **period}
    return {
        "id": f"sub_{request.transaction}",
        "customer": request.customer_id,
        "status": "canceled" if over else "active",
        "cancel_at_period_end": request.kind == "cancellation",
        "ended_at": int(moment.timestamp()) if over else None,
        "items": {"data": [item]},
        "latest_invoice": request.receipt or None,
    }


def _invoice(request: SampleRequest) -> dict[str, Any]:
    moment = request.moment
    amount, currency = _price(request)
    period = {
        "start": int(moment.timestamp()),
        "end": int((moment + TERM).timestamp()),
    }
    line = {
        "amount": amount,
        "description": f"1 × {request.product_name or request.product}",
        "period": period,
        "parent": {"subscription_item_details": {"subscription_item": request.transaction}},
        "pricing": {"price_details": {"price": request.product}},
    }
    return {
        "id": request.receipt or f"in_{request.transaction}",
        "customer": request.customer_id,
        "amount_paid": amount,
        "amount_due": amount,
        "currency": currency,
        "lines": {"data": [line]},
        "parent": {"subscription_details": {"subscription": f"sub_{request.transaction}"}},
    }


def _price(request: SampleRequest) -> tuple[int | None, str | None]:
    """Cents and currency, None where the price is none."""
    number, _space, currency = request.price.partition(" ")
    try:
        return round(float(number) * 100), currency.lower() or None
    except ValueError:
        return None, None
