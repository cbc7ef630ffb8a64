"""Signed sales of the demo's products, as Click2Sell posts them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.providers.click2sell.sample import form_fields
from tools.demo import settings
from urllib.parse import urlencode

import secrets


def form(
    address: str,
    *,
    key: str = settings.SECRET_KEY,
    product: str = settings.PRODUCT,
    at: datetime | None = None,
) -> Mapping[str, str]:
    """A signed sale of a transaction that nobody knows yet.

    :param address: of the buyer.
    :param key: the site's secret key.
    :param at: the time of the sale, in UTC; None for now.
    """
    transaction = secrets.token_hex(8)
    request = SampleRequest(
        "sale",
        product,
        address,
        transaction,
        at or datetime.now(timezone.utc),
        receipt=transaction,
        first_name=settings.BUYER_NAME,
        last_name=settings.BUYER_SURNAME,
        product_name=settings.PRODUCTS[product].name,
        price=settings.PRODUCTS[product].price,
    )
    return form_fields(key, request)


def encoded(values: Mapping[str, str]) -> bytes:
    """A form as it is posted."""
    return urlencode(values).encode("ascii")


def new_address() -> str:
    """The address of a buyer whom nobody knows yet."""
    return f"{secrets.token_hex(8)}@example.com"


@dataclass(frozen=True)
class Sale:
    """A purchase by a new buyer.

    :ivar body: its signed notification.
    """

    address: str
    receipt: str
    body: bytes


def new_sale(key: str = settings.SECRET_KEY) -> Sale:
    """A purchase by a buyer whom nobody knows yet."""
    values = form(address := new_address(), key=key)
    return Sale(address, values["c2s_transaction_id"], encoded(values))
