"""Actions of an owner: previewed first, then carried out in one commit.

An action writes into the ledger and names the buyers whom that affects. They are provisioned
as after a notification, by the same rules. Everything is in one commit, so that a purchase
never belongs to nobody or to two buyers in between; an action that fails leaves nothing behind.
"""

from collections.abc import Callable
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
from niteoweb.click2sell.provisioning import Applied
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import Plan
from niteoweb.click2sell.provisioning import plan as plans
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from plone import api
from typing import Any

import itertools


#: Characters of an e-mail address (RFC 5321).
LONGEST_ADDRESS = 254


PRIVILEGED = _("The account may administer the site; no purchase changes it.")


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


@dataclass(frozen=True)
class Action:
    """A decision of an owner, see :mod:`niteoweb.click2sell.owner.decisions`; the commands of
    :mod:`niteoweb.click2sell.owner.commands` have the attributes of an action, too.

    :ivar write: called with the site and the time in UTC; writes into our own records, nothing
        else, and returns the affected buyers, those who lose something first.
    :ivar mail: whether buyers are mailed.
    :ivar mail_after: they are mailed at this moment, in UTC, by the sweep; None for at once.
    """

    write: Callable[[Any, datetime], Sequence[AffectedBuyer]]
    mail: bool = True
    mail_after: datetime | None = None


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


def address_of(text: str) -> str:
    """An address that an owner typed, in lower case.

    :raises NotPossible: Plone does not accept it.
    """
    address = text.strip().lower()
    valid = api.portal.get_tool("portal_registration").isValidEmail(address)
    if not valid or len(address) > LONGEST_ADDRESS:
        raise NotPossible(_("This is no e-mail address that Plone accepts."))
    return address


def stated(reason: str) -> str:
    """A reason that an owner stated.

    :raises NotPossible: there is none.
    """
    text = reason.strip()
    if not text:
        raise NotPossible(_("Say why: it stands in the record."))
    return text


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
        later = action.mail_after is not None
        of_buyer = pipeline.perform(site, plan, entry, sends=not later)
        if of_buyer.mail_id and later:
            outbox.postpone(site, outbox.get(site, of_buyer.mail_id), action.mail_after)
            of_buyer = replace(of_buyer, mail_id="")
        applied.append((of_buyer, _news(entry)))
    return applied


def _plan(site: Any, action: Action, affected: AffectedBuyer, now: datetime) -> Plan:
    buyer = buyers.get(site, affected.buyer_id)
    if pseudonyms.is_erased(buyer):
        raise Erased
    admission = Admission.OWNER if affected.key else Admission.ARRIVAL
    plan = plans.make(site, buyer, now, ledger.get(site, affected.key), admission=admission)
    return plan if action.mail else replace(plan, mail="")


def _news(entry: ledger.Entry | None) -> Notification | None:
    if entry is None or entry["reason"] in GRANTS_NOTHING:
        return None
    return history.notification(entry)
