"""The accounts that an owner can choose from for a buyer."""

from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import privilege
from typing import Any
from zope.i18nmessageid import Message


#: Accounts that a search lists, at most.
MOST = 10


@dataclass(frozen=True)
class Candidate:
    """An account that could be the buyer's.

    :ivar why: why it could be.
    :ivar barred: it can administer the site, so it cannot be chosen.
    """

    user_id: str
    fullname: str
    email: str
    why: Message
    barred: bool


def of(site: Any, entry: ledger.Entry) -> list[Candidate]:
    """The accounts that could be the buyer's, the most likely one first."""
    matches = sorted(
        index.find(site, entry["buyer"]),
        key=lambda match: (
            not match.since_made,
            not (match.by_email and match.by_name),
            not match.by_email,
            match.user_id,
        ),
    )
    return [_candidate(match) for match in matches]


def search(text: str) -> list[Candidate]:
    """The accounts that a text finds, by name, address, login name or id; a few of them."""
    if not text:
        return []
    users = plone_site.tool("acl_users").searchUsers(fullname=text, max_results=MOST)
    for by in ({"email": text}, {"login": text}, {"id": text}):
        users += plone_site.tool("acl_users").searchUsers(**by, max_results=MOST)
    ids = dict.fromkeys(user["userid"] for user in users)
    return [
        Candidate(
            user_id,
            accounts.text(user_id, "fullname"),
            accounts.text(user_id, "email"),
            _("found by your search"),
            privilege.member(user_id),
        )
        for user_id in list(ids)[:MOST]
        if accounts.exists(user_id)
    ]


def _candidate(match: index.Match) -> Candidate:
    if match.since_made:
        why = _("user id and e-mail address agree since the account was created")
    elif match.by_email and match.by_name:
        why = _("login name and e-mail address agree, which members can edit")
    elif match.by_email:
        why = _("the e-mail address agrees, which members can edit")
    else:
        why = _("the login name agrees")
    fullname, email = (accounts.text(match.user_id, name) for name in ("fullname", "email"))
    barred = privilege.member(match.user_id)
    return Candidate(match.user_id, fullname, email, why, barred)
