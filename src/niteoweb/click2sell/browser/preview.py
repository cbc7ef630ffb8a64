"""What a replay would change, in the words of the page that shows it."""

from dataclasses import dataclass
from DateTime import DateTime
from niteoweb.click2sell import _
from niteoweb.click2sell import ledger
from niteoweb.click2sell import member
from niteoweb.click2sell import outbox
from niteoweb.click2sell import reason
from niteoweb.click2sell.browser import shown
from niteoweb.click2sell.dryrun import DryRun
from niteoweb.click2sell.plan import Plan
from niteoweb.click2sell.plan import Verdict
from typing import Any
from zope.i18nmessageid import Message

import hashlib


MAILS = {
    "": _("none"),
    outbox.WELCOME: _("the welcome mail"),
    outbox.NOTICE: _("the notice that a purchase was attached to an account"),
}


@dataclass(frozen=True)
class Change:
    """A field of the member that gets another value."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Preview:
    """What a replay would change.

    :ivar anything: something would change at all.
    :ivar fingerprint: stands for what is shown.
    :ivar gained: products that access begins to, with its end.
    :ivar terms: the terms of access that would be written down, none when they are already.
    :ivar others: how many other notifications of the buyer would change, in their outcome or
        terms.
    """

    anything: bool
    fingerprint: str
    member: Message
    fields: tuple[Change, ...]
    given: tuple[str, ...]
    taken: tuple[str, ...]
    gained: tuple[Message, ...]
    lost: tuple[Message, ...]
    terms: tuple[Message, ...]
    others: int
    mail: Message | str
    badge: shown.Badge
    reason: Message | str


def of(site: Any, key: str, found: DryRun) -> Preview:
    """Put a dry run into words.

    :param key: of the entry that would be replayed.
    """
    plan, verdict = found.plan, found.verdict
    now, then = _present(site, key), _told(verdict)
    others = {
        other
        for other, its_verdict in plan.verdicts.items()
        if other in plan.terms or _told(its_verdict) != _present(site, other)
    } - {key}
    terms = plan.terms.get(key)
    changes = (
        plan.create,
        plan.attach,
        plan.absorbs,
        sorted((name, str(value)) for name, value in plan.properties.items()),
        plan.grant,
        tuple(plan.revoked),
        plan.gained,
        plan.lost,
        plan.mail,
        terms,
        sorted(others),
    )
    told = repr((*changes, plan.user_id, plan.address, now, then))
    return Preview(
        anything=any(changes) or now != then,
        fingerprint=hashlib.sha256(told.encode("utf-8")).hexdigest(),
        member=_member(plan),
        fields=_fields(plan),
        given=plan.grant,
        taken=tuple(plan.revoked),
        gained=tuple(_gained(product, plan) for product in plan.gained),
        lost=tuple(_product(product) for product in plan.lost),
        terms=shown.terms(terms.days, terms.exclusive) if terms else (),
        others=len(others),
        mail=MAILS.get(plan.mail, plan.mail),
        badge=shown.badge(verdict.outcome),
        reason=reason.text(verdict.reason, verdict.subject),
    )


def _member(plan: Plan) -> Message:
    names = {"user": plan.user_id, "address": plan.address}
    if plan.create:
        return _("A new member is made for ${address}.", mapping=names)
    if plan.attach:
        return _("The buyer is attached to the existing account ${user}.", mapping=names)
    if plan.user_id:
        return _("The account stays ${user}.", mapping=names)
    return _("No account is concerned.")


def _fields(plan: Plan) -> tuple[Change, ...]:
    known = plan.user_id and not plan.create
    before = member.fields(plan.user_id, tuple(plan.properties)) if known else {}
    return tuple(
        Change(name, _value(before.get(name)), _value(after))
        for name, after in plan.properties.items()
    )


def _value(value: Any) -> str:
    if isinstance(value, DateTime):
        return shown.moment(value.asdatetime()).text
    return "" if value is None else str(value)


def _present(site: Any, key: str) -> tuple[str, str, str]:
    """What became of an entry until now, to compare with a verdict."""
    entry = ledger.get(site, key)
    return entry["outcome"], entry["reason"], entry["subject"]


def _told(verdict: Verdict) -> tuple[str, str, str]:
    return verdict.outcome, verdict.reason, verdict.subject


def _product(product: tuple[str, str]) -> Message:
    provider, product_id = product
    return _(
        "product ${product} (${provider})",
        mapping={"product": product_id, "provider": provider},
    )


def _gained(product: tuple[str, str], plan: Plan) -> Message:
    provider, product_id = product
    names = {"product": product_id, "provider": provider}
    until = plan.ends.get(product)
    if until is None:
        return _("product ${product} (${provider}), without an end", mapping=names)
    return _(
        "product ${product} (${provider}), until ${time}",
        mapping={**names, "time": shown.moment(until).text},
    )
