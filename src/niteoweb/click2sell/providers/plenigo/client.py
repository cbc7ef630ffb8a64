"""plenigo's API: the state of a subscription, and its customer.

Names and limits are those of plenigo's OpenAPI description, version 250520.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import NotFound
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import protocol
from niteoweb.click2sell.providers.plenigo import states
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")

#: The header with the token that proves the site to plenigo.
TOKEN = "X-plenigo-token"  # noqa: S105
#: Subscriptions in a page; of more than that plenigo makes 5.
PAGE = 100
SMALLEST_PAGE = 5

NO_TOKEN = "no token"  # noqa: S105
NO_ADDRESS = "no address"


def is_wanted(notification: Notification, settings: Any) -> bool:
    """Whether plenigo has to be asked before a notification can take effect.

    :param settings: with ``api_token``.
    """
    if notification.customer_deleted:
        # There is nobody left to ask for.
        return False
    prompt = protocol.is_prompt(notification)
    if notification.kind is Kind.INFORMATION and not prompt:
        return False
    nameless = bool(notification.customer_id) and not notification.buyer
    return nameless or (prompt and bool(settings.api_token))


def complete(
    notification: Notification, settings: Any, now: datetime
) -> tuple[Notification, ...]:
    """A notification with the present state of its subscription, and with its buyer.

    A buyer that is known already is not asked for again, unless the subscription turns out to
    be another customer's.

    :param notification: of a callback or a list; with its buyer where the customer is known.
    :param settings: with ``api_url`` and ``api_token``.
    :param now: the present moment, in UTC; the subscription counts as read then.
    :raises Unreachable: plenigo cannot be asked at the moment.
    :raises Refused: a person has to decide: there is no token, plenigo does not know it, or
        plenigo's answer makes no sense.
    """
    if not is_wanted(notification, settings):
        return (notification,)
    if not settings.api_token:
        if notification.customer_id and not notification.buyer:
            raise Refused(NO_TOKEN)
        return (notification,)
    api = _api(settings)
    try:
        if protocol.is_prompt(notification):
            notification = _as_it_stands(api, notification, now)
        if notification.customer_id and not notification.buyer:
            notification = _with_buyer(api, notification)
    except ParameterError as error:
        raise Refused(f"answer: {error.parameter}") from None
    return (notification,)


def probe(settings: Any) -> None:
    """Ask plenigo for as little as possible, once, to see whether it answers.

    :param settings: with ``api_url`` and ``api_token``.
    :raises Unreachable: it cannot be asked, or does not take the token.
    :raises Refused: the address is none that may be asked.
    """
    _api(settings).get("subscriptions", size=str(SMALLEST_PAGE))


def changes(settings: Any, since: datetime, now: datetime) -> Iterator[Notification]:
    """Notifications of the subscriptions that changed at a moment or later, page by page.

    :param settings: with ``api_url`` and ``api_token``.
    :param since: in UTC.
    :param now: the present moment, in UTC; they count as read then.
    :raises Unreachable: plenigo cannot be asked, or its pages do not end.
    :raises Refused: there is no token, or plenigo does not answer that.
    """
    if not settings.api_token:
        raise Refused(NO_TOKEN)
    api = _api(settings)
    start = since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    parameters = {"size": str(PAGE), "startTime": start, "sort": "ASC"}
    seen: set[str] = set()
    while True:
        try:
            # A page that is not full need not be the last one; an empty one is.
            page = api.get("subscriptions", **parameters).parts("items")
            if not page:
                return
            last = page[-1].required("subscriptionId")
        except ParameterError:
            raise Unreachable("answer unreadable") from None
        if last in seen:
            raise Unreachable("pages without end")
        seen.add(last)
        for subscription in page:
            try:
                yield states.of_listed(subscription, now)
            except ParameterError as error:
                logger.warning(
                    "A subscription of plenigo's list is left out: %s", error.parameter
                )
        parameters["startingAfter"] = last


def _api(settings: Any) -> JsonApi:
    return JsonApi(settings.api_url or "", {TOKEN: settings.api_token or ""})


def _as_it_stands(api: JsonApi, notification: Notification, now: datetime) -> Notification:
    try:
        subscription = api.get("subscriptions", notification.transaction)
    except NotFound:
        if notification.kind is Kind.EXPIRY:
            # A subscription that plenigo does not know any more has ended, too.
            return notification
        raise
    stated = states.of_subscription(notification, subscription, now)
    if stated.customer_id != notification.customer_id:
        return replace(stated, buyer="", email="", first_name="", last_name="")
    return stated


def _with_buyer(api: JsonApi, notification: Notification) -> Notification:
    customer = api.get("customers", notification.customer_id)
    if customer.required("customerId") != notification.customer_id:
        raise Refused("answer: customerId")
    with_address = states.of_customer(notification, customer)
    if not with_address.buyer:
        raise Refused(NO_ADDRESS)
    return with_address
