"""Notifications of a shop over three years, for any number of buyers.

Each buyer has :data:`EACH` notifications, and one of a few histories: subscribers who are with
us, those who left, people who buy one thing after another, and those with whom something went
wrong. Everything follows from the buyer's number, so that a small shop is the first part of a
large one.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from niteoweb.click2sell.providers.click2sell.sample import form_fields
from tools.demo import settings as demo
from tools.demo.settings import Product
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import dataclasses
import hashlib


#: Notifications of a buyer.
EACH = 10
#: Buyers in a row that have every history among them.
CYCLE = 20

#: Another provider than Click2Sell, for whom no module is needed to fill a ledger.
OTHER = "plenigo"

#: Minutes after arrival at which a failing notification is tried, by a sweep every minute.
ATTEMPTS = (0, 1, 16, 76, 316, 1036, 2476)

#: Seconds in three years.
_SPAN = 3 * 365 * 86_400

_FIRST_NAMES = ("Anna", "Ben", "Carla", "David", "Eva", "Felix", "Greta", "Hugo", "Ida", "Jan")
_LAST_NAMES = ("Bauer", "Fischer", "Huber", "Koch", "Lang", "Novak", "Richter", "Schmidt")


@dataclass(frozen=True)
class Arrival:
    """A notification that arrives, or a sweep that looks at the buyer.

    :ivar form: what was posted; empty for a sweep.
    :ivar provider: who posted it.
    :ivar quiet: processing it changes nothing but its own entry.
    :ivar broken: a field of it cannot be read.
    :ivar tried_at: when it was tried and failed; empty for what did not fail.
    """

    at: datetime
    form: Mapping[str, str]
    provider: str = click2sell.NAME
    quiet: bool = False
    broken: str = ""
    tried_at: tuple[datetime, ...] = ()


def buyer_address(number: int) -> str:
    """The address of a buyer; spread over the alphabet, as addresses are."""
    return f"{hashlib.sha256(b'%d' % number).hexdigest()[:12]}@example.net"


def history(number: int, end: datetime) -> list[Arrival]:
    """The notifications of one buyer, in the order of arrival.

    :param number: of the buyer, from 0.
    :param end: the present; everything was before, in UTC.
    """
    found = _HISTORIES[_place(number)](_Buyer(number, end))
    return sorted(found, key=lambda arrival: arrival.at)


def read(arrival: Arrival, timezone_: Any) -> Any:
    """A notification as the callback reads it.

    Those of another provider are as if a module of its own had read them.
    """
    form = SimpleNamespace(values=lambda: arrival.form, arrived_at=arrival.at)
    (notification,) = click2sell.parse(form, timezone_)
    if arrival.provider == click2sell.NAME:
        return notification
    key = click2sell.idempotency_key(arrival.provider, notification.key)
    return dataclasses.replace(notification, key=key, provider=arrival.provider)


def broken(arrival: Arrival) -> tuple[str, str, str, dict[str, str], str]:
    """The known parts of a notification that could not be read, see pipeline.py."""
    payload = {name: value for name, value in arrival.form.items() if name != "checksum"}
    payload[arrival.broken] = "?"
    key = hashlib.sha256(urlencode(payload).encode("ascii")).hexdigest()
    transaction_id = payload["acquirer_transaction_id"]
    return key, arrival.provider, transaction_id, payload, arrival.broken


def _place(number: int) -> int:
    """The history that a buyer has: half of them subscribe."""
    return (*[0] * 11, *[1] * 4, 2, 2, 3, 4, 5)[number % CYCLE]


class _Buyer:
    """A buyer, with all that a notification of a purchase needs."""

    def __init__(self, number: int, end: datetime) -> None:
        self.number = number
        self.end = end
        self.address = buyer_address(number)
        spread = hashlib.sha256(b"spread %d" % number).digest()
        #: Anything from 0 to 1, another one for each buyer.
        self.chance = int.from_bytes(spread[:6], "big") / 2**48

    def days_ago(self, days: float) -> datetime:
        return (self.end - timedelta(days=days)).replace(microsecond=self.number % 1_000_000)

    def sent(
        self,
        at: datetime,
        kind: str,
        product_id: str,
        purchase: int,
        receipt: int,
        transaction: str = "",
        fails: bool = False,
        **more: object,
    ) -> Arrival:
        """A notification.

        :param purchase: number of the purchase among the buyer's.
        :param receipt: number of the notification among the buyer's.
        :param transaction: that it is about, another buyer's for example.
        :param fails: it fails at every attempt.
        """
        product: Product = demo.PRODUCTS[product_id]
        name = _FIRST_NAMES[self.number % len(_FIRST_NAMES)]
        request = SampleRequest(
            kind,
            product_id,
            self.address,
            transaction or transaction_of(self.number, purchase),
            at,
            receipt=f"R-{self.number}-{receipt}",
            first_name=name,
            last_name=_LAST_NAMES[self.number // len(_FIRST_NAMES) % len(_LAST_NAMES)],
            product_name=product.name,
            price=product.price,
        )
        form = form_fields(demo.SECRET_KEY, request)
        arrives = at + timedelta(seconds=3)
        tries = [arrives + timedelta(minutes=minutes) for minutes in ATTEMPTS if fails]
        return Arrival(arrives, form, tried_at=tuple(tries), **more)


def transaction_of(number: int, purchase: int) -> str:
    """The transaction of a buyer's purchase."""
    return f"T-{number}-{purchase}"


def _subscription(buyer: _Buyer, last: float, provider: str) -> Iterator[Arrival]:
    """A purchase and nine renewals, one a month.

    :param last: days since the last renewal.
    """
    for month in range(EACH):
        yield buyer.sent(
            buyer.days_ago(last + 30 * (EACH - 1 - month)),
            "renewal" if month else "subscription",
            "2",
            1,
            month,
            provider=provider,
            quiet=0 < month < EACH - 1,
        )


def _subscriber(buyer: _Buyer) -> Iterator[Arrival]:
    return _subscription(buyer, 1 + 24 * buyer.chance, click2sell.NAME)


def _former(buyer: _Buyer) -> Iterator[Arrival]:
    last = 40 + 700 * buyer.chance
    yield from _subscription(buyer, last, click2sell.NAME)
    # Thirty days and three of grace.
    yield Arrival(buyer.days_ago(last - 33.5), {})


def _foreign(buyer: _Buyer) -> Iterator[Arrival]:
    return _subscription(buyer, 1 + 24 * buyer.chance, OTHER)


def _collector(buyer: _Buyer) -> Iterator[Arrival]:
    """Buys what has no end, or a week, and often what gives nothing at all."""
    products = ("1", "4", "7", "7", "4", "7", "1", "7", "7", "7")
    first = 100 + 900 * buyer.chance
    for number, product_id in enumerate(products):
        at = buyer.days_ago(first - 9 * number)
        quiet = product_id != "4" and 0 < number < EACH - 1
        yield buyer.sent(at, "sale", product_id, number, number, quiet=quiet)
        if product_id == "4":
            yield Arrival(at + timedelta(days=8), {})


def _quarrel(buyer: _Buyer) -> Iterator[Arrival]:
    """Pays, wants the money back, and comes again."""
    first = 60 + 900 * buyer.chance
    steps = (
        ("sale", "1", 0),
        ("refund", "1", 0),
        ("sale", "1", 1),
        ("subscription", "2", 2),
        ("failed", "2", 2),
        ("renewal", "2", 2),
        ("cancellation", "2", 2),
        ("refund", "2", 2),
        ("sale", "3", 3),
        ("refund", "3", 3),
    )
    for number, (kind, product_id, purchase) in enumerate(steps):
        yield buyer.sent(buyer.days_ago(first - 5 * number), kind, product_id, purchase, number)


def _trouble(buyer: _Buyer) -> Iterator[Arrival]:
    """Entries that need attention, were refused, or failed."""
    first = 60 + 900 * buyer.chance
    fails = buyer.number // CYCLE % 10 == 0
    for number in range(7):
        # The group of the sixth product does not exist.
        at = buyer.days_ago(first - 5 * number)
        yield buyer.sent(at, "sale", "6", number, number, quiet=0 < number < 6)
    # That buyer's purchase is older.
    another = transaction_of(buyer.number // CYCLE * CYCLE, 1)
    yield buyer.sent(buyer.days_ago(10), "sale", "2", 7, 7, another)
    at = buyer.days_ago(first - 5 * 8)
    yield buyer.sent(at, "sale", "1", 8, 8, broken="purchase_date")
    at = buyer.days_ago(2.2 if fails else first - 5 * 9)
    yield buyer.sent(at, "sale", "7", 9, 9, fails=fails)


_HISTORIES = (_subscriber, _former, _collector, _quarrel, _trouble, _foreign)
