"""The groups in a plan: what the mapping gives for live products against what we granted."""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement import merged
from niteoweb.click2sell.entitlement import OPEN
from niteoweb.click2sell.entitlement import Outcome
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.member import group


class Groups:
    """Which groups to give and to take away.

    :ivar grants: what we will have granted afterwards: group -> products it was granted for.
    :ivar grant: groups to put the member in.
    :ivar revoke: groups to take the member out of.
    :ivar taken: groups that an owner took away and that stay away, with the time of it.
    :ivar due: groups that the buyer's entitlements give, granted or not.
    :ivar pending: groups that are due and do not exist.
    :ivar make: groups that do not exist and have to be made.
    :ivar problems: product -> reason and group, for groups that are due and cannot be given.
    """

    def __init__(
        self,
        buyer: buyers.Buyer,
        user_id: str,
        usable: bool,
        live: Sequence[Product],
        lines: Sequence[mapping.Line],
        aliases: Mapping[Product, frozenset[str]],
        ever_aliases: Mapping[Product, frozenset[str]],
        payments: Sequence[ledger.Entry],
        outcome: Outcome,
        now: datetime,
        follow_mapping: bool,
    ) -> None:
        self.grants: dict[str, tuple[Product, ...]] = dict(buyer["grants"])
        self.grant: list[str] = []
        self.revoke: list[str] = []
        self.taken: dict[str, str] = dict(buyer["taken"])
        self.due: list[str] = list(buyer["due"])
        self.pending: list[str] = []
        self.make: list[str] = []
        self.problems: dict[Product, tuple[str, str]] = {}
        if not usable:
            return
        due = self._due(live, lines, aliases, payments)
        self.due = sorted(due)
        starts = bool(live) and not buyer["live"]
        self.taken = {
            name: since
            for name, since in self.taken.items()
            if name in due
            and not starts
            and not _began_again(due[name], outcome, timestamps.from_iso(since), now)
        }
        for name, products in buyer["grants"].items():
            # What it was granted for long ago must not matter, or the order of arrival would.
            self.grants[name] = tuple(
                p
                for p in products
                if (p in live or (p == mapping.EVERY_BUYER and payments))
                # The line is there, and names what is no longer in what was bought.
                and (
                    name in due or name not in mapping.groups(lines, p, ever_aliases.get(p, ()))
                )
            )
            if name not in due and (follow_mapping or not self.grants[name]):
                del self.grants[name]
                self.revoke.append(name)
        for name, products in due.items():
            self._give(user_id, name, products)

    @staticmethod
    def _due(
        live: Sequence[Product],
        lines: Sequence[mapping.Line],
        aliases: Mapping[Product, frozenset[str]],
        payments: Sequence[ledger.Entry],
    ) -> dict[str, tuple[Product, ...]]:
        due: dict[str, tuple[Product, ...]] = {}
        for product in live:
            for name in mapping.groups(lines, product, aliases.get(product, ())):
                due[name] = (*due.get(name, ()), product)
        every_buyer = plone_site.settings().buyers_group
        if every_buyer and payments:
            due[every_buyer] = (*due.get(every_buyer, ()), mapping.EVERY_BUYER)
        return due

    def _give(self, user_id: str, name: str, products: tuple[Product, ...]) -> None:
        if name in self.taken:
            return
        problem = group.problem(name)
        if problem == "group missing" and mapping.EVERY_BUYER in products:
            problem = group.cannot_make(name)
            if not problem:
                self.make.append(name)
        if problem == "group missing":
            self.pending.append(name)
        if problem:
            for product in products:
                self.problems[product] = (problem, name)
            return
        inside = bool(user_id) and group.contains(name, user_id)
        if name not in self.grants and inside:
            return  # given by hand: not ours, so never taken away by us
        self.grants[name] = tuple(sorted({*self.grants.get(name, ()), *products}))
        if not inside:
            self.grant.append(name)


def _began_again(
    products: Sequence[Product], outcome: Outcome, since: datetime, now: datetime
) -> bool:
    """Whether access ended and started again since an owner took a group away.

    What an owner took away stays away until then, whether or not a run saw the end.

    :param products: those that the group is due for.
    :param since: when it was taken away, in UTC.
    """
    spans = merged(
        (start, stop or OPEN)
        for entitlement in outcome.entitlements
        if mapping.EVERY_BUYER in products
        or (entitlement.provider, entitlement.product_id) in products
        for start, stop in entitlement.spans
    )
    return any(since < start <= now and (stop is None or now < stop) for start, stop in spans)
