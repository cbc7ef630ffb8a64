"""The account that a buyer has or gets, and the mail that is owed for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.buyers import Admission
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import rule
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.entitlement import WAITS_FOR_BUYER
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import outbox
from typing import Any


@dataclass(frozen=True, kw_only=True)
class AccountPlan:
    """The account of a buyer, or why none can be used.

    :ivar user_id: the account, "" when there is none (yet).
    :ivar create: an account has to be made.
    :ivar counts: the quota of accounts counts it.
    :ivar beside: it has to be made although other accounts have the address.
    :ivar attach: `user_id` has to be tied to the buyer.
    :ivar problem: code of the reason why no account can be used, see reasons.py.
    :ivar tied: the problem is one of the account that the buyer is tied to.
    :ivar deleted_at: when the buyer's account was deleted, "" for never.
    :ivar asked: since when the buyer waits for an account, "" when that is not so.
    """

    user_id: str = ""
    create: bool = False
    counts: bool = False
    beside: bool = False
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
    """Find the account of a buyer by the rule, or make room for a new one.

    :param now: in UTC.
    """
    deleted_at = buyer["deleted_at"]
    asking = [entry for entry in payments if entry["received_at"] > deleted_at]
    account = rule.account_of(site, buyer, asking)
    if account.problem:
        return AccountPlan(problem=account.problem, tied=account.tied, deleted_at=deleted_at)
    if account.user_id or not asking:
        return AccountPlan(
            user_id=account.user_id, attach=bool(account.user_id) and not account.tied
        )
    asked = accountquota.asked_at(payments, deleted_at)
    if accountquota.is_full(site, buyer, asked, admission, now):
        return AccountPlan(problem=Reason.TOO_MANY, deleted_at=deleted_at, asked=asked)
    counts = admission is not Admission.OWNER
    return AccountPlan(create=True, counts=counts, beside=bool(buyer.get("own_account")))


def mail(account: AccountPlan, asks: bool) -> str:
    """The mail that is owed for an account that was made, or that we did not make.

    :param asks: the buyer was not asked yet to confirm a payment that waits for that.
    """
    settings = plone_site.settings()
    if account.create:
        return "" if settings.welcome_mail == "none" else outbox.WELCOME
    if account.problem in WAITS_FOR_BUYER:
        return outbox.CLAIM if asks else ""
    return outbox.NOTICE if account.attach and settings.notice_mail else ""
