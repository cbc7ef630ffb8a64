"""What a purchase costs with few members and with many, and beside other software."""

from collections import deque
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from tools.bench.provider import Caller
from tools.bench.provider import new_sale
from tools.bench.rivals import PlainSite
from tools.bench.rivals import Shop
from tools.bench.server import memory
from tools.bench.server import Server
from tools.bench.server import Site
from tools.bench.turns import Ask
from tools.bench.turns import take_turns


#: Forged deliveries in a row, between two looks at the size of the database.
FORGED = 1000


@dataclass
class Figures:
    """What was measured of a site with the add-on; times are in milliseconds.

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
    """The same purchase by different software with as many members; times are in milliseconds.

    :ivar members: members in each of the two groups.
    :ivar site: median with the add-on.
    :ivar registration: median of Plone's registration alone, with two groups.
    :ivar django: median of a purchase with bare Django; None when it was left out.
    :ivar legacy: median of a purchase with the algorithm of release 0.4.5.
    :ivar beside_legacy: median with the add-on in turns with that.
    :ivar bytes_site: that the database grew by, and so on.
    """

    members: int
    site: float
    registration: float
    django: float | None
    legacy: float
    beside_legacy: float
    bytes_site: float
    bytes_registration: float
    bytes_django: float | None
    bytes_legacy: float


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


def compare(site: Site, plain: PlainSite, shop: Shop | None, purchases: int) -> Compared:
    """Buy at a site with the add-on and at what it is compared with, in turns.

    :param plain: a Plone without the add-on and with as many members.
    :param shop: bare Django with as many; None leaves it out.
    :param purchases: at each of them, by one client.
    :raises WrongAnswer: one does not answer as it has to.
    """
    with ExitStack() as stack:

        def call(server: Server, view: str = "") -> Caller:
            caller = Caller(server.port, view) if view else Caller(server.port)
            stack.callback(caller.close)
            return caller

        for server in filter(None, (site, plain, shop)):
            stack.enter_context(server.served())
        alone = call(plain, "@@bench-registration")

        def register() -> float:
            sale = new_sale()
            taken = alone.sell(sale.body)
            plain.registered.append(sale.address)
            return taken

        bought = Ask(site, _selling(site, call(site)))
        registered = Ask(plain, register)
        sold = shop and Ask(shop, _selling(shop, call(shop)))
        take_turns([bought, registered, *filter(None, [sold])], purchases)
        # Megabytes in memory and on the way to the disk slow down whatever comes next.
        beside = Ask(site, _selling(site, call(site)))
        before = Ask(plain, _selling(plain, call(plain)))
        take_turns([beside, before], purchases)
    return Compared(
        members=site.members,
        site=bought.median,
        registration=registered.median,
        django=sold and sold.median,
        legacy=before.median,
        beside_legacy=beside.median,
        bytes_site=bought.grown,
        bytes_registration=registered.grown,
        bytes_django=sold and sold.grown,
        bytes_legacy=before.grown,
    )


def _asks(site: Site, caller: Caller) -> dict[str, Ask]:
    """The kinds of requests, by the names of their figures."""
    delivered: deque[bytes] = deque()

    def again() -> float:
        return caller.sell(delivered.popleft())

    return {
        "purchase": Ask(site, _selling(site, caller, delivered.append)),
        "duplicate": Ask(site, again),
        "forged": Ask(site, caller.forge),
        "floor": Ask(site, caller.floor),
    }


def _selling(
    server: Server, caller: Caller, tell: Callable[[bytes], object] = len
) -> Callable[[], float]:
    """A function that buys once.

    :param tell: called with each notification that was acknowledged.
    """

    def sell() -> float:
        sale = new_sale()
        taken = caller.sell(sale.body)
        server.acknowledged(sale)
        tell(sale.body)
        return taken

    return sell
