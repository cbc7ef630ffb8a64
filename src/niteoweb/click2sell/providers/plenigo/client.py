"""plenigo's API: how things stand that callbacks are about, and their customers.

Names and limits are those of plenigo's OpenAPI description, version 250520.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import NotFound
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import orders
from niteoweb.click2sell.providers.plenigo import protocol
from niteoweb.click2sell.providers.plenigo import states
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")

#: The header with the token that proves the site to plenigo.
TOKEN = "X-plenigo-token"  # noqa: S105
#: Items in a page; of more than that plenigo makes 5.
PAGE = 100
SMALLEST_PAGE = 5
#: plenigo's emergency mode, and the errors about the session of a customer. With 403 it refuses
#: an act, whoever asks.
CODES = jsonapi.Codes(
    away=frozenset({99018}),
    session=frozenset({99010, 99011, 20028}),
    lacking=frozenset(),
)

#: A list: the field with the id of an item, and an item's notifications, as read at a moment.
List = tuple[str, Callable[[JsonBody, datetime], Iterable[Notification]]]
SUBSCRIPTIONS: List = "subscriptionId", lambda item, at: (states.of_listed(item, at),)
ORDERS: List = "orderId", orders.of_order
STORE_SUBSCRIPTIONS: List = (
    "appStoreSubscriptionId",
    lambda item, at: (orders.of_app_store(item, at),),
)

NO_TOKEN = "no token"  # noqa: S105
NO_ADDRESS = "no address"


def is_wanted(notification: Notification, settings: Any) -> bool:
    """Whether plenigo has to be asked before a notification can take effect.

    :param settings: with ``api_token``.
    """
    if notification.customer_deleted:
        # There is nobody left to ask for.
        return False
    prompt = protocol.is_prompt(notification) and bool(settings.api_token)
    if notification.kind is Kind.INFORMATION:
        return prompt
    nameless = bool(notification.customer_id) and not notification.buyer
    return nameless or prompt


def complete(
    notification: Notification, settings: Any, now: datetime
) -> tuple[Notification, ...]:
    """A notification with the present state of its subject, and with its buyer.

    A buyer that is known already is not asked for again, unless the subscription turns out to
    be another customer's.

    :param notification: of a callback or a list; with its buyer where the customer is known.
    :param settings: with ``api_url`` and ``api_token``.
    :param now: the present moment, in UTC; the subscription counts as read then.
    :returns: others follow it: the items of an order, and a customer who may use nothing.
    :raises Unreachable: plenigo cannot be asked at the moment.
    :raises Refused: a person has to decide: there is no token, plenigo does not know it, or
        plenigo's answer makes no sense.
    """
    if not is_wanted(notification, settings):
        return (notification,)
    if not settings.api_token:
        raise Refused(NO_TOKEN)
    api = connect(settings)
    try:
        if protocol.is_prompt(notification):
            about = notification.payload["entityType"]
            if about == protocol.ORDER:
                order = read(api, "orders", notification.payload.get("entityId", ""))
                return (notification, *orders.of_order(order, now))
            in_store = about == protocol.APP_STORE_SUBSCRIPTION
            stated = (_in_app_store if in_store else _as_it_stands)(api, notification, now)
            if stated.customer_id != notification.customer_id:
                stated = replace(stated, buyer="", email="", first_name="", last_name="")
            notification = stated
        if notification.customer_id and not notification.buyer:
            return _with_buyer(api, notification, now)
    except ParameterError as error:
        raise Refused(f"answer: {error.parameter}") from None
    return (notification,)


def probe(settings: Any) -> None:
    """Ask plenigo for as little as possible, to see whether it answers and takes the token.

    :param settings: with ``api_url`` and ``api_token``.
    :raises Unreachable: it cannot be asked, or the token lacks a right.
    :raises Refused: the address is none that may be asked.
    """
    api = connect(settings)
    for path in ("subscriptions", "customers"):
        read(api, path, size=str(SMALLEST_PAGE))


def changes(settings: Any, since: datetime, now: datetime) -> Iterator[Notification]:
    """Notifications of everything that changed at a moment or later, page by page.

    :param settings: with ``api_url`` and ``api_token``.
    :param since: in UTC.
    :param now: the present moment, in UTC; they count as read then.
    :raises Unreachable: plenigo cannot be asked, or its pages do not end.
    :raises Refused: there is no token, or plenigo does not answer that.
    """
    if not settings.api_token:
        raise Refused(NO_TOKEN)
    api = connect(settings)
    start = since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    yield from listed(api, ("subscriptions",), SUBSCRIPTIONS, now, startTime=start)
    for path, list_ in (
        (("orders",), ORDERS),
        (("appStores", "subscriptions"), STORE_SUBSCRIPTIONS),
    ):
        try:
            yield from listed(api, path, list_, now, startTime=start)
        except Refused as error:
            # A part of plenigo that the site has not bought.
            logger.warning("plenigo does not list %s: %s", "/".join(path), error.reason)


def connect(settings: Any) -> JsonApi:
    """plenigo's API.

    :param settings: with ``api_url`` and ``api_token``.
    :raises Unreachable: the token cannot be sent.
    :raises Refused: the address is none that may be asked.
    """
    headers = {TOKEN: settings.api_token or ""}
    return JsonApi(settings.api_url or "", headers, codes=CODES)


def read(api: JsonApi, *path: str, **query: str) -> JsonBody:
    """The answer to a question, see :meth:`~niteoweb.click2sell.provider.JsonApi.ask`."""
    return api.ask("GET", *path, query=query).body


def first(api: JsonApi, *path: str, **query: str) -> list[JsonBody]:
    """The first items of a list, as few as plenigo tells at a time."""
    return read(api, *path, **query, size=str(SMALLEST_PAGE)).parts("items")


def pages(
    api: JsonApi, path: tuple[str, ...], id_name: str, **query: str
) -> Iterator[JsonBody]:
    """The items of a list, page by page, in the order of their ids.

    :param id_name: the field with the id of an item.
    :param query: what limits the list.
    :raises Unreachable: plenigo cannot be asked, or its pages do not end.
    :raises Refused: plenigo does not answer that.
    """
    parameters = {"size": str(PAGE), "sort": "ASC", **query}
    seen: set[str] = set()
    while True:
        # A page that is not full need not be the last one; an empty one is.
        answer = read(api, *path, **parameters)
        with jsonapi.reading():
            items = answer.parts("items")
            after = answer.identifier("startingAfterId")
        if not items:
            return
        for item in reversed(items):
            if after:
                break
            with suppress(ParameterError):
                # An item that cannot be read must not keep the others out for ever.
                after = item.identifier(id_name)
        if not after:
            raise Unreachable("answer unreadable")
        if after in seen:
            raise Unreachable("pages without end")
        seen.add(after)
        yield from items
        parameters["startingAfter"] = after


def listed(
    api: JsonApi, path: tuple[str, ...], list_: List, now: datetime, **query: str
) -> Iterator[Notification]:
    """The notifications of a list's items; one that makes no sense needs attention."""
    id_name, notifications = list_
    for item in pages(api, path, id_name, **query):
        try:
            yield from notifications(item, now)
        except ParameterError as error:
            yield item.unreadable(protocol.NAME, id_name, error, now)


def _as_it_stands(api: JsonApi, notification: Notification, now: datetime) -> Notification:
    try:
        subscription = read(api, "subscriptions", notification.transaction)
    except NotFound:
        if notification.kind is Kind.EXPIRY:
            # A subscription that plenigo does not know any more has ended, too.
            return notification
        raise
    return states.of_subscription(notification, subscription, now)


def _in_app_store(api: JsonApi, notification: Notification, now: datetime) -> Notification:
    id_ = notification.payload.get("entityId", "")
    subscription = read(api, "appStores", "subscriptions", id_)
    payload = {**notification.payload, **states.read(subscription, now)}
    return orders.standing(
        replace(notification, occurred_at=now, payload=payload), subscription
    )


def _with_buyer(
    api: JsonApi, notification: Notification, now: datetime
) -> tuple[Notification, ...]:
    customer = read(api, "customers", notification.customer_id)
    if customer.required("customerId") != notification.customer_id:
        raise Refused("answer: customerId")
    with_address = states.of_customer(notification, customer)
    if not with_address.buyer:
        raise Refused(NO_ADDRESS)
    about = states.of_read_customer(customer, now)
    is_out = about.customer_deleted or about.customer_suspended
    return (with_address, about) if is_out else (with_address,)
