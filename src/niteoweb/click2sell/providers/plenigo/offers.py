"""The offers that a site sells, and the purchase that plenigo is asked to prepare.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A line of the setting is an id of an offer, ``O_...``, or of a shopping cart, ``SC_...``, and
after ``|`` options: ``multiple`` (may be bought again), ``net`` (net prices are shown),
``bonus=BO_A,BO_B`` (the buyer may choose one), ``variant=ID`` and ``product=P_X tax=TYPE
currency=EUR`` (a page says what is sold in its place: a single issue, for example). A browser
never says what is sold.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import re


CART = "SC_"
MULTIPLE, NET, BONUS, VARIANT = "multiple", "net", "bonus", "variant"
PRODUCT = "product"

#: Characters of values that go along with a purchase.
LONGEST_UTM = 100
LONGEST_SOURCE = 500
LONGEST_DATA = 200
LONGEST_TITLE = 100
#: Parameters of a campaign, as in the address of a page, and further ones that are passed on.
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
AFFILIATE = "affiliate"

#: An id of an offer, a bonus or the like, and a right of access.
ID = re.compile(r"[A-Z]{1,2}_[0-9A-Za-z]{1,18}", re.ASCII)
RIGHT = re.compile(r"[0-9A-Za-z-]{2,30}", re.ASCII)

_VARIANT = re.compile(r"[0-9A-Za-z-]{2,30}", re.ASCII)
_PRODUCT = re.compile(
    r"(P_[0-9A-Za-z]{1,18}) +tax=([A-Z0-9_]{1,50}) +currency=([A-Z]{3})", re.ASCII
)


class OfferError(ValueError):
    """A line names no offer, or has an option that there is not.

    :ivar number: of the line, from 1.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"line {number}")
        self.number = number


@dataclass(frozen=True)
class OwnData:
    """The part of an offer that describes products which pages sell.

    :ivar id: of the product at plenigo that is overwritten.
    """

    id: str
    tax_type: str
    currency: str


@dataclass(frozen=True)
class Single:
    """A single product as its page says: an issue, for example.

    :ivar id: of the product, the site's own.
    :ivar access_right: what it opens.
    """

    id: str
    title: str
    price: Decimal
    access_right: str


@dataclass(frozen=True)
class Offer:
    """An offer that the site sells.

    :ivar multiple: it may be bought more than once.
    :ivar net: net prices are shown.
    :ivar bonuses: of which the buyer may choose one.
    :ivar own_data: a page says what is sold, None where the offer does.
    """

    id: str
    multiple: bool = False
    net: bool = False
    bonuses: tuple[str, ...] = ()
    variant: str = ""
    own_data: OwnData | None = None

    @property
    def is_cart(self) -> bool:
        """Whether it is a shopping cart."""
        return self.id.startswith(CART)


def parse(lines: Iterable[str]) -> dict[str, Offer]:
    """The offers by id.

    :raises OfferError: a line cannot be read, or an offer stands there twice.
    """
    offers: dict[str, Offer] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        id_, *options = (part.strip() for part in line.split("|"))
        offer = _offer(id_, options)
        if offer is None or id_ in offers:
            raise OfferError(number)
        offers[id_] = offer
    return offers


def _offer(id_: str, options: list[str]) -> Offer | None:
    values = dict(option.partition("=")[::2] for option in options)
    names = {MULTIPLE, NET, BONUS, VARIANT, PRODUCT}
    known = values.keys() <= names and len(values) == len(options)
    bonuses = tuple(filter(None, values.get(BONUS, "").split(",")))
    variant = values.get(VARIANT, "")
    product = _PRODUCT.fullmatch(values.get(PRODUCT, ""))
    if not known or not all(map(ID.fullmatch, (id_, *bonuses))):
        return None
    if values.get(MULTIPLE) or values.get(NET) or (variant and not _VARIANT.fullmatch(variant)):
        return None
    if (PRODUCT in values and not product) or (VARIANT in values and not variant):
        return None
    if id_.startswith(CART) and (bonuses or variant or product):
        return None
    own_data = OwnData(*product.groups()) if product else None
    return Offer(id_, MULTIPLE in values, NET in values, bonuses, variant, own_data)


def purchase(
    offer: Offer | None,
    voucher: str,
    bonus: str,
    came_from: str,
    source: Mapping[str, Any],
    passed_on: Iterable[str] = (),
    single: Single | None = None,
) -> dict[str, Any]:
    """The purchase that plenigo is asked to prepare, without the buyer.

    :param offer: None where a voucher says what is bought.
    :param bonus: one of the offer's, "" for none.
    :param came_from: an address of this site, "" for none.
    :param source: parameters that came along; those that are not known do not go further.
    :param passed_on: names of parameters that do, beside those of campaigns.
    :param single: what the page says that is sold, None where the offer does.
    """
    body: dict[str, Any] = {}
    if offer is None:
        body["voucherCode"] = voucher
    elif offer.is_cart:
        body["basketId"] = offer.id
    else:
        item: dict[str, Any] = {"plenigoOfferId": offer.id, "quantity": 1}
        if bonus:
            item["plenigoBonusIds"] = [bonus]
        if single is not None and offer.own_data is not None:
            item |= _overwritten(single, offer.own_data)
        body["items"] = [item]
        if offer.variant:
            body["variantUniqueId"] = offer.variant
    if offer is not None and offer.multiple:
        body["allowMultiplePurchases"] = True
    if offer is not None and offer.net:
        body["showNetPrices"] = True
    additional = _additional(came_from, source, passed_on)
    if additional:
        body["additionalData"] = additional
    return body


def _overwritten(single: Single, own_data: OwnData) -> dict[str, Any]:
    """The fields of an item whose product a page says; all of them, as plenigo wants it."""
    title = single.title[:LONGEST_TITLE]
    product = {
        "plenigoProductId": own_data.id,
        "productId": single.id,
        "title": title,
        # JSON knows no decimals.
        "price": float(single.price),
        "currency": own_data.currency,
        "taxType": own_data.tax_type,
        "accessRightUniqueId": single.access_right,
    }
    return {"title": title, "products": [product]}


def _additional(
    came_from: str, source: Mapping[str, Any], passed_on: Iterable[str]
) -> dict[str, Any]:
    texts = {name: value for name, value in source.items() if isinstance(value, str) and value}
    utm = {name[4:]: texts[name][:LONGEST_UTM] for name in UTM if name in texts}
    data = {name: texts[name][:LONGEST_DATA] for name in passed_on if name in texts}
    additional = {
        "utm": utm,
        "data": data,
        "affiliateId": texts.get(AFFILIATE, "")[:LONGEST_UTM],
        "sourceId": came_from[:LONGEST_SOURCE],
    }
    return {name: value for name, value in additional.items() if value}
