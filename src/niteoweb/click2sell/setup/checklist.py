"""What has to be set up before purchases become members, and whether it is.

Nothing here is expensive, so the settings page can show it each time; only the mail server is
asked when somebody wants it to be.
"""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.click2sell.provider import PROVIDER as CLICK2SELL
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.setup import providerchecks
from niteoweb.click2sell.setup.check import Item
from niteoweb.click2sell.setup.check import State
from niteoweb.click2sell.storage import moments
from typing import Any
from urllib.parse import urlsplit
from zope.i18nmessageid import Message


#: A sweep is due every ten minutes or so; after this without one something is wrong.
SWEEP_EXPECTED = timedelta(days=1)


def items(site: Any, now: datetime, connect: bool = False) -> tuple[Item, ...]:
    """The whole checklist: the providers that are set up, then the site.

    :param now: in UTC.
    :param connect: ask the mail server and the providers, which may take seconds; see
        :func:`niteoweb.click2sell.mail.messages.probe`.
    """
    silent = silence.silent(site, now)
    found = list(_providers())
    for provider in registry.to_set_up():
        found += providerchecks.items(site, provider, silent, connect)
    return (*found, *_items(site, now, connect))


def _providers() -> Iterator[Item]:
    """Whether there is a provider at all."""
    if registry.in_use():
        return
    text = _(
        "No payment provider is set up yet. For Click2Sell, enter its secret key in the "
        "settings. Any other one is switched on in settings of its own, in Site Setup:"
    )
    others = [one.title for one in registry.registered() if "enabled" in one.schema]
    yield Item("provider", State.TODO, _("Payment provider"), text, tuple(others))


def _items(site: Any, now: datetime, connect: bool) -> Iterator[Item]:
    yield _groups()
    yield _address()
    yield _https()
    yield _sender()
    yield _mail_server() if connect else _untried_mail_server()
    yield from _networks(site)
    yield from _new_accounts(site)
    yield _last_sweep(site, now)


def _groups() -> Item:
    title = _("Groups")
    problems = rules.validate({"buyers_group": plone_site.settings().buyers_group or ""})
    details = [message for _name, message in problems]
    providers = registry.registered()
    for provider in providers:
        lines = registry.settings(provider).mapping or []
        found = rules.validate({"mapping": lines}, provider)
        details += [_of(provider, message) for _name, message in found]
    if details:
        text = _("Buyers cannot be put in all groups. Correct Products and groups:")
        return Item("groups", State.TODO, title, text, tuple(details))
    text = _("All groups exist, and none of them may administer the site.")
    return Item("groups", State.OK, title, text)


def _of(provider: IPaymentProvider, message: Message) -> Message:
    """A message about the mapping of a provider; the add-on's own settings need no name."""
    if provider is CLICK2SELL:
        return message
    names = {"provider": provider.title, "message": message}
    return _("${provider}: ${message}", mapping=names)


def _address() -> Item:
    title = _("Public address")
    public, here = rules.stored_address(), rules.own_address()
    names = {"address": public, "here": here}
    if not public:
        text = _(
            "The public address of the site is not set. Open this page at that address and "
            "save the settings: it is filled in."
        )
        return Item("address", State.TODO, title, text)
    if plone_site.is_copy():
        text = _(
            "You are at ${here}, and the public address is ${address}: this is taken for a "
            "copy of the site, and nothing is mailed here. If it is the site itself, correct "
            "the address.",
            mapping=names,
        )
        return Item("address", State.WARNING, title, text)
    text = _("The site is at ${address}, and so are you.", mapping=names)
    return Item("address", State.OK, title, text)


def _https() -> Item:
    title = _("HTTPS")
    if urlsplit(plone_site.address()).scheme == "https":
        text = _("The address for the notifications begins with https.")
        return Item("https", State.OK, title, text)
    text = _(
        "Everybody on the way can read the notifications, and misuse them. Give the site an "
        "address with https, and set it as the public one."
    )
    return Item("https", State.WARNING, title, text)


def _sender() -> Item:
    title = _("Sender of mails")
    address = plone_site.sender()[1]
    if not address:
        text = _(
            "The site has no address to send mail from, and no welcome mail goes out. Enter "
            "one in Site Setup under Mail."
        )
        return Item("sender", State.TODO, title, text)
    text = _("Mails are sent from ${address}.", mapping={"address": address})
    return Item("sender", State.OK, title, text)


def _untried_mail_server() -> Item:
    text = _("Not asked yet. Trying it on the settings page connects to it and sends no mail.")
    return Item("mail_server", State.UNTRIED, _("Mail server"), text)


def _mail_server() -> Item:
    title = _("Mail server")
    try:
        messages.probe()
    except NotImplementedError:
        text = _("The site sends mail by other means than a mail server; they are not tried.")
        return Item("mail_server", State.UNTRIED, title, text)
    except Exception as error:
        # smtplib, ssl and zope.sendmail have errors of many kinds; an address may be in them.
        text = _(
            "It cannot be used: ${error}. Look at Site Setup, Mail. Mails wait until it works.",
            mapping={"error": messages.error_text(error)},
        )
        return Item("mail_server", State.TODO, title, text)
    text = _("It answers, and would take a mail. None was sent.")
    return Item("mail_server", State.OK, title, text)


def _networks(site: Any) -> Iterator[Item]:
    """Whether the networks in the settings keep somebody out, who may be the provider."""
    if not plone_site.settings().allowed_networks:
        return
    title = _("Networks")
    refused = rejections.last(site, rejections.NETWORK)
    if refused is None:
        text = _("Only the networks in the settings may send, and nothing else has tried to.")
        yield Item("networks", State.OK, title, text)
        return
    names = {"number": rejections.total(site, rejections.NETWORK)}
    arrivals = (silence.arrivals(site, one.name)[:1] for one in registry.enabled())
    heard = max((found[0] for found in arrivals if found), default=None)
    if heard is not None and heard > refused:
        text = _(
            "Refused, because it came from elsewhere: ${number}. Genuine notifications have "
            "arrived since.",
            mapping=names,
        )
        yield Item("networks", State.OK, title, text, moment=refused)
        return
    text = _(
        "Refused, because it came from elsewhere: ${number}. Nothing genuine has arrived "
        "since. If purchases are missing, the lists of networks and proxies may be wrong.",
        mapping=names,
    )
    yield Item("networks", State.WARNING, title, text, moment=refused)


def _new_accounts(site: Any) -> Iterator[Item]:
    """Whether buyers wait for their accounts because of the cap."""
    if accountquota.anybody_waits(site):
        text = _(
            "Buyers wait for their accounts, because more than ${limit} were needed in an "
            "hour. The sweep makes them when there is room. If you sold that much, raise the "
            "number.",
            mapping={"limit": accountquota.cap()},
        )
        yield Item("new_accounts", State.WARNING, _("New accounts"), text)


def _last_sweep(site: Any, now: datetime) -> Item:
    title = _("Sweep")
    last = moments.last(site, moments.SWEEP)
    if last is not None and now - last <= SWEEP_EXPECTED:
        return Item("last_sweep", State.OK, title, _("It runs."), moment=last)
    text = _(
        "The sweep has not run for a day. Without it access does not end, and mails that could "
        "not be sent are not tried again. Have it called by cron or a timer."
    )
    if last is None:
        text = _(
            "The sweep never ran. Without it access does not end, and mails that could not be "
            "sent are not tried again. Have it called by cron or a timer."
        )
    return Item("last_sweep", State.WARNING, title, text, moment=last)
