"""Made-up callbacks of plenigo: about a customer, and then about a subscription of theirs.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.provider import TERM
from niteoweb.click2sell.providers.plenigo import protocol
from typing import Any

import json


#: The callback types of the samples.
TYPES: Mapping[str, str] = {
    "subscription": protocol.CREATION,
    "change": protocol.CHANGE,
    "cancellation": "CANCELLATION",
    "reactivation": "UNDO_CANCELLATION",
    "chargeback": "PAYMENT_REVOKED",
    "failed": protocol.PAYMENT_FAILED,
    "end": "ENDED",
}

KINDS: Mapping[str, Kind] = {name: protocol.KINDS[type_] for name, type_ in TYPES.items()}
SETTINGS: Mapping[str, str] = {}

_OVER = ("chargeback", "end")


def write(request: SampleRequest) -> tuple[bytes, ...]:
    """A callback that tells the customer's address, and the one about the subscription.

    :raises KeyError: the kind does not exist.
    :raises ValueError: date or time are none.
    """
    # Without a time of its own it is the same each time, and known after the first.
    customer = {
        "customerId": request.customer_id,
        "email": request.email,
        "firstName": request.first_name,
        "lastName": request.last_name,
    }
    return (
        callback(protocol.CUSTOMER, protocol.CREATION, request.customer_id, customer),
        callback(
            protocol.SUBSCRIPTION,
            TYPES[request.kind],
            request.transaction,
            _subscription(request),
        ),
    )


def sign(body: bytes, settings: Any, moment: datetime) -> Delivery:
    """A body with the header that plenigo would send.

    :param settings: with ``secretkey``.
    :param moment: when it is sent.
    """
    *_others, secret = ("", *protocol.secrets(settings.secretkey))
    header = protocol.sign(secret, int(moment.timestamp()), body)
    return Delivery(body, jsonbody.CONTENT_TYPE, {protocol.SIGNATURE: header})


def signatures(delivery: Delivery) -> tuple[str, ...]:
    """The header with the signature."""
    return tuple(delivery.headers.values())


def _subscription(request: SampleRequest) -> dict[str, Any]:
    moment, over = request.moment, request.kind in _OVER
    status = "INACTIVE" if over else "ACTIVE"
    subscription = {
        "subscriptionId": request.transaction,
        "plenigoOfferId": request.product,
        "deliveryCustomerId": request.customer_id,
        "status": status,
        "changedDate": moment.isoformat(),
        "endDate": (moment if over else moment + TERM).isoformat(),
        "items": [{"title": request.product_name, "quantity": 1, "status": status}],
    }
    if request.kind == "cancellation":
        subscription["cancellationDate"] = moment.isoformat()
    return subscription


def callback(entity_type: str, callback_type: str, entity_id: str, entity: Any) -> bytes:
    """The body of a callback."""
    value = {
        "entityType": entity_type,
        "callbackType": callback_type,
        "entityId": entity_id,
        "entity": entity,
    }
    return json.dumps(value).encode("ascii")
