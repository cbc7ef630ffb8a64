"""A month of made-up notifications, so that every page of the demo has something to show.

The same each time, but for the day that it ends on. The buyers do not exist: their addresses
are in domains that are kept for examples.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.providers.click2sell.sample import form_fields
from tools.demo import settings

import random
import unicodedata


DAYS = 30
SEED = 2012

FIRST_NAMES = (
    *("Ana", "Björn", "Chloé", "Dušan", "Emma", "Fatima", "George", "Håkon", "Ines", "Jürgen"),
    *("Katarzyna", "Liam", "Maja", "Noah", "Óscar", "Petra", "Quentin", "Rosa", "Špela"),
    *("Tomáš", "Uma", "Viktor", "Wilma", "Xavier", "Yasmin", "Žan"),
)
LAST_NAMES = (
    *("Almeida", "Bauer", "Češnjevar", "Dubois", "Eriksson", "Fernández", "Grüner", "Hribar"),
    *("Ivanova", "Jørgensen", "Kovač", "Lindqvist", "Müller", "Novák", "O'Brien", "Pérez"),
    *("Rossi", "Smith", "Tanaka", "Urbančič", "van Dijk", "Weiß", "Yılmaz", "Zajc"),
)
DOMAINS = ("example.org", "example.com", "example.net", "mail.example.org")
COUNTRIES = ("Austria", "Brazil", "Germany", "France", "Slovenia", "Spain", "Sweden", "USA")
#: Letters that have no plainer form of their own.
PLAIN = str.maketrans({"ß": "ss", "ø": "o", "ı": "i", "'": "", " ": "-"})


@dataclass(frozen=True)
class Buyer:
    """Somebody who buys."""

    first_name: str
    last_name: str
    address: str


@dataclass(frozen=True)
class Arrival:
    """A delivery.

    :ivar moment: when it reaches the site.
    :ivar form: what is posted.
    :ivar status: what the site has to answer.
    """

    moment: datetime
    form: Mapping[str, str]
    status: int = 200


#: One whose name and address are longer than any page is wide.
LONG = Buyer(
    "Maximiliana Wilhelmine Theodora",
    "Freifrau von und zu Schwarzenberg-Hohenstein",
    "maximiliana.wilhelmine.theodora.schwarzenberg-hohenstein"
    "@friends-of-photography-in-the-alpine-region.example.org",
)
OTHER_SCRIPT = Buyer("Дмитрий", "Соколов", "dmitri.sokolov@example.com")
#: Names another buyer in a transaction that is not theirs.
INTRUDER = Buyer("Mal", "Content", "mal.content@example.net")
EDITOR = Buyer("Wanda", "Webber", settings.EDITOR)
STUDIO = Buyer("Paula", "Studio", settings.STUDIO)
UNREACHABLE = Buyer("Ned", "Nobody", settings.UNREACHABLE)


def arrivals(end: datetime) -> list[Arrival]:
    """The deliveries of a month, in the order of their arrival.

    :param end: when the month is over; all of them arrive before.
    """
    found = _Month(end).arrivals
    return sorted((a for a in found if a.moment < end), key=lambda arrival: arrival.moment)


class _Month:
    """Collects what arrives; each method is a chapter."""

    def __init__(self, end: datetime) -> None:
        self.begin = end.replace(microsecond=0) - timedelta(days=DAYS)
        self.random = random.Random(SEED)  # noqa: S311
        self.buyers = self._people()
        self.number = 0
        self.arrivals: list[Arrival] = []
        self.sales()
        self.subscriptions()
        self.changes_of_mind()
        self.what_needs_a_person()

    def sales(self) -> None:
        """Single sales, more of them at the weekend; those of the course run out."""
        gold = [*self._next(22), LONG, OTHER_SCRIPT, UNREACHABLE]
        for buyer in gold:
            self.sale(buyer, "1", self._day())
        for buyer in (*self._next(8), gold[0], gold[5]):
            self.sale(buyer, "3", self._day())
        self.tell(gold[3], "1", 17.2, kind="failed")

    def subscriptions(self) -> None:
        """Weekly subscriptions that renew within the month, and monthly ones from before."""
        for buyer in self._next(9):
            self.tell(buyer, "2", self._day(), kind="subscription")
        for buyer in self._next(7):
            # Subscribed before the month began.
            self.tell(buyer, "2", self._day(), kind="renewal")
        for weeks, buyer in zip((4, 4, 4, 3, 3, 2, 2, 1), self._next(8), strict=True):
            # Whoever stays for fewer weeks than are left has stopped paying.
            first = self.random.uniform(0.1, 4)
            transaction = self.tell(buyer, "4", first, kind="subscription")
            for week in range(1, weeks):
                self.tell(buyer, "4", first + 7 * week, transaction, kind="renewal")
        for buyer in self._next(4):
            self.sale(buyer, "5", self._day())

    def changes_of_mind(self) -> None:
        """Refunds, cancellations, and a yearly membership in the place of a monthly one."""
        for day, product, after in ((4.3, "1", 2.1), (9.6, "3", 1.2), (20.4, "5", 5.5)):
            (buyer,) = self._next(1)
            transaction = self.sale(buyer, product, day)
            self.tell(buyer, product, day + after, transaction, kind="refund")
        for day, product, after in ((3.2, "4", 4.4), (12.7, "2", 9.3)):
            (buyer,) = self._next(1)
            transaction = self.tell(buyer, product, day, kind="subscription")
            self.tell(buyer, product, day + after, transaction, kind="cancellation")
        (upgrade, declined, unknown) = self._next(3)
        self.tell(upgrade, "2", 6.5, kind="subscription")
        self.sale(upgrade, "5", 18.9)
        transaction = self.tell(declined, "4", 2.4, kind="subscription")
        self.tell(declined, "4", 9.4, transaction, kind="failed")
        # Refunds a purchase from before the month, which the site was never told of.
        self.tell(unknown, "1", 25.1, kind="refund")

    def what_needs_a_person(self) -> None:
        """An example of each entry that needs attention."""
        self.sale(STUDIO, "1", 22.6)
        self.sale(EDITOR, "3", 26.2)
        first, second, third, fourth, fifth = self._next(5)
        self.sale(first, "6", 24.8)
        self.tell(second, "2", 27.4, kind="subscription", subscription_status="Paused")
        self.sale(third, "1", 28.1, clock_ahead=timedelta(days=5))
        self.sale(fourth, "3", 28.7, status=400, purchase_date="31/02/2012")
        transaction = self.sale(fifth, "1", 21.5)
        self.sale(INTRUDER, "1", 23.3, transaction, status=409)
        # Not in the mapping: somebody sells more than the site knows of.
        self.sale(fifth, "7", 26.9)
        # It failed after the last check, which would have tried it again; see seeding.py.
        self.sale(fourth, "1", DAYS - 40 / (24 * 60 * 60), status=500)

    def sale(self, buyer: Buyer, product: str, day: float, *given, **changes) -> str:
        """A single sale.

        :returns: its transaction.
        """
        return self.tell(buyer, product, day, *given, kind="sale", **changes)

    def tell(
        self,
        buyer: Buyer,
        product: str,
        day: float,
        transaction: str = "",
        *,
        kind: str,
        status: int = 200,
        clock_ahead: timedelta = timedelta(),
        **changes: str,
    ) -> str:
        """A notification, which arrives a little later than what it tells of.

        :param day: of the month, from 0 on.
        :param clock_ahead: by how much its time is in the future.
        :param changes: parameters that it carries in the place of the usual ones.
        :returns: the transaction.
        """
        self.number += 1
        transaction = transaction or f"TX-{4100 + self.number}"
        happened = self.begin + timedelta(days=day)
        # Now and then a delivery had to be repeated for hours.
        late = timedelta(hours=5) if self.number % 23 == 0 else timedelta(seconds=20)
        request = SampleRequest(
            kind,
            product,
            buyer.address,
            transaction,
            happened + clock_ahead,
            receipt=f"C2S-{88000 + 7 * self.number}",
            product_name=settings.PRODUCTS[product].name,
            price=settings.PRODUCTS[product].price,
            first_name=buyer.first_name,
            last_name=buyer.last_name,
            affiliate=settings.AFFILIATE if self.number % 6 == 0 else "",
        )
        form = form_fields(settings.SECRET_KEY, request)
        country = self.random.choice(COUNTRIES)
        form = {**form, "buyer_country": country, **changes}
        self.arrivals.append(Arrival(happened + late, form, status))
        return transaction

    def _day(self) -> float:
        """A moment of the month, before its last hours."""
        return self.random.uniform(0.1, DAYS - 0.6)

    def _next(self, number: int) -> list[Buyer]:
        """Buyers who have not bought yet."""
        return [next(self.buyers) for _ in range(number)]

    def _people(self) -> Iterator[Buyer]:
        names = [(first, last) for first in FIRST_NAMES for last in LAST_NAMES]
        self.random.shuffle(names)
        for first, last in names:
            place = self.random.choice(DOMAINS)
            yield Buyer(first, last, f"{_plain(first)}.{_plain(last)}@{place}")


def _plain(name: str) -> str:
    """A name as it stands in an address: small letters of ASCII."""
    apart = unicodedata.normalize("NFKD", name.lower().translate(PLAIN))
    return apart.encode("ascii", "ignore").decode("ascii")
