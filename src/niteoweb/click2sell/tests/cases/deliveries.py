"""Click2Sell notifications for tests, really signed."""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.providers.click2sell.protocol import CONTENT_TYPE
from niteoweb.click2sell.providers.click2sell.protocol import sign
from types import SimpleNamespace
from urllib.parse import urlencode


#: Any moment; no checksum depends on it.
NOW = datetime(2026, 5, 3, 12, tzinfo=timezone.utc)

SECRET_KEY = "a secret key of sufficient length"

SALE = {
    "buyer_email": "john@example.org",
    "buyer_name": "John",
    "buyer_surname": "Smith",
    "product_id": "1",
    "product_name": "Test Product",
    "product_price": "9.90 EUR",
    "affiliate_username": "affiliate",
    "c2s_transaction_id": "R-1",
    "purchase_date": "2026-05-03",
    "purchase_time": "10:20:30",
    "acquirer_transaction_id": "T-1",
}


def keys(secretkey: str = SECRET_KEY, previous: str | None = None) -> SimpleNamespace:
    """Settings of a provider that has these keys."""
    return SimpleNamespace(secretkey=secretkey, previous_secretkey=previous)


def fields(**changes: str | None) -> dict[str, str]:
    """Parameters of a sale, signed; None takes one away."""
    values = {**SALE, **changes}
    values.setdefault("checksum", sign(SECRET_KEY, values["acquirer_transaction_id"] or ""))
    return {name: value for name, value in values.items() if value is not None}


def body(**changes: str | None) -> bytes:
    """The body of a sale's delivery, signed; None takes a parameter away."""
    return urlencode(fields(**changes)).encode("ascii")


def delivery(raw: bytes) -> Delivery:
    """A body as a provider module gets it."""
    return Delivery(raw, CONTENT_TYPE)


def about(buyer: str, number: str, at: datetime, **changes: str) -> bytes:
    """A delivery about a buyer.

    :param number: of the transaction.
    """
    return body(
        **{
            "buyer_email": f"{buyer}@example.org",
            "acquirer_transaction_id": f"T-{buyer}-{number}",
            "c2s_transaction_id": f"R-{buyer}-{number}",
            "affiliate_username": f"affiliate-{number}",
            "purchase_date": f"{at:%Y-%m-%d}",
            "purchase_time": f"{at:%H:%M:%S}",
            **changes,
        }
    )
