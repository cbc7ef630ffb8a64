"""Decisions of an owner about an entry: to whom it belongs, or that there is nothing to do.

Each function checks its parameters and returns an :class:`~.action.Action`, which
:mod:`niteoweb.click2sell.owner.action` previews and carries out. A decision is noted on the
entry. The rules, where there is a choice:

* Correcting the buyer of a purchase moves its entries to the right buyer. Later notifications
  of the transaction, or from the same address, follow. A transaction of a third buyer stays
  with that buyer.
* Deciding for a refused entry ties its transaction to the buyer and product that it names. The
  entries of that transaction for another buyer or product are refused from then on, and their
  access is revoked.
* After both, refused entries that name the right buyer and product count again.
* A dismissed entry has nothing to do until it needs attention for another reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import product
from niteoweb.click2sell.entitlement import ABOUT_ACCOUNT
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.owner.action import Action
from niteoweb.click2sell.owner.action import address_of
from niteoweb.click2sell.owner.action import AffectedBuyer
from niteoweb.click2sell.owner.action import id_of
from niteoweb.click2sell.owner.action import NotPossible
from niteoweb.click2sell.owner.action import PRIVILEGED
from niteoweb.click2sell.owner.action import stated
from niteoweb.click2sell.provisioning import recording
from typing import Any
from zope.i18nmessageid import Message


ATTACH = "attach"
MAKE_GROUP = "make_group"
DECIDE = "decide"
CORRECT = "correct"
DISMISS = "dismiss"


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


def possible(site: Any, entry: ledger.Entry) -> tuple[str, ...]:
    """The decisions that are possible about an entry, the most likely one first."""
    names = []
    if entry["outcome"] == Outcome.ATTENTION and entry["reason"] in ABOUT_ACCOUNT:
        names.append(ATTACH)
    if entry["outcome"] == Outcome.ATTENTION and entry["reason"] == Reason.GROUP_MISSING:
        names.append(MAKE_GROUP)
    if entry["buyer_id"] and ownership.belongs_to_another(site, entry):
        names.append(DECIDE)
    if entry["buyer_id"] and entry["kind"] != Kind.CORRECTION:
        names.append(CORRECT)
    if entry["outcome"] in (Outcome.ATTENTION, Outcome.REFUSED):
        names.append(DISMISS)
    return tuple(names)


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
    return [_candidate(match) for match in matches]


def _candidate(match: index.Match) -> Candidate:
    if match.by_email and match.by_name:
        why = _("login name and e-mail address agree")
    elif match.by_email:
        why = _("the e-mail address agrees, which members can edit")
    else:
        why = _("the login name agrees")
    fields = accounts.fields(match.user_id, ("fullname", "email"))
    barred = privilege.member(match.user_id)
    return Candidate(match.user_id, fields["fullname"], fields["email"], why, barred)


def wanted(site: Any, key: str, name: str, by: str, **values: Any) -> Action:
    """The action for a decision that is possible about an entry.

    :param name: of the decision.
    :param by: user id of the owner.
    :param values: the other parameters of the function of that name.
    :raises NotPossible: its function refuses it, or it is not one of :func:`possible`.
    """
    decisions = {
        ATTACH: attach,
        MAKE_GROUP: make_group,
        DECIDE: decide,
        CORRECT: correct,
        DISMISS: dismiss,
    }
    action = decisions[name](site, key, **values, by=by) if name in decisions else None
    if action is None or name not in possible(site, _entry(site, key)):
        raise NotPossible(
            _("Something has happened since: that is not to be decided any more.")
        )
    return action


def correct(
    site: Any, key: str, address: str, everything: bool, reason: str, by: str
) -> Action:
    """Move a purchase to the right buyer, for example after a mistyped address.

    :param key: of an entry of the purchase.
    :param address: of the right buyer.
    :param everything: move all entries of the wrong address, earlier and later ones, and not
        just those of this transaction.
    :param reason: why, for the record.
    :param by: user id of the owner.
    :raises NotPossible: the entry names no buyer, the address is invalid or belongs to the same
        buyer, the transaction belongs to a third buyer, or the reason is missing.
    """
    right, why, named = address_of(address), stated(reason), _entry(site, key)
    if not named["buyer_id"] or named["kind"] == Kind.CORRECTION:
        raise NotPossible(_("This notification names no buyer."))

    def write(site: Any, now: datetime) -> list[AffectedBuyer]:
        named = ledger.get(site, key)
        wrong, provider = named["buyer"], product(named)[0]
        loser = buyers.get(site, named["buyer_id"])
        winner = buyers.of_address(site, right)
        if winner is loser:
            raise NotPossible(_("This address is the same buyer's."))
        if not everything and _is_a_strangers(site, named, (loser, winner)):
            raise NotPossible(
                _("This notification was refused. Decide whose its transaction is first.")
            )
        moved = [
            entry
            for entry in _entries(site, loser)
            if _goes_with(entry, provider, named["transaction"])
            or (everything and entry["buyer"] == wrong)
        ]
        if everything:
            _follow_address(site, wrong, right)
        for entry in moved:
            if not _is_a_strangers(site, entry, (loser, winner)):
                _follow_transaction(site, entry, right)
            ledger.change(site, entry, buyer=right)
        buyers.remove_entries(site, loser, {entry["key"] for entry in moved})
        for entry in moved:
            buyers.add_entry(site, winner, entry)
        for source in dict.fromkeys(_place(entry) for entry in moved):
            _sort_out(site, source, (winner,))
        note = {"at": timestamps.iso(now), "by": by, "what": "corrected", "text": why}
        buyers.change(site, loser, notes=(*loser["notes"], note))
        notification = Notification(
            key=idempotency_key(
                OWNER,
                id_of(site, Kind.CORRECTION, provider, named["transaction"], wrong, right),
            ),
            provider=OWNER,
            on_behalf_of=provider,
            kind=Kind.CORRECTION,
            transaction=named["transaction"],
            receipt=named["receipt"],
            occurred_at=now,
            buyer=right,
            email=right,
            product_id=named["product_id"],
            payload={"reason": why, "by": by, "from": wrong, "to": right},
        )
        entry = recording.write_down(site, notification, now)
        return [
            AffectedBuyer(loser["id"]),
            AffectedBuyer(winner["id"], "" if entry is None else entry["key"]),
        ]

    return Action(write)


def decide(site: Any, key: str, reason: str, by: str) -> Action:
    """Accept a refused entry: its transaction belongs to the buyer and product that it names.

    :param reason: why, for the record.
    :param by: user id of the owner.
    :raises NotPossible: the entry is not refused, or the reason is missing.
    """
    why, refused = stated(reason), _entry(site, key)
    if not ownership.belongs_to_another(site, refused):
        raise NotPossible(_("This notification is not refused."))

    def write(site: Any, now: datetime) -> list[AffectedBuyer]:
        entry = ledger.get(site, key)
        provider, transaction = product(entry)[0], entry["transaction"]
        before = buyers.of_address(site, ownership.owner_of(site, (provider, transaction))[0])
        after = buyers.get(site, entry["buyer_id"])
        for source in ((provider, transaction), (OWNER, transaction)):
            if ownership.owner_of(site, source):
                ownership.rebind(site, source, entry)
        if ownership.correction(site, (provider, transaction)):
            ownership.correct(site, (provider, transaction), entry["buyer"])
        _sort_out(site, (provider, transaction), (before, after))
        ledger.add_note(site, entry, now, by, "decided", why)
        buyer_ids = dict.fromkeys((before["id"], after["id"]))
        return [AffectedBuyer(buyer_id) for buyer_id in buyer_ids]

    return Action(write)


def attach(site: Any, key: str, user_id: str, reason: str, by: str) -> Action:
    """Tie the buyer of an entry to a member that the owner has chosen.

    :raises NotPossible: the buyer has an account, or the chosen one cannot be taken.
    """
    entry, _reason = _entry(site, key), stated(reason)
    if not entry["buyer_id"]:
        raise NotPossible(_("This notification names no buyer."))
    if not accounts.exists(user_id):
        raise NotPossible(_("There is no such member."))
    if privilege.member(user_id):
        raise NotPossible(PRIVILEGED)

    def write(site: Any, now: datetime) -> list[AffectedBuyer]:
        entry = ledger.get(site, key)
        buyer = buyers.get(site, entry["buyer_id"])
        if buyer["user_id"] and accounts.exists(buyer["user_id"]):
            raise NotPossible(_("The buyer has an account already."))
        if ownership.belongs_to_another(site, entry):
            raise NotPossible(
                _("This notification was refused. Decide whose its transaction is first.")
            )
        buyers.unlink_account(site, buyer)
        buyers.change(site, buyer, chosen=user_id, deleted_at="")
        ledger.add_note(site, entry, now, by, "attached", _reason)
        # The entry itself, too: the choice may be about an entry that does not count yet.
        return [AffectedBuyer(buyer["id"], key)]

    return Action(write)


def dismiss(site: Any, key: str, note: str, by: str) -> Action:
    """Dismiss an entry that needs attention or is refused: it stays as it is.

    Another reason makes it need attention again.

    :raises NotPossible: it does not need attention, or the note is missing.
    """
    entry, _note = _entry(site, key), stated(note)
    if entry["outcome"] not in (Outcome.ATTENTION, Outcome.REFUSED):
        raise NotPossible(_("This notification does not need attention."))

    def write(site: Any, now: datetime) -> list[AffectedBuyer]:
        entry = ledger.get(site, key)
        ledger.change(site, entry, dismissed=(entry["reason"], entry["subject"]))
        ledger.tell_no_more(site, entry)
        ledger.add_note(site, entry, now, by, "dismissed", _note)
        if entry["counts"]:
            return [AffectedBuyer(entry["buyer_id"])]
        if entry["outcome"] == Outcome.ATTENTION:
            ledger.finish(site, entry, Outcome.NOTHING, entry["reason"], entry["subject"])
        return []

    return Action(write)


def make_group(site: Any, key: str, by: str) -> Action:
    """Create the group that an entry waits for; other buyers get it at the next sweep.

    :raises NotPossible: it waits for no group, or that group cannot be created.
    """
    entry = _entry(site, key)
    name = entry["subject"]
    if entry["reason"] != Reason.GROUP_MISSING:
        raise NotPossible(_("This notification does not wait for a group."))
    if not group.exists(name) and group.cannot_make(name):
        raise NotPossible(
            _('A group of the name "${name}" cannot be made.', mapping={"name": name})
        )

    def write(site: Any, now: datetime) -> list[AffectedBuyer]:
        if not group.exists(name):
            group.make(name, name)
        ledger.add_note(site, ledger.get(site, key), now, by, "group made", name)
        return [AffectedBuyer(entry["buyer_id"])]

    return Action(write)


def _follow_address(site: Any, wrong: str, right: str) -> None:
    """Correct an address for all later notifications."""
    ownership.correct(site, ("", right), "")
    for source in ownership.corrected_to(site, wrong):
        ownership.correct(site, source, right)
    ownership.correct(site, ("", wrong), right)


def _follow_transaction(site: Any, entry: ledger.Entry, right: str) -> None:
    """Correct the address for all later notifications of an entry's transaction."""
    ownership.correct(site, _place(entry), right)


def _is_a_strangers(
    site: Any, entry: ledger.Entry, concerned: tuple[buyers.Buyer, ...]
) -> bool:
    """Whether an entry's transaction is tied to a buyer who is not concerned."""
    tied = ownership.owner_of(site, (entry["provider"], entry["transaction"]))
    return tied is not None and buyers.of_address(site, tied[0]) not in concerned


def _sort_out(site: Any, source: ownership.Source, concerned: tuple[buyers.Buyer, ...]) -> None:
    """Refuse or accept the entries of a transaction, by the buyer that it belongs to now."""
    for buyer in concerned:
        for entry in _entries(site, buyer):
            if _place(entry) != source:
                continue
            if ownership.belongs_to_another(site, entry):
                ledger.change(site, entry, counts=False)
                ledger.finish(site, entry, Outcome.REFUSED, Reason.ANOTHER)
                # The owner has just decided so.
                ledger.tell_no_more(site, entry)
            elif entry["outcome"] == Outcome.REFUSED:
                ledger.change(site, entry, counts=True)


def _place(entry: ledger.Entry) -> ownership.Source:
    """The transaction of an entry, with the provider that it is about."""
    return product(entry)[0], entry["transaction"]


def _goes_with(entry: ledger.Entry, provider: str, transaction: str) -> bool:
    return _place(entry) == (provider, transaction)


def _entries(site: Any, buyer: buyers.Buyer) -> Iterator[ledger.Entry]:
    for key in buyer["keys"]:
        yield ledger.get(site, key)


def _entry(site: Any, key: str) -> ledger.Entry:
    entry = ledger.get(site, key)
    if entry is None:
        raise NotPossible(_("There is no such notification."))
    if pseudonyms.is_erased(entry):
        raise NotPossible(_("This notification was erased."))
    return entry
