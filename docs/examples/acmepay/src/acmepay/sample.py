"""Webhooks that nobody has bought anything for: to try a site, and for tests.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from acmepay import provider
from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provider.jsonbody import CONTENT_TYPE
from niteoweb.click2sell.provider.sample import SampleRequest
from niteoweb.click2sell.provider.sample import TERM
from typing import Any

import json


#: The events that can be made up, by names that pages have words for.
EVENTS: Mapping[str, str] = {
    "sale": "order.paid",
    "renewal": "order.renewed",
    "refund": "order.refunded",
    "end": "subscription.ended",
}

KINDS: Mapping[str, Kind] = {name: provider.KINDS[event] for name, event in EVENTS.items()}
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

    :param settings: what has ``secretkey``.
    :param moment: when it is sent.
    """
    header = provider.sign(settings.secretkey or "", int(moment.timestamp()), body)
    return Delivery(body, CONTENT_TYPE, {provider.SIGNATURE: header})


def signatures(delivery: Delivery) -> tuple[str, ...]:
    """The header with the signature."""
    return tuple(delivery.headers.values())
