"""A buyer's products in words, as pages show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.explain import ProductAccess
from niteoweb.click2sell.report import labels


#: Bootstrap's class for the colour of each state.
COLOURS = {
    State.ACTIVE: "text-bg-success",
    State.PROVISIONAL: "text-bg-info",
    State.GRACE: "text-bg-warning",
    State.CANCELLED: "text-bg-info",
    State.UPCOMING: "text-bg-info",
    State.SUSPENDED: "text-bg-warning",
    State.REFUNDED: "text-bg-dark",
    State.UNMAPPED: "text-bg-warning",
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
        product=standing.name,
        badge=formatting.Badge(
            labels.STATES[standing.state], COLOURS.get(standing.state, "text-bg-secondary")
        ),
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
