"""The groups that a buyer is in, or should be, and the grounds for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import Line
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.explain.products import ProductAccess
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.member import group


# How a member stands to a group.
GRANTED = "granted"  # by us
BY_HAND = "by hand"  # in it, and not by us
TAKEN = "taken by hand"  # an owner took the member out
MISSING = "missing"  # due, but there is no such group
BARRED = "barred"  # due, but the group cannot be given; see Membership.problem
WAITING = "waiting"  # due, and given by the next run


@dataclass(frozen=True)
class Grounds:
    """Why a group is given.

    :ivar product: :data:`~niteoweb.click2sell.entitlement.mapping.EVERY_BUYER` for the group of
        all buyers.
    :ivar line: number of the line of the mapping, None when it has none any more.
    :ivar causes: the notifications, in order, the purchase first.
    """

    product: Product
    line: int | None
    causes: tuple[ledger.Entry, ...]


@dataclass(frozen=True)
class Membership:
    """A group that the buyer is in, or should be.

    :ivar standing: one of the constants above.
    :ivar at: when an owner took it away.
    :ivar problem: why it cannot be given, a code of reasons.py.
    :ivar reasons: the grounds for it.
    """

    id: str
    standing: str
    at: datetime | None
    problem: str
    reasons: tuple[Grounds, ...]

    @property
    def title(self) -> str:
        """The title of the group; a list needs none, and to look it up takes time."""
        return group.title(self.id)


def of(
    buyer: buyers.Buyer,
    exists: bool,
    outcome: history.BuyerOutcome,
    products: Sequence[ProductAccess],
) -> tuple[Membership, ...]:
    """The groups that a buyer is in, or should be.

    :param exists: whether Plone has the account that the buyer is tied to.
    :param products: the buyer's access to each product.
    """
    inside = group.of(buyer["user_id"]) if exists else ()
    ids = {
        *(*inside, *outcome.due_groups),
        *(*buyer["due"], *buyer["grants"], *buyer["taken"], *buyer["pending"]),
    }
    return tuple(
        _membership(buyer, group_id, group_id in inside, outcome, products)
        for group_id in sorted(ids)
    )


def _membership(
    buyer: buyers.Buyer,
    group_id: str,
    inside: bool,
    outcome: history.BuyerOutcome,
    products: Sequence[ProductAccess],
) -> Membership:
    due_for = outcome.due_groups.get(group_id, ())
    granted_for = buyer["grants"].get(group_id, ())
    reasons = [
        Grounds(access.product, _line(outcome.lines, access, group_id), access.causes)
        for access in products
        if access.product in (*granted_for, *due_for)
    ]
    every_buyer = mapping.EVERY_BUYER in due_for
    if every_buyer or mapping.EVERY_BUYER in granted_for:
        first = tuple(outcome.payments[:1])
        reasons.append(Grounds(mapping.EVERY_BUYER, None, first))
    taken_at = buyer["taken"].get(group_id)
    problem = "" if inside else group.problem(group_id)
    if problem == Reason.GROUP_MISSING and every_buyer:
        problem = group.cannot_make(group_id)
    if inside:
        standing = GRANTED if granted_for else BY_HAND
    elif taken_at:
        standing = TAKEN
    elif problem:
        standing = MISSING if problem == Reason.GROUP_MISSING else BARRED
    else:
        standing = WAITING
    return Membership(
        id=group_id,
        standing=standing,
        at=timestamps.from_iso(taken_at) if taken_at else None,
        problem=problem if standing in (MISSING, BARRED) else "",
        reasons=tuple(reasons),
    )


def _line(lines: Sequence[Line], access: ProductAccess, group_id: str) -> int | None:
    of_product = (line for line in lines if line.names(access.product, access.aliases))
    return next((line.number for line in of_product if line.group_id == group_id), None)
