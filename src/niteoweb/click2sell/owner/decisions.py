"""Decisions of an owner about an entry: to whom it belongs, or that there is nothing to do.

:mod:`niteoweb.click2sell.owner.action` previews a decision and carries it out. A decision is
noted on the entry. The rules, where there is a choice:

* Correcting the buyer of a purchase moves its entries to the right buyer. Later notifications
  of the transaction, or from the same address, follow. A transaction of a third buyer stays
  with that buyer, and so does a subscription that its provider has passed on to one since.
* Deciding for a refused entry ties its transaction to the buyer and product that it names. The
  entries of that transaction for another buyer or product are refused from then on, and their
  access is revoked.
* A purchase that goes back to its provider's customer is the customer's as it was.
* After both, refused entries that name the right buyer and product count again.
* A dismissed entry has nothing to do until it needs attention for another reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.buyers import product
from niteoweb.click2sell.entitlement import ABOUT_ACCOUNT
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.owner.action import Action
from niteoweb.click2sell.owner.action import AffectedBuyer
from niteoweb.click2sell.owner.action import id_of
from niteoweb.click2sell.owner.action import NotPossible
from niteoweb.click2sell.owner.action import PRIVILEGED
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.provisioning import transfer
from typing import Any
from typing import ClassVar


ATTACH = "attach"
MAKE_GROUP = "make_group"
DECIDE = "decide"
CORRECT = "correct"
DISMISS = "dismiss"

GONE = _("Something has happened since: there is nothing left to decide here.")
REFUSED = _("This notification was refused. Decide whose its transaction is first.")


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


@dataclass(frozen=True)
class Decision(Action):
    """A decision about an entry; the owner's reason or note is for the record.

    :cvar name: its name in forms and addresses.
    :cvar noted: the name of its note on the entry.
    :ivar key: of the entry.
    :ivar by: user id of the owner.
    """

    name: ClassVar[str]
    noted: ClassVar[str]
    key: str
    by: str

    def write(self, site: Any, now: datetime) -> Sequence[AffectedBuyer]:
        """Carry the decision out, if it is one of :func:`possible`."""
        entry = ledger.get(site, self.key)
        if entry is None:
            raise NotPossible(_("There is no such notification."))
        if pseudonyms.is_erased(entry):
            raise NotPossible(_("This notification was erased."))
        if self.name not in possible(site, entry):
            raise NotPossible(GONE)
        return self.decide(site, entry, now)

    def decide(self, site: Any, entry: ledger.Entry, now: datetime) -> Sequence[AffectedBuyer]:
        """Write the decision down; see :meth:`write`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Attach(Decision):
    """Tie the buyer of an entry to a member that the owner has chosen."""

    name = ATTACH
    noted = "attached"
    form = forms.IAttach
    user_id: str
    reason: str

    def decide(self, site: Any, entry: ledger.Entry, now: datetime) -> list[AffectedBuyer]:
        if not accounts.exists(self.user_id):
            raise NotPossible(_("There is no such member."))
        if privilege.member(self.user_id):
            raise NotPossible(PRIVILEGED)
        buyer = buyers.get(site, entry["buyer_id"])
        if buyer["user_id"] and accounts.exists(buyer["user_id"]):
            raise NotPossible(_("The buyer has an account already."))
        if ownership.belongs_to_another(site, entry):
            raise NotPossible(REFUSED)
        buyers.unlink_account(site, buyer)
        buyers.change(site, buyer, chosen=self.user_id, deleted_at="")
        ledger.add_note(site, entry, now, self.by, self.noted, self.reason)
        # The entry itself, too: the choice may be about an entry that does not count yet.
        return [AffectedBuyer(buyer["id"], self.key)]


@dataclass(frozen=True)
class MakeGroup(Decision):
    """Create the group that an entry waits for; other buyers get it at the next sweep."""

    name = MAKE_GROUP
    noted = "group made"
    form = forms.IMakeGroup

    def decide(self, site: Any, entry: ledger.Entry, now: datetime) -> list[AffectedBuyer]:
        name = entry["subject"]
        if not group.exists(name):
            if group.cannot_make(name):
                names = {"group": name}
                text = _('A group with the name "${group}" cannot be created.', mapping=names)
                raise NotPossible(text)
            group.make(name, name)
        ledger.add_note(site, entry, now, self.by, self.noted, name)
        return [AffectedBuyer(entry["buyer_id"])]


@dataclass(frozen=True)
class Decide(Decision):
    """Accept a refused entry: its transaction belongs to the buyer and product it names."""

    name = DECIDE
    noted = "decided"
    form = forms.IDecide
    reason: str

    def decide(self, site: Any, entry: ledger.Entry, now: datetime) -> list[AffectedBuyer]:
        source = _source(entry)
        before = buyers.of_address(site, ownership.owner_of(site, source)[0])
        after = buyers.get(site, entry["buyer_id"])
        for known_as in (source, (OWNER, entry["transaction"])):
            if ownership.owner_of(site, known_as):
                ownership.rebind(site, known_as, entry)
        if ownership.correction(site, source):
            ownership.correct(site, source, entry["buyer"])
        _sort_out(site, source, (before, after))
        ledger.add_note(site, entry, now, self.by, self.noted, self.reason)
        # Who was erased has nothing left to lose.
        losing = () if pseudonyms.is_erased(before) else (before["id"],)
        return [AffectedBuyer(id_) for id_ in dict.fromkeys((*losing, after["id"]))]


@dataclass(frozen=True)
class Correct(Decision):
    """Move a purchase to the right buyer, for example after a mistyped address.

    :ivar address: of the right buyer.
    :ivar everything: move all entries of the wrong address, earlier and later ones, and not
        just those of this transaction.
    """

    name = CORRECT
    noted = "corrected"
    form = forms.ICorrect
    address: str
    everything: bool
    reason: str

    def decide(self, site: Any, entry: ledger.Entry, now: datetime) -> list[AffectedBuyer]:
        wrong, right = entry["buyer"], self.address.lower()
        provider, transaction = source = _source(entry)
        loser = buyers.get(site, entry["buyer_id"])
        customer = customers.buyer(site, (provider, entry["customer_id"]))
        back = (
            not self.everything
            and customer not in (None, loser)
            and right in buyers.addresses(customer)
        )
        winner = customer if back else buyers.of_address(site, right)
        if winner is loser:
            raise NotPossible(_("This address is the same buyer's."))
        if not self.everything and _is_a_strangers(site, entry, (loser, winner)):
            raise NotPossible(REFUSED)
        others = customers.under(site, wrong) if self.everything else ()
        losers = [loser, *(one for one in others if one not in (loser, winner))]
        moved = [
            (holder, other)
            for holder in losers
            for other in buyers.entries(site, holder)
            if (holder is loser and _source(other) == source)
            or (self.everything and other["buyer"] == wrong)
        ]
        if self.everything:
            ownership.follow(site, wrong, right)
        for holder, other in moved:
            held = transfer.holder(site, _source(other)) in ("", holder["id"], winner["id"])
            if held and not _is_a_strangers(site, other, (holder, winner)):
                # Later notifications of its transaction follow.
                ownership.correct(site, _source(other), "" if back else right)
            ledger.change(site, other, buyer=right)
            if other["member"]:
                # The owner knows better than the order link.
                ledger.exchange(site, other, member="")
        for holder in losers:
            buyers.remove_entries(site, holder, {e["key"] for of, e in moved if of is holder})
        for _holder, other in moved:
            buyers.add_entry(site, winner, other)
        for moved_source in dict.fromkeys(_source(other) for _holder, other in moved):
            _sort_out(site, moved_source, (winner,))
        text = self.reason
        note = {"at": timestamps.iso(now), "by": self.by, "what": self.noted, "text": text}
        for holder in losers:
            buyers.change(site, holder, notes=(*holder["notes"], note))
        notification = Notification(
            key=idempotency_key(
                OWNER, id_of(site, Kind.CORRECTION, provider, transaction, wrong, right)
            ),
            provider=OWNER,
            on_behalf_of=provider,
            kind=Kind.CORRECTION,
            transaction=transaction,
            receipt=entry["receipt"],
            occurred_at=now,
            buyer=right,
            email=right,
            product_id=entry["product_id"],
            customer_id=entry["customer_id"] if back else "",
            payload={
                "reason": self.reason,
                "by": self.by,
                "from": wrong,
                "to": right,
                "scope": "everything" if self.everything else "purchase",
            },
        )
        correction = recording.write_down(site, notification, now)
        return [
            *(AffectedBuyer(holder["id"]) for holder in losers),
            AffectedBuyer(winner["id"], "" if correction is None else correction["key"]),
        ]


@dataclass(frozen=True)
class Dismiss(Decision):
    """Dismiss an entry that needs attention or is refused: it stays as it is.

    Another reason makes it need attention again.
    """

    name = DISMISS
    noted = "dismissed"
    form = forms.IDismiss
    note: str

    def decide(self, site: Any, entry: ledger.Entry, now: datetime) -> list[AffectedBuyer]:
        ledger.dismiss(site, entry)
        ledger.add_note(site, entry, now, self.by, self.noted, self.note)
        if entry["counts"]:
            return [AffectedBuyer(entry["buyer_id"])]
        if entry["outcome"] == Outcome.ATTENTION:
            ledger.set_outcome(site, entry, Outcome.NOTHING, entry["reason"], entry["subject"])
        return []


#: The decisions, by their names.
DECISIONS = {one.name: one for one in (Attach, MakeGroup, Decide, Correct, Dismiss)}


def _is_a_strangers(site: Any, entry: ledger.Entry, concerned: Sequence[buyers.Buyer]) -> bool:
    """Whether an entry's transaction is tied to a buyer who is not concerned."""
    tied = ownership.owner_of(site, (entry["provider"], entry["transaction"]))
    return tied is not None and buyers.of_address(site, tied[0]) not in concerned


def _sort_out(site: Any, source: ownership.Source, concerned: tuple[buyers.Buyer, ...]) -> None:
    """Refuse or accept the entries of a transaction, by the buyer that it belongs to now."""
    for buyer in concerned:
        for entry in buyers.entries(site, buyer):
            if _source(entry) != source:
                continue
            if ownership.belongs_to_another(site, entry):
                ledger.change(site, entry, counts=False)
                ledger.set_outcome(site, entry, Outcome.REFUSED, Reason.ANOTHER)
                # The owner has just decided so, and need not do it again.
                ledger.dismiss(site, entry)
            elif entry["outcome"] == Outcome.REFUSED:
                ledger.change(site, entry, counts=True)


def _source(entry: ledger.Entry) -> ownership.Source:
    """The transaction of an entry, with the provider that it is about."""
    return product(entry)[0], entry["transaction"]
