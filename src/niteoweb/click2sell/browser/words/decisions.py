"""What an owner can decide about an entry, in the words of the pages that show it."""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.notification import Kind
from typing import Any
from zope.i18nmessageid import Message


ATTACH = "attach"
MAKE_GROUP = "make_group"
DECIDE = "decide"
CORRECT = "correct"
DISMISS = "dismiss"

#: What was decided, as it stands in a note.
WORDS = {
    "attached": _("chose the member"),
    "corrected": _("corrected the buyer"),
    "decided": _("took it in"),
    "dismissed": _("dismissed it"),
    "group made": _("made the group"),
}

#: Reasons that are about the choice of an account.
ACCOUNT = frozenset({"account not certain", "several accounts", "account missing"})


@dataclass(frozen=True)
class Note:
    """What an owner has decided."""

    at: formatting.Moment
    by: str
    what: Message | str
    text: str


@dataclass(frozen=True)
class Candidate:
    """An account that could be the buyer's.

    :ivar why: what speaks for it.
    :ivar barred: it may administer the site, so it cannot be chosen.
    """

    user_id: str
    fullname: str
    email: str
    why: Message
    barred: bool


def possible(site: Any, entry: ledger.Entry) -> tuple[str, ...]:
    """The decisions that are possible about an entry, the most likely one first."""
    found = []
    if entry["outcome"] == ledger.ATTENTION and entry["reason"] in ACCOUNT:
        found.append(ATTACH)
    if entry["outcome"] == ledger.ATTENTION and entry["reason"] == "group missing":
        found.append(MAKE_GROUP)
    if entry["buyer_id"] and ownership.belongs_to_another(site, entry):
        found.append(DECIDE)
    if entry["buyer_id"] and entry["kind"] != Kind.CORRECTION:
        found.append(CORRECT)
    if entry["outcome"] in (ledger.ATTENTION, ledger.REFUSED):
        found.append(DISMISS)
    return tuple(found)


def candidates(site: Any, entry: ledger.Entry) -> list[Candidate]:
    """The accounts that could be the buyer's, the most likely one first."""
    matches = sorted(
        index.find(site, entry["buyer"]),
        key=lambda match: (
            not (match.by_email and match.by_name),
            not buyers.made_by_us(site, match.user_id),
            not match.by_email,
            match.user_id,
        ),
    )
    found = []
    for match in matches:
        if match.by_email and match.by_name:
            why = _("login name and e-mail address agree")
        elif match.by_email:
            why = _("the e-mail address agrees, which members can edit")
        else:
            why = _("the login name agrees")
        facts = accounts.fields(match.user_id, ("fullname", "email"))
        barred = privilege.member(match.user_id)
        found.append(Candidate(match.user_id, facts["fullname"], facts["email"], why, barred))
    return found


def notes(found: Iterable[Mapping[str, str]]) -> list[Note]:
    """What owners have decided, the latest first."""
    return [
        Note(
            formatting.moment(note["at"]),
            note["by"],
            WORDS.get(note["what"], note["what"]),
            note["text"],
        )
        for note in reversed(tuple(found))
    ]
