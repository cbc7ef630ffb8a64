"""What a buyer has, in the words of the pages that show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell.browser import shown
from niteoweb.click2sell.course import State
from niteoweb.click2sell.standing import Standing


STATES = {
    State.ACTIVE: shown.Badge(_("active"), "text-bg-success"),
    State.PROVISIONAL: shown.Badge(_("provisional"), "text-bg-info"),
    State.GRACE: shown.Badge(_("days of grace"), "text-bg-warning"),
    State.CANCELLED: shown.Badge(_("cancelled"), "text-bg-info"),
    State.LAPSED: shown.Badge(_("lapsed"), "text-bg-secondary"),
    State.ENDED: shown.Badge(_("ended"), "text-bg-secondary"),
    State.REFUNDED: shown.Badge(_("refunded"), "text-bg-dark"),
    State.UNMAPPED: shown.Badge(_("no line in the mapping"), "text-bg-warning"),
}


@dataclass(frozen=True)
class Shown:
    """How a buyer stands with a product.

    :ivar until: None when access has no end, or never was.
    :ivar grace_until: end of the days of grace, None when there are none.
    """

    product: str
    badge: shown.Badge
    access: bool
    since: shown.Moment
    until: shown.Moment | None
    grace_until: shown.Moment | None

    @property
    def endless(self) -> bool:
        """Whether access has no end."""
        return self.access and self.until is None


def of(standing: Standing) -> Shown:
    """A standing in words."""
    unmapped = standing.state is State.UNMAPPED
    until = None if unmapped else standing.until
    graced = until is not None and standing.access_until != until
    return Shown(
        product=shown.named(standing.name, standing.product_id),
        badge=STATES[standing.state],
        access=standing.access,
        since=shown.moment(standing.since),
        until=shown.moment(until) if until is not None else None,
        grace_until=shown.moment(standing.access_until)
        if graced and standing.access and standing.access_until
        else None,
    )


def shown_all(standings: Iterable[Standing]) -> list[Shown]:
    """Standings in words, those with access first."""
    return [of(found) for found in sorted(standings, key=lambda found: not found.access)]
