"""What is measured: figures of one site at one number of members, each with its check."""

from bench.provider import Caller
from bench.provider import encoded
from bench.provider import form
from bench.provider import new_address
from bench.provider import rush
from bench.server import memory
from bench.server import Site
from dataclasses import dataclass
from dataclasses import field
from statistics import median
from statistics import quantiles


#: Requests of each kind that are not counted: caches fill, modules are imported.
WARM_UP = 20
#: Forged deliveries in a row, between two looks at the size of the database.
FORGED = 1000


@dataclass
class Figures:
    """What was measured; times are in milliseconds.

    :ivar members: members in each of the two groups.
    :ivar purchase: median of a first delivery: a new member, two groups.
    :ivar duplicate: median of the same delivery again.
    :ivar forged: median of one with a wrong checksum.
    :ivar floor: median of the cheapest request that reaches the add-on.
    :ivar bytes_purchase: that the database grew by a purchase.
    :ivar bytes_forged: that it grew by :data:`FORGED` forged deliveries in a row.
    :ivar memory: bytes that the process had in use at the end.
    """

    members: int
    purchase: float = 0.0
    duplicate: float = 0.0
    forged: float = 0.0
    floor: float = 0.0
    bytes_purchase: float = 0.0
    bytes_forged: int = 0
    memory: int = 0


@dataclass
class Crowd:
    """Clients that bought at once, and one alone; times are in milliseconds.

    :ivar seconds: of all purchases, by the number of clients.
    :ivar p50: median of a purchase, by the number of clients.
    :ivar p99: 99 of 100 purchases took no longer, by the number of clients.
    :ivar failed: purchases that were not acknowledged.
    """

    members: int
    clients: int
    purchases: int
    seconds: dict[int, float] = field(default_factory=dict)
    p50: dict[int, float] = field(default_factory=dict)
    p99: dict[int, float] = field(default_factory=dict)
    failed: int = 0


class Benchmark:
    """One site that grows.

    :param mail: what new members are mailed, a value of the setting for the welcome mail.
    """

    def __init__(self, site: Site, mail: str) -> None:
        self._site = site
        self._mail = mail
        self._sold: list[str] = []
        #: Entries that the ledger has to have.
        self._entries = 0

    def grow(self, members: int) -> None:
        """Add members until there are so many."""
        self._site.fill(members, self._mail)
        self._entries = max(members, self._entries)

    def alone(self, members: int, purchases: int) -> Figures:
        """One client; the kinds of requests take turns, so that all see the same machine.

        :raises BenchError: a purchase is lost, or a forged delivery left something.
        """
        found = Figures(members)
        times: dict[str, list[float]] = {
            kind: [] for kind in ("purchase", "duplicate", "forged", "floor")
        }
        with self._site.served() as pid:
            caller = Caller(self._site.port)
            grown = 0
            for number in range(WARM_UP + purchases):
                body = encoded(form(address := new_address()))
                before = self._site.database_size
                taken = {"purchase": caller.sell(body)}
                self._acknowledged(address)
                size = self._site.database_size
                taken["duplicate"] = caller.sell(body)
                taken["forged"] = caller.forge()
                taken["floor"] = caller.floor()
                if number >= WARM_UP:
                    grown += size - before
                    for kind, seconds in taken.items():
                        times[kind].append(seconds * 1000)
            before = self._site.database_size
            for _ in range(FORGED):
                caller.forge()
            found.bytes_forged = self._site.database_size - before
            found.memory = memory(pid)
            caller.close()
        for kind, taken in times.items():
            setattr(found, kind, median(taken))
        found.bytes_purchase = grown / purchases
        self._check()
        return found

    def crowd(self, members: int, clients: int, purchases: int) -> Crowd:
        """One client, then several at once, with as many purchases.

        :raises BenchError: a purchase that was acknowledged is lost.
        """
        found = Crowd(members, clients, purchases)
        with self._site.served():
            for number, amount in ((1, WARM_UP), (1, purchases), (clients, purchases)):
                came = rush(self._site.port, number, amount)
                times = [seconds * 1000 for seconds in came.times]
                found.seconds[number] = came.seconds
                found.p50[number] = median(times)
                found.p99[number] = quantiles(times, n=100)[98]
                found.failed += len(came.failures)
                for address in came.sold:
                    self._acknowledged(address)
        if not found.failed:
            self._check()
        return found

    def _acknowledged(self, address: str) -> None:
        self._sold.append(address)
        self._entries += 1

    def _check(self) -> None:
        self._site.check(self._sold, self._entries)
