"""The commands of an owner for a buyer: grant, extend and end access, mail again, add a note.

A command is a value that its schema has validated, see :mod:`niteoweb.click2sell.owner.forms`.
Those that change access are in :mod:`niteoweb.click2sell.owner.grants`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.owner.action import AffectedBuyer
from niteoweb.click2sell.owner.action import buyer_of
from niteoweb.click2sell.owner.action import Erased
from niteoweb.click2sell.owner.action import NotPossible
from niteoweb.click2sell.owner.action import PRIVILEGED
from niteoweb.click2sell.owner.grants import Command
from niteoweb.click2sell.owner.grants import End
from niteoweb.click2sell.owner.grants import Extend
from niteoweb.click2sell.owner.grants import Grant
from niteoweb.click2sell.owner.undo import Undo
from niteoweb.click2sell.storage import writer
from typing import Any


@dataclass(frozen=True)
class Resend(Command):
    """Mail the welcome mail once more, to the address that the account has now.

    :ivar way: "link", or "password" for a new one: only for accounts that this add-on made.
    """

    form = forms.IResend
    title = _("Mail the welcome mail again")
    success = _("The welcome mail is queued. This page shows when it was sent.")

    buyer_id: str
    way: str
    by: str

    def recipient(self, site: Any) -> str:
        """The user id of the member who gets the mail.

        :raises NotPossible: the buyer has no account, or no access that the mail could welcome
            to, the account keeps its password, or it can administer the site.
        """
        buyer = buyer_of(site, self.buyer_id)
        if not accounts.exists(buyer["user_id"]):
            raise NotPossible(_("The buyer has no account."))
        if privilege.member(buyer["user_id"]):
            raise NotPossible(PRIVILEGED)
        if not buyer["live"]:
            raise NotPossible(_("The buyer has no access. Give or extend access first."))
        if self.way == "password" and not buyer["made"]:
            message = _("The account existed before the purchase: it keeps its password.")
            raise forms.Problems({"way": message})
        return buyer["user_id"]

    def carry_out(self) -> str:
        """File the mail, which is sent in the background.

        :returns: id of the mail.
        :raises NotPossible: see :meth:`recipient`.
        :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
        """
        mail_id = writer.run(self._file)
        delivery.hand_over(mail_id)
        return mail_id

    def _file(self, site: Any) -> str:
        user_id, buyer = self.recipient(site), buyer_of(site, self.buyer_id)
        bought = map(history.product, history.in_order(history.entries(site, buyer)))
        latest = [product for product in bought if product in buyer["live"]] or buyer["live"]
        return outbox.file(
            site,
            outbox.WELCOME,
            user_id,
            accounts.text(user_id, "email"),
            history.title(site, buyer, latest[-1]),
            timestamps.now(),
            plone_site.mail_domain(),
            credentials=self.way,
            by=self.by,
        )["id"]


@dataclass(frozen=True)
class Note(Command):
    """Write a note about a buyer, which the buyer's history shows."""

    form = forms.INote
    title = _("Add a note")
    success = _("The note was saved.")

    buyer_id: str
    text: str
    by: str

    def write(self, site: Any, now: datetime) -> list[AffectedBuyer]:
        """Write it into the buyer's record; nothing else changes."""
        buyer = buyer_of(site, self.buyer_id)
        if pseudonyms.is_erased(buyer):
            raise Erased
        note = {"at": timestamps.iso(now), "by": self.by, "what": "note", "text": self.text}
        buyers.change(site, buyer, notes=(*buyer["notes"], note))
        return []


#: The commands, by their names in addresses.
COMMANDS: dict[
    str, type[Grant] | type[Extend] | type[End] | type[Resend] | type[Undo] | type[Note]
] = {
    "grant": Grant,
    "extend": Extend,
    "revoke": End,
    "resend": Resend,
    "undo": Undo,
    "note": Note,
}


def asked_for(
    site: Any, name: str, buyer: buyers.Buyer | None, values: Mapping[str, Any], by: str
) -> Command:
    """The command that a form asks for.

    :param name: of the command, see :data:`COMMANDS`.
    :param buyer: None to grant something to an address.
    :param values: of the form's fields, see :func:`niteoweb.click2sell.owner.forms.read`.
    :param by: user id of the owner.
    :raises niteoweb.click2sell.owner.forms.Problems: fields have values that they cannot have.
    """
    command = COMMANDS[name]
    if command is not Grant:
        return command.asked_for(values, buyer_id=buyer["id"], by=by)
    if buyer is not None:
        address, *_others = explanation.addresses(buyer, buyers.entries(site, buyer))
        values = {**values, "address": address}
    return Grant.asked_for(values, by=by)
