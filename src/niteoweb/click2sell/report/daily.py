"""The money of many days by currency, month and product, from the sums of each day.

A page of a year must not add up all payments of that year: with 100,000 of them that took 15
seconds. The automatic check adds each day up once, when it is over; a page adds up the others.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import groupby
from itertools import islice
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import daysums
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.report import accounting
from niteoweb.click2sell.report.accounting import Total
from niteoweb.click2sell.settings import products
from niteoweb.click2sell.storage import writer
from typing import Any


#: Payments and refunds that are added up one by one, at most: by a page, and by a sweep.
MOST = 20_000

#: The days whose sums are kept: those of the longest time that the report shows.
KEPT = timedelta(days=731)


@dataclass
class Breakdown:
    """The sums of a time, apart.

    :ivar currencies: by currency, "" for none.
    :ivar months: by month, such as ``2027-01``, and currency.
    :ivar products: by title of the product and currency.
    :ivar capped: there was more money than is added up here.
    """

    currencies: dict[str, Total] = field(default_factory=dict)
    months: dict[tuple[str, str], Total] = field(default_factory=dict)
    products: dict[tuple[str, str], Total] = field(default_factory=dict)
    capped: bool = False

    def include(
        self, day: str, sums: Iterable[daysums.Sum], titles: dict[tuple[str, str], str]
    ) -> None:
        """Add the sums of a day.

        :param titles: of the products so far, by provider and product id.
        """
        for one in sums:
            product = one.provider, one.product_id
            if product not in titles:
                titles[product] = products.title(*product, one.name, one.aliases)
            for apart, key in (
                (self.currencies, one.currency),
                (self.months, (day[:7], one.currency)),
                (self.products, (titles[product], one.currency)),
            ):
                total = apart.setdefault(key, Total())
                total.include(one.number, Decimal(one.sales), Decimal(one.refunds))


def breakdown(site: Any, first: str, last: str) -> Breakdown:
    """The money of some days; of days without sums :data:`MOST` postings in a row at most.

    :param first: the first day, such as ``2027-01-31``.
    :param last: the last day.
    """
    found, titles = Breakdown(), dict[tuple[str, str], str]()
    for since, until, sums in _spans(site, first, last):
        if sums is not None:
            found.include(since, sums, titles)
            continue
        number = 0
        for day, added, of_day in _added_up(site, since, until, MOST):
            found.include(day, added, titles)
            number += of_day
        found.capped |= number >= MOST
    return found


def keep_up(now: datetime) -> None:
    """Add up the days that are over and have no sums, until there were :data:`MOST` postings.

    :param now: in UTC.
    """
    site, number = plone_site.get(), 0
    for day in daysums.to_add_up(site, now - KEPT, now):
        seen = daysums.noted(site, day)
        _day, sums, of_day = next(_added_up(site, day, day), (day, (), 0))
        writer.run(partial(daysums.keep, day=day, seen=seen, sums=sums))
        number += of_day
        if number >= MOST:
            break


def _spans(
    site: Any, first: str, last: str
) -> Iterator[tuple[str, str, tuple[daysums.Sum, ...] | None]]:
    """The days whose sums are kept, and the times between them, in order.

    :returns: first day, last day, and the sums, None where they have to be added up.
    """
    since = first
    for day, sums in daysums.kept(site, first, last).items():
        if since < day:
            yield since, _moved(day, -1), None
        yield day, day, sums
        since = _moved(day, 1)
    if since <= last:
        yield since, last, None


def _moved(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _added_up(
    site: Any, first: str, last: str, most: int | None = None
) -> Iterator[tuple[str, tuple[daysums.Sum, ...], int]]:
    """The days that had money, in order, with their sums and the number of their postings.

    :param most: postings that are added up; None for all.
    """
    zone = plone_site.timezone()
    period = accounting.Period("", timestamps.begin(first, zone), timestamps.end(last, zone))
    postings = islice(accounting.postings(site, period), most)
    for day, of_day in groupby(postings, key=lambda posting: counters.day(posting.moved_at)):
        totals: dict[Any, tuple[Mapping[str, Any], Total]] = {}
        number = 0
        for posting in of_day:
            number += 1
            if posting.amount is None:
                continue
            entry = posting.entry
            key = *history.product(entry), entry["currency"]
            _entry, total = totals.setdefault(key, (entry, Total()))
            total.add(posting.amount, entry["kind"] in PAYMENTS)
        yield day, tuple(_sum(*of_product) for of_product in totals.values()), number


def _sum(entry: Mapping[str, Any], total: Total) -> daysums.Sum:
    """A sum.

    :param entry: the first one of its product.
    """
    name, aliases, currency = entry["product_name"], entry["aliases"], entry["currency"]
    sums = total.number, str(total.sales), str(total.refunds)
    return daysums.Sum(*history.product(entry), name, tuple(aliases), currency, *sums)
