"""Click2Sell: form-encoded notifications, signed with an MD5 over the transaction id.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

The rules are those that release 0.4.5 and other shops' public code implement. Two properties of
the checksum shape this module:

* It covers the transaction id and nothing else, so it is a bearer token: whoever saw one
  checksum can send any other field with it. It is therefore never stored, shown or logged.
* It is an MD5 of key plus text, which can be extended by somebody who does not know the key.
  The extended text holds bytes that are not printable, so the transaction id is limited to
  printable ASCII and is checked exactly as it was received.
"""

from collections.abc import Mapping
from datetime import datetime
from datetime import timezone
from datetime import tzinfo
from decimal import Decimal
from niteoweb.click2sell.notification import Answer
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Event
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.provider import is_address
from niteoweb.click2sell.provider import secrecy
from niteoweb.click2sell.provider import signatures
from niteoweb.click2sell.providers.click2sell.form import Form
from typing import Any

import hashlib
import re


NAME = "click2sell"
TITLE = "Click2Sell"
CONTENT_TYPE = "application/x-www-form-urlencoded"

#: The checksum covers the transaction; all else decides only in its first entry.
SIGNED = frozenset({"transaction"})

#: Click2Sell looks at the status alone.
answer = Answer

#: Characters in a value; the longest that Click2Sell documents is a name.
LONGEST_VALUE = 255

#: A parameter of our own in an order link, which comes back with the purchase.
MEMBER_PARAMETER = "cp_member"

#: Parameters that every notification has to carry; the rest is optional.
REQUIRED = ("buyer_email", "product_id", "c2s_transaction_id", "purchase_date", "purchase_time")

#: Which parameters make which kind, as (transaction_type, subscription_status) in lower case.
#: Anything else is of an unknown kind and grants nothing.
KINDS = {
    ("", ""): Kind.PURCHASE,
    ("sale", ""): Kind.PURCHASE,
    ("sale", "new"): Kind.PURCHASE,
    ("subscription", "new"): Kind.PURCHASE,
    ("subscription", "recurring"): Kind.RENEWAL,
    ("subscription", "cancel"): Kind.CANCELLATION,
    ("refund", ""): Kind.REFUND,
    ("refund", "new"): Kind.REFUND,
    ("refund", "recurring"): Kind.REFUND,
    ("refund", "cancel"): Kind.REFUND,
}

_SALE, _SUBSCRIPTION = "transaction_type=Sale", "transaction_type=Subscription"
_EFFECTS = {
    Kind.PURCHASE: "access for the days of the mapping",
    Kind.RENEWAL: "access for the days of the mapping, added to the end so far",
    Kind.CANCELLATION: "access stays until the end that was paid for",
    Kind.REFUND: "access that the refunded payments gave ends now",
    Kind.PAYMENT_FAILED: "nothing changes; access ends when it is not paid for",
    Kind.UNKNOWN: "waits for the owner",
}

#: Everything that Click2Sell tells, in the words of its parameters.
EVENTS = tuple(
    Event(name, kind, _EFFECTS[kind])
    for name, kind in (
        ("neither transaction_type nor subscription_status", Kind.PURCHASE),
        (_SALE, Kind.PURCHASE),
        (f"{_SUBSCRIPTION}, subscription_status=New", Kind.PURCHASE),
        (f"{_SUBSCRIPTION}, subscription_status=Recurring", Kind.RENEWAL),
        (f"{_SUBSCRIPTION}, subscription_status=Cancel", Kind.CANCELLATION),
        ("transaction_type=Refund", Kind.REFUND),
        ("payment_status=Failed, whatever the type", Kind.PAYMENT_FAILED),
        ("anything else", Kind.UNKNOWN),
    )
)

_TRANSACTION = re.compile(rb"[\x21-\x7e]{1,128}")
_DATE = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})", re.ASCII)
_PRICE = re.compile(r"-?(\d{1,12}(?:[.,]\d{1,2})?) ?([A-Za-z]{3})?", re.ASCII)
#: Click2Sell did not exist earlier; an older date is a mistake.
_FIRST_YEAR = 1990


def verify(delivery: Delivery, settings: Any, now: datetime) -> Form:
    """Prove that a delivery comes from Click2Sell, see :class:`.IPaymentProvider`.

    :param now: the time of arrival, in UTC; the checksum has no time.
    :raises ParameterMissing: checksum or transaction id is missing.
    :raises ParameterInvalid: checksum or transaction id came twice, or the transaction id
        has a form that a forger could make without knowing the key.
    :raises WrongSignature: the checksum is not the one of this transaction, with either key.
    """
    secret_keys = signatures.keys(delivery, settings, CONTENT_TYPE)
    form = Form(delivery.body)
    form.arrived_at = now
    checksum = form.signed("checksum").upper()
    transaction = form.signed("acquirer_transaction_id")
    form.by_previous_key = signatures.prove([checksum], transaction, secret_keys, _checksum)
    if not _TRANSACTION.fullmatch(transaction):
        raise ParameterInvalid("acquirer_transaction_id")
    return form


def parse(form: Form, timezone_: tzinfo) -> tuple[Notification, ...]:
    """Read a verified form, which makes one notification.

    :param timezone_: the time zone that ``purchase_time`` is in. Click2Sell documents none;
        the site's own is assumed.
    """
    values = form.values()
    for name in REQUIRED:
        if len(values.get(name, "")) > LONGEST_VALUE:
            raise ParameterInvalid(name)
        if not values.get(name, "").strip():
            raise ParameterMissing(name)
    email = values["buyer_email"].strip()
    if not is_address(email):
        raise ParameterInvalid("buyer_email")
    amount, currency = _price(values.get("product_price", ""))
    transaction_type = values.get("transaction_type", "").strip()
    subscription_status = values.get("subscription_status", "").strip()
    payment_status = values.get("payment_status", "").strip()

    def text(name: str) -> str:
        # A name that is too long is cut: it decides nothing, and the payload has all of it.
        return values.get(name, "").strip()[:LONGEST_VALUE]

    # These parts tell two notifications apart. A retry may carry a new time.
    key = idempotency_key(
        NAME,
        values["acquirer_transaction_id"],
        text("c2s_transaction_id"),
        transaction_type,
        subscription_status,
        payment_status,
        text("product_id"),
        email.lower(),
    )
    earliest, occurred_at = _moments(values, timezone_, form.arrived_at)
    notification = Notification(
        key=key,
        provider=NAME,
        kind=kind_of(transaction_type, subscription_status, payment_status),
        transaction=values["acquirer_transaction_id"],
        receipt=text("c2s_transaction_id"),
        occurred_at=occurred_at,
        earliest=earliest,
        buyer=email.lower(),
        email=email,
        product_id=text("product_id"),
        product_name=text("product_name"),
        first_name=text("buyer_name"),
        last_name=text("buyer_surname"),
        amount=amount,
        currency=currency,
        country=text("buyer_country"),
        affiliate=text("affiliate_username"),
        member_token=text(MEMBER_PARAMETER),
        subscription=transaction_type.lower() == "subscription",
        payload=secrecy.payload(values.items()),
    )
    return (notification,)


def sign(secret_key: str, transaction: str | bytes) -> str:
    """The checksum that Click2Sell sends for a transaction: upper-case hexadecimal MD5."""
    raw = transaction.encode("utf-8") if isinstance(transaction, str) else transaction
    return _checksum(secret_key.encode("utf-8"), raw).decode("ascii")


def _checksum(secret_key: bytes, transaction: bytes) -> bytes:
    # MD5 is Click2Sell's choice; the module's docstring says what follows from it.
    digest = hashlib.md5(secret_key + b"_" + transaction, usedforsecurity=False)
    return digest.hexdigest().upper().encode("ascii")


def kind_of(transaction_type: str, subscription_status: str, payment_status: str) -> Kind:
    """The kind that three parameters make."""
    if payment_status.lower() == "failed":
        return Kind.PAYMENT_FAILED
    if payment_status.lower() not in ("", "ok"):
        return Kind.UNKNOWN
    return KINDS.get((transaction_type.lower(), subscription_status.lower()), Kind.UNKNOWN)


def _moments(
    values: Mapping[str, str], timezone_: tzinfo, arrived_at: datetime | None
) -> tuple[datetime | None, datetime]:
    """When it happened, in UTC, with the earlier moment that may be meant, None for no doubt.

    When clocks are put back they show an hour twice: the time that is nearer to the arrival is
    meant. It may be the first one all the same, and have come late.
    """
    date = _DATE.fullmatch(values["purchase_date"].strip())
    if date is None or int(date[1]) < _FIRST_YEAR:
        raise ParameterInvalid("purchase_date")
    time = _TIME.fullmatch(values["purchase_time"].strip())
    if time is None:
        raise ParameterInvalid("purchase_time")
    try:
        day = datetime(int(date[1]), int(date[3]), int(date[4]), tzinfo=timezone_)
    except ValueError:
        raise ParameterInvalid("purchase_date") from None
    try:
        local = day.replace(hour=int(time[1]), minute=int(time[2]), second=int(time[3]))
        first, second = (local.replace(fold=n).astimezone(timezone.utc) for n in (0, 1))
    except ValueError:
        raise ParameterInvalid("purchase_time") from None
    except OverflowError:
        raise ParameterInvalid("purchase_date") from None
    # In the hour that clocks leave out the second is the earlier one.
    if arrived_at is None or second <= first or arrived_at - first < second - arrived_at:
        return None, first
    return first, second


def _price(text: str) -> tuple[Decimal | None, str]:
    """Amount and currency of ``###.## CUR``; a refund is told by its kind, not by a sign."""
    if not text.strip():
        return None, ""
    price = _PRICE.fullmatch(text.strip())
    if price is None:
        # Left to the payload: the form of a price must not keep a payer out.
        return None, ""
    return Decimal(price[1].replace(",", ".")), (price[2] or "").upper()
