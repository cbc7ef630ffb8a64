"""The sums of the money of each day that is over, kept so that no page has to add it up.

They are added up in the background, see :mod:`niteoweb.click2sell.report.daily`. What changes
the money of such a day later, a late notification or a refusal, leaves a mark in the place of
its sums, another one each time. Who adds the day up at that moment conflicts with it, or finds
another mark than before. Sums of the days of another time zone end with the first change.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger.outcomes import Outcome
from niteoweb.click2sell.storage import trees
from typing import Any
from typing import NamedTuple

import secrets


#: The key of the time zone of the days with sums, beside the days themselves.
ZONE = ""

#: Outcomes after which an entry may count where it did not before, or the other way round.
UNSURE = frozenset({Outcome.REFUSED, Outcome.FAILED})

#: A day, an outcome of these, whether the provider was asked for the details, and a buyer's id.
Row = tuple[str, str, bool, str]

#: Before the sums of a day are kept: a transaction that began in it may not be done yet.
SETTLED = timedelta(hours=1)

#: Entries that agree in these tell of the same money: some providers tell it in two ways.
SAME = ("provider", "transaction", "receipt", "product_id", "kind", "amount", "currency")
#: So do those that agree in these, where a provider names a refund or dispute.
SAME_UNDOING = ("provider", "undoing")


class Sum(NamedTuple):
    """The money of a product and a currency on a day. It is stored as a plain tuple.

    :ivar name: of the product, as a notification had it.
    :ivar number: payments, refunds and chargebacks.
    :ivar sales: sum of the payments, a decimal number as text.
    :ivar refunds: sum of the refunds and chargebacks, negative.
    """

    provider: str
    product_id: str
    name: str
    aliases: tuple[str, ...]
    currency: str
    number: int
    sales: str
    refunds: str


def rows(entry: Mapping[str, Any]) -> list[Row]:
    """The day on which an entry's money moved, and what else changes the sums."""
    state = entry["outcome"] if entry["outcome"] in UNSURE else ""
    day, asks = counters.day(ledger.moved_at(entry)), entry["asks"]
    # Of two that tell of the same money one counts, if they are of one buyer.
    return [(day, state, asks, entry["buyer_id"])]


def void(tree: Any, row: Row, change: int, id_: int) -> None:
    """The sums of a row's day hold no longer, nor those of later days with the same money."""
    (of_row, _state, _asks, buyer_id), zone = row, _zone()
    today = counters.day(timestamps.now())
    _end_another_zone(tree, zone)
    # Sums of a day that is not over are there if the clock was put back.
    if of_row < today or of_row in tree:
        same = _of_the_same(plone_site.get(), buyer_id, id_)
        days = {of_row, *(counters.day(ledger.moved_at(entry)) for entry in same)}
        voided = [day for day in days if day < today or day in tree]
        tree.update({day: secrets.token_hex(4) for day in voided})


def kept(site: Any, first: str, last: str) -> dict[str, tuple[Sum, ...]]:
    """The sums that are kept of the days between two days, both included, in order.

    Those of the days of another time zone do not count.
    """
    tree = trees.tree(site, "money_by_day")
    if tree.get(ZONE) != _zone():
        return {}
    return {
        day: tuple(Sum(*of_product) for of_product in found)
        for day, found in tree.items(first, last)
        if isinstance(found, tuple)
    }


def noted(site: Any, day: str) -> Any:
    """The time zone, and the sums or the mark of a day, to be given to :func:`keep`."""
    return _zone(), trees.tree(site, "money_by_day").get(day)


def keep(site: Any, day: str, seen: Any, sums: tuple[Sum, ...]) -> None:
    """Keep the sums of a day that is over, unless its money has changed meanwhile.

    :param seen: as :func:`noted`, before it was added up and in the same transaction.
    """
    tree, zone = trees.tree(site, "money_by_day"), _zone()
    if noted(site, day) == seen:
        _end_another_zone(tree, zone)
        tree.update({ZONE: zone, day: tuple(map(tuple, sums))})


def to_add_up(site: Any, since: datetime, now: datetime) -> list[str]:
    """The days with money that are over and have no sums, the latest first.

    :param since: in UTC; only days that are not over then.
    :param now: in UTC.
    """
    filed, zone, found = trees.tree(site, "money"), plone_site.timezone(), []
    known = kept(site, counters.day(since), counters.day(now))
    settled = timestamps.microseconds(now - SETTLED)
    moment = timestamps.microseconds(since)
    while (row := next(iter(filed.keys((moment,), (settled,))), None)) is not None:
        day = counters.day(timestamps.from_microseconds(row[0]))
        moment = timestamps.microseconds(timestamps.end(day, zone)) + 1
        if moment <= settled and day not in known:
            found.append(day)
    return found[::-1]


def _end_another_zone(tree: Any, zone: str) -> None:
    """Remove sums of the days of another time zone: each change there is of other days here."""
    if tree.get(ZONE, zone) != zone:
        tree.clear()


def _of_the_same(site: Any, buyer_id: str, place: int) -> Iterator[entries.Entry]:
    """The entries of a buyer that tell of the same money as the one at a place."""
    entry = entries.at(site, place)
    names = SAME_UNDOING if entry["undoing"] else SAME
    buyer = trees.tree(site, "buyers").get(buyer_id)
    if buyer is not None and (entry["undoing"] or ownership.is_repeated(site, entry)):
        for other in (ledger.get(site, key) for key in buyer["keys"]):
            if all(other[one] == entry[one] for one in names):
                yield other


def _zone() -> str:
    return str(plone_site.timezone())
