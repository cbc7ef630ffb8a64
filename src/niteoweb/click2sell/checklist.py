"""What has to be set up before purchases become members, and whether it is.

Nothing here is expensive, so the settings page can show it each time; only the mail server is
asked when somebody wants it to be.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from enum import Enum
from niteoweb.click2sell import _
from niteoweb.click2sell import accountcap
from niteoweb.click2sell import forgery
from niteoweb.click2sell import mail
from niteoweb.click2sell import remark
from niteoweb.click2sell import secretkeys
from niteoweb.click2sell import settings
from niteoweb.click2sell import silence
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.interfaces import SECRET_KEY_LENGTH
from niteoweb.click2sell.providers import CLICK2SELL
from typing import Any
from urllib.parse import urlsplit
from zope.i18nmessageid import Message


#: A sweep is due every ten minutes or so; after this without one something is wrong.
SWEEP_EXPECTED = timedelta(days=1)


class State(str, Enum):
    """How an item stands. The values are what the service answers."""

    OK = "ok"
    WARNING = "warning"
    TODO = "to do"
    UNTRIED = "not tried"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Item:
    """One thing to set up.

    :ivar name: for scripts; it never changes.
    :ivar text: how it is, and what to do.
    :ivar details: what is wrong, one by one.
    :ivar moment: in UTC, where the item is about when something happened last.
    """

    name: str
    state: State
    title: Message
    text: Message
    details: tuple[Message | str, ...] = ()
    moment: datetime | None = None


def items(site: Any, now: datetime, ask_mail_server: bool = False) -> tuple[Item, ...]:
    """The whole checklist, in the order in which a site is set up.

    :param now: in UTC.
    :param ask_mail_server: connect to it, which may take seconds; see
        :func:`niteoweb.click2sell.mail.probe`.
    """
    return tuple(_items(site, now, ask_mail_server))


def _items(site: Any, now: datetime, ask_mail_server: bool) -> Iterator[Item]:
    yield _secret_key(site)
    yield from _previous_key(site)
    yield _mapping()
    yield _groups()
    yield _address()
    yield _https()
    yield _sender()
    yield _mail_server() if ask_mail_server else _untried_mail_server()
    yield _last_notification(site, now)
    yield from _networks(site)
    yield from _new_accounts(site)
    yield _last_sweep(site, now)


def _secret_key(site: Any) -> Item:
    notice = secretkeys.notice(site, CLICK2SELL)
    state = {"danger": State.TODO, "warning": State.WARNING}.get(notice.level, State.OK)
    text = {
        State.OK: _("A secret key is set, and it is long enough."),
        State.WARNING: _(
            "The secret key has fewer than ${length} characters. Whoever sees one notification "
            "can find it by trying: choose a longer one, at Click2Sell and here.",
            mapping={"length": SECRET_KEY_LENGTH},
        ),
    }.get(state, notice.text)
    return Item("secret_key", state, _("Secret key"), text, moment=notice.last_used)


def _previous_key(site: Any) -> Iterator[Item]:
    notice = secretkeys.previous_notice(site, CLICK2SELL)
    if notice is not None:
        state = {"success": State.TODO, "warning": State.WARNING}.get(notice.level, State.OK)
        title = _("Previous secret key")
        yield Item("previous_secret_key", state, title, notice.text, moment=notice.last_used)


def _mapping() -> Item:
    title = _("Products")
    lines = plone_site.mapping()
    if not lines:
        text = _(
            "No product gives a group yet. Write a line for each product under Products and "
            "groups."
        )
        return Item("mapping", State.TODO, title, text)
    number = len({(line.provider, line.product_id) for line in lines})
    text = _("Products that give a group: ${number}", mapping={"number": number})
    return Item("mapping", State.OK, title, text)


def _groups() -> Item:
    title = _("Groups")
    stored = plone_site.settings()
    problems = settings.validate(
        {"mapping": stored.mapping or [], "buyers_group": stored.buyers_group or ""}
    )
    if problems:
        text = _("Buyers cannot be put in all groups. Correct Products and groups:")
        details = tuple(message for _name, message in problems)
        return Item("groups", State.TODO, title, text, details)
    text = _("All groups exist, and none of them may administer the site.")
    return Item("groups", State.OK, title, text)


def _address() -> Item:
    title = _("Public address")
    public, here = settings.stored_address(), settings.own_address()
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
        mail.probe()
    except NotImplementedError:
        text = _("The site sends mail by other means than a mail server; they are not tried.")
        return Item("mail_server", State.UNTRIED, title, text)
    except Exception as error:
        # smtplib, ssl and zope.sendmail have errors of many kinds; an address may be in them.
        text = _(
            "It cannot be used: ${error}. Look at Site Setup, Mail. Mails wait until it works.",
            mapping={"error": mail.error_text(error)},
        )
        return Item("mail_server", State.TODO, title, text)
    text = _("It answers, and would take a mail. None was sent.")
    return Item("mail_server", State.OK, title, text)


def _last_notification(site: Any, now: datetime) -> Item:
    title = _("Notifications")
    last = next(iter(silence.arrivals(site, CLICK2SELL.name)), None)
    if last is None:
        text = _(
            "No genuine notification has arrived yet. Enter the address for the notifications "
            "at Click2Sell, and buy something, or use click2sell-notify."
        )
        return Item("last_notification", State.TODO, title, text)
    if CLICK2SELL.name in silence.silent(site, now):
        text = _(
            "The last genuine notification is older than is usual for this site. See at "
            "Click2Sell whether notifications are still on, and their address is right."
        )
        return Item("last_notification", State.WARNING, title, text, moment=last)
    text = _("Genuine notifications arrive.")
    return Item("last_notification", State.OK, title, text, moment=last)


def _networks(site: Any) -> Iterator[Item]:
    """Whether the networks in the settings keep somebody out, who may be the provider."""
    if not plone_site.settings().allowed_networks:
        return
    title = _("Networks")
    refused = forgery.last(site, forgery.NETWORK)
    if refused is None:
        text = _("Only the networks in the settings may send, and nothing else has tried to.")
        yield Item("networks", State.OK, title, text)
        return
    names = {"number": forgery.total(site, forgery.NETWORK)}
    heard = next(iter(silence.arrivals(site, CLICK2SELL.name)), None)
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
    if accountcap.anybody_waits(site):
        text = _(
            "Buyers wait for their accounts, because more than ${limit} were needed in an "
            "hour. The sweep makes them when there is room. If you sold that much, raise the "
            "number.",
            mapping={"limit": accountcap.cap()},
        )
        yield Item("new_accounts", State.WARNING, _("New accounts"), text)


def _last_sweep(site: Any, now: datetime) -> Item:
    title = _("Sweep")
    last = remark.last(site, remark.SWEEP)
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
