"""Cures: buttons by which an owner settles a notification or a buyer that needs somebody.

A cure leads to the page that shows what it would change; nothing is done before that is
confirmed there. Afterwards the owner is back where the cure was. On the overview those that do
no harm are done at once, by :mod:`niteoweb.click2sell.browser.desk.overviewacts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from html import escape
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import ABOUT_ACCOUNT
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.explain import obstacles
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.owner import candidates
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.owner import undo as undoing
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

#: Reasons that asking the provider again may settle.
_ASK_AGAIN = frozenset({Reason.UNREACHABLE, Reason.NOT_TOLD})


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
        css = "btn btn-primary btn-sm text-wrap"
        if self.fields is None:
            # The theme gives links in boxes a colour of their own.
            white = "color: #fff !important"
            return f'<a class="{css}" style="{white}" href="{url}">{label}</a>'
        inputs = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}" />'
            for name, value in {**self.fields, "_authenticator": createToken()}.items()
        )
        return (
            f'<form class="d-inline" action="{url}" method="post">{inputs}'
            f'<button class="{css}" type="submit">{label}</button></form>'
        )


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
    return entry["outcome"] == Outcome.FAILED or entry["reason"] in _ASK_AGAIN


def of_entry(site: Any, entry: ledger.Entry, back: str = "") -> Cure | None:
    """The cure for an entry that needs somebody; None when it needs nobody.

    :param back: where to go afterwards, :data:`TO_BUYER` or :data:`TO_OVERVIEW`.
    """
    url = f"{site.absolute_url()}/@@click2sell-notifications/{entry['key']}"
    fields = {BACK: back} if back else {}
    decide = f"{url}/decide?{urlencode(fields)}" if fields else f"{url}/decide"
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
    if reason == Reason.PARAMETER and not entry["buyer_id"]:
        return give_access(site, entry)
    if (page := registry.page(entry)) is not None:
        return Cure(page.title, f"{site.absolute_url()}/@@{page.path}")
    return Cure(_("Resolve"), decide)


def _connect(
    site: Any, entry: ledger.Entry, url: str, decide: str, fields: dict[str, str]
) -> Cure:
    possible = [one for one in candidates.of(site, entry) if not one.barred]
    if len(possible) != 1 or decisions.ATTACH not in decisions.possible(site, entry):
        return Cure(_("Choose the account"), decide)
    user_id = possible[0].user_id
    label = _("Connect the account ${user}", mapping={"user": user_id})
    return Cure(label, url, {**fields, "what": decisions.ATTACH, "candidate": user_id})


#: Parameters that may hold a value of the form, in the words of any provider: the end of their
#: names in lower case.
_READ = {
    "address": ("email", "e-mail", "mail"),
    "product": ("product_id", "productid", "offerid", "offer_id"),
    "first_name": ("buyer_name", "first_name", "firstname", "givenname"),
    "last_name": ("buyer_surname", "last_name", "lastname", "surname"),
}


def give_access(site: Any, entry: ledger.Entry) -> Cure:
    """Give access by hand for a payment that could not be read, filled in if possible."""
    values = {
        name: next(
            (
                value
                for ending in endings
                for parameter, value in entry["payload"].items()
                if parameter.lower().endswith(ending) and value
            ),
            "",
        )
        for name, endings in _READ.items()
    }
    product_id = entry["product_id"] or values["product"]
    name = f"{values['first_name']} {values['last_name']}".strip()
    filled = {
        "address": entry["email"] or values["address"],
        "name": formatting.buyer_name(entry) or name,
        "product": forms.product_value((entry["provider"], product_id)) if product_id else "",
        "settles": entry["key"],
    }
    query = urlencode({name: value for name, value in filled.items() if value})
    label = _("Give access by hand")
    return Cure(label, f"{site.absolute_url()}/@@click2sell-members/grant?{query}")


def undo(site: Any, buyer: buyers.Buyer, now: datetime) -> dict[str, Cure]:
    """The buttons that undo acts of owners for a buyer, by the keys of these acts.

    :param now: in UTC.
    """
    url = site.absolute_url()
    undone = {
        key: Cure(_("Undo"), f"{url}/@@click2sell-members/{buyer['id']}/undo", {"key": key})
        for key in undoing.possible(site, buyer, now)
    }
    entries = buyers.entries(site, buyer)
    for entry in entries:
        correction = entry["payload"] if entry["kind"] == Kind.CORRECTION else {}
        moved = next(
            (
                one
                for one in entries
                if one["kind"] != Kind.CORRECTION and one["transaction"] == entry["transaction"]
            ),
            None,
        )
        recent = timestamps.from_iso(entry["received_at"]) + undoing.PERIOD > now
        if (
            moved
            and recent
            and correction.get("scope") == "purchase"
            and correction["to"] == entry["buyer"]
        ):
            decide = f"{url}/@@click2sell-notifications/{moved['key']}/decide"
            fields = {
                "what": decisions.CORRECT,
                "address": correction["from"],
                "scope": "purchase",
                "reason": formatting.translated(_("Undo")),
                BACK: TO_BUYER,
            }
            undone[entry["key"]] = Cure(_("Undo"), decide, fields)
    return undone


#: Cures of obstacles that are commands of an owner.
_COMMANDS = {
    "account deleted": "grant",
    "account missing": "grant",
    "no purchase": "grant",
    "refunded": "grant",
    "charged back": "grant",
    "cancelled": "extend",
    "not renewed": "extend",
    "over": "extend",
    "ended": "extend",
    "no mail": "resend",
    "mail dropped": "resend",
    "mail failing": "resend",
    "never logged in": "resend",
}
#: Cures of obstacles that are pages of Plone or settings of ours, with their labels.
_PAGES = {
    "no line": ("click2sell-settings", _("Add the product to the settings")),
    "no group": ("click2sell-settings", _("Choose a group in the settings")),
    "group barred": ("click2sell-settings", _("Choose another group in the settings")),
    "mail server away": ("mail-controlpanel", _("Check the mail settings")),
    "mail waiting": ("click2sell-overview#checklist", _("See what the mails wait for")),
}


def of_obstacle(
    site: Any, buyer: buyers.Buyer, explained: explanation.Explanation
) -> Cure | None:
    """The cure for the obstacle that keeps a buyer out; None when there is none."""
    obstacle: obstacles.Obstacle | None = explained.obstacle
    if obstacle is None:
        return None
    entry = ledger.get(site, obstacle.key) if obstacle.key else None
    if obstacle.code == "group waiting" and entry is not None:
        url = f"{site.absolute_url()}/@@click2sell-notifications/{entry['key']}"
        return Cure(_("Put the member in the group now"), url, {BACK: TO_BUYER})
    if obstacle.code == "group taken":
        query = urlencode({"groupname": obstacle.subject})
        label = _("Show the members of the group")
        return Cure(label, f"{site.absolute_url()}/@@usergroup-groupmembership?{query}")
    if obstacle.code in _PAGES:
        page, label = _PAGES[obstacle.code]
        return Cure(label, f"{site.absolute_url()}/@@{page}")
    if obstacle.code in _COMMANDS:
        return _command(site, buyer, explained, obstacle, _COMMANDS[obstacle.code])
    return of_entry(site, entry, TO_BUYER) if entry is not None else None


def _command(
    site: Any,
    buyer: buyers.Buyer,
    explained: explanation.Explanation,
    obstacle: obstacles.Obstacle,
    name: str,
) -> Cure:
    url = f"{site.absolute_url()}/@@click2sell-members/{buyer['id']}/{name}"
    products = [
        access.product
        for access in explained.standings
        if any(cause["key"] == obstacle.key for cause in access.causes)
    ]
    if products and name != "resend":
        url = f"{url}?{urlencode({'product': forms.product_value(products[0])})}"
    return Cure(commands.COMMANDS[name].title, url)
