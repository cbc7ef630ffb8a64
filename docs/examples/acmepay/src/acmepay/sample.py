"""Sample webhooks, to try a site without a purchase, and for tests.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from acmepay import protocol
from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.provider import TERM
from typing import Any

import json


#: The events of the samples, by names that pages have words for.
EVENTS: Mapping[str, str] = {
    "sale": "order.paid",
    "renewal": "order.renewed",
    "refund": "order.refunded",
    "end": "subscription.ended",
}

KINDS: Mapping[str, Kind] = {name: protocol.KINDS[event] for name, event in EVENTS.items()}
#: Nothing beside the secret key is needed to sign.
SETTINGS: Mapping[str, str] = {}


def write(request: SampleRequest) -> tuple[bytes, ...]:
    """The webhook.

    :raises KeyError: the kind does not exist.
    :raises ValueError: date or time are none.
    """
    value = {
        "event": EVENTS[request.kind],
        "order": request.transaction,
        "invoice": request.receipt,
        "created": request.moment.isoformat(),
        "until": (request.moment + TERM).isoformat(),
        "customer": {
            "id": request.customer_id,
            "email": request.email,
            "first_name": request.first_name,
            "last_name": request.last_name,
        },
        "item": {"id": request.product, "title": request.product_name},
    }
    return (json.dumps(value).encode("ascii"),)


def sign(body: bytes, settings: Any, moment: datetime) -> Delivery:
    """A body with the header that Acme Pay would send.

    :param settings: with ``secretkey``.
    :param moment: when it is sent.
    """
    header = protocol.sign(settings.secretkey or "", int(moment.timestamp()), body)
    return Delivery(body, jsonbody.CONTENT_TYPE, {protocol.SIGNATURE: header})


def signatures(delivery: Delivery) -> tuple[str, ...]:
    """The header with the signature."""
    return tuple(delivery.headers.values())
