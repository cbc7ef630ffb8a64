"""Payments and refunds of a period, for the accounts.

Which entries of the ledger count, where there is a choice:

* A payment, refund or chargeback counts when it is genuine, whatever it did to anybody's
  access: the money moved too when it needs attention, failed here, or waits for its purchase.
* A refused notification does not count: its signature was made for another buyer or product.
  Neither does a payment that failed at the provider, nor a notification of an unknown kind, nor
  one that cannot be read.
* Access granted by hand and purchases adopted from release 0.4.5 are no money.
* The ledger has each notification once. Some providers tell one payment in two ways: of entries
  that agree in transaction, receipt, product, kind and amount only the first counts.
* A refund or dispute that its provider names counts once, however often it is told: a dispute
  when it was opened and when the money was withdrawn. The money of one that fails or is won
  counts again, at that time.
* The provider's time decides, not that of arrival, so that a month has the payments made in
  it, late arrivals too; their time of arrival tells them apart.

The ledger files these entries by that time, in an index of their own. The one by arrival would
not do: a notification may arrive years later, when a site is moved or a provider repeats it.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from datetime import tzinfo
from decimal import Decimal
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import daysums
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import MIGRATION
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.notification import UNDOING
from niteoweb.click2sell.storage import batched
from niteoweb.click2sell.storage import trees
from typing import Any

import re


#: Providers that move no money.
WITHOUT_MONEY = frozenset({MIGRATION, OWNER})

#: Days of the longest time that is added up at once.
LONGEST = 366

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True)
class Period:
    """A time to account for.

    :ivar name: as it was asked for, such as ``2027-01``; fit for the name of a file.
    :ivar since: its first moment, in UTC.
    :ivar until: its last moment, in UTC.
    """

    name: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Posting:
    """Money that moved.

    :ivar moved_at: by the provider's clock, in UTC; see
        :func:`niteoweb.click2sell.ledger.ledger.moved_at`.
    :ivar amount: of the payment, negative for a refund that is not taken back, None when the
        provider did not say.
    :ivar late: it arrived when the period was over.
    """

    entry: Mapping[str, Any]
    moved_at: datetime
    amount: Decimal | None
    late: bool


@dataclass
class Total:
    """The sums of one currency.

    :ivar number: payments, refunds and chargebacks that have an amount.
    :ivar sales: sum of the payments.
    :ivar refunds: sum of the refunds and chargebacks; above 0 where more was taken back.
    """

    number: int = 0
    sales: Decimal = Decimal(0)
    refunds: Decimal = Decimal(0)

    def add(self, amount: Decimal, arrived: bool) -> None:
        """Count an amount.

        :param arrived: it was paid, not paid back.
        """
        # All sums have the decimals of the most exact amount.
        zero = Decimal(0).scaleb(amount.as_tuple().exponent)
        self.number += 1
        self.sales += amount if arrived else zero
        self.refunds += zero if arrived else amount

    def include(self, number: int, sales: Decimal, refunds: Decimal) -> None:
        """Count amounts that were added up before."""
        self.number += number
        self.sales += sales
        self.refunds += refunds

    @property
    def net(self) -> Decimal:
        """Sales less refunds."""
        return self.sales + self.refunds


@dataclass
class Summary:
    """The sums of a period.

    :ivar number: postings.
    :ivar totals: currency -> sums; "" for amounts without a currency.
    :ivar without_amount: postings whose amount is not known.
    :ivar late: postings that arrived when the period was over.
    """

    number: int = 0
    totals: dict[str, Total] = field(default_factory=dict)
    without_amount: int = 0
    late: int = 0

    def add(self, posting: Posting) -> None:
        """Count a posting."""
        self.number += 1
        self.late += posting.late
        if posting.amount is None:
            self.without_amount += 1
            return
        total = self.totals.setdefault(posting.entry["currency"], Total())
        total.add(posting.amount, posting.entry["kind"] in PAYMENTS)

    @property
    def in_order(self) -> list[tuple[str, Total]]:
        """Currencies and their sums, sorted."""
        return sorted(self.totals.items())


def month(text: str, timezone_: tzinfo) -> Period:
    """A month.

    :param text: such as ``2027-01``.
    :param timezone_: in which it begins and ends.
    :raises ValueError: it is no month.
    """
    match = _MONTH.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, number = int(match[1]), int(match[2])
    following = f"{year + number // 12:04}-{number % 12 + 1:02}"
    since = timestamps.begin(f"{text}-01", timezone_)
    return Period(text, since, timestamps.begin(f"{following}-01", timezone_) - timestamps.TICK)


def between(first: str, last: str, timezone_: tzinfo) -> Period:
    """A time from the begin of one day to the end of another.

    :param first: such as ``2027-01-31``.
    :param timezone_: in which the days begin and end.
    :raises ValueError: one is no date, they are in the wrong order, or more than
        :data:`LONGEST` days.
    """
    since, until = timestamps.begin(first, timezone_), timestamps.end(last, timezone_)
    if not timedelta(0) < until - since <= timedelta(days=LONGEST, hours=2):
        raise ValueError(first)
    name = re.sub(r"[^0-9-]", "", f"{first[:10]}-{last[:10]}")
    return Period(name, since, until)


def months(site: Any, now: datetime, timezone_: tzinfo) -> list[str]:
    """The months from the first money in the ledger to the present one, the latest first.

    :param now: in UTC.
    """
    filed = trees.tree(site, "money")
    today = now.astimezone(timezone_)
    first = today
    if filed:
        earliest = timestamps.from_microseconds(filed.minKey()[0])
        first = min(today, timestamps.in_zone(earliest, timezone_))
    numbers = range(first.year * 12 + first.month - 1, today.year * 12 + today.month)
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in reversed(numbers)]


def postings(site: Any, period: Period) -> Iterator[Posting]:
    """The money that moved in a period, the oldest first; read as it is asked for.

    There may be a hundred thousand: what was read leaves the memory.
    """
    for entry in batched(site, ledger.money_moved(site, period.since, period.until)):
        if _is_money(site, entry) and _is_news(site, entry):
            yield Posting(
                entry,
                ledger.moved_at(entry),
                _signed(entry),
                timestamps.from_iso(entry["received_at"]) > period.until,
            )


def summary(postings_: Iterable[Posting]) -> Summary:
    """Add postings up."""
    total = Summary()
    for posting in postings_:
        total.add(posting)
    return total


def _is_money(site: Any, entry: Mapping[str, Any]) -> bool:
    if entry["provider"] in WITHOUT_MONEY or entry["outcome"] == Outcome.REFUSED:
        return False
    # One that is not finished may be refused yet.
    return entry["outcome"] in outcomes.FINAL or not ownership.belongs_to_another(site, entry)


def _is_news(site: Any, entry: Mapping[str, Any]) -> bool:
    """Whether no earlier entry tells of the same money."""
    undoing = entry["undoing"]
    if not undoing:
        return not (
            ownership.is_repeated(site, entry) and any(_before(site, entry, daysums.SAME))
        )
    # One that was told twice, and taken back, changes from one state to the other.
    earlier = [
        other
        for other in _before(site, entry, daysums.SAME_UNDOING)
        if other["kind"] in UNDOING or other["kind"] == Kind.REACTIVATION
    ]
    last = max(earlier, key=_place)["kind"] if earlier else Kind.REACTIVATION
    return (last in UNDOING) != (entry["kind"] in UNDOING)


def _before(
    site: Any, entry: Mapping[str, Any], names: Iterable[str]
) -> Iterator[Mapping[str, Any]]:
    """The earlier entries of its buyer that have the same values in some fields."""
    buyer = buyers.get(site, entry["buyer_id"])
    for other in (ledger.get(site, key) for key in (buyer["keys"] if buyer else ())):
        same = _place(other) < _place(entry) and all(other[one] == entry[one] for one in names)
        if same and _is_money(site, other):
            yield other


def _place(entry: Mapping[str, Any]) -> tuple[datetime, str]:
    return ledger.moved_at(entry), entry["key"]


def _signed(entry: Mapping[str, Any]) -> Decimal | None:
    if entry["amount"] is None:
        return None
    amount = Decimal(entry["amount"])
    if entry["kind"] == Kind.REACTIVATION:
        return abs(amount)
    return amount if entry["kind"] in PAYMENTS else -abs(amount)
