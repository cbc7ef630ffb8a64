"""A buyer's products in words, as pages show them."""

from collections.abc import Container
from collections.abc import Iterable
from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.entitlement import Product
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
    :ivar past: whether that is an end that has come.
    :ivar grace_until: end of the days of grace, None when there are none, or they are over.
    """

    product: str
    state: State
    badge: formatting.Badge
    access: bool
    since: formatting.Moment
    until: formatting.Moment | None
    past: bool
    grace_until: formatting.Moment | None

    @property
    def upcoming(self) -> bool:
        """Whether access begins later."""
        return self.state is State.UPCOMING

    @property
    def suspended(self) -> bool:
        """Whether the provider keeps the buyer out."""
        return self.state is State.SUSPENDED

    @property
    def late(self) -> bool:
        """Whether its renewal should have been there."""
        return self.state is State.GRACE

    @property
    def endless(self) -> bool:
        """Whether access has no end."""
        return self.access and self.until is None


#: What is paid for and does not let the member in.
NO_ENTRY = formatting.Badge(_("paid, no access"), "text-bg-danger")


def line(standing: ProductAccess, opened: Container[Product] | None = None) -> ProductLine:
    """A buyer's access to a product in words.

    :param opened: the products that let the member in, None to leave that out.
    """
    until = standing.end
    grace_until = standing.access_until
    graced = standing.access and grace_until not in (None, until)
    return ProductLine(
        product=standing.name,
        state=standing.state,
        badge=NO_ENTRY
        if standing.access and opened is not None and standing.product not in opened
        else formatting.Badge(
            labels.STATES[standing.state], COLOURS.get(standing.state, "text-bg-secondary")
        ),
        access=standing.access,
        since=formatting.moment(standing.since),
        until=formatting.moment(until) if until is not None else None,
        past=until is not None and standing.is_over,
        grace_until=formatting.moment(grace_until)
        if graced and grace_until > timestamps.now()
        else None,
    )


def lines(
    standings: Iterable[ProductAccess], opened: Container[Product] | None = None
) -> list[ProductLine]:
    """Products in words, those with access first; see :func:`line`."""
    return [
        line(standing, opened)
        for standing in sorted(standings, key=lambda standing: not standing.access)
    ]
