"""The checklist of the set-up: everything that purchases need before they become members.

Nothing here is expensive, so the overview can show it each time; only the mail server is
asked when somebody wants it to be.
"""

from collections.abc import Iterator
from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import webaddress
from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import group
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.settings import ownaddress
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.setup import lastrun
from niteoweb.click2sell.setup import providerchecks
from niteoweb.click2sell.setup.check import Check
from niteoweb.click2sell.setup.check import Status
from typing import Any
from urllib.parse import urlsplit
from zope.i18nmessageid import Message


def items(site: Any, now: datetime, connect: bool = False) -> tuple[Check, ...]:
    """The whole checklist: the providers that are used, or that there is none, then the site.

    :param now: in UTC.
    :param connect: ask the mail server and the providers, which may take seconds; see
        :func:`niteoweb.click2sell.mail.messages.probe`.
    """
    silent = silence.silent(site, now)
    checks = list(_providers())
    for provider in registry.in_use():
        checks += providerchecks.items(site, provider, silent, connect)
    return (*checks, *_items(site, now, connect))


def _providers() -> Iterator[Check]:
    """Whether there is a provider at all."""
    if registry.in_use():
        return
    text = _(
        "No payment provider is set up yet. For Click2Sell, enter its secret key in the "
        "settings. The settings page also leads to the settings of the others:"
    )
    others = [one.title for one in registry.registered() if "enabled" in one.schema]
    yield Check("provider", Status.TODO, _("Payment provider"), text, tuple(others))


def _items(site: Any, now: datetime, connect: bool) -> Iterator[Check]:
    yield from _groups()
    yield _address(site, now)
    yield _https()
    yield _sender()
    yield _mail_server() if connect else _untried_mail_server()
    yield from _networks(site)
    yield from _new_accounts(site)
    yield lastrun.check(site, now)


def _groups() -> Iterator[Check]:
    """Whether buyers can be put in the groups that products give."""
    title = _("Groups")
    problems = rules.validate({"buyers_group": plone_site.settings().buyers_group or ""})
    details = [message for _name, message in problems]
    providers = registry.registered()
    for provider in providers:
        lines = registry.settings(provider).mapping or []
        problems_ = rules.validate({"mapping": lines}, provider)
        details += [_of(provider, message) for _name, message in problems_]
    if details:
        text = _("Buyers cannot be put in all groups. Correct Products and groups:")
        yield Check("groups", Status.TODO, title, text, tuple(details))
        return
    names = {line.group_id for line in effective.mapping()}
    if not names:
        return
    if everybodys := plone_site.settings().buyers_group:
        names.add(everybodys)
    with_roles = tuple(
        _("${group}: ${roles}", mapping={"group": name, "roles": ", ".join(roles)})
        for name in sorted(names)
        if (roles := group.site_roles(name))
    )
    if with_roles:
        text = _(
            "A purchase gives roles in the whole site, because these groups have them. See "
            "whether you want to sell that:"
        )
        yield Check("groups", Status.WARNING, title, text, with_roles)
        return
    text = _("All groups exist, and none of them can administer the site.")
    yield Check("groups", Status.OK, title, text)


def _of(provider: IPaymentProvider, message: Message) -> Message:
    """A message about the mapping of a provider; the add-on's own settings need no name."""
    if provider.name == registry.MAIN:
        return message
    names = {"provider": provider.title, "message": message}
    return _("${provider}: ${message}", mapping=names)


def can_settle() -> bool:
    """Whether the reader can say that this is the site: taken for a copy, at its address."""
    public, here = plone_site.public_address(), ownaddress.requested()
    return (
        plone_site.is_elsewhere()
        and bool(public and here)
        and webaddress.host(public) == webaddress.host(here)
        and webaddress.path(public) == webaddress.path(here)
    )


def _address(site: Any, now: datetime) -> Check:
    title = _("Public address")
    public, here = plone_site.public_address(), ownaddress.requested()
    names = {"address": public, "here": here}
    if not public:
        text = _(
            "The public address of the site is not set. Until it is, mails wait, and the site "
            "does not check by itself. Open this page at that address and save the settings: "
            "it is filled in."
        )
        return Check("address", Status.TODO, title, text)
    if can_settle():
        text = _(
            "This is treated as a copy of a site because it was copied or moved here, or was "
            "given another public address: no mail is sent, no provider is asked, and there "
            "are no automatic checks. If this is the site itself, confirm it. From then on, "
            "its members get their mail from here."
        )
        return Check("address", Status.WARNING, title, text, tuple(_places(site, now)))
    if plone_site.is_copy():
        text = _(
            "You are at ${here}, and the public address is ${address}: this is treated as a "
            "copy of the site, and no mail is sent here. If it is the site itself, correct the "
            "address in the settings, and look here again.",
            mapping=names,
        )
        return Check("address", Status.WARNING, title, text)
    text = _("The site is at ${address}.", mapping=names)
    return Check("address", Status.OK, title, text)


def _places(site: Any, now: datetime) -> Iterator[Message]:
    """Where the site is now and was before, and how many mails wait."""
    for text, place in (
        (_("Here: ${path}, ${address}"), plone_site.place()),
        (_("Before: ${path}, ${address}"), plone_site.noted_place()),
    ):
        if place is not None:
            yield Message(text, mapping={"path": place.path, "address": place.address or "–"})
    waiting = len(outbox.due(site, now)) + outbox.waiting(site, now)
    yield _("Mails that wait here: ${number}", mapping={"number": waiting})


def _https() -> Check:
    title = _("HTTPS")
    if plone_site.public_address() and webaddress.is_local(plone_site.public_address()):
        text = _("The site is reached from this machine alone.")
        return Check("https", Status.OK, title, text)
    if urlsplit(plone_site.address()).scheme == "https":
        text = _("The address for the notifications begins with https.")
        return Check("https", Status.OK, title, text)
    text = _(
        "Without https, notifications can be read and forged in transit. Give the site an "
        "address with https, and set it as the public one."
    )
    return Check("https", Status.WARNING, title, text)


def _sender() -> Check:
    title = _("Sender of mails")
    address = plone_site.sender()[1]
    if not address:
        text = _(
            "The site has no address to send mail from, and no welcome mail goes out. Enter "
            "one in Site Setup under Mail."
        )
        return Check("sender", Status.TODO, title, text)
    text = _("Mails are sent from ${address}.", mapping={"address": address})
    return Check("sender", Status.OK, title, text)


def _untried_mail_server() -> Check:
    text = _("Not asked yet. Trying it connects to it and sends no mail.")
    return Check("mail_server", Status.UNTRIED, _("Mail server"), text)


def _mail_server() -> Check:
    title = _("Mail server")
    try:
        messages.probe()
    except NotImplementedError:
        text = _("The site sends mail by other means than a mail server; they are not tried.")
        return Check("mail_server", Status.UNTRIED, title, text)
    except Exception as error:
        # smtplib, ssl and zope.sendmail have errors of many kinds; an address may be in them.
        text = _(
            "It cannot be used: ${error}. Look at Site Setup, Mail. Mails wait until it works.",
            mapping={"error": messages.error_text(error)},
        )
        return Check("mail_server", Status.TODO, title, text)
    text = _("It answers, and would take a mail. None was sent.")
    return Check("mail_server", Status.OK, title, text)


def _networks(site: Any) -> Iterator[Check]:
    """Whether the networks in the settings keep somebody out, who may be the provider."""
    if not plone_site.settings().allowed_networks:
        return
    title = _("Networks")
    refused = rejections.last(site, rejections.NETWORK)
    if refused is None:
        text = _("Only the networks in the settings may send, and nothing else has tried to.")
        yield Check("networks", Status.OK, title, text)
        return
    names = {"number": rejections.total(site, rejections.NETWORK)}
    arrivals = (silence.arrivals(site, one.name)[:1] for one in registry.enabled())
    heard = max((times[0] for times in arrivals if times), default=None)
    if heard is not None and heard > refused:
        text = _(
            "Refused, because it came from elsewhere: ${number}. Genuine notifications have "
            "arrived since.",
            mapping=names,
        )
        yield Check("networks", Status.OK, title, text, moment=refused)
        return
    text = _(
        "Refused, because it came from elsewhere: ${number}. Nothing genuine has arrived "
        "since. If purchases are missing, the lists of networks and proxies may be wrong.",
        mapping=names,
    )
    yield Check("networks", Status.WARNING, title, text, moment=refused)


def _new_accounts(site: Any) -> Iterator[Check]:
    """Whether buyers wait for their accounts because of the cap."""
    if accountquota.anybody_waits(site):
        text = _(
            "Buyers wait for their accounts, because more than ${limit} were needed in an "
            "hour. The automatic check creates them when there is room. If you sold that much, "
            "raise the number.",
            mapping={"limit": accountquota.cap()},
        )
        yield Check("new_accounts", Status.WARNING, _("New accounts"), text)
