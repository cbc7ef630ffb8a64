"""Carts, orders and terms as the store tells them, read with tolerance.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock. Names of fields that no
document states are assumptions (A4, A8, A9).
"""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.provider import JsonBody
from typing import Any
from urllib.parse import parse_qsl

import re


#: Types of products with recurring payments, and the one that has to be alone.
TRIAL = "SUBSCRIPTIONTRIAL"
SUBSCRIPTIONS = frozenset({"SUBSCRIPTION", TRIAL, "SUBSCRIPTIONRENEWAL"})

#: Methods of payment, as the store numbers them.
METHODS = {"paypal": "2", "external": "3"}

AMOUNT = re.compile(r"\d{1,9}(\.\d{1,3})?", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,8})?", re.ASCII)
_SECONDS = re.compile(r"\d{1,10}", re.ASCII)


@dataclass(frozen=True)
class Line:
    """A product in a cart or an order."""

    product: str
    quantity: int
    type: str = ""
    title: str = ""
    sku: str = ""


@dataclass(frozen=True)
class Order:
    """The current order of a user, or the cart.

    :ivar id: "" for a cart.
    """

    id: str
    number: str
    due: Decimal
    paid: Decimal
    lines: tuple[Line, ...]
    subscription: bool
    trial: bool
    requires_recurring: bool
    enough: bool
    total: Decimal | None

    def holds(self, items: Sequence[Sequence[Any]]) -> bool:
        """Whether these products are in it, and no others."""
        mine = {str(product): int(number) for product, number in items}
        return {line.product: line.quantity for line in self.lines} == mine

    def holds_only(self, items: Sequence[Sequence[Any]]) -> bool:
        """Whether nothing else is in it."""
        return {line.product for line in self.lines} <= {str(item[0]) for item in items}


@dataclass(frozen=True)
class Terms:
    """The recurring payments of a subscription.

    :ivar subscription: its id, "" before the order was processed.
    :ivar first: Unix seconds of the first payment, as text.
    """

    product: str
    sku: str
    amount: Decimal
    currency: str
    period: str
    frequency: int
    first: str
    subscription: str


def number(body: JsonBody, name: str) -> Decimal | None:
    """An amount that may be a number or a text, None for none."""
    value = body.value(name)
    if value in (None, "") or isinstance(value, (bool, dict, list)):
        return None
    if not _NUMBER.fullmatch(str(value)):
        raise ParameterInvalid(name)
    return Decimal(str(value))


def order(answer: JsonBody) -> Order:
    """The answer to ``get_cart``.

    :raises niteoweb.click2sell.notification.ParameterError: a field is malformed.
    """
    body = answer.part("data")
    lines = tuple(_line(item) for item in _products(answer, body))
    types = {line.type for line in lines}
    id_ = body.identifier("order_id")
    id_ = "" if id_ in ("0", "-1") else id_
    due = number(body, "order_amount_due")
    if id_ and due is None:
        raise ParameterInvalid("order_amount_due")  # it is not free for that
    return Order(
        id=id_,
        number=body.identifier("order_number") or id_,
        due=due or Decimal(0),
        paid=number(body, "order_amount_paid") or Decimal(0),
        lines=lines,
        subscription=_flag(body, "order_contains_subscription") or bool(types & SUBSCRIPTIONS),
        trial=_flag(body, "order_contains_subscription_trial") or TRIAL in types,
        requires_recurring=_flag(body, "order_trial_requires_rp"),
        enough=body.identifier("order_min_purchase_check") != "0",
        total=number(body, "order_total"),
    )


def terms(answer: JsonBody) -> Terms:
    """The answer to ``get_subscription_pre_rp_info``."""
    body = answer.part("data")
    trial = body.identifier("date_first_payment_with_trial")
    amount = number(body, "amount")
    if amount is None:
        raise ParameterInvalid("amount")
    first = trial if trial not in ("", "-1", "0") else body.required("date_first_payment")
    if not _SECONDS.fullmatch(first):
        raise ParameterInvalid("date_first_payment")
    return Terms(
        product=body.identifier("id_product"),
        sku=body.title("product_sku"),
        amount=amount,
        currency=body.required("currency_code"),
        period=body.required("period"),
        frequency=int(number(body, "period_frequency") or 1),
        first=first,
        subscription=body.identifier("id_subscription").removeprefix("-1"),
    )


def restrictions(answer: JsonBody) -> dict[str, list[str]]:
    """The restrictions in an answer to ``get_cvr``, at any of three places (A4)."""
    values: Any = dict(answer.items())
    for name in ("data", "cvr"):
        inner = values.get(name)
        values = inner if isinstance(inner, dict) else values
    return {
        kind: [str(id_) for id_ in values[kind]]
        for kind in ("clip", "channel", "gallery")
        if isinstance(values.get(kind), list)
    }


def payment(fields: str, values: Mapping[str, str]) -> dict[str, str]:
    """The form of ``add_payment``, whose names are a setting (A2)."""
    filled = {}
    for name, value in parse_qsl(fields, keep_blank_values=True):
        for placeholder, text in values.items():
            value = value.replace(f"{{{placeholder}}}", text)
        filled[name] = value
    return filled


def money(amount: Decimal) -> str:
    """An amount with two places, or more where it has them."""
    exact = amount.normalize()
    places = max(2, -exact.as_tuple().exponent) if amount else 2
    return f"{amount:.{places}f}"


def _products(answer: JsonBody, body: JsonBody) -> list[JsonBody]:
    for part in (body, answer):
        for name in ("products", "items", "order_products", "list"):
            if isinstance(part.value(name), list):
                return part.parts(name)
    raise ParameterInvalid("products")


def _line(item: JsonBody) -> Line:
    def first(*names: str) -> str:
        return next(filter(None, (item.identifier(name) for name in names)), "")

    product = first("id_product", "product_id", "id")
    if not product:
        raise ParameterInvalid("id_product")
    quantity = number(item, "quantity") or number(item, "qty") or Decimal(1)
    kind = first("type_name", "product_type_name", "type").upper()
    title = item.title("title") or item.title("name")
    return Line(product, int(quantity), kind, title, item.title("sku"))


def _flag(body: JsonBody, name: str) -> bool:
    return body.identifier(name) == "1"
