"""The part of the checklist that only Stripe has: the key, and the events that Stripe sends."""

from collections.abc import Iterator
from niteoweb.click2sell import _
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.stripe import protocol
from niteoweb.click2sell.providers.stripe.account import Account
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.setup import Check
from niteoweb.click2sell.setup import Status
from typing import Any


#: The objects that the key has to read, as Stripe calls them, each with a question for it.
OBJECTS = {
    "Customers": ("customers",),
    "Products": ("products",),
    "Subscriptions": ("subscriptions",),
    "Checkout Sessions": ("checkout", "sessions"),
    "Charges": ("charges",),
    "Invoices": ("invoice_payments",),
    "Events": ("events",),
}
#: An endpoint with it gets all events.
ALL = "*"


def items(settings: Any, connect: bool) -> Iterator[Check]:
    """The checks of a site with a key.

    :param connect: ask Stripe, which may take some seconds.
    """
    if not connect or not settings.api_token:
        return
    try:
        with jsonapi.within(jsonapi.SALE):
            account = Account(settings)
            yield from [_permissions(account), _endpoint(account)]
    except (Unreachable, Refused, ParameterError):
        # The check of the API tells why.
        return


def _permissions(account: Account) -> Check:
    missing = []
    for name, path in OBJECTS.items():
        try:
            account.first(*path)
        except jsonapi.TokenRefused:
            missing.append(name)
    title = _("Permissions of the key")
    if missing:
        text = _("The key may not read these. Notifications that need them wait:")
        return Check("stripe_permissions", Status.TODO, title, text, tuple(missing))
    text = _("The key may read what is needed.")
    return Check("stripe_permissions", Status.OK, title, text)


def _endpoint(account: Account) -> Check:
    name, title = "stripe_endpoint", _("Webhook endpoint")
    address = effective.callback_address(registry.get(protocol.NAME))
    try:
        listed = list(account.pages("webhook_endpoints"))
    except jsonapi.TokenRefused:
        text = _("The key may not read webhook endpoints, so the events are not compared.")
        return Check(name, Status.UNTRIED, title, text)
    endpoints = [one for one in listed if one.text("url", 2000).rstrip("/") == address]
    if not endpoints:
        text = _(
            "Stripe has no webhook endpoint with the address ${address} in this mode.",
            mapping={"address": address},
        )
        return Check(name, Status.WARNING, title, text)
    enabled = [one for one in endpoints if one.text("status") != "disabled"]
    if not enabled:
        text = _("It is disabled: Stripe sends nothing. Enable it in Stripe's Dashboard.")
        return Check(name, Status.WARNING, title, text)
    lists = (dict(one.items()).get("enabled_events") or () for one in enabled)
    chosen = {type_ for types in lists for type_ in types}
    missing = () if ALL in chosen else tuple(sorted({*protocol.EVENT_TYPES} - chosen))
    if missing:
        text = _(
            "Stripe does not send these events, so that they are read late, by the automatic "
            "check. Choose them in Stripe's Dashboard:"
        )
        return Check(name, Status.WARNING, title, text, missing)
    return Check(name, Status.OK, title, _("Stripe sends all events that are read here."))
