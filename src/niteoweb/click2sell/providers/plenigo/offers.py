"""The offers that a site sells, and the purchase that plenigo is asked to prepare.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A line of the setting is an id of an offer, ``O_...``, or of a shopping cart, ``SC_...``, and
after ``|`` options: ``multiple`` (may be bought again), ``net`` (net prices are shown),
``bonus=BO_A,BO_B`` (the buyer may choose one) and ``variant=ID``. A browser never says what is
sold.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import re


CART = "SC_"
MULTIPLE, NET, BONUS, VARIANT = "multiple", "net", "bonus", "variant"

#: Characters of values that go along with a purchase.
LONGEST_UTM = 100
LONGEST_SOURCE = 500
LONGEST_DATA = 200
#: Parameters of a campaign, as in the address of a page, and further ones that are passed on.
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
PASSED_ON = (*("upscore_object_id", "upscore_offer_id", "upscore_click_id", "upscore_domain"),)
AFFILIATE = "affiliate"

_ID = re.compile(r"[A-Z]{1,2}_[0-9A-Za-z]{1,18}", re.ASCII)
_VARIANT = re.compile(r"[0-9A-Za-z_-]{1,50}", re.ASCII)


class OfferError(ValueError):
    """A line names no offer, or has an option that there is not.

    :ivar number: of the line, from 1.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"line {number}")
        self.number = number


@dataclass(frozen=True)
class Offer:
    """An offer that the site sells.

    :ivar multiple: it may be bought more than once.
    :ivar net: net prices are shown.
    :ivar bonuses: of which the buyer may choose one.
    """

    id: str
    multiple: bool = False
    net: bool = False
    bonuses: tuple[str, ...] = ()
    variant: str = ""

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
    known = values.keys() <= {MULTIPLE, NET, BONUS, VARIANT} and len(values) == len(options)
    bonuses = tuple(filter(None, values.get(BONUS, "").split(",")))
    variant = values.get(VARIANT, "")
    if not known or not all(map(_ID.fullmatch, (id_, *bonuses))):
        return None
    if values.get(MULTIPLE) or values.get(NET) or (variant and not _VARIANT.fullmatch(variant)):
        return None
    if id_.startswith(CART) and (bonuses or variant):
        return None
    return Offer(id_, MULTIPLE in values, NET in values, bonuses, variant)


def purchase(
    offer: Offer | None,
    voucher: str,
    bonus: str,
    came_from: str,
    source: Mapping[str, Any],
) -> dict[str, Any]:
    """The purchase that plenigo is asked to prepare, without the buyer.

    :param offer: None where a voucher says what is bought.
    :param bonus: one of the offer's, "" for none.
    :param came_from: an address of this site, "" for none.
    :param source: parameters that came along; those that are not known do not go further.
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
        body["items"] = [item]
        if offer.variant:
            body["variantUniqueId"] = offer.variant
    if offer is not None and offer.multiple:
        body["allowMultiplePurchases"] = True
    if offer is not None and offer.net:
        body["showNetPrices"] = True
    additional = _additional(came_from, source)
    if additional:
        body["additionalData"] = additional
    return body


def _additional(came_from: str, source: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: value for name, value in source.items() if isinstance(value, str) and value}
    utm = {name[4:]: texts[name][:LONGEST_UTM] for name in UTM if name in texts}
    data = {name: texts[name][:LONGEST_DATA] for name in PASSED_ON if name in texts}
    additional = {
        "utm": utm,
        "data": data,
        "affiliateId": texts.get(AFFILIATE, "")[:LONGEST_UTM],
        "sourceId": came_from[:LONGEST_SOURCE],
    }
    return {name: value for name, value in additional.items() if value}
