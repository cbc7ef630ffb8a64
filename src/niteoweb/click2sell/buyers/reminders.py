"""Reminders: the ends of access that members are told of beforehand, each once.

A buyer's record holds the ends ahead that were not told yet, filed in an index by their time,
and those that were. An end that moves is another one.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.storage import trees
from typing import Any


#: The end of access as stored, id of the buyer, provider, id of the product.
Row = tuple[str, str, str, str]


def note(
    site: Any, buyer: buyers.Buyer, endings: Mapping[Product, datetime], now: datetime
) -> None:
    """Write down the ends of a buyer's access that are ahead.

    :param endings: those that do not renew by themselves.
    """
    ends_told = tuple(row for row in buyer.get("ends_told", ()) if row[0] > timestamps.iso(now))
    ahead = (
        (timestamps.iso(end), buyer["id"], *product)
        for product, end in sorted(endings.items())
        if (timestamps.iso(end), *product) not in ends_told
    )
    values = {"ends_ahead": tuple(ahead), "ends_told": ends_told}
    # Most buyers have neither, and their records stay as they are.
    buyers.change(site, buyer, **{n: v for n, v in values.items() if v or buyer.get(n)})


def tell(site: Any, buyer: buyers.Buyer, row: Row) -> None:
    """Note that a member is told of an end."""
    end, _buyer_id, *product = row
    buyers.change(
        site,
        buyer,
        ends_told=(*buyer.get("ends_told", ()), (end, *product)),
        ends_ahead=tuple(one for one in buyer["ends_ahead"] if one != row),
        revision=buyer["revision"] + 1,
    )


def due(site: Any, days: int, now: datetime) -> Iterator[Row]:
    """The ends that members are to be told of, the next first.

    :param days: how long before an end.
    :param now: in UTC.
    """
    first, last = timestamps.iso(now), timestamps.iso(now + timedelta(days=days))
    yield from trees.tree(site, "ends_ahead").keys((first,), (last, "~"))
