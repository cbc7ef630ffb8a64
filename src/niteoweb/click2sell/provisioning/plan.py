"""A plan: the changes that are due for one buyer, worked out without changing anything.

The plan compares the entitlements of the buyer's whole history with the grants of this add-on.
:mod:`niteoweb.click2sell.provisioning.pipeline` applies it; a preview only shows it.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from DateTime import DateTime
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import Admission
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.buyers import summary
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.entitlement import WAITS_FOR_BUYER
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.provisioning import accountplan
from niteoweb.click2sell.provisioning import groupplan
from niteoweb.click2sell.provisioning import verdict
from niteoweb.click2sell.provisioning.accountplan import AccountPlan
from niteoweb.click2sell.provisioning.groupplan import GroupPlan
from niteoweb.click2sell.provisioning.verdict import Verdict
from typing import Any


#: After how long a subscription of a silent provider is looked at again.
LOOK_AGAIN = timedelta(minutes=30)

#: The purchase fields of a member who bought nothing, as the profile sets them.
NO_PURCHASE = {
    "product_id": "",
    "product_name": "",
    "last_purchase_id": "",
    "last_purchase_timestamp": DateTime("2000/01/01"),
}


@dataclass(frozen=True)
class Plan(AccountPlan, GroupPlan):
    """The difference between the site and a buyer's entitlements.

    :ivar absorbs: another record that turned out to be of this buyer; `buyer_id` is the record
        that stays.
    :ivar properties: member properties to write.
    :ivar mail: the mail that is owed, a kind of :mod:`niteoweb.click2sell.mail.outbox`, "" for
        none.
    :ivar product: name or id of the product of the latest payment.
    :ivar payment: key of the latest payment.
    :ivar address: the address that the latest payment was made under.
    :ivar live: products with access now.
    :ivar gained: products that have access now and had none at the last run.
    :ivar lost: products that had access at the last run and have none now.
    :ivar verdicts: outcomes of the buyer's entries, by key.
    :ivar terms: days and exclusivity for entries recorded before their product had a line.
    :ivar held: products whose access is over, but not ended while their provider is silent.
    :ivar ends: until when there is access to each live product, with days of grace; None for no
        end.
    :ivar paid_until: the end without days of grace.
    :ivar renewals: when the next renewal of each subscription has to be there.
    :ivar endings: when access to live products ends that does not renew by itself.
    :ivar told: those of the lost products whose end the member is mailed.
    :ivar not_renewed: those of them that are subscriptions, and whose time is over.
    :ivar next_change: when access changes by itself next, in UTC.
    :ivar whole: it needed the buyer's whole history, and has the outcome of each entry.
    """

    buyer_id: str
    absorbs: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    mail: str = ""
    product: str = ""
    payment: str = ""
    address: str = ""
    live: tuple[Product, ...] = ()
    gained: tuple[Product, ...] = ()
    lost: tuple[Product, ...] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    terms: Mapping[str, mapping.Terms] = field(default_factory=dict)
    held: tuple[Product, ...] = ()
    ends: Mapping[Product, datetime | None] = field(default_factory=dict)
    paid_until: Mapping[Product, datetime | None] = field(default_factory=dict)
    renewals: Mapping[Product, datetime] = field(default_factory=dict)
    endings: Mapping[Product, datetime] = field(default_factory=dict)
    told: tuple[Product, ...] = ()
    not_renewed: tuple[Product, ...] = ()
    next_change: datetime | None = None
    whole: bool = True


def make(
    site: Any,
    buyer: buyers.Buyer,
    now: datetime,
    current: ledger.Entry | None = None,
    follow_mapping: bool = False,
    despite_silence: bool = False,
    admission: Admission = Admission.ARRIVAL,
) -> Plan:
    """Work out the changes that are due for a buyer.

    :param now: in UTC.
    :param current: an entry of the buyer that is being processed and may not count yet.
    :param follow_mapping: also revoke groups that a changed mapping does not give any more.
    :param despite_silence: also end subscriptions that a silent provider sent no renewal for.
    :param admission: whether an account that has to be made may have to wait.
    """
    if pseudonyms.is_erased(buyer):
        return Plan(buyer["id"])
    summed_up = summary.outcome(site, buyer, now, current, despite_silence)
    outcome = summed_up or history.outcome(site, buyer, now, current, despite_silence)
    payments, live = outcome.payments, outcome.live
    account = accountplan.find(site, buyer, payments, admission, now)
    mailed = _mail(buyer, account, payments, current)
    known = buyers.of_user(site, account.user_id) if account.attach else None
    if known is not None:
        # The same account bought under another address before: one buyer, one history.
        union = buyers.merged(known, buyer)
        plan = make(site, union, now, current, follow_mapping, despite_silence, admission)
        return replace(plan, absorbs=buyer["id"], **mailed)
    if account.usable:
        groups = groupplan.make(buyer, account.user_id, outcome, follow_mapping)
    else:
        groups = groupplan.unchanged(buyer)
    lost = tuple(p for p in buyer["live"] if p not in live) if account.usable else ()
    ran_out = tuple(product for product in lost if outcome.ran_out(product))
    subscriptions = {one.product for one in outcome.entitlements if one.subscription}
    return Plan(
        buyer["id"],
        **vars(account),
        **vars(groups),
        properties=_properties(buyer, account, outcome),
        **mailed,
        payment=payments[-1]["key"] if payments else "",
        live=live,
        gained=tuple(p for p in live if p not in buyer["live"]) if account.usable else (),
        lost=lost,
        verdicts={
            entry["key"]: verdict.of_entry(entry, outcome, account, groups).of(entry)
            for entry in outcome.entries
        },
        terms=outcome.late_terms,
        held=outcome.held,
        ends={e.product: e.access_until for e in outcome.entitlements},
        paid_until={e.product: e.until for e in outcome.entitlements},
        renewals=outcome.renewals(),
        endings=outcome.endings if account.usable else {},
        told=ran_out if plone_site.settings().ended_mail else (),
        not_renewed=tuple(one for one in ran_out if one in subscriptions),
        next_change=_next_change(outcome, account),
        whole=summed_up is None,
    )


def _mail(
    buyer: buyers.Buyer,
    account: AccountPlan,
    payments: Sequence[ledger.Entry],
    current: ledger.Entry | None,
) -> dict[str, str]:
    """The mail that is owed, its product and its address: those of the payment it is about.

    A new account is told of the latest payment. A mail about another's account tells of the
    payment that is being processed, to the address that made it.
    """
    if not payments:
        return {}
    asking = [entry for entry in payments if entry["received_at"] > buyer["deleted_at"]]
    about = (asking or payments)[-1]
    if current is not None and not account.create:
        about = next((entry for entry in payments if entry["key"] == current["key"]), about)
    asks = any(entry["reason"] not in WAITS_FOR_BUYER for entry in asking)
    return {
        "mail": accountplan.mail(account, asks),
        "product": history.product_title(about),
        "address": about["buyer"],
    }


def _next_change(outcome: history.BuyerOutcome, account: AccountPlan) -> datetime | None:
    """When to look at the buyer again.

    A product that is held is looked at soon, an account that cannot be touched at every sweep.
    """
    now = outcome.now
    upcoming = outcome.next_change(now)
    if account.tied:
        return now
    if outcome.held:
        return min(upcoming or now + LOOK_AGAIN, now + LOOK_AGAIN)
    return upcoming if account.usable else None


def _properties(
    buyer: buyers.Buyer, account: AccountPlan, outcome: history.BuyerOutcome
) -> dict[str, Any]:
    """The purchase fields that have to be written."""
    payments = outcome.payments
    if not account.usable:
        return {}
    if not payments:
        # What they told of turned out to be another buyer's.
        return _different(account.user_id, NO_PURCHASE)
    # What an owner gives by hand is no payment: it does not hide the last one.
    paid = [entry for entry in payments if entry["provider"] != OWNER] or payments
    latest = paid[-1]
    wanted = {
        "product_id": latest["product_id"],
        "product_name": latest["product_name"],
        "last_purchase_id": latest["receipt"],
        "last_purchase_timestamp": plone_site.zope_time(
            timestamps.from_iso(latest["occurred_at"])
        ),
    }
    if account.create or buyer["made"]:
        wanted["affiliate"] = paid[0]["affiliate"]
    if account.create:
        # A provider may tell the name apart from the purchase.
        names = (history.notification(entry).fullname for entry in (latest, *outcome.entries))
        return {**wanted, "fullname": next(filter(None, names), "")}
    return _different(account.user_id, wanted)


def _different(user_id: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    present = accounts.fields(user_id, tuple(wanted))
    return {name: value for name, value in wanted.items() if present[name] != value}
