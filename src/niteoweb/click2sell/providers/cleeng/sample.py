"""Made-up webhooks of Cleeng.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.provider import TERM
from niteoweb.click2sell.providers.cleeng import protocol
from typing import Any

import json


#: The topics: Cleeng's own, and those that it passes on for Vizio.
TOPICS: Mapping[str, str] = {
    "subscription": "subscriptionCreated",
    "renewal": "subscriptionRenewed",
    "change": "subscriptionSwitched",
    "cancellation": "subscriptionCanceled",
    "reactivation": "SUBSCRIPTION.REACTIVATED",
    "refund": "SUBSCRIPTION.PAYMENT.REFUND",
    "failed": "SUBSCRIPTION.PAYMENT.FAILED",
    "end": "subscriptionTerminated",
}

_TAKEN_FOR = {**protocol.TOPICS, **protocol.VIZIO}
KINDS: Mapping[str, Kind] = {name: _TAKEN_FOR[topic] for name, topic in TOPICS.items()}
SETTINGS: Mapping[str, str] = {
    "signature_header": "X-Cleeng-Signature",
    "signature_encoding": protocol.HEX,
}

_OVER = ("refund", "end")


def write(request: SampleRequest) -> tuple[bytes, ...]:
    """The webhook. A true one does not say when it happened, unless that was wished for.

    :raises KeyError: the kind does not exist.
    :raises ValueError: date or time are none.
    """
    moment, over = request.moment, request.kind in _OVER
    webhook: dict[str, Any] = {
        "topic": TOPICS[request.kind],
        "data": {
            "subscriptionId": request.transaction,
            "offerId": request.product,
            "offerTitle": request.product_name,
            "customerId": request.customer_id,
            "customerEmail": request.email,
            "active": not over,
            "expirationDate": (moment if over else moment + TERM).isoformat(),
            "inAppSpecificData": {"invoiceNumber": request.receipt},
        },
    }
    if (request.date, request.time) != (None, None):
        webhook["timestamp"] = moment.isoformat()
    return (json.dumps(webhook).encode("ascii"),)


def sign(body: bytes, settings: Any, moment: datetime) -> Delivery:
    """A body with the header that Cleeng would send.

    :param settings: with ``secretkey`` and :data:`SETTINGS`.
    :param moment: not needed: no time is signed.
    """
    header = protocol.header_name(settings)
    signature = protocol.sign(settings.secretkey or "", body, settings.signature_encoding)
    headers = {header: signature} if header else {}
    return Delivery(body, jsonbody.CONTENT_TYPE, headers)


def signatures(delivery: Delivery) -> tuple[str, ...]:
    """The header with the signature."""
    return tuple(delivery.headers.values())
