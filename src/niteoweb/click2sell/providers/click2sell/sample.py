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

KINDS: Mapping[str, Kind] = {
    "sale": Kind.PURCHASE,
    "subscription": Kind.PURCHASE,
    "renewal": Kind.RENEWAL,
    "cancellation": Kind.CANCELLATION,
    "refund": Kind.REFUND,
    "failed": Kind.PAYMENT_FAILED,
}
SETTINGS: Mapping[str, str] = {}

_TRANSACTION, _CHECKSUM = "acquirer_transaction_id", "checksum"


def form_fields(secret_key: str, transaction: str, **fields: str) -> Mapping[str, str]:
    """The form of a signed notification.

    :param transaction: the transaction id, which is what the checksum covers.
    :param fields: as for :func:`unsigned`.
    :raises KeyError: the kind does not exist.
    """
    signed = {_CHECKSUM: protocol.sign(secret_key, transaction)}
    return {**unsigned(transaction, **fields), **signed}


def unsigned(
    transaction: str,
    *,
    product: str,
    email: str,
    date: str,
    time: str,
    kind: str = "sale",
    receipt: str = "",
    name: str = "",
    surname: str = "",
    product_name: str = "",
    affiliate: str = "",
    price: str = "",
) -> Mapping[str, str]:
    """The form of a notification without its checksum, under Click2Sell's names.

    :param date: ``YYYY-MM-DD`` or ``YYYY/MM/DD``.
    :param time: ``HH:MM:SS``, in the time zone of the site.
    :param kind: one of :data:`KINDS`.
    :param price: for example ``9.90 EUR``.
    :raises KeyError: the kind does not exist.
    """
    transaction_type, subscription_status, payment_status = TYPES[kind]
    return {
        _TRANSACTION: transaction,
        "c2s_transaction_id": receipt,
        "transaction_type": transaction_type,
        "subscription_status": subscription_status,
        "payment_status": payment_status,
        "purchase_date": date,
        "purchase_time": time,
        "buyer_email": email,
        "buyer_name": name,
        "buyer_surname": surname,
        "product_id": product,
        "product_name": product_name,
        "product_price": price,
        "affiliate_username": affiliate,
    }


def write(request: SampleRequest) -> tuple[bytes, ...]:
    """The form without its checksum.

    :raises KeyError: the kind does not exist.
    """
    form = unsigned(
        request.transaction,
        product=request.product,
        email=request.email,
        date=request.day,
        time=request.hour,
        kind=request.kind,
        receipt=request.receipt,
        name=request.first_name,
        surname=request.last_name,
        product_name=request.product_name,
        affiliate=request.affiliate,
        price=request.price,
    )
    return (urlencode(form).encode("ascii"),)


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
