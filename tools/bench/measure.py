"""The cost of a purchase with few members and with many, and beside Plone's registration.

Requests of several kinds, to several sites, are sent in turns, so that all see one machine.
"""

from collections import deque
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from tools.bench.provider import Caller
from tools.bench.sites import memory
from tools.bench.sites import PlainSite
from tools.bench.sites import Site
from tools.sale import new_sale


#: Requests of each kind that are not counted: caches fill, modules are imported.
WARM_UP = 20
#: Requests of a kind in a row. After each change of the site the processor has to fetch code
#: and objects anew: a turn of one request would be mostly that.
TURN = 5
#: Forged deliveries in a row, between two looks at the size of the database.
FORGED = 1000


@dataclass
class Figures:
    """The figures of a site with the add-on; times are in milliseconds.

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
    purchase: float
    duplicate: float
    forged: float
    floor: float
    bytes_purchase: float
    bytes_forged: int
    memory: int


@dataclass
class Compared:
    """A purchase beside Plone's own registration; times are medians, in milliseconds.

    :ivar members: members in each of the two groups of both sites.
    :ivar site: of a purchase at the site with the add-on.
    :ivar registration: of a registration with two groups at the site without.
    :ivar bytes_site: that the database grew by a purchase.
    :ivar bytes_registration: that the other one grew by a registration.
    """

    members: int
    site: float
    registration: float
    bytes_site: float
    bytes_registration: float


class Ask:
    """A kind of request to one site, and what came of it.

    :param site: that is asked; it has to be served.
    :param send: sends a request and waits for the answer; returns seconds.
    :param settles: wait at the end of a turn for what goes on in the background, mail: it is a
        part of what was asked for, and must not disturb the next turn.
    """

    def __init__(
        self, site: PlainSite, send: Callable[[], float], settles: bool = False
    ) -> None:
        self._site = site
        self._settles = settles
        self._send = send
        self._times: list[float] = []
        self._grown = 0

    @property
    def median(self) -> float:
        """Milliseconds."""
        return median(self._times) * 1000

    @property
    def grown(self) -> float:
        """Bytes that the site's database grew by a request."""
        return self._grown / len(self._times)

    def take_turn(self, counted: bool) -> None:
        """Send some requests."""
        before = self._site.database_size
        times = [self._send() for _ in range(TURN)]
        if self._settles:
            self._site.settle()
        if counted:
            self._grown += self._site.database_size - before
            self._times += times


def take_turns(asks: Sequence[Ask], times: int) -> None:
    """Send so many requests of each kind, and some before that are not counted.

    :param times: is rounded up to whole turns.
    """
    for number in range(-(WARM_UP // TURN), -(-times // TURN)):
        for ask in asks:
            ask.take_turn(number >= 0)


def measure_sizes(sites: Sequence[Site], purchases: int) -> list[Figures]:
    """Buy at sites of several sizes, in turns.

    :param purchases: at each site, by one client.
    :raises WrongAnswer: a site does not answer as documented.
    """
    with ExitStack() as stack:
        asked = []
        for site in sites:
            pid = stack.enter_context(site.served())
            caller = Caller(site.port)
            stack.callback(caller.close)
            asked.append((site, pid, caller, _asks(site, caller)))
        take_turns([ask for *_, asks in asked for ask in asks.values()], purchases)
        found = []
        for site, pid, caller, asks in asked:
            before = site.database_size
            for _ in range(FORGED):
                caller.forge()
            found.append(
                Figures(
                    members=site.members,
                    **{kind: ask.median for kind, ask in asks.items()},
                    bytes_purchase=asks["purchase"].grown,
                    bytes_forged=site.database_size - before,
                    memory=memory(pid),
                )
            )
        return found


def compare(site: Site, plain: PlainSite, purchases: int) -> Compared:
    """Buy at a site with the add-on, and register at one without, in turns.

    :param plain: with as many members.
    :param purchases: at each of them, by one client.
    :raises WrongAnswer: one does not answer as it has to.
    """
    with ExitStack() as stack:
        asks = []
        for of, *view in ((site,), (plain, "@@bench-registration")):
            stack.enter_context(of.served())
            caller = Caller(of.port, *view)
            stack.callback(caller.close)
            asks.append(Ask(of, _selling(of, caller), settles=True))
        take_turns(asks, purchases)
    bought, registered = asks
    return Compared(
        members=site.members,
        site=bought.median,
        registration=registered.median,
        bytes_site=bought.grown,
        bytes_registration=registered.grown,
    )


def _asks(site: Site, caller: Caller) -> dict[str, Ask]:
    """The kinds of requests, by the names of their figures."""
    delivered: deque[bytes] = deque()

    def again() -> float:
        return caller.sell(delivered.popleft())

    return {
        "purchase": Ask(site, _selling(site, caller, delivered.append), settles=True),
        "duplicate": Ask(site, again),
        "forged": Ask(site, caller.forge),
        "floor": Ask(site, caller.floor),
    }


def _selling(
    site: PlainSite, caller: Caller, tell: Callable[[bytes], object] = len
) -> Callable[[], float]:
    """A function that buys once.

    :param tell: called with each notification that was acknowledged.
    """

    def sell() -> float:
        sale = new_sale()
        taken = caller.sell(sale.body)
        site.acknowledged(sale)
        tell(sale.body)
        return taken

    return sell
