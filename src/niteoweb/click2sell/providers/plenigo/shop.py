"""plenigo's API for those who buy: a function for each operation.

Names and limits are those of plenigo's OpenAPI description, version 250520.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import NotFound
from niteoweb.click2sell.provider import Rejected
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import offers
from niteoweb.click2sell.providers.plenigo import orders
from niteoweb.click2sell.providers.plenigo import states
from typing import Any

import re


#: Codes of errors: the address is another customer's, the id is.
ADDRESS_TAKEN = frozenset({20007, 20027})
ID_TAKEN = 20068


#: Codes of a voucher's offer that costs something, or needs an address.
NEEDS_CHECKOUT = frozenset({90034, 90007, 90008, 90035, 90045})
ACTIVE_VOUCHER = "ACTIVE"
#: The lists of what is sold, each with the parameter that names one of it.
OFFERS, CARTS = ("offers", "plenigoOfferId"), ("shoppingCarts", "plenigoShoppingCartId")
BONUSES = ("bonuses", "plenigoBonusId")
#: Characters of a session; plenigo sets no limit.
LONGEST_SESSION = 64 * 1024


#: Characters of the address of an image, and what a page may have in it: nothing but https.
LONGEST_IMAGE = 500
_IMAGE = re.compile(r"https://[0-9A-Za-z.-]+(:[0-9]{1,5})?(/[^\s\"'<>\\]*)?", re.ASCII)


@dataclass(frozen=True)
class Presentation:
    """The presentation of an offer, a shopping cart or a bonus, "" where plenigo tells nothing.

    :ivar image: the address of its image.
    :ivar image_text: the text in place of the image.
    :ivar tags: the names of its product tags.
    """

    title: str = ""
    description: str = ""
    image: str = ""
    image_text: str = ""
    tags: tuple[str, ...] = ()


class AddressTaken(Exception):
    """plenigo has another customer with the member's address, or may have one some day."""


class IdTaken(Exception):
    """plenigo has another customer with that id."""


def create_customer(api: JsonApi, id_: str, values: Mapping[str, str]) -> str:
    """Make a customer; asking once more with the same id and address does no harm.

    :param values: with ``email`` and ``language``.
    :returns: the customer's id, which plenigo may have chosen itself.
    :raises AddressTaken: another customer has the address.
    :raises IdTaken: another customer has the id.
    """
    value = {"customerId": id_, **values}
    try:
        reply = api.ask(
            "POST", "customers", value=value, yes=frozenset({201, 208}), repeat=True
        )
    except Rejected as error:
        if error.code in ADDRESS_TAKEN:
            raise AddressTaken from None
        if error.code == ID_TAKEN:
            raise IdTaken from None
        raise
    given = _text(reply.body, "customerId")
    if reply.status == 208 and given != id_:
        raise AddressTaken
    return given


def customer_at(api: JsonApi, address: str) -> str:
    """The one customer with an address who may use purchases, "" for none or several."""
    with jsonapi.reading():
        listed = client.first(api, "customers", email=address)
        found = [one for one in listed if one.text("email").lower() == address.lower()]
        if len(found) != 1 or found[0].text("status") != states.ACTIVATED:
            return ""
        return found[0].required("customerId")


def prepare(api: JsonApi, value: Mapping[str, Any]) -> str:
    """Prepare a purchase.

    :returns: its id, good for the checkout for a while.
    """
    reply = api.ask(
        "POST", "checkout", "preparePurchase", value=value, yes=frozenset({201}), repeat=True
    )
    return _text(reply.body, "purchaseId")


def voucher_offer(api: JsonApi, code: str) -> str:
    """The offer of a voucher that can be redeemed.

    :raises Rejected: it cannot.
    """
    body = client.read(api, "vouchers", code, "validate")
    offer = _text(body, "plenigoOfferId")
    if body.title("status") != ACTIVE_VOUCHER:
        raise Rejected(403)
    return offer


def redeem(api: JsonApi, customer_id: str, address: str, code: str) -> str:
    """Redeem a voucher for an offer that costs nothing; asked once.

    :param address: of the customer in the network.
    :returns: the number of the order.
    """
    value = {"customerId": customer_id, "customerIpAddress": address, "voucherCode": code}
    yes = frozenset({201})
    reply = api.ask("POST", "checkout", "buyWithVoucher", value=value, yes=yes, repeat=False)
    return _text(reply.body, "orderId")


def begin_session(
    api: JsonApi, customer_id: str, value: Mapping[str, str]
) -> tuple[str, str, str]:
    """Begin a session of a customer.

    :param value: where it begins.
    :returns: the session, "" where the customer has as many as plenigo allows; then what
        another one may be replaced with, and the id of the oldest.
    """
    yes = frozenset({200, 202})
    body = (reply := api.ask("POST", "sessions", customer_id, value=value, yes=yes)).body
    if reply.status == 202:
        return _session(body), "", ""
    with jsonapi.reading():
        listed = body.part("activeSessions").parts("items")
        oldest = min(listed, key=lambda one: one.text("createdAt"), default=None)
        removal = body.text("removalToken", LONGEST_SESSION)
        return "", removal, oldest.identifier("sessionId") if oldest else ""


def replace_session(api: JsonApi, removal: str, session_id: str) -> str:
    """End a session, and begin one in its place; asked once."""
    path = ("processes", "login", "changeSessions", removal)
    query, yes = {"sessionId": session_id}, frozenset({202})
    return _session(api.ask("PUT", *path, query=query, yes=yes, repeat=False).body)


def session_customer(api: JsonApi, session: str) -> str:
    """The customer of a session.

    :raises Refused: the session is over.
    """
    body = client.read(api, "sessions", "validate", sessionToken=session)
    return _text(body, "customerId")


def session_of(api: JsonApi, transfer_token: str) -> str:
    """The session that a transfer token hands over; asked once, since it is used up then.

    :raises Refused: it was used, or is too old.
    """
    query = {"transferToken": transfer_token}
    return _session(api.ask("GET", "sessions", "transferToken", query=query, repeat=False).body)


def transfer_token(api: JsonApi, session: str) -> str:
    """A token that hands a session over once, within half a minute."""
    value = {"customerSession": session}
    reply = api.ask("POST", "sessions", "transferToken", value=value)
    return _text(reply.body, "transferToken")


def ordered(
    api: JsonApi, number: str, customer_id: str, now: datetime
) -> list[Notification] | None:
    """The notifications of an order's items.

    :returns: None for an order that is not the customer's, or none at all.
    """
    try:
        order = client.read(api, "orders", number)
    except NotFound:
        return None
    with jsonapi.reading():
        items = order.parts("items")
        receivers = {item.identifier("deliveryCustomerId") for item in items}
        if customer_id not in {order.identifier("invoiceCustomerId"), *receivers}:
            return None
        found = list(orders.of_order(order, now))
        for item in items:
            item_id = item.identifier("subscriptionItemId")
            if item_id:
                listed = client.first(api, "subscriptions", subscriptionItemId=item_id)
                found += [states.of_listed(one, now) for one in listed]
    return found


def bought(api: JsonApi, customer_id: str, now: datetime) -> Iterator[Notification]:
    """The notifications of all that a customer has."""
    of_customer = ("customers", customer_id)
    yield from client.listed(api, (*of_customer, "subscriptions"), client.SUBSCRIPTIONS, now)
    yield from client.listed(api, (*of_customer, "orders"), client.ORDERS, now)


def is_known(api: JsonApi, offer_id: str) -> bool:
    """Whether plenigo has an offer or a shopping cart."""
    try:
        return bool(_listed(api, _list_of(offer_id), offer_id))
    except (NotFound, ParameterError):
        return False


def presentation(api: JsonApi, offer_id: str, language: str) -> Presentation:
    """The presentation of an offer or a shopping cart."""
    return _presented(api, _list_of(offer_id), offer_id, language)


def bonus_title(api: JsonApi, bonus_id: str, language: str) -> str:
    """The title of a bonus, "" for none."""
    return _presented(api, BONUSES, bonus_id, language).title


def _list_of(offer_id: str) -> tuple[str, str]:
    return CARTS if offer_id.startswith(offers.CART) else OFFERS


def _listed(api: JsonApi, list_: tuple[str, str], id_: str) -> list[JsonBody]:
    path, name = list_
    return client.first(api, "products", path, **{name: id_})


def _presented(api: JsonApi, list_: tuple[str, str], id_: str, language: str) -> Presentation:
    """Title and the like, in a language if there is one."""
    try:
        listed = _listed(api, list_, id_)[:1]
        texts = [text for one in listed for text in one.parts("translations")]
    except (ParameterError, Rejected):
        return Presentation()
    tags = tuple(tag.title("name") for one in listed for tag in _parts(one, "productTags"))
    texts.sort(key=lambda one: one.title("language").lower() != language)
    if not texts:
        return Presentation(tags=tags)
    title, description = (texts[0].title(name) for name in ("title", "description"))
    return Presentation(title, description, *_image(texts[0]), tags)


def _image(text: JsonBody) -> tuple[str, str]:
    """The address of the first image that a page can show, and its text; "" for none."""
    for image in _parts(text, "images"):
        with suppress(ParameterError):
            url = image.text("url", LONGEST_IMAGE)
            if _IMAGE.fullmatch(url):
                return url, image.title("altText")
    return "", ""


def _parts(body: JsonBody, name: str) -> list[JsonBody]:
    """The objects of a list that decides nothing, none where it cannot be read."""
    try:
        return body.parts(name)
    except ParameterError:
        return []


def _session(body: JsonBody) -> str:
    with jsonapi.reading():
        session = body.text("customerSession", LONGEST_SESSION)
    if not session:
        raise Unreachable("answer unreadable")
    return session


def _text(body: JsonBody, name: str) -> str:
    with jsonapi.reading():
        return body.required(name)
