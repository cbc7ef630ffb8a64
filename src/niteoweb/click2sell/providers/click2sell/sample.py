"""Made-up notifications of Click2Sell.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.providers.click2sell import protocol
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlencode


#: The transaction_type, subscription_status and payment_status of each sample.
TYPES = {
    "sale": ("Sale", "", "OK"),
    "subscription": ("Subscription", "New", "OK"),
    "renewal": ("Subscription", "Recurring", "OK"),
    "cancellation": ("Subscription", "Cancel", "OK"),
    "refund": ("Refund", "", "OK"),
    "failed": ("Sale", "", "Failed"),
}

KINDS: Mapping[str, Kind] = {name: protocol.kind_of(*types) for name, types in TYPES.items()}
SETTINGS: Mapping[str, str] = {}

_TRANSACTION, _CHECKSUM = "acquirer_transaction_id", "checksum"


def form_fields(secret_key: str, request: SampleRequest) -> Mapping[str, str]:
    """The form of a signed notification, under Click2Sell's names.

    :raises KeyError: the kind does not exist.
    """
    return {**_unsigned(request), _CHECKSUM: protocol.sign(secret_key, request.transaction)}


def _unsigned(request: SampleRequest) -> dict[str, str]:
    transaction_type, subscription_status, payment_status = TYPES[request.kind]
    return {
        _TRANSACTION: request.transaction,
        "c2s_transaction_id": request.receipt,
        "transaction_type": transaction_type,
        "subscription_status": subscription_status,
        "payment_status": payment_status,
        "purchase_date": request.day,
        "purchase_time": request.hour,
        "buyer_email": request.email,
        "buyer_name": request.first_name,
        "buyer_surname": request.last_name,
        "product_id": request.product,
        "product_name": request.product_name,
        "product_price": request.price,
        "affiliate_username": request.affiliate,
    }


def write(request: SampleRequest) -> tuple[bytes, ...]:
    """The form without its checksum.

    :raises KeyError: the kind does not exist.
    """
    return (urlencode(_unsigned(request)).encode("ascii"),)


def sign(body: bytes, settings: Any, moment: datetime) -> Delivery:
    """A form with its checksum, which covers the transaction.

    :param settings: with ``secretkey``.
    :param moment: not needed: no time is signed.
    """
    # latin-1 maps every byte to one character and back.
    values = parse_qs(body.decode("latin-1"), True, encoding="latin-1")
    transaction = values.get(_TRANSACTION, [""])[0].encode("latin-1")
    checksum = protocol.sign(settings.secretkey or "", transaction).encode("ascii")
    return Delivery(b"%s&%s=%s" % (body, _CHECKSUM.encode(), checksum), protocol.CONTENT_TYPE)


def signatures(delivery: Delivery) -> tuple[str, ...]:
    """The checksum, which is good for anything else about this transaction, too."""
    return (delivery.body.decode("latin-1").rpartition("=")[2],)
