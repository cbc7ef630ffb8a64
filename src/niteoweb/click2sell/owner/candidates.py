"""The accounts that an owner can choose from for a buyer."""

from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import privilege
from typing import Any
from zope.i18nmessageid import Message


@dataclass(frozen=True)
class Candidate:
    """An account that could be the buyer's.

    :ivar why: why it could be.
    :ivar barred: it may administer the site, so it cannot be chosen.
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


def _candidate(match: index.Match) -> Candidate:
    if match.since_made:
        why = _("user id and e-mail address agree since the account was made")
    elif match.by_email and match.by_name:
        why = _("login name and e-mail address agree, which members can edit")
    elif match.by_email:
        why = _("the e-mail address agrees, which members can edit")
    else:
        why = _("the login name agrees")
    fullname, email = (accounts.text(match.user_id, name) for name in ("fullname", "email"))
    barred = privilege.member(match.user_id)
    return Candidate(match.user_id, fullname, email, why, barred)
