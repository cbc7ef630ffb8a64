"""A buyer's products in words, as pages show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.explain import ProductAccess


STATES = {
    State.ACTIVE: formatting.Badge(_("active"), "text-bg-success"),
    State.PROVISIONAL: formatting.Badge(_("provisional"), "text-bg-info"),
    State.GRACE: formatting.Badge(_("days of grace"), "text-bg-warning"),
    State.CANCELLED: formatting.Badge(_("cancelled"), "text-bg-info"),
    State.LAPSED: formatting.Badge(_("lapsed"), "text-bg-secondary"),
    State.ENDED: formatting.Badge(_("ended"), "text-bg-secondary"),
    State.REFUNDED: formatting.Badge(_("refunded"), "text-bg-dark"),
    State.UNMAPPED: formatting.Badge(_("no line in the mapping"), "text-bg-warning"),
}


@dataclass(frozen=True)
class ProductLine:
    """A buyer's access to a product.

    :ivar until: None when access has no end, or never was.
    :ivar grace_until: end of the days of grace, None when there are none.
    """

    product: str
    badge: formatting.Badge
    access: bool
    since: formatting.Moment
    until: formatting.Moment | None
    grace_until: formatting.Moment | None

    @property
    def endless(self) -> bool:
        """Whether access has no end."""
        return self.access and self.until is None


def line(standing: ProductAccess) -> ProductLine:
    """A buyer's access to a product in words."""
    unmapped = standing.state is State.UNMAPPED
    until = None if unmapped else standing.until
    graced = until is not None and standing.access_until != until
    return ProductLine(
        product=formatting.product_label(standing.name, standing.product_id),
        badge=STATES[standing.state],
        access=standing.access,
        since=formatting.moment(standing.since),
        until=formatting.moment(until) if until is not None else None,
        grace_until=formatting.moment(standing.access_until)
        if graced and standing.access and standing.access_until
        else None,
    )


def lines(standings: Iterable[ProductAccess]) -> list[ProductLine]:
    """Products in words, those with access first."""
    return [
        line(standing)
        for standing in sorted(standings, key=lambda standing: not standing.access)
    ]
