"""Stripe's API: the states of subscriptions, the purchases, and the payers.

A restricted key that may read is enough; a session of the Customer Portal needs one that may
write these.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import UNDOING
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import NotFound
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.providers.stripe import events
from niteoweb.click2sell.providers.stripe import payments
from niteoweb.click2sell.providers.stripe import protocol
from niteoweb.click2sell.providers.stripe import states
from niteoweb.click2sell.providers.stripe.account import Account
from typing import Any


#: How long Stripe keeps events.
KEPT = timedelta(days=30)
#: Types of events that one question may name.
MOST_TYPES = 20

#: What the API lists are events, each with the key of its delivery: none is known before.
LISTS_EVENTS = True

NO_TOKEN = "no token"  # noqa: S105
NO_ADDRESS = "no address"

_PRODUCT = "items.data.price.product"
_OBJECT = "data.object."


def is_wanted(notification: Notification, settings: Any) -> bool:
    """Whether Stripe has to be asked before a notification can take effect.

    :param settings: with ``api_token``.
    """
    if notification.customer_deleted or states.READ_AT in notification.payload:
        return False
    type_, kind = notification.payload.get("type", ""), notification.kind
    if type_.startswith(events.SESSION):
        of_interest = kind is Kind.PURCHASE
        nameless = of_interest and not notification.product_id
    else:
        nameless = bool(notification.customer_id) and not notification.buyer
        nameless &= kind in states.GIVING
        of_interest = (
            type_.startswith(events.SUBSCRIPTION)
            or type_ == events.FEATURES
            or kind in (Kind.RENEWAL, *UNDOING)
            or bool(notification.undoing)
        )
    return nameless or (of_interest and bool(settings.api_token))


def complete(
    notification: Notification, settings: Any, now: datetime
) -> tuple[Notification, ...]:
    """A notification, completed by Stripe's API.

    :param notification: of an event; with its buyer where the customer is known.
    :param settings: with ``api_url``, ``api_token`` and ``test_mode``.
    :param now: the present moment, in UTC; the objects count as read then.
    :returns: the notification, then others of the same event.
    :raises Unreachable: Stripe cannot be asked at the moment.
    :raises Refused: a person has to decide: there is no token, Stripe does not know it, or
        Stripe's answer makes no sense.
    """
    if not is_wanted(notification, settings):
        return (notification,)
    if not settings.api_token:
        raise Refused(NO_TOKEN)
    try:
        account = Account(settings)
        told = _told(account, notification, now)
        if any(one.customer_id and not one.buyer for one in told):
            told = _with_buyer(account, told, notification)
        return tuple(told)
    except ParameterError as error:
        raise Refused(f"answer: {error.parameter}") from None


def probe(settings: Any) -> None:
    """Ask Stripe for as little as possible, once, to see whether it answers.

    :param settings: with ``api_url``, ``api_token`` and ``test_mode``.
    :raises Unreachable: it cannot be asked, or does not take the token.
    :raises Refused: the address is none that may be asked, or the key is of the other mode.
    """
    Account(settings).first("events")


def changes(settings: Any, since: datetime, now: datetime) -> Iterator[Notification]:
    """Notifications of the events since a moment, page by page.

    :param settings: with ``api_url``, ``api_token`` and ``test_mode``.
    :param since: in UTC; Stripe keeps events for 30 days.
    :param now: the present moment, in UTC.
    :raises Unreachable: Stripe cannot be asked, or its pages do not end.
    :raises Refused: there is no token, or Stripe does not answer that.
    """
    if not settings.api_token:
        raise Refused(NO_TOKEN)
    start, types = str(int(max(since, now - KEPT).timestamp())), protocol.EVENT_TYPES
    with jsonapi.reading():
        for first in range(0, len(types), MOST_TYPES):
            wanted = {"created[gte]": start, "types[]": types[first : first + MOST_TYPES]}
            for event in Account(settings).pages("events", **wanted):
                try:
                    yield from protocol.read(event)
                except ParameterError as error:
                    yield event.unreadable(protocol.NAME, "id", error, now)


def _told(account: Account, notification: Notification, now: datetime) -> list[Notification]:
    payload, type_ = notification.payload, notification.payload.get("type", "")
    if type_.startswith(events.SESSION):
        lines = account.pages(
            "checkout",
            "sessions",
            _named(payload, "id"),
            "line_items",
            **{"expand[]": "data.price.product"},
        )
        told = payments.of_lines(notification, payload.get("id", ""), lines)
        if not told:
            raise Refused("answer: line_items")
        return [replace(one, payload={**payload, states.READ_AT: str(now)}) for one in told]
    if type_ == events.FEATURES:
        owner = {"customer": notification.customer_id}
        active = list(account.pages("entitlements", "active_entitlements", **owner))
        keys = [one.text("lookup_key") for one in active]
        read = JsonBody({"lookup_keys": keys})
        notification = replace(notification, occurred_at=now)
        return [states.with_read(states.of_features(notification, keys), read, now)]
    if type_.startswith(events.SUBSCRIPTION) or _is_invoice(notification):
        return _as_it_stands(account, notification, now)
    return [_with_payment(account, notification, now)]


def _as_it_stands(
    account: Account, notification: Notification, now: datetime
) -> list[Notification]:
    """A notification about a subscription's item, restated, and those of items that are new."""
    try:
        subscription = _subscription(account, notification)
    except NotFound:
        if notification.kind is Kind.EXPIRY:
            # A subscription that Stripe does not know any more has ended, too.
            return [notification]
        raise
    if _is_invoice(notification) and notification.kind is Kind.PURCHASE:
        # Bought once, along with the subscription.
        return [states.with_read(notification, subscription, now)]
    base = replace(notification, kind=_kind(notification), valid_until=None, snapshot=False)
    if notification.kind is not Kind.RENEWAL:
        base = replace(base, occurred_at=now, subscription=False)
    told = {
        one.transaction: states.with_read(one, subscription, now)
        for one in states.of_subscription(
            base, notification.payload.get("id", ""), subscription
        )
    }
    own = told.pop(notification.transaction, None)
    if notification.kind is Kind.RENEWAL:
        # The money arrived whatever the subscription is now, and when the event says.
        if own is None or own.kind not in (Kind.RENEWAL, Kind.UNKNOWN):
            return [states.with_read(notification, subscription, now)]
        names = own.product_name or notification.product_name
        return [replace(own, receipt=notification.receipt, product_name=names)]
    if own is None:
        gone = states.over(replace(notification, occurred_at=now))
        own = states.with_read(gone, subscription, now)
    # Those that the event does not name may have been paid by another invoice.
    others = [replace(one, receipt="") for one in told.values()]
    return [replace(own, key=notification.key), *others]


def _subscription(account: Account, notification: Notification) -> JsonBody:
    """The subscription that a notification is about, with all of its items."""
    payload = notification.payload
    names = ("id",)
    if _is_invoice(notification):
        names = ("parent.subscription_details.subscription", "subscription")
    id_ = _named(payload, *names)
    subscription = account.get("subscriptions", id_, **{"expand[]": _PRODUCT})
    if subscription.required("id") != id_:
        raise Refused("answer: id")
    more: dict[str, Any] = {}
    if subscription.part("items").boolean("has_more"):
        rest = account.pages("subscription_items", subscription=id_)
        more["items"] = {"data": [dict(item.items()) for item in rest]}
    if subscription.text("status") == states.PAST_DUE:
        more["latest_invoice"] = _unpaid(account, subscription)
    return JsonBody({**dict(subscription.items()), **more})


def _is_invoice(notification: Notification) -> bool:
    return notification.payload.get("type") == events.INVOICE_PAID


def _unpaid(account: Account, subscription: JsonBody) -> dict[str, Any]:
    """The invoice that is not paid: its id, and when it was made if the key may read that."""
    id_ = states.reference(subscription, "latest_invoice")
    try:
        created = account.get("invoices", id_).integer("created")
    except (Refused, jsonapi.TokenRefused):
        created = None
    return {"id": id_, "created": created}


def _named(payload: Mapping[str, str], *names: str) -> str:
    """The id under one of some names of an event's object, which may be there in full."""
    found = (payload.get(_OBJECT + name + end, "") for name in names for end in ("", ".id"))
    return next((id_ for id_ in found if id_ not in ("", "null")), "")


def _kind(notification: Notification) -> Kind:
    """The kind of the event, unless more was told of it than its type."""
    if notification.kind is Kind.REACTIVATION:
        return notification.kind
    return events.KINDS[notification.payload["type"]]


def _with_payment(account: Account, notification: Notification, now: datetime) -> Notification:
    """A refund or dispute with its payer, and the invoice that it paid."""
    payload = notification.payload
    name = "id" if payload.get("type") == "charge.refunded" else "charge"
    charge = account.get("charges", _named(payload, name))
    paid = replace(payments.with_payer(notification, charge), receipt=notification.receipt)
    if not paid.customer_id and charge.has("payment_intent"):
        # A guest is known by the address of the purchase; the charge may name another, or none.
        about = {"payment_intent": paid.transaction}
        session = account.first("checkout", "sessions", **about)
        email = session.part("customer_details").address("email") or paid.email
        paid = replace(paid, buyer=email.lower(), email=email)
    if not paid.receipt:
        intent = {
            "payment[type]": "payment_intent",
            "payment[payment_intent]": paid.transaction,
        }
        found = account.first("invoice_payments", **intent)
        paid = replace(paid, receipt=states.reference(found, "invoice"))
    return replace(paid, payload={**payload, states.READ_AT: now.isoformat()})


def _with_buyer(
    account: Account, told: list[Notification], notification: Notification
) -> list[Notification]:
    """Notifications of one customer with its address, and with who was logged in."""
    customer_id = told[0].customer_id
    customer = account.get("customers", customer_id)
    if customer.required("id") != customer_id:
        raise Refused("answer: customer")
    named = states.of_customer(notification, customer)
    if not named.buyer:
        if all(one.kind not in states.GIVING for one in told):
            return told
        raise Refused(NO_ADDRESS)
    token = ""
    subscription = told[0].payload.get(f"{states.READ}id", "")
    if subscription:
        session = account.first("checkout", "sessions", subscription=subscription)
        token = session.text(protocol.MEMBER_PARAMETER)
    return [
        replace(
            one,
            buyer=named.buyer,
            email=named.email,
            first_name=named.first_name,
            member_token=token,
        )
        for one in told
    ]
