"""The report's overview, for its page and its service.

It costs the same however long the ledger is: counters are read, of each list its newest part,
and the sums of days that are over; only the money of today is added up.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from datetime import timedelta
from itertools import chain
from itertools import islice
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.report import daily
from niteoweb.click2sell.settings import products as naming
from niteoweb.click2sell.storage import trees
from typing import Any


DAY = "day"
MONTH = "month"

#: The choices: units, and how many of them up to now.
CHOICES = ((DAY, 30), (DAY, 90), (MONTH, 12), (MONTH, 24))

#: Lines of a list, and how far it is counted.
LISTED = 50
CAPPED = ledger.CAPPED

#: Entries that are looked at for the name of a product whose provider sent none.
_LOOKED_AT = 50

#: A renewal that did not come is shown for so long.
RENEWALS_MISSING = timedelta(days=30)


@dataclass(frozen=True)
class Range:
    """Days or months in a row, the last of which is not over.

    :ivar unit: :data:`DAY` or :data:`MONTH`.
    """

    unit: str
    number: int

    def periods(self, today: str) -> list[str]:
        """The days or months, the oldest first.

        :param today: a day, as :func:`niteoweb.click2sell.ledger.counters.day` has it.
        """
        last = date.fromisoformat(today)
        if self.unit == DAY:
            days = (last - timedelta(days=ago) for ago in range(self.number))
            return [day.isoformat() for day in days][::-1]
        month = last.year * 12 + last.month - 1
        months = (divmod(month - ago, 12) for ago in range(self.number))
        return [f"{year:04}-{number + 1:02}" for year, number in months][::-1]


@dataclass(frozen=True)
class Figures:
    """The figures of a day or month, by the names of :data:`~.counters.NAMES`."""

    period: str
    values: Mapping[str, int]


@dataclass(frozen=True)
class Product:
    """A product that members have access to now."""

    provider: str
    product_id: str
    product_name: str
    members: int


@dataclass(frozen=True)
class Newest:
    """The newest part of a list.

    :ivar total: how many there are, :data:`CAPPED` when there are more than that.
    :ivar items: :data:`LISTED` at most.
    """

    total: int
    capped: bool
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Account:
    """A member who paid and never logged in.

    :ivar made_at: when the account was made, in UTC.
    """

    user_id: str
    buyer_id: str
    address: str
    made_at: datetime


@dataclass(frozen=True)
class Renewal:
    """A renewal that did not come.

    :ivar expected_at: until when it had to be there, in UTC.
    :ivar access: there still is access: days of grace, or the provider is silent.
    """

    user_id: str
    buyer_id: str
    address: str
    provider: str
    product_id: str
    expected_at: datetime
    access: bool


@dataclass(frozen=True)
class Provider:
    """When a provider was heard last.

    :ivar last: in UTC.
    :ivar usual: the longest silence that is nothing unusual; None when it is too early to tell.
    :ivar silent: it has been silent for longer than that, or was until a moment ago.
    :ivar since: the last word before that silence.
    """

    name: str
    last: datetime
    usual: timedelta | None
    silent: bool = False
    since: datetime | None = None

    @property
    def heard_again(self) -> bool:
        """Whether an unusual silence is over, but only just."""
        return self.silent and self.since != self.last


def rows(site: Any, chosen: Range, now: datetime) -> list[Figures]:
    """The figures of days or months, the oldest first.

    :param now: in UTC.
    """
    return [
        Figures(period, {name: counters.number(site, period, name) for name in counters.NAMES})
        for period in chosen.periods(counters.day(now))
    ]


def totals(figures: Iterable[Figures]) -> dict[str, int]:
    """The sums of figures, by name."""
    figures = list(figures)
    return {name: sum(row.values[name] for row in figures) for name in counters.NAMES}


def members_with_access(site: Any) -> int:
    """Number of members with access to anything."""
    return counters.number(site, *counters.WITH_ACCESS)


def products(site: Any) -> list[Product]:
    """The products that members have access to, the one with most members first."""
    products = [
        Product(*product, naming.title(*product, product_name(site, product)), members)
        for product, members in counters.with_access(site).items()
    ]
    return sorted(products, key=lambda product: (-product.members, product.product_name))


def money(site: Any, chosen: Range, now: datetime) -> daily.Breakdown:
    """The money of days or months, by the providers' clocks.

    :param now: in UTC.
    """
    today = counters.day(now)
    first = chosen.periods(today)[0]
    return daily.breakdown(site, first if chosen.unit == DAY else f"{first}-01", today)


def never_logged_in(site: Any) -> Newest:
    """Members who paid and never logged in, of the accounts that we made."""
    total = counters.number(site, *counters.LOGINS_AWAITED)
    filed = islice(trees.tree(site, "logins_awaited"), LISTED)
    return Newest(total, False, tuple(_account(site, place) for place in filed))


def renewals_missing(site: Any, now: datetime) -> Newest:
    """Renewals that had to be there in the last 30 days and are not.

    :param now: in UTC.
    """
    earliest = now - RENEWALS_MISSING
    filed = counters.since(site, "renewals_awaited", earliest, now)
    return _newest(site, filed, _renewal)


def mails_failed(site: Any) -> Newest:
    """Mails that could not be sent so far, as the outbox has them."""
    return _newest(site, trees.tree(site, "mails_failed"), _mail)


def providers(site: Any, now: datetime) -> list[Provider]:
    """The providers that ever sent anything, and whether one is silent.

    :param now: in UTC.
    """
    silent = silence.silent(site, now)
    providers = []
    for name in silence.providers(site):
        arrivals = silence.arrivals(site, name, now)
        if arrivals and name not in silence.OWN:
            usual = silence.longest_usual(arrivals)
            providers.append(
                Provider(name, arrivals[0], usual, name in silent, silent.get(name))
            )
    return providers


def _newest(site: Any, filed: Iterable[Any], item: Any) -> Newest:
    places = list(islice(filed, CAPPED + 1))
    items = tuple(item(site, place) for place in places[:LISTED])
    return Newest(min(len(places), CAPPED), len(places) > CAPPED, items)


def _account(site: Any, place: tuple[int, str]) -> Account:
    record = buyers.get(site, place[1])
    address = buyers.addresses(record)[0]
    return Account(record["user_id"], record["id"], address, counters.moment(place))


def _renewal(site: Any, place: tuple[int, str, str, str]) -> Renewal:
    _time, buyer_id, *product = place
    record = buyers.get(site, buyer_id)
    return Renewal(
        record["user_id"],
        buyer_id,
        buyers.addresses(record)[0],
        *product,
        counters.moment(place),
        tuple(product) in record["live"],
    )


def _mail(site: Any, place: tuple[int, str]) -> outbox.Mail:
    return outbox.get(site, place[1])


def product_name(site: Any, product: tuple[str, str]) -> str:
    """The product's name as it was sent last, "" when none ever was.

    Products of two providers may have equal ids.

    :param product: provider and product id.
    """
    provider, product_id = product
    own = ledger.filed(site, provider=provider, product_id=product_id)
    # A purchase that was adopted, or granted by an owner, speaks for the provider.
    others = ledger.filed(site, product_id=product_id)
    for place in chain(islice(own, 1), islice(others, _LOOKED_AT)):
        entry = entries.at(site, place)
        if history.product(entry) == product and entry["product_name"]:
            return entry["product_name"]
    return ""
