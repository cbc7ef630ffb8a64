"""Take over the members of release 0.4.5, which had no ledger, only five fields on a member.

For each of them one purchase is written down, of the provider "migration" and as the fields
tell it, and the groups of its product that the member is in count as granted by this add-on
from then on. Nobody is mailed, no event is fired, and no group is given or taken.

What follows from it:

* Later notifications of Click2Sell go on with this purchase: a renewal extends it, a refund
  with its receipt undoes it. Subscriptions cannot be told from sales, so there is no grace
  after the days of this purchase until a renewal came.
* The account counts as not made by this add-on, because nobody can tell any more: its password
  and affiliate are never touched. It is tied to the address all the same, so later purchases go
  to it.
* The address is the user id where that is one: 0.4.5 found members by it and by nothing else,
  and unlike the e-mail field no member can edit it. Only where the user id is no address it is
  the e-mail field.
* A member who is in no group of the product was taken out by hand, or never got in. Access
  counts as ended, so that no later run puts the member back; a new payment does.
* Groups of other products stay as they are, and are not taken by this add-on.

A member who is a buyer already is skipped, so calling it again does the rest. A member who
bought between the upgrade and this is skipped too, and listed: that member keeps the groups of
0.4.5 for good. So it is best called right after the upgrade.
"""

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from functools import partial
from itertools import islice
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import index
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import MIGRATION
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.setup import legacymember
from niteoweb.click2sell.setup.legacymember import Finding
from niteoweb.click2sell.setup.legacymember import LegacyMember
from niteoweb.click2sell.storage import batched
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from typing import Any


#: Members in one commit.
BATCH = 500


@dataclass
class AdoptionReport:
    """The result of an adoption, or of its preview.

    :ivar looked_at: members of the site so far.
    :ivar adopted: members with a purchase from now on.
    :ivar skipped: members who were buyers before.
    """

    looked_at: int = 0
    adopted: int = 0
    skipped: int = 0
    findings: list[Finding] = field(default_factory=list)


def adopt(
    apply: bool,
    now: datetime | None = None,
    progress: Callable[[AdoptionReport], None] = lambda r: None,
) -> AdoptionReport:
    """Adopt all members who have bought with release 0.4.5, in batches.

    :param apply: False to do everything and commit nothing.
    :param now: in UTC; None for the present.
    :param progress: called after each batch.
    :raises niteoweb.click2sell.storage.transactions.Busy: the batches before are done; call it
        again.
    """
    now = now or timestamps.now()
    report = AdoptionReport()
    everybody = batched(plone_site.get(), index.everybody())
    while user_ids := list(islice(everybody, BATCH)):
        # A microsecond for each member: indexes by time then grow at one end, where otherwise
        # each batch would write all of them anew.
        at = now + timedelta(microseconds=report.looked_at)
        work = partial(_batch, before=report, user_ids=user_ids, now=at)
        if apply:
            report = writer.run(work)
        else:
            with transactions.rehearsal() as site:
                report = work(site)
        progress(report)
    return report


def _batch(
    site: Any, before: AdoptionReport, user_ids: Sequence[str], now: datetime
) -> AdoptionReport:
    """Adopt some members.

    :returns: the report of the batches before, with this one.
    """
    lines = effective.mapping()
    report = replace(before, findings=[*before.findings])
    report.looked_at += len(user_ids)
    for position, user_id in enumerate(user_ids):
        member = LegacyMember(user_id)
        if not member.product_id:
            continue
        buyer = buyers.of_user(site, user_id)
        adopted = ledger.get(site, _key(user_id)) is not None
        if adopted or buyer is not None:
            report.skipped += 1
            inside = () if adopted else _inside(lines, user_id)
            if others := [name for name in inside if name not in buyer["grants"]]:
                report.findings.append(member.finding(legacymember.BOUGHT_SINCE, others))
            continue
        problem = member.problem(site, now)
        if problem:
            report.findings.append(member.finding(problem))
            continue
        report.adopted += 1
        at = now + timedelta(microseconds=position)
        report.findings += _adopt(site, member, lines, at)
    return report


def _inside(lines: Sequence[mapping.Line], user_id: str) -> list[str]:
    """The groups of the mapping that a member is in."""
    groups = group.of(user_id)
    return [name for name in dict.fromkeys(line.group_id for line in lines) if name in groups]


def _adopt(
    site: Any, member: LegacyMember, lines: Sequence[mapping.Line], now: datetime
) -> list[Finding]:
    """Record a member's purchase, and the groups that it has given already.

    :returns: the findings for the owner.
    """
    product = (registry.MAIN, member.product_id)
    of_product = mapping.groups(lines, product)
    inside = _inside(lines, member.user_id)
    granted = [name for name in of_product if name in inside]
    terms = mapping.terms(lines, product)
    entry = _record(site, member, terms, bool(granted), now)
    grants = dict.fromkeys(granted, (product,))
    everybodys = plone_site.settings().buyers_group
    if everybodys and everybodys in group.of(member.user_id):
        grants[everybodys] = (*grants.get(everybodys, ()), mapping.EVERY_BUYER)
    buyer = buyers.get(site, entry["buyer_id"])
    buyers.link_account(site, buyer, member.user_id, made=False, now=now)
    buyers.add_entry(site, buyer, entry)
    outcome = history.outcome(site, buyer, now)
    lapses = bool(granted) and product not in outcome.products(now)
    # A moment in the past makes it due.
    next_change = member.occurred_at if lapses else outcome.next_change(now)
    buyers.change(
        site,
        buyer,
        grants=grants,
        due=tuple(sorted(grants)),
        # A member of the group has had access until now, even if the days are over: the sweep
        # that ends it has to tell.
        live=(product,) if granted else (),
        next_change=timestamps.iso(next_change) if next_change else "",
        renewals_awaited=counters.renewals_awaited(buyer, outcome.renewals()),
        revision=buyer["revision"] + 1,
    )
    findings = []
    if lapses:
        findings.append(member.finding(legacymember.LAPSES, granted))
    if any(name not in grants for name in inside):
        findings.append(member.finding(legacymember.OTHER_GROUPS, inside))
    if terms is None:
        findings.append(member.finding(legacymember.NO_LINE))
    elif not granted:
        findings.append(member.finding(legacymember.OUTSIDE))
    elif len(granted) < len(of_product) and not lapses:
        missing = [name for name in of_product if name not in granted]
        findings.append(member.finding(legacymember.MORE_GROUPS, missing))
    return findings


def _key(user_id: str) -> str:
    return idempotency_key(MIGRATION, user_id)


def _record(
    site: Any, member: LegacyMember, terms: mapping.Terms | None, inside: bool, now: datetime
) -> ledger.Entry:
    """Write the purchase into the ledger, as accepted and counting.

    :param inside: whether the member is in a group of the product.
    """
    occurred_at, valid_until = member.occurred_at, None
    if terms is not None and not inside:
        valid_until = now
        if terms.days is not None:
            valid_until = min(now, occurred_at + timedelta(days=terms.days))
    notification = Notification(
        key=_key(member.user_id),
        provider=MIGRATION,
        # It knew Click2Sell only: later notifications of Click2Sell go on with this purchase.
        on_behalf_of=registry.MAIN,
        kind=Kind.PURCHASE,
        transaction=f"{MIGRATION}:{member.user_id}",
        receipt=member.fields["last_purchase_id"],
        occurred_at=occurred_at,
        buyer=member.address,
        email=member.email or member.address,
        product_id=member.product_id,
        product_name=member.fields["product_name"],
        affiliate=member.fields["affiliate"],
        valid_until=valid_until,
    )
    entry = ledger.record(site, notification, now)
    if terms is not None:
        ledger.set_terms(site, entry, terms)
    ledger.change(site, entry, buyer_id=buyers.of_address(site, member.address)["id"])
    ledger.change(site, entry, counts=True)
    ownership.bind(site, entry)
    ledger.set_outcome(site, entry, Outcome.ACCEPTED)
    return entry
