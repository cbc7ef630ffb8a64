"""Actions of an owner: previewed first, then carried out in one commit.

An action writes into the ledger and names the buyers whom that affects. They are provisioned
as after a notification, by the same rules. Everything is in one commit, so that a purchase
never belongs to nobody or to two buyers in between; an action that fails leaves nothing behind.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import Admission
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import GRANTS_NOTHING
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.provisioning import Applied
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import Plan
from niteoweb.click2sell.provisioning import preview as previews
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from typing import Any
from typing import ClassVar
from typing import Self
from zope.interface.interfaces import IInterface

import itertools


PRIVILEGED = _("This is an administrator's account, so purchases never change it.")


class Erased(NotPossible):
    """The buyer was erased."""

    def __init__(self) -> None:
        super().__init__(_("The buyer was erased: take the buyer in again first."))


@dataclass(frozen=True)
class AffectedBuyer:
    """A buyer whom an action affects.

    :ivar key: of the entry that the action wrote for the buyer, "" for none.
    """

    buyer_id: str
    key: str = ""


class Action:
    """An act of an owner: a value that its form has validated.

    Its subclasses are the commands of :mod:`niteoweb.click2sell.owner.commands` and the
    decisions of :mod:`niteoweb.click2sell.owner.decisions`.

    :cvar form: the schema of the fields that an owner fills in.
    :cvar mail: whether buyers are mailed.
    :cvar mail_after: the sweep mails them at this moment, in UTC; None for at once.
    """

    form: ClassVar[IInterface]
    mail: bool = True
    mail_after: datetime | None = None

    def __post_init__(self) -> None:
        for name, value in forms.read(self.form, vars(self)).items():
            object.__setattr__(self, name, value)

    @classmethod
    def asked_for(cls, values: Mapping[str, Any], **known: Any) -> Self:
        """The action that a form asks for.

        :param values: of the form's fields, see :func:`niteoweb.click2sell.owner.forms.read`.
        :param known: the other fields.
        :raises niteoweb.click2sell.owner.forms.Problems: fields have values that they cannot
            have.
        """
        return cls(**forms.read(cls.form, values), **known)

    def settled(self, plan: Plan) -> Plan:
        """The plan for a buyer whom it affects, with the mails that the owner wants."""
        return plan if self.mail else replace(plan, mail="")

    def write(self, site: Any, now: datetime) -> Sequence[AffectedBuyer]:
        """Write into our own records, and nothing else.

        :param now: in UTC.
        :returns: the affected buyers, those who lose something first.
        :raises NotPossible: it cannot be done.
        """
        raise NotImplementedError


def preview(action: Action) -> tuple[Plan, ...]:
    """Preview an action: nothing is changed.

    The transaction of this thread begins anew: what it has changed until now is lost.

    :returns: a plan for each buyer, in the order of the changes.
    :raises NotPossible: it cannot be done.
    """
    with transactions.rehearsal() as site:
        now = timestamps.now()
        affected = action.write(site, now)
        return tuple(_plan(site, action, one, now) for one in affected)


def carry_out(action: Action) -> tuple[Plan, ...]:
    """Carry an action out: one commit, then events and mail.

    :returns: the plan that was applied for each buyer.
    :raises NotPossible: it cannot be done.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later; nothing has changed.
    """
    applied = writer.run(lambda site: _apply(site, action))
    for of_buyer, notification in applied:
        pipeline.follow_up(of_buyer, notification)
    return tuple(of_buyer.plan for of_buyer, _notification in applied)


def buyer_of(site: Any, buyer_id: str) -> buyers.Buyer:
    """The buyer of an id.

    :raises NotPossible: there is none.
    """
    buyer = buyers.get(site, buyer_id)
    if buyer is None:
        raise NotPossible(_("There is no such buyer."))
    return buyer


def id_of(site: Any, *parts: str) -> str:
    """An id for a notification of an owner; an equal notification later has another id.

    Preview and commit give it the same id: it puts in order what happens at the same moment.

    :param parts: kind, product and buyer, for example.
    """
    ids = (idempotency_key(*parts, str(number)) for number in itertools.count())
    return next(id_ for id_ in ids if ledger.get(site, idempotency_key(OWNER, id_)) is None)


def _apply(site: Any, action: Action) -> list[tuple[Applied, Notification | None]]:
    now = timestamps.now()
    applied = []
    for affected in action.write(site, now):
        entry = ledger.get(site, affected.key)
        plan = _plan(site, action, affected, now)
        if entry is not None:
            ledger.count_attempt(site, entry)
        of_buyer = pipeline.perform(site, plan, entry)
        if of_buyer.mail_id and action.mail_after is not None:
            outbox.postpone(site, outbox.get(site, of_buyer.mail_id), action.mail_after)
            of_buyer = replace(of_buyer, mail_id="")
        applied.append((of_buyer, _news(entry)))
    return applied


def _plan(site: Any, action: Action, affected: AffectedBuyer, now: datetime) -> Plan:
    if pseudonyms.is_erased(buyers.get(site, affected.buyer_id)):
        raise Erased
    admission = Admission.OWNER if affected.key else Admission.ARRIVAL
    plan = previews.plan(site, affected.buyer_id, now, affected.key, admission=admission)
    return action.settled(plan)


def _news(entry: ledger.Entry | None) -> Notification | None:
    if entry is None or entry["reason"] in GRANTS_NOTHING:
        return None
    return history.notification(entry)
