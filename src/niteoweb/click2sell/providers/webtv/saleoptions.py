"""Options of the services of the store, read and checked before the store is asked."""

from decimal import Decimal
from niteoweb.click2sell.provider import LONGEST_ID
from niteoweb.click2sell.providers.webtv import orders
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import states
from typing import Any
from zExceptions import BadRequest


MOST_ITEMS = 20


def text(options: dict[str, Any], name: str) -> str:
    """A text that has to be there.

    :raises BadRequest: it is missing, too long, or not printable.
    """
    value = options.get(name, "").strip()
    if not value or len(value) > LONGEST_ID or not value.isprintable():
        raise BadRequest(f'"{name}" must be a text of up to {LONGEST_ID} characters.')
    return value


def amount(options: dict[str, Any], free: bool = False) -> str:
    """An amount, as text.

    :param free: it may be 0, or missing.
    :raises BadRequest: it is none.
    """
    value = options.get("amount", "0")
    if not orders.AMOUNT.fullmatch(value) or not (free or Decimal(value)):
        raise BadRequest('"amount" must be an amount such as 10.00.')
    return value


def items(items: Any) -> list[tuple[str, int]]:
    """Products with their quantities.

    :raises BadRequest: it is no list of them.
    """
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_ITEMS:
        raise BadRequest(f'"items" must be a list of 1 to {MOST_ITEMS} products.')
    read = {}
    for item in items:
        if not isinstance(item, dict) or set(item) - {"product", "quantity"}:
            raise BadRequest('An item is {"product": "12", "quantity": 1}.')
        product, quantity = item.get("product"), item.get("quantity", 1)
        if not isinstance(product, str) or not states.is_id(product):
            raise BadRequest('"product" must be an id of the store, as a text of digits.')
        if type(quantity) is not int or not 1 <= quantity <= 9999 or product in read:
            raise BadRequest('"quantity" must be a whole number; each product stands once.')
        read[product] = quantity
    return list(read.items())


def terms(options: dict[str, Any], sale: sales.Sale) -> list[dict[str, Any]]:
    """The terms of a sale; those of PayPal have PayPal's ids of the profiles, which are told.

    :raises BadRequest: the option is malformed.
    :raises sales.Conflict: the ids are not those of the sale's subscriptions.
    """
    told, is_paypal = options.get("profiles", []), options.get("method") == "paypal"
    ids = {}
    for one in told:
        if not isinstance(one, dict) or set(one) != {"product", "profile"}:
            raise BadRequest('A profile is {"product": "12", "profile": "I-1"}.')
        ids[str(one["product"])] = text({"profile": str(one["profile"])}, "profile")
    if told and not is_paypal:
        raise BadRequest('"profiles" are for the method paypal.')
    if not is_paypal or sale["state"] != sales.PLACED:
        return sale["terms"]
    if set(ids) != {term["product"] for term in sale["terms"]}:
        raise sales.Conflict(422, "Profiles", "Each subscription needs PayPal's profile.")
    return [
        {**term, "profile": ids[term["product"]], "method": "paypal"} for term in sale["terms"]
    ]


def payment(
    options: dict[str, Any], settings: Any, sale: sales.Sale, by: str
) -> dict[str, str] | None:
    """The payment that is told; None for none, and for one that was told before.

    :param by: the user id of the caller.
    :raises BadRequest: an option is malformed.
    :raises sales.Conflict: the sale does not take it.
    """
    if sale["state"] in (sales.BEGUN, sales.CARTED, sales.PLACING):
        raise sales.Conflict(409, "NotPlaced", "The order is not placed.")
    if sale["state"] in (sales.CANCELLED, sales.EXPIRED):
        raise sales.Conflict(409, "OrderGone", "The order is cancelled.")
    method = options.get("method", "external")
    if method not in orders.METHODS:
        raise BadRequest('"method" must be external or paypal.')
    if options.get("amount") is None:
        return None
    transaction, paid = text(options, "transaction"), amount(options)
    if options.get("currency") != settings.currency:
        raise sales.Conflict(422, "Currency", "The store's currency is another one.")
    if any(one["transaction"] == transaction for one in sale["payments"]):
        return None
    if sale["state"] != sales.PLACED:
        raise sales.Conflict(409, "Paid", "All was paid already.")
    if Decimal(paid) > Decimal(sale["due"]):
        raise sales.Conflict(422, "TooMuch", "Less than that is due.")
    return sales.payment(transaction, paid, by, method)
