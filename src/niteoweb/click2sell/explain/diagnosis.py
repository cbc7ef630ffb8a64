"""Diagnosis: the obstacle that keeps a buyer out, as the answer to "I paid, why no access?"."""

from collections.abc import Sequence
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import ABOUT_GROUP
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.explain import groups as membership
from niteoweb.click2sell.explain.groups import Membership
from niteoweb.click2sell.explain.obstacles import Obstacle
from niteoweb.click2sell.explain.products import ProductAccess
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.settings import effective
from typing import Any


def find(
    site: Any,
    buyer: buyers.Buyer,
    exists: bool,
    entries: Sequence[ledger.Entry],
    standings: Sequence[ProductAccess],
    groups: Sequence[Membership],
    now: datetime,
) -> Obstacle | None:
    """Find the obstacle that has to be put right first; None when there is none.

    :param exists: whether Plone has the account that the buyer is tied to.
    :param entries: all of the buyer's entries.
    :param standings: how the buyer stands with its products.
    :param groups: those that the buyer is in, or should be.
    :param now: in UTC.
    """
    if pseudonyms.is_erased(buyer):
        return Obstacle("erased", timestamps.from_iso(buyer["erased_at"]))
    payments = sorted((e for e in entries if history.is_payment(e)), key=ledger.place)
    if not payments:
        return _nothing_paid(entries)
    access = any(standing.access for standing in standings)
    problem = _account(buyer, exists, payments) or (
        _groups(groups, entries)
        or _opens_nothing(standings, groups)
        or _beside(payments, standings)
        if access
        else _payment(payments[0]) or _ended(standings, now)
    )
    return problem or (_mail(site, buyer, now) if access else None)


def _nothing_paid(entries: Sequence[ledger.Entry]) -> Obstacle:
    """The obstacle of a buyer without a payment, with the notification that needs somebody."""
    latest = sorted(entries, key=ledger.place)
    waiting = next((e for e in latest if e["outcome"] == Outcome.ATTENTION), None)
    if waiting is None:
        return Obstacle("no purchase")
    subject = waiting["subject"]
    return Obstacle("no purchase", None, "", waiting["key"], waiting["reason"], subject)


def _payment(entry: ledger.Entry) -> Obstacle | None:
    """Whether a payment came to nothing."""
    codes = {
        Outcome.FAILED: "failed",
        Outcome.RECEIVED: "received",
        Outcome.REFUSED: "refused",
        Outcome.ATTENTION: "attention",
    }
    code = codes.get(entry["outcome"])
    if code is None:
        return None
    return Obstacle(
        code,
        timestamps.from_iso(entry["received_at"]),
        key=entry["key"],
        reason=entry["reason"],
        reason_subject=entry["subject"],
    )


def _account(
    buyer: buyers.Buyer, exists: bool, payments: Sequence[ledger.Entry]
) -> Obstacle | None:
    """Whether there is no account that could be let in."""
    user_id, deleted_at = buyer["user_id"], buyer["deleted_at"]
    if not user_id:
        if deleted_at and payments[0]["received_at"] <= deleted_at:
            return Obstacle("account deleted", timestamps.from_iso(deleted_at))
        return _payment(payments[0])
    if not exists:
        return Obstacle("account missing", subject=user_id)
    if privilege.member(user_id):
        return Obstacle("account privileged", subject=user_id)
    return None


def _groups(groups: Sequence[Membership], entries: Sequence[ledger.Entry]) -> Obstacle | None:
    """Whether a group that is due is not given.

    It comes from the notification that waits for the group, or the first that gives it.
    """
    codes = {
        membership.TAKEN: "group taken",
        membership.MISSING: "group missing",
        membership.BARRED: "group barred",
        membership.WAITING: "group waiting",
    }
    for group in groups:
        code = codes.get(group.standing)
        if code is not None and group.reasons:
            waiting = (
                entry["key"]
                for entry in entries
                if entry["outcome"] == Outcome.ATTENTION
                and entry["reason"] in ABOUT_GROUP
                and entry["subject"] == group.id
            )
            return Obstacle(
                code,
                group.at,
                group.id,
                key=next(waiting, group.reasons[0].causes[0]["key"]),
                reason=group.problem,
                reason_subject=group.id,
            )
    return None


def _opens_nothing(
    standings: Sequence[ProductAccess], groups: Sequence[Membership]
) -> Obstacle | None:
    """Whether the products with access give no group at all."""
    given = {because.product for group in groups for because in group.reasons}
    live = [s for s in standings if s.access]
    if any(s.product in given for s in live):
        return None
    return Obstacle("no group", subject=live[0].name, key=live[0].causes[0]["key"])


def _beside(
    entries: Sequence[ledger.Entry], standings: Sequence[ProductAccess]
) -> Obstacle | None:
    """Whether a payment came to nothing, while others give access to something else."""
    by_product = {s.product: s for s in standings}
    for entry in entries:
        standing = by_product.get(history.product(entry))
        if standing is not None and standing.access:
            continue
        problem = _no_line(standing) if standing is not None else None
        problem = problem or _payment(entry)
        if problem is not None:
            return problem
    return None


def _no_line(standing: ProductAccess) -> Obstacle | None:
    """Whether the last payment for a product gave nothing, because the product has no line.

    It may have had one: a renewal comes to nothing, too, when it is gone.
    """
    cause = standing.causes[-1]
    if standing.state is State.LAPSED:
        paid = [entry for entry in standing.causes if history.is_payment(entry)]
        if not paid or _has_terms(paid[-1]):
            return None
        cause = paid[-1]
    elif standing.state is not State.UNMAPPED:
        return None
    at = timestamps.from_iso(cause["occurred_at"])
    return Obstacle("no line", at, standing.name, cause["key"])


def _has_terms(payment: ledger.Entry) -> bool:
    """Whether it is known until when a payment gives access."""
    known = payment["terms_known"] or bool(payment["valid_until"])
    return known or history.terms(payment, effective.mapping()) is not None


def _ended(standings: Sequence[ProductAccess], now: datetime) -> Obstacle | None:
    """Why there is no access to the product that was bought last."""
    if not standings:
        return None
    last = max(standings, key=lambda s: s.causes[-1]["occurred_at"])
    cause = last.causes[-1]
    at = last.end
    without_line = _no_line(last)
    if without_line is not None:
        return without_line
    if last.state is State.REFUNDED:
        code = "charged back" if cause["kind"] == Kind.CHARGEBACK else "refunded"
    elif last.state is State.ENDED:
        code = "ended"
    elif last.state is State.SUSPENDED:
        code = "suspended"
    elif at is None or at > now:
        code, at = "not begun", last.since
    elif any(c["kind"] == Kind.CANCELLATION for c in last.causes):
        code = "cancelled"
    else:
        renews = any(c["kind"] == Kind.RENEWAL or c["subscription"] for c in last.causes)
        code = "not renewed" if renews else "over"
    return Obstacle(code, at, last.name, cause["key"])


def _mail(site: Any, buyer: buyers.Buyer, now: datetime) -> Obstacle | None:
    """Whether only the welcome mail is missing, which members that we made get."""
    if not buyer["made"] or not accounts.never_logged_in(buyer["user_id"]):
        return None
    mails = outbox.of_user(site, buyer["user_id"])
    welcome = [mail for mail in mails if mail["kind"] == outbox.WELCOME]
    if not welcome:
        return Obstacle("no mail")
    mail = max(welcome, key=lambda mail: mail["filed_at"])
    if mail["state"] == outbox.DROPPED:
        return Obstacle("mail dropped", subject=mail["error"])
    if mail["state"] == outbox.SENT:
        at = mail.get("tried_at") or mail["filed_at"]
        return Obstacle("never logged in", timestamps.from_iso(at))
    code, due_at = "mail waiting", timestamps.from_iso(mail["due_at"])
    if mail["error"]:
        code = "mail failing" if due_at > now else "mail server away"
    return Obstacle(code, due_at, mail["error"])
