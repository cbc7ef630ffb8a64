"""The account that a buyer has or gets, and the mail that is owed for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.buyers import Admission
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import privilege
from typing import Any


@dataclass(frozen=True, kw_only=True)
class AccountPlan:
    """The account of a buyer, or why none can be used.

    :ivar user_id: the account, "" when there is none (yet).
    :ivar create: an account has to be made.
    :ivar counts: the quota of accounts counts it.
    :ivar attach: `user_id` has to be tied to the buyer.
    :ivar problem: code of the reason why no account can be used, see reasons.py.
    :ivar tied: the problem is one of the account that the buyer is tied to.
    :ivar deleted_at: when the buyer's account was deleted, "" for never.
    :ivar asked: since when the buyer waits for an account, "" when that is not so.
    """

    user_id: str = ""
    create: bool = False
    counts: bool = False
    attach: bool = False
    problem: str = ""
    tied: bool = False
    deleted_at: str = ""
    asked: str = ""

    def concerns(self, payment: ledger.Entry, latest: ledger.Entry) -> bool:
        """Whether the problem keeps a payment from taking effect.

        Of an account that was fine until now it is only the latest: one item for the owner.
        """
        return payment is latest if self.tied else payment["received_at"] > self.deleted_at

    @property
    def usable(self) -> bool:
        """Whether there is an account, or will be."""
        return not self.problem and bool(self.user_id or self.create)


def find(
    site: Any,
    buyer: buyers.Buyer,
    payments: Sequence[ledger.Entry],
    admission: Admission,
    now: datetime,
) -> AccountPlan:
    """Find the account of a buyer: the tied one, another that exists, or a new one.

    :param now: in UTC.
    """
    user_id = buyer["user_id"]
    if user_id:
        if not accounts.exists(user_id):
            return AccountPlan(problem=Reason.ACCOUNT_MISSING, tied=True)
        if privilege.member(user_id):
            return AccountPlan(problem=Reason.PRIVILEGED_ACCOUNT, tied=True)
        return AccountPlan(user_id=user_id)
    if not any(entry["received_at"] > buyer["deleted_at"] for entry in payments):
        return AccountPlan()
    chosen = buyer["chosen"]
    if chosen and accounts.exists(chosen):
        if privilege.member(chosen):
            return AccountPlan(
                problem=Reason.PRIVILEGED_ACCOUNT, deleted_at=buyer["deleted_at"]
            )
        return AccountPlan(user_id=chosen, attach=True)
    try:
        user_id = accounts.choose(
            site, payments[-1]["buyer"], lambda account: buyers.made_by_us(site, account)
        )
    except accounts.NeedsAttention as problem:
        return AccountPlan(problem=problem.reason, deleted_at=buyer["deleted_at"])
    if user_id:
        return AccountPlan(user_id=user_id, attach=True)
    asked = accountquota.asked_at(payments, buyer["deleted_at"])
    if accountquota.is_full(site, buyer, asked, admission, now):
        return AccountPlan(problem=Reason.TOO_MANY, deleted_at=buyer["deleted_at"], asked=asked)
    return AccountPlan(create=True, counts=admission is not Admission.OWNER)


def mail(made: bool, attached: bool) -> str:
    """The mail that is owed for an account that was made, or that we did not make."""
    settings = plone_site.settings()
    if made:
        return "" if settings.welcome_mail == "none" else outbox.WELCOME
    return outbox.NOTICE if attached and settings.notice_mail else ""
