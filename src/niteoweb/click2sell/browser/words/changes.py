"""A plan in words: the changes for a buyer, as the pages show them."""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from DateTime import DateTime
from datetime import datetime
from html import escape
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import group
from niteoweb.click2sell.provisioning import Plan
from niteoweb.click2sell.provisioning import preview
from niteoweb.click2sell.provisioning import Verdict
from typing import Any
from zope.i18nmessageid import Message

import hashlib


MAILS = {
    outbox.WELCOME: _("the welcome mail"),
    outbox.NOTICE: _("the notice that a purchase was connected to an account"),
    outbox.CLAIM: _("the link by which the buyer confirms the purchase"),
    outbox.ENDED: _("the mail that access has ended"),
}


@dataclass(frozen=True)
class Field:
    """A field of the member that gets another value, in a template with marks for both."""

    name: str
    before: str
    after: str

    def __html__(self) -> str:
        before = f"<del>{escape(self.before)}</del>" if self.before else ""
        name = formatting.Code(self.name).__html__()
        return f"{name}: {before} <ins>{escape(self.after)}</ins>"


@dataclass(frozen=True)
class Changes:
    """The changes that a plan makes for one buyer.

    :ivar identity: the parts that distinguish one plan from another, for :func:`fingerprint`.
    :ivar anything: whether there are changes at all.
    :ivar facts: the changes, for people.
    :ivar keys: the entries whose outcome or terms would change.
    :ivar address: of the buyer.
    """

    identity: str
    anything: bool
    facts: formatting.Facts
    keys: frozenset[str]
    address: formatting.Address


def of(
    site: Any, plan: Plan, before: Mapping[Product, datetime | None] | None = None
) -> Changes:
    """Put a plan into words.

    :param before: until when there is access to each live product now, None for no end; left
        out where the plan cannot move it.
    """
    keys = {
        key
        for key, verdict in plan.verdicts.items()
        if key in plan.terms or planned_outcome(verdict) != present_outcome(site, key)
    }
    moved = tuple(
        product
        for product in plan.live
        if before is not None
        and product in before
        and product not in plan.gained
        and before[product] != plan.paid_until.get(product)
    )
    changes = (
        plan.create,
        plan.attach,
        plan.absorbs,
        sorted((name, _to_the_day(value)) for name, value in plan.properties.items()),
        sorted(plan.grant),
        sorted(plan.revoked),
        plan.gained,
        plan.lost,
        moved,
        plan.mail,
        plan.told,
        sorted(key for key in keys if ledger.get(site, key) is not None),
    )
    attention = [
        reasons.text(verdict.reason, verdict.subject)
        for key, verdict in plan.verdicts.items()
        if verdict.outcome == Outcome.ATTENTION and ledger.get(site, key) is None
    ]
    fields = _fields(plan)
    facts = formatting.facts(
        (_("Needs attention"), attention),
        (_("Access begins"), [_gained(site, product, plan) for product in plan.gained]),
        (_("End of access"), [_moved(site, one, before[one], plan) for one in moved]),
        (_("Access ends"), [formatting.product_title(site, one) for one in plan.lost]),
        (_("Added to the groups"), [group.titles(plan.grant)]),
        (_("Removed from the groups"), [group.titles(plan.revoked)]),
        (_("Mail"), [_mail(plan)]),
        (_("Account"), [_account(plan)]),
        (_("Fields"), [formatting.Folded(_("Show"), fields)] if fields else []),
    )
    identity = repr((*changes, plan.user_id, plan.address))
    buyer = buyers.get(site, plan.buyer_id)
    address = plan.address if buyer is None else next(iter(buyers.addresses(buyer)), "")
    return Changes(identity, any(changes), facts, frozenset(keys), formatting.Address(address))


def fingerprint(parts: Iterable[Any]) -> str:
    """The fingerprint of a preview: an action is carried out only if it is unchanged."""
    return hashlib.sha256(repr(tuple(parts)).encode("utf-8")).hexdigest()


def planned_outcome(verdict: Verdict) -> tuple[str, str, str]:
    """The outcome that an entry would have, with reason and subject."""
    return verdict.outcome, verdict.reason, verdict.subject


def present_outcome(site: Any, key: str) -> tuple[str, str, str] | None:
    """The present outcome of an entry, with reason and subject; None without an entry."""
    entry = ledger.get(site, key)
    return entry and (entry["outcome"], entry["reason"], entry["subject"])


@dataclass(frozen=True)
class Preview:
    """The changes that a replay would make.

    :ivar anything: whether there are changes at all.
    :ivar facts: the changes and their circumstances, for people.
    """

    anything: bool
    fingerprint: str
    facts: formatting.Facts


def of_replay(site: Any, key: str, replayed: preview.Preview) -> Preview:
    """Put the preview of a replay into words.

    :param key: of the entry that would be replayed.
    """
    plan, verdict = replayed.plan, replayed.verdict
    now, then = present_outcome(site, key), planned_outcome(verdict)
    changed = of(site, plan)
    terms = plan.terms.get(key)
    others = len(changed.keys - {key})
    reason = reasons.text(verdict.reason, verdict.subject)
    facts = formatting.facts(
        (_("Terms"), formatting.terms(terms.days, terms.exclusive) if terms else ()),
        (_("Outcome"), [formatting.badge(verdict.outcome), reason]),
        (_("Other notifications of this buyer that change, too"), [others]),
    )
    return Preview(
        anything=changed.anything or now != then,
        fingerprint=fingerprint((changed.identity, now, then, terms)),
        facts=changed.facts + facts,
    )


def _mail(plan: Plan) -> formatting.Noted | Message | str:
    mail = MAILS.get(outbox.ENDED if plan.told else plan.mail, "")
    if not mail:
        return ""
    if plone_site.is_copy():
        return formatting.Noted(mail, _("Mails wait on a copy of the site."))
    if not plone_site.public_address():
        return formatting.Noted(mail, _("Mails wait until the public address is set."))
    return mail


def _account(plan: Plan) -> Message | str:
    names = {"user": plan.user_id, "address": plan.address}
    if plan.create:
        return _("A new account is created for ${address}.", mapping=names)
    if plan.attach:
        return _("The purchase is connected to the account ${user}.", mapping=names)
    return ""


def _fields(plan: Plan) -> tuple[Field, ...]:
    known = plan.user_id and not plan.create
    before = accounts.fields(plan.user_id, tuple(plan.properties)) if known else {}
    return tuple(
        Field(name, _value(before.get(name)), _value(after))
        for name, after in plan.properties.items()
    )


def _to_the_day(value: Any) -> str:
    """A value to compare: an action has the time of its preview, each time another."""
    return value.strftime("%Y-%m-%d") if isinstance(value, DateTime) else str(value)


def _value(value: Any) -> str:
    if isinstance(value, DateTime):
        return "" if value == accounts.NEVER else formatting.moment(value.asdatetime()).text
    return "" if value is None else str(value)


def _gained(site: Any, product: Product, plan: Plan) -> Message:
    until = plan.paid_until.get(product)
    names = {"product": formatting.product_title(site, product)}
    if until is None:
        return _("${product}, unlimited", mapping=names)
    return _(
        "${product}, until ${time}", mapping={**names, "time": formatting.moment(until).text}
    )


def _moved(site: Any, product: Product, before: datetime | None, plan: Plan) -> Message:
    ends = {"before": before, "after": plan.paid_until.get(product)}
    texts = {
        name: formatting.moment(end).text if end else formatting.translated(_("unlimited"))
        for name, end in ends.items()
    }
    return _(
        "${product}: ${after} instead of ${before}",
        mapping={"product": formatting.product_title(site, product), **texts},
    )
