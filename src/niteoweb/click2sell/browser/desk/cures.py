"""Cures: buttons by which an owner settles a notification that needs somebody.

A cure leads to the page that shows what it would change; nothing is done before that is
confirmed there. Afterwards the owner is back where the cure was. On the overview those that do
no harm are done at once, by :mod:`niteoweb.click2sell.browser.desk.overviewacts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from html import escape
from niteoweb.click2sell import _
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words import unread
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import ABOUT_ACCOUNT
from niteoweb.click2sell.entitlement import GRANTS_NOTHING
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.notification import GIVING
from niteoweb.click2sell.owner import candidates
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.provider import registry
from plone.protect import createToken
from typing import Any
from urllib.parse import urlencode
from zope.i18nmessageid import Message


#: Names the page to go back to, in the form of a cure.
BACK = "back"
#: Its values: the page of the buyer, and the overview.
TO_BUYER, TO_OVERVIEW = "buyer", "overview"

#: Names what a button does that the overview carries out at once, for all that wait alike: a
#: group to create, a notification to process again.
GROUP, REPLAY = "group", "replay"
#: In the place of a notification's key: all that failed.
ALL = "all"

#: Reasons that another try may settle.
_TRY_AGAIN = frozenset({Reason.UNREACHABLE, Reason.NOT_TOLD, Reason.GROUP_NOT_GRANTED})
#: Reasons of payments for people whom the provider does not name.
_FOR_OTHERS = frozenset({Reason.SEVERAL_USERS, Reason.SEVERAL_PIECES})
#: Reasons of refunds and the like that ended no access.
_ENDED_NOTHING = frozenset({Reason.UNMATCHED_REFUND, Reason.OPEN_END, Reason.FUTURE})
#: Cures that are pages of ours, with their labels; those about privacy get the address.
_SETTINGS, _PRIVACY = "click2sell-settings", "click2sell-privacy"
_PAGES = {
    Reason.GROUP_PRIVILEGED: (_SETTINGS, _("Choose another group in the settings")),
    Reason.TOO_MANY: (_SETTINGS, _("Raise the limit in the settings")),
    Reason.CUSTOMER_DELETED: (_PRIVACY, _("Erase the buyer")),
    Reason.ERASED_BUYER: (_PRIVACY, _("Take the buyer in again")),
}


@dataclass(frozen=True)
class Cure:
    """A button.

    :ivar label: names the act.
    :ivar url: of the page that shows what the act would change.
    :ivar fields: what is posted to it; None for a link.
    """

    label: Message | str
    url: str
    fields: Mapping[str, str] | None = field(default=None)

    def __html__(self) -> str:
        label, url = escape(formatting.translated(self.label)), escape(self.url)
        css = "btn btn-primary btn-sm text-wrap text-break"
        if self.fields is None:
            # The theme gives links in boxes a colour of their own.
            white = "color: #fff !important"
            return f'<a class="{css}" style="{white}" href="{url}">{label}</a>'
        return (
            f'<form class="d-inline" action="{url}" method="post">{hidden(self.fields)}'
            f'<button class="{css}" type="submit">{label}</button></form>'
        )


def hidden(fields: Mapping[str, str]) -> str:
    """Hidden inputs of a form that changes something, plone.protect's token among them."""
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}" />'
        for name, value in {**fields, "_authenticator": createToken()}.items()
    )


def came_from(form: Mapping[str, Any]) -> str:
    """The value of :data:`BACK` in a form, "" for none."""
    back = form.get(BACK)
    return back if back in (TO_BUYER, TO_OVERVIEW) else ""


def back_url(site: Any, back: str, buyer_id: str) -> str:
    """Address of the page that a cure was on, "" for that of the notification.

    :param back: the value of :data:`BACK`.
    :param buyer_id: of the buyer whom the cure was for.
    """
    url = site.absolute_url()
    if back == TO_OVERVIEW:
        return f"{url}/@@click2sell-overview"
    if back == TO_BUYER and buyers.get(site, buyer_id) is not None:
        return f"{url}/@@click2sell-members/{buyer_id}"
    return ""


def waits_for_group(entry: ledger.Entry) -> bool:
    """Whether an entry waits for a group that does not exist."""
    return entry["outcome"] == Outcome.ATTENTION and entry["reason"] == Reason.GROUP_MISSING


def can_be_retried(entry: ledger.Entry) -> bool:
    """Whether it may help to process an entry again."""
    return entry["outcome"] == Outcome.FAILED or entry["reason"] in _TRY_AGAIN


def of_entry(site: Any, entry: ledger.Entry, back: str = "") -> Cure | None:
    """The cure for an entry that needs somebody; None when it needs nobody.

    :param back: where to go afterwards, :data:`TO_BUYER` or :data:`TO_OVERVIEW`.
    """
    url = f"{site.absolute_url()}/@@click2sell-notifications/{entry['key']}"
    fields = {BACK: back} if back else {}
    decide = _address(f"{url}/decide", fields)
    at_once = back_url(site, back, "") if back == TO_OVERVIEW else ""
    outcome, reason = entry["outcome"], entry["reason"]
    if can_be_retried(entry) and at_once:
        return Cure(_("Try again now"), at_once, {REPLAY: entry["key"]})
    if can_be_retried(entry) or outcome == Outcome.RECEIVED:
        return Cure(_("Try again now"), url, fields)
    if outcome == Outcome.REFUSED and not entry["dismissed"]:
        return Cure(_("Decide whose payment it is"), decide)
    if outcome != Outcome.ATTENTION:
        return None
    if waits_for_group(entry):
        label = _("Create the group ${group}", mapping={"group": entry["subject"]})
        if at_once:
            return Cure(label, at_once, {GROUP: entry["subject"]})
        return Cure(label, f"{url}/decide", {**fields, "what": decisions.MAKE_GROUP})
    if reason in ABOUT_ACCOUNT:
        return _connect(site, entry, f"{url}/decide", decide, fields)
    if (page := registry.page(entry)) is not None:
        return Cure(page.title, _address(f"{site.absolute_url()}/@@{page.path}", fields))
    if (access := _change_access(site, entry, fields)) is not None:
        return access
    if reason in _PAGES:
        page_name, label = _PAGES[reason]
        address = {"address": entry["buyer"]} if page_name == _PRIVACY else {}
        page_url = f"{site.absolute_url()}/@@{page_name}"
        return Cure(label, _address(page_url, {**address, **fields}))
    what, label = decisions.DISMISS, _("Dismiss")
    if reason == Reason.ADDRESS_NOT_ACCEPTED and entry["buyer_id"]:
        what, label = decisions.CORRECT, _("Correct the address")
    return Cure(label, _address(f"{url}/decide", {"what": what, **fields}))


def _connect(
    site: Any, entry: ledger.Entry, url: str, decide: str, fields: dict[str, str]
) -> Cure:
    possible = [one for one in candidates.of(site, entry) if not one.barred]
    if len(possible) != 1 or decisions.ATTACH not in decisions.possible(site, entry):
        return Cure(_("Choose the account"), decide)
    user_id = possible[0].user_id
    label = _("Connect the account ${user}", mapping={"user": user_id})
    return Cure(label, url, {**fields, "what": decisions.ATTACH, "candidate": user_id})


def _change_access(site: Any, entry: ledger.Entry, fields: dict[str, str]) -> Cure | None:
    """Give or end the access that a notification is about and has not changed itself."""
    reason, kind = entry["reason"], entry["kind"]
    if reason == Reason.PARAMETER:
        gives = unread.as_sent(entry).paid
    else:
        gives = kind in GIVING and reason in GRANTS_NOTHING | _FOR_OTHERS
    if gives:
        return _give_access(site, entry, fields)
    buyer, product = buyers.get(site, entry["buyer_id"]), history.product(entry)
    if kind in GIVING or reason not in _ENDED_NOTHING or not buyer:
        return None
    if product not in buyer["live"]:
        return None
    url = f"{site.absolute_url()}/@@click2sell-members/{buyer['id']}/revoke"
    filled = {"product": forms.product_value(product), "settles": entry["key"], **fields}
    who = history.fullname(entry) or entry["buyer"]
    label = _("End the access of ${who}", mapping={"who": who})
    return Cure(label, _address(url, filled))


def _give_access(site: Any, entry: ledger.Entry, fields: dict[str, str]) -> Cure:
    """Give access by hand, with a form that is filled in as far as possible."""
    sent = unread.as_sent(entry)
    known = entry["reason"] not in _FOR_OTHERS
    buyer = {"address": sent.address, "name": sent.name} if known else {}
    provider = history.product(entry)[0]
    product = forms.product_value((provider, sent.product_id)) if sent.product_id else ""
    filled = {**buyer, "product": product, "settles": entry["key"], **fields}
    label = _("Give access by hand")
    if who := buyer and (sent.name or sent.address):
        label = _("Give access to ${who}", mapping={"who": who})
    return Cure(label, _address(f"{site.absolute_url()}/@@click2sell-members/grant", filled))


def _address(url: str, query: Mapping[str, str]) -> str:
    """An address with those parts of a query that are known."""
    known = urlencode({name: value for name, value in query.items() if value})
    return f"{url}?{known}" if known else url
