"""How a buyer stands with each product at a moment, and which notifications explain it."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import compute
from niteoweb.click2sell.entitlement import Entitlement
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.settings import effective
from typing import Any


@dataclass(frozen=True)
class Cause:
    """A notification that explains something.

    :ivar at: when it happened by the provider's clock, in UTC.
    """

    key: str
    provider: str
    kind: str
    receipt: str
    product_id: str
    at: datetime


@dataclass(frozen=True)
class ProductAccess:
    """How a buyer stands with a product at a moment.

    :ivar name: of the product, as the latest of its notifications has it.
    :ivar access: whether there is access to it, late renewals of a silent provider included.
    :ivar since: when the purchase began that it rests on.
    :ivar until: end of access without days of grace, None when there is none.
    :ivar access_until: the same with days of grace.
    :ivar causes: the notifications that explain it, in order; a refund is the last one.
    :ivar aliases: other ids by which a line of the mapping may name the product.
    """

    provider: str
    product_id: str
    name: str
    state: State
    access: bool
    since: datetime
    until: datetime | None
    access_until: datetime | None
    causes: tuple[Cause, ...]
    aliases: frozenset[str] = frozenset()

    @property
    def product(self) -> Product:
        """Provider and product id."""
        return self.provider, self.product_id


def of(
    site: Any, buyer: buyers.Buyer, counting: Sequence[ledger.Entry], now: datetime
) -> tuple[ProductAccess, ...]:
    """How a buyer stands with each product that it ever had.

    :param counting: the buyer's entries that count, in order.
    :param now: in UTC.
    """
    terms = history.late_terms(counting, effective.mapping())
    facts = history.facts(counting, terms)
    outcome = compute(facts, effective.policy())
    aliases = history.aliases(counting, facts, now)
    held = silence.held(site, buyer["live"], outcome, now)
    by_key = {entry["key"]: entry for entry in counting}
    return tuple(_standing(found, by_key, aliases, held, now) for found in outcome.entitlements)


def _standing(
    found: Entitlement,
    by_key: Mapping[str, ledger.Entry],
    aliases: Mapping[Product, frozenset[str]],
    held: Sequence[Product],
    now: datetime,
) -> ProductAccess:
    product = found.provider, found.product_id
    names = [
        entry["product_name"]
        for entry in by_key.values()
        if history.product(entry) == product and entry["product_name"]
    ]
    return ProductAccess(
        provider=found.provider,
        product_id=found.product_id,
        name=names[-1] if names else "",
        state=State.GRACE if product in held else found.state_at(now),
        access=product in held or found.gives_access(now),
        since=found.since,
        until=found.until,
        access_until=found.access_until,
        causes=tuple(cause(by_key[key]) for key in found.keys),
        aliases=aliases.get(product, frozenset()),
    )


def cause(entry: ledger.Entry) -> Cause:
    """An entry, as far as it explains something."""
    return Cause(
        key=entry["key"],
        provider=entry["provider"],
        kind=entry["kind"],
        receipt=entry["receipt"],
        product_id=entry["product_id"],
        at=timestamps.from_iso(entry["occurred_at"]),
    )
