"""Several clients that buy at once."""

from dataclasses import dataclass
from dataclasses import field
from statistics import median
from statistics import quantiles
from tools.bench.measure import WARM_UP
from tools.bench.provider import Rush
from tools.bench.provider import rush
from tools.bench.sites import Site


#: Parts of the purchases, in each of which one client buys, and then all.
SLICES = 4
#: That answer the requests, fewer than the clients: some purchases have to wait for one.
THREADS = 4


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


def measure(site: Site, clients: int, purchases: int) -> Crowd:
    """Buy with one client and with several, in turns.

    :param purchases: by one client, and as many again by several.
    """
    found = Crowd(site.members, clients, purchases)
    came: dict[int, list[Rush]] = {1: [], clients: []}
    with site.served(THREADS):
        site.note(rush(site.port, clients, WARM_UP * clients))
        site.settle()
        for part in range(SLICES):
            amount = purchases * (part + 1) // SLICES - purchases * part // SLICES
            # Neither is always the first one.
            for number in (1, clients) if part % 2 else (clients, 1):
                bought = rush(site.port, number, amount)
                site.note(bought)
                came[number].append(bought)
                # The mails of some clients must not slow the next ones down.
                site.settle()
    for number, bought in came.items():
        times = [seconds * 1000 for one in bought for seconds in one.times]
        found.seconds[number] = sum(one.seconds for one in bought)
        found.p50[number] = median(times)
        found.p99[number] = quantiles(times, n=100)[98]
    found.failed = site.failed
    return found
