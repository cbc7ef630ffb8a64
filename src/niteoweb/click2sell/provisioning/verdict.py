"""The verdict on an entry: its outcome, by what it means for its buyer."""

from dataclasses import dataclass
from dataclasses import replace
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.entitlement import TAKES_EFFECT
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import TELLING_NOTHING
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provisioning.accountplan import AccountPlan
from niteoweb.click2sell.provisioning.groupplan import GroupPlan
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """The outcome of an entry.

    :ivar dismissed: it needs attention, and an owner has decided that there is nothing to do.
    """

    outcome: str
    reason: str = ""
    subject: str = ""
    dismissed: bool = False

    @property
    def takes_effect(self) -> bool:
        """Whether the entry changes its buyer's access, although a person may have to look.

        It then ties its transaction to its buyer: a signature must not serve another one.
        """
        waits = self.outcome == Outcome.ATTENTION or self.dismissed
        return self.reason in TAKES_EFFECT or not waits

    def of(self, entry: ledger.Entry) -> "Verdict":
        """The verdict after an owner's decision about the entry."""
        if self.outcome == Outcome.ATTENTION and entry["dismissed"] == (
            self.reason,
            self.subject,
        ):
            return replace(self, outcome=Outcome.NOTHING, dismissed=True)
        return self


def without_plan(site: Any, entry: ledger.Entry) -> Verdict | None:
    """The outcome of an entry that changes nothing for any buyer; None for all others."""
    if entry["kind"] == Kind.UNKNOWN:
        reason = entry["reason"] or entry["attention"] or Reason.UNKNOWN_KIND
        subject = entry["subject"] or entry["attention_subject"]
        return Verdict(Outcome.ATTENTION, reason, subject).of(entry)
    if ownership.belongs_to_another(site, entry):
        return Verdict(Outcome.REFUSED, Reason.ANOTHER)
    if not entry["buyer_id"]:
        return _of_nobody(entry)
    if pseudonyms.is_erased(buyers.get(site, entry["buyer_id"])):
        if entry["outcome"] in outcomes.FINAL:
            return Verdict(entry["outcome"], entry["reason"], entry["subject"])
        return Verdict(Outcome.ATTENTION, Reason.ERASED_BUYER)
    return None


def _of_nobody(entry: ledger.Entry) -> Verdict:
    """The outcome of an entry whose provider does not name the buyer."""
    if entry["kind"] in TELLING_NOTHING:
        return Verdict(Outcome.NOTHING)
    if entry["customer_deleted"]:
        # Nothing is known of the customer; should that change, the entry is taken up.
        return Verdict(Outcome.NOTHING)
    reason = Reason.CUSTOMER_NOT_KNOWN if entry["customer_id"] else Reason.NOT_TOLD
    title = registry.title(entry["provider"])
    return Verdict(Outcome.ATTENTION, reason, title).of(entry)


def of_entry(
    entry: ledger.Entry,
    outcome: history.BuyerOutcome,
    account: AccountPlan,
    groups: GroupPlan,
) -> Verdict:
    """The outcome of an entry by the plan for its buyer.

    :param outcome: of the buyer's history, which the entry counts in.
    """
    key, payments = entry["key"], outcome.payments
    if key in outcome.attention:
        return Verdict(Outcome.ATTENTION, outcome.attention[key])
    if entry["kind"] in TELLING_NOTHING and entry["customer_suspended"] is None:
        return Verdict(Outcome.NOTHING)
    if history.is_payment(entry):
        if account.problem and account.concerns(entry, payments[-1]):
            return Verdict(Outcome.ATTENTION, account.problem)
        for concerned in (history.product(entry), mapping.EVERY_BUYER):
            # One item for the owner, at the payment that is the latest to ask for the group.
            if concerned in groups.problems and entry is outcome.latest_payments[concerned]:
                return Verdict(Outcome.ATTENTION, *groups.problems[concerned])
    if key in outcome.waiting:
        return Verdict(Outcome.NOTHING, Reason.WAITS_FOR_PURCHASE)
    return Verdict(Outcome.ACCEPTED)
