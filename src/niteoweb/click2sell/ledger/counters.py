"""The report's figures, counted in the commit in which something happens.

Nothing is scanned to show them: they are counters of entries and buyers, kept as their indexes
are, see :mod:`niteoweb.click2sell.storage.indexes`. So a replay or a second delivery counts
nothing twice, and a later decision moves a figure.

A day is one of the site's time zone, as it was when the record was filed last.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.entitlement import GRANTS_NOTHING
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import trees
from typing import Any


NEW_BUYERS = "new_buyers"
LAPSES = "lapses"

#: Figures that are counted by month alone: members who came to have access to anything, who
#: have none any more, and subscriptions that ended because nobody paid on.
BEGAN, OVER = "access_began", "access_over"
NOT_RENEWED = "not_renewed"

#: The figures of notifications, by kind.
OF_KIND = {
    Kind.PURCHASE: "purchases",
    Kind.RENEWAL: "renewals",
    Kind.REFUND: "refunds",
    Kind.CHARGEBACK: "chargebacks",
}

#: All figures that are counted by day and by month.
NAMES = (NEW_BUYERS, *OF_KIND.values(), LAPSES)

#: Numbers of buyers at present, with "" in the place of a day: those with access to anything,
#: those who paid, with access and without, and members who never logged in.
WITH_ACCESS, ACTIVE, ENDED = ("", "with_access"), ("", "active"), ("", "ended")
LOGINS_AWAITED = ("", "logins_awaited")

#: The providers of entries that are no payments: owners' acts by hand.
UNPAID = frozenset({OWNER})

Product = tuple[str, str]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def number(site: Any, period: str, name: str) -> int:
    """A figure.

    :param period: a day, ``2026-05-03``, a month, ``2026-05``, or "" for the present.
    :param name: one of :data:`NAMES`, or of the others of that period.
    """
    counted = trees.tree(site, "figures").get((period, name))
    return counted() if counted is not None else 0


def with_access(site: Any) -> dict[Product, int]:
    """The number of members with access to each product, by provider and product id."""
    counted = trees.tree(site, "products_with_access").items()
    return {product: length() for product, length in counted if length()}


def day(moment: datetime) -> str:
    """The day of a moment in the site's time zone."""
    return timestamps.in_zone(moment, plone_site.timezone()).date().isoformat()


def of_entry(entry: Mapping[str, Any], effective: bool) -> list[tuple[str, str]]:
    """The day and the figure that an entry counts for, by the provider's time.

    A payment or refund that a person has to decide about, because it has no effect so far, does
    not count.

    :param effective: its outcome lets it count.
    """
    counts = (
        effective
        and entry["kind"] in OF_KIND
        and entry["provider"] not in UNPAID
        and entry["reason"] not in GRANTS_NOTHING
    )
    if not counts:
        return []
    return [(day(timestamps.from_iso(entry["occurred_at"])), OF_KIND[entry["kind"]])]


def of_buyer(
    buyer: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    """The days and the figures that a buyer counts for.

    :param entries: the buyer's.
    """
    rows = [(ended_on, LAPSES) for ended_on in buyer.get("ended_on", ())]
    rows += buyer.get("access_turned", ())
    rows += [(month, NOT_RENEWED) for month in buyer.get("not_renewed_in", ())]
    payment = first_payment(entries)
    if payment is not None:
        rows.append((payment["filed"]["figures"][0][0], NEW_BUYERS))
        rows += [LOGINS_AWAITED for _row in login_awaited(buyer)]
    return rows


def by_day_and_month(tree: Any, row: tuple[str, str], change: int, id_: Any) -> None:
    """A mapping counts the figure of a day for the day and for its month."""
    day_, figure = row
    for period in {day_, day_[:7]}:
        indexes.counted(tree, (period, figure), change, id_)


def first_payment(entries: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The first payment among a buyer's entries, None when none of them counts."""
    first, earliest = None, ""
    for entry in entries:
        # A buyer may have a thousand: most are ruled out by their time.
        occurred_at = entry["occurred_at"]
        if first is not None and occurred_at >= earliest:
            continue
        if entry["kind"] in PAYMENTS and "figures" in entry.get("filed", ()):
            first, earliest = entry, occurred_at
    return first


def login_awaited(buyer: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The row of a buyer who never logged in, by the time of the account, the newest first."""
    if not (buyer["made"] and buyer.get("made_at")) or buyer.get("logged_in"):
        return []
    return [(-timestamps.microseconds(timestamps.from_iso(buyer["made_at"])), buyer["id"])]


def renewals_awaited(
    buyer: Mapping[str, Any], expected: Mapping[Product, datetime]
) -> tuple[tuple[int, str, str, str], ...]:
    """The rows of a buyer by the time of the next renewals, the latest first.

    A renewal that comes moves the time on: a row with a past time means that it did not come.

    :param expected: when the renewal of each subscription has to be there.
    """
    if not buyer["user_id"]:
        return ()
    return tuple(
        (-timestamps.microseconds(moment), buyer["id"], *product)
        for product, moment in sorted(expected.items())
    )


def lapses(buyer: Mapping[str, Any], now: datetime, products: int) -> tuple[str, ...]:
    """The days on which a buyer's access to products ended, with those that end now.

    :param now: in UTC.
    """
    return (*buyer.get("ended_on", ()), *([day(now)] * products))


def not_renewed(buyer: Mapping[str, Any], now: datetime, products: int) -> tuple[str, ...]:
    """The months in which a buyer's subscriptions were not renewed, with those that end now.

    :param now: in UTC.
    """
    return (*buyer.get("not_renewed_in", ()), *([day(now)[:7]] * products))


def turned(buyer: Mapping[str, Any], has_access: bool) -> tuple[tuple[str, str], ...]:
    """The months in which a buyer's access began and was over, with the present turn."""
    month = day(timestamps.now())[:7]
    return (*buyer.get("access_turned", ()), (month, BEGAN if has_access else OVER))


def since(site: Any, tree: str, earliest: datetime, now: datetime) -> Iterable[Any]:
    """The rows of an index between two moments, the latest first.

    :param tree: ``renewals_awaited``, ``logins_awaited`` or ``mails_failed``.
    """
    return trees.tree(site, tree).keys(
        (-timestamps.microseconds(now),), (1 - timestamps.microseconds(earliest),)
    )


def moment(place: tuple[Any, ...]) -> datetime:
    """The time that something is filed under, in UTC."""
    return _EPOCH + timedelta(microseconds=-place[0])
