"""Apply a plan: the only place that changes members, fields and groups."""

from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import reminders
from niteoweb.click2sell.buyers import summary
from niteoweb.click2sell.entitlement import ABOUT_GROUP
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import farewells
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import group
from niteoweb.click2sell.provisioning.plan import Plan
from niteoweb.click2sell.provisioning.verdict import Verdict
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import trees
from typing import Any
from zope.i18n import translate

import logging


logger = logging.getLogger("niteoweb.click2sell")


@dataclass(frozen=True)
class Applied:
    """A plan that was applied, with all that events and mail after the commit need.

    :ivar user_id: the account, "" when there is none.
    :ivar created: the account was made.
    :ivar mail_id: the mail that became due, "" for none.
    """

    plan: Plan
    user_id: str = ""
    created: bool = False
    mail_id: str = ""


def apply(site: Any, plan: Plan, entry: ledger.Entry | None, now: datetime) -> Applied:
    """Make the site agree with a plan.

    :param entry: the entry being processed, None when there is none.
    """
    buyer = buyers.get(site, plan.buyer_id)
    if plan.absorbs:
        buyers.merge(site, buyer, buyers.get(site, plan.absorbs))
    applied = _account(site, buyer, plan, now)
    buyers.change(site, buyer, account_asked=plan.asked)
    steps.reached("member made")
    if applied.user_id:
        if plan.properties and not applied.created:
            accounts.set_fields(applied.user_id, plan.properties)
        steps.reached("properties written")
        _groups(site, buyer, plan, applied.user_id, now)
        steps.reached("groups changed")
        buyers.change(
            site,
            buyer,
            grants=dict(plan.grants),
            taken=dict(plan.taken),
            due=plan.due,
            live=plan.live,
            pending=tuple(sorted(plan.pending)),
        )
    if buyer["user_id"]:
        next_change = timestamps.iso(plan.next_change) if plan.next_change else ""
        buyers.change(site, buyer, next_change=next_change)
    if plan.lost:
        buyers.change(
            site,
            buyer,
            ended_on=counters.lapses(buyer, now, len(plan.lost)),
            not_renewed_in=counters.not_renewed(buyer, now, len(plan.not_renewed)),
        )
        trees.tree(site, "access_ended").insert((timestamps.iso(now), buyer["id"]))
    renewals = counters.renewals_awaited(buyer, plan.renewals)
    if renewals != buyer.get("renewals_awaited", ()):
        buyers.change(site, buyer, renewals_awaited=renewals)
    reminders.note(site, buyer, plan.endings, now)
    for product in plan.told:
        farewells.file(site, buyer, outbox.ENDED, product, plan.ends.get(product), now)
    # Two runs for one buyer always conflict, whatever else they change.
    buyer["revision"] += 1
    _entries(site, buyer, plan)
    summary.keep_up(site, buyer, plan.whole)
    return applied


def _account(site: Any, buyer: buyers.Buyer, plan: Plan, now: datetime) -> Applied:
    user_id, password = plan.user_id, ""
    if plan.create:
        user_id, password = accounts.create(plan.address, plan.properties, plan.beside)
        buyers.link_account(site, buyer, user_id, made=True, now=now)
        if plan.counts:
            accountquota.note(site, buyer, now)
        buyers.change(
            site,
            buyer,
            password_print=accounts.password_print(user_id),
            made_at=timestamps.iso(now),
            logged_in=False,
        )
    elif plan.attach:
        buyers.link_account(site, buyer, user_id, made=False, now=now)
    mail_id = ""
    if plan.mail == outbox.CLAIM:
        mail = outbox.file_claim(site, buyer["id"], plan.address, plan.product, now)
        mail_id = mail["id"] if mail is not None else ""
    elif plan.mail:
        domain = plone_site.mail_domain()
        mail = outbox.file(site, plan.mail, user_id, plan.address, plan.product, now, domain)
        mail_id = mail["id"]
        if password:
            delivery.remember(mail_id, password)
    return Applied(plan, user_id, plan.create, mail_id)


def _groups(site: Any, buyer: buyers.Buyer, plan: Plan, user_id: str, now: datetime) -> None:
    for name in plan.grant:
        if name in plan.make and not group.exists(name):
            group.make(name, translate("Click2Sell"))
        group.grant(user_id, name)
        buyers.note(site, buyer, buyers.GIVEN, name, now)
    for name in plan.revoked:
        group.revoke(user_id, name)
        buyers.note(site, buyer, buyers.ENDED, name, now)


def _entries(site: Any, buyer: buyers.Buyer, plan: Plan) -> None:
    """Write the outcomes of the buyer's entries."""
    for key, terms in plan.terms.items():
        ledger.set_terms(site, ledger.get(site, key), terms)
    known = buyers.entries if plan.whole else buyers.telling
    for entry in known(site, buyer):
        verdict = plan.verdicts.get(entry["key"])
        if verdict is None or _is_written(entry, verdict):
            continue
        ledger.change(site, entry, counts=True)
        if verdict.takes_effect:
            ownership.bind(site, entry)
        if Outcome.ATTENTION == verdict.outcome != entry["outcome"]:
            _report(entry, verdict.reason, verdict.subject)
        ledger.set_outcome(site, entry, verdict.outcome, verdict.reason, verdict.subject)


def _is_written(entry: ledger.Entry, verdict: Verdict) -> bool:
    """Whether a run before has written a verdict down; a buyer may have hundreds of them."""
    written = (verdict.outcome, verdict.reason, verdict.subject)
    return entry.derived(_settled) == written


def _settled(entry: ledger.Entry) -> tuple[str, str, str] | None:
    """Outcome, reason and subject of an entry that counts and is tied, None for another."""
    if not (entry["counts"] and (entry["binds"] or entry["fully_signed"])):
        return None
    return entry["outcome"], entry["reason"], entry["subject"]


def _report(entry: ledger.Entry, reason: str, subject: str) -> None:
    """Log an entry that needs a person's decision, without the address."""
    level = logging.ERROR if reason in ABOUT_GROUP else logging.WARNING
    logger.log(
        level,
        "Entry %s needs attention: %s (product %r, %r).",
        entry["key"],
        reason,
        entry["product_id"],
        subject,
    )
