"""Sample hooks, to try a site without a purchase.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.provider import standardhook
from niteoweb.click2sell.provider import TERM
from niteoweb.click2sell.providers.hook import protocol
from typing import Any

import hashlib
import json


CALLBACK = protocol.CALLBACK
TYPES: Mapping[str, str] = {
    "sale": "purchase",
    "renewal": "renewal",
    "cancellation": "cancellation",
    "reactivation": "reactivation",
    "refund": "refund",
    "chargeback": "chargeback",
    "end": "expiry",
}
KINDS: Mapping[str, Kind] = {name: protocol.TYPES[type_] for name, type_ in TYPES.items()}
#: Nothing beside the secret key is needed to sign.
SETTINGS: Mapping[str, str] = {}
_WITH_END = ("renewal", "reactivation")


def write(request: SampleRequest) -> tuple[bytes, ...]:
    """The hook.

    :raises KeyError: the kind does not exist.
    :raises ValueError: date or time are none.
    """
    amount, _, currency = request.price.partition(" ")
    until = (request.moment + TERM).isoformat() if request.kind in _WITH_END else ""
    data = {
        "transaction": request.transaction,
        "receipt": request.receipt,
        "email": request.email,
        "name": f"{request.first_name} {request.last_name}".strip(),
        "product": request.product,
        "product_name": request.product_name,
        "amount": amount,
        "currency": currency,
        "valid_until": until,
        "affiliate": request.affiliate,
    }
    hook = {
        "type": TYPES[request.kind],
        "timestamp": request.moment.isoformat(),
        "data": {name: value for name, value in data.items() if value},
    }
    return (json.dumps(hook).encode("ascii"),)


def sign(body: bytes, settings: Any, moment: datetime) -> Delivery:
    """A body with the headers of a hook; its id is made of it, and stays when it comes again.

    :param settings: with ``secretkey``.
    :param moment: when it is sent.
    """
    id_ = f"msg_{hashlib.sha256(body).hexdigest()[:24]}"
    headers = standardhook.sign(settings.secretkey or "", id_, int(moment.timestamp()), body)
    return Delivery(body, jsonbody.CONTENT_TYPE, headers)


def signatures(delivery: Delivery) -> tuple[str, ...]:
    """The header with the signature."""
    return (delivery.headers[standardhook.SIGNATURE],)
