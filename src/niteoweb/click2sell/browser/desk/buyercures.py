"""The buttons by which an owner lets a buyer in, or undoes an act by hand."""

from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.cures import BACK
from niteoweb.click2sell.browser.desk.cures import Cure
from niteoweb.click2sell.browser.desk.cures import of_entry
from niteoweb.click2sell.browser.desk.cures import TO_BUYER
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words import headings
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.explain import obstacles
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.owner import undo as undoing
from typing import Any
from typing import NamedTuple
from urllib.parse import urlencode
from zope.i18nmessageid import Message


class Need(NamedTuple):
    """A notification that needs somebody: a link to it, the reason, and the cure."""

    what: formatting.Link
    why: Message | str
    cure: Cure | None


def needs(site: Any, buyer: buyers.Buyer, told: str) -> list[Need]:
    """The notifications of a buyer that need somebody, the newest first.

    :param told: the key of one that the page tells of anyway, "" for none.
    """
    url = f"{site.absolute_url()}/@@click2sell-notifications"
    return [
        Need(
            formatting.Link(headings.summary(entry), f"{url}/{entry['key']}"),
            reasons.text(entry["reason"], entry["subject"]),
            of_entry(site, entry, TO_BUYER),
        )
        for entry in sorted(buyers.entries(site, buyer), key=ledger.place)
        if ledger.is_waiting(entry) and entry["key"] != told
    ]


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
