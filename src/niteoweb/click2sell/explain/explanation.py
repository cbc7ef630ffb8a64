"""Explanations of a buyer's access: products, groups, and the notifications behind them.

For the owner's pages and services, and in parts for the buyer's own page. Nothing is changed,
and nothing here is a text to read: the pages find the words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.explain import diagnosis
from niteoweb.click2sell.explain import groups as membership
from niteoweb.click2sell.explain import obstacles
from niteoweb.click2sell.explain import products
from niteoweb.click2sell.explain import timeline
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.notification import UNDOING
from typing import Any


@dataclass(frozen=True)
class Explanation:
    """All that explains a buyer's access at a moment.

    :ivar name: first and last name, as far as known.
    :ivar addresses: the first one is that of the latest payment.
    :ivar exists: whether Plone has the account that the buyer is tied to.
    :ivar obstacle: the reason that keeps the buyer out, None when there is none.
    :ivar opened: the products with access whose groups the member is in.
    :ivar paid_at: when the latest payment was made, None for none.
    :ivar purchases: the payments and refunds, newest first.
    :ivar timeline: newest first.
    """

    name: str
    addresses: tuple[str, ...]
    exists: bool
    obstacle: obstacles.Obstacle | None
    standings: tuple[products.ProductAccess, ...]
    groups: tuple[membership.Membership, ...]
    opened: frozenset[Product]
    paid_at: datetime | None
    purchases: tuple[ledger.Entry, ...]
    timeline: tuple[timeline.TimelineEvent, ...]


def explain(
    site: Any, buyer: buyers.Buyer, now: datetime, with_timeline: bool = True
) -> Explanation:
    """Explain a buyer's access, and the obstacle to more.

    :param buyer: a stored record.
    :param now: in UTC.
    :param with_timeline: False leaves the timeline out, for a list.
    """
    everything = buyers.entries(site, buyer)
    outcome = history.outcome(site, buyer, now)
    access = products.of(outcome)
    exists = bool(buyer["user_id"]) and accounts.exists(buyer["user_id"])
    groups = membership.of(buyer, exists, outcome, access)
    return Explanation(
        name=name(everything),
        addresses=addresses(buyer, everything),
        exists=exists,
        obstacle=diagnosis.find(site, buyer, exists, everything, access, groups, now),
        standings=access,
        groups=groups,
        opened=_opened(access, groups),
        paid_at=paid_at(everything),
        purchases=tuple(filter(_moves_money, history.in_order(outcome.entries)[::-1])),
        timeline=timeline.of(site, buyer, everything) if with_timeline else (),
    )


def name(entries: Sequence[ledger.Entry]) -> str:
    """The buyer's name, as the latest entry that has one has it; "" when none has."""
    names = map(history.fullname, sorted(entries, key=ledger.place))
    return next(filter(None, names), "")


def addresses(buyer: buyers.Buyer, entries: Sequence[ledger.Entry]) -> tuple[str, ...]:
    """The buyer's addresses, that of the latest payment first."""
    latest = [
        entry["buyer"]
        for entry in sorted(entries, key=ledger.place)
        if history.is_payment(entry) and entry["outcome"] != Outcome.REFUSED
    ]
    return tuple(dict.fromkeys((*latest[:1], *buyers.addresses(buyer))))


def paid_at(entries: Sequence[ledger.Entry]) -> datetime | None:
    """When the latest payment was made, as the accounting has it; None for none.

    :param entries: all of a buyer's; what an owner gave, and refused ones, are no payments.
    """
    paid = (
        ledger.moved_at(entry)
        for entry in entries
        if _moves_money(entry)
        and history.is_payment(entry)
        and entry["outcome"] != Outcome.REFUSED
    )
    return max(paid, default=None)


def _opened(
    access: Sequence[products.ProductAccess], groups: Sequence[membership.Membership]
) -> frozenset[Product]:
    inside = (membership.GRANTED, membership.BY_HAND)
    given = {
        because.product
        for group in groups
        if group.standing in inside
        for because in group.reasons
    }
    return frozenset(one.product for one in access if one.access and one.product in given)


def _moves_money(entry: ledger.Entry) -> bool:
    about_money = history.is_payment(entry) or entry["kind"] in UNDOING
    return about_money and entry["provider"] != OWNER
