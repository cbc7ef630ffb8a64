"""The groups in a plan: the difference between the groups that are due and those we granted."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement import merged
from niteoweb.click2sell.entitlement import OPEN
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.member import group


@dataclass(frozen=True, kw_only=True)
class GroupPlan:
    """The groups to put a member in and to take the member out of.

    :ivar grant: groups to put the member in.
    :ivar revoked: groups to take the member out of, with the products they were granted for.
    :ivar grants: our grants afterwards, each group with the products it was granted for.
    :ivar taken: groups that an owner took away and that stay away, with the time of it.
    :ivar due: groups that the buyer's entitlements give, granted or not.
    :ivar pending: groups that are due and do not exist.
    :ivar make: groups that do not exist and have to be made.
    :ivar problems: product -> reason and group, for groups that are due and cannot be given.
    """

    grant: tuple[str, ...] = ()
    revoked: Mapping[str, tuple[Product, ...]] = field(default_factory=dict)
    grants: Mapping[str, tuple[Product, ...]] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)
    due: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    problems: Mapping[Product, tuple[str, str]] = field(default_factory=dict)

    def groups_of(self, product: Product) -> tuple[str, ...]:
        """The groups that are granted for a product."""
        return tuple(name for name, products in self.grants.items() if product in products)

    def revoked_with(self, product: Product) -> tuple[str, ...]:
        """The groups that are revoked because access to a product ended."""
        return tuple(name for name, products in self.revoked.items() if product in products)


def unchanged(buyer: buyers.Buyer) -> GroupPlan:
    """A plan that leaves the groups of a buyer as they are."""
    grants, taken = dict(buyer["grants"]), dict(buyer["taken"])
    return GroupPlan(grants=grants, taken=taken, due=tuple(buyer["due"]))


def make(
    buyer: buyers.Buyer, user_id: str, outcome: history.BuyerOutcome, follow_mapping: bool
) -> GroupPlan:
    """Compare the groups that are due with those that we granted.

    :param user_id: the account, "" for one that has to be made.
    :param follow_mapping: also revoke groups that a changed mapping does not give any more.
    """
    due = outcome.due_groups
    starts = bool(outcome.live) and not buyer["live"]
    taken = {
        name: since
        for name, since in buyer["taken"].items()
        if name in due
        and not starts
        and not _began_again(due[name], outcome, timestamps.from_iso(since))
    }
    grants = {name: _still_granted(name, buyer, outcome) for name in buyer["grants"]}
    revoked = [
        name
        for name, products in grants.items()
        if name not in due and (follow_mapping or not products)
    ]
    for name in revoked:
        del grants[name]
    grant, absent, makable = [], [], []
    problems = {}
    for name, products in due.items():
        if name in taken:
            continue
        problem = group.problem(name)
        if problem == Reason.GROUP_MISSING and mapping.EVERY_BUYER in products:
            problem = group.cannot_make(name)
            if not problem:
                makable.append(name)
        if problem:
            problems.update((product, (problem, name)) for product in products)
            if problem == Reason.GROUP_MISSING:
                absent.append(name)
            continue
        inside = bool(user_id) and name in group.of(user_id)
        if name not in grants and inside:
            continue  # given by hand: not ours, so never taken away by us
        # A product whose line gives another group now must not keep the member in this one.
        before = () if follow_mapping else grants.get(name, ())
        grants[name] = tuple(sorted({*before, *products}))
        if not inside:
            grant.append(name)
    return GroupPlan(
        grant=tuple(grant),
        revoked={name: buyer["grants"][name] for name in revoked},
        grants=grants,
        taken=taken,
        due=tuple(sorted(due)),
        pending=tuple(absent),
        make=tuple(makable),
        problems=problems,
    )


def _still_granted(
    name: str, buyer: buyers.Buyer, outcome: history.BuyerOutcome
) -> tuple[Product, ...]:
    """The products that a group stays granted for.

    Products of long ago must not matter, or the order of arrival would. Nor does a product
    whose line is there and names an id that its subscription has no more.
    """
    return tuple(
        product
        for product in buyer["grants"][name]
        if product in outcome.live or (product == mapping.EVERY_BUYER and outcome.payments)
        if name in outcome.due_groups
        or name
        not in mapping.groups(outcome.lines, product, outcome.ever_aliases.get(product, ()))
    )


def _began_again(
    products: Sequence[Product], outcome: history.BuyerOutcome, since: datetime
) -> bool:
    """Whether access ended and started again since an owner took a group away.

    The group stays away until then, whether or not a run saw the end.

    :param products: those that the group is due for.
    :param since: when it was taken away, in UTC.
    """
    spans = merged(
        (start, stop or OPEN)
        for entitlement in outcome.entitlements
        if mapping.EVERY_BUYER in products or entitlement.product in products
        for start, stop in entitlement.spans
    )
    return any(
        since < start <= outcome.now and (stop is None or outcome.now < stop)
        for start, stop in spans
    )
