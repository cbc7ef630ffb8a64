"""A buyer's access to each product at a moment, and the notifications that explain it."""

from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.settings import products


@dataclass(frozen=True)
class ProductAccess:
    """A buyer's access to a product at a moment.

    :ivar name: of the product: the owner's title, else the name in its latest notification,
        else its id.
    :ivar access: whether there is access to it, late renewals of a silent provider included.
    :ivar since: when the purchase began that it rests on, or when access begins.
    :ivar until: end of access without days of grace, None when there is none.
    :ivar access_until: end of access with days of grace.
    :ivar end: the one of these two that people are told: the latter once it is over.
    :ivar causes: the notifications that explain it, in order; a refund is the last one.
    :ivar aliases: other ids by which a line of the mapping may name the product.
    :ivar renewable: whether it renews by itself: a subscription that nobody has cancelled.
    """

    provider: str
    product_id: str
    name: str
    state: State
    access: bool
    since: datetime
    until: datetime | None
    access_until: datetime | None
    end: datetime | None
    causes: tuple[ledger.Entry, ...]
    aliases: frozenset[str] = frozenset()
    renewable: bool = False

    @property
    def product(self) -> Product:
        """Provider and product id."""
        return self.provider, self.product_id

    @property
    def is_over(self) -> bool:
        """Whether access has ended: it does not begin later, and nobody is only kept out."""
        return not self.access and self.state not in (State.UPCOMING, State.SUSPENDED)


def of(outcome: history.BuyerOutcome) -> tuple[ProductAccess, ...]:
    """A buyer's access to each product that it ever had, named as the owner names it."""
    by_key = {entry["key"]: entry for entry in outcome.entries}
    names = {
        history.product(entry): entry["product_name"]
        for entry in history.in_order(outcome.entries)
        if entry["product_name"]
    }
    return tuple(
        ProductAccess(
            name=products.title(
                *entitlement.product,
                names.get(entitlement.product, ""),
                outcome.aliases.get(entitlement.product, ()),
            ),
            provider=entitlement.provider,
            product_id=entitlement.product_id,
            state=outcome.state_of(entitlement),
            access=entitlement.product in outcome.live,
            since=outcome.since(entitlement),
            until=entitlement.until,
            access_until=entitlement.access_until,
            end=outcome.end_of(entitlement),
            causes=tuple(by_key[key] for key in entitlement.keys),
            aliases=outcome.aliases.get(entitlement.product, frozenset()),
            renewable=entitlement.renewable,
        )
        for entitlement in outcome.entitlements
    )
