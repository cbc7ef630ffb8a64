"""Purchases and pages while the mail server is fast, slow, or hangs."""

from dataclasses import dataclass
from statistics import median
from statistics import quantiles
from threading import Thread
from tools.bench.measure import Ask
from tools.bench.measure import take_turns
from tools.bench.measure import WARM_UP
from tools.bench.provider import Caller
from tools.bench.provider import Rush
from tools.bench.provider import rush
from tools.bench.sites import Site
from tools.client import Connection
from tools.demo import settings as demo
from tools.mailbox import Mailbox
from tools.program import ToolError
from tools.sale import new_sale

import time


#: Seconds that the slow mail server takes for a mail, and the one that hangs.
SLOW, HANGING = 5.0, 3600.0
#: That buy while the front page is looked at.
CLIENTS = 8
#: Looks at the front page, at least.
LOOKS = 20


@dataclass
class Mailing:
    """The costs of mail; times are in milliseconds, if nothing else is said.

    :ivar fast: median of a purchase, with a fast mail server.
    :ivar slow: the same, with one that takes :data:`SLOW` seconds for each mail.
    :ivar arrival: p95 of the seconds from a purchase to its mail at the fast mail server.
    :ivar quiet: p95 of the front page, with nothing going on.
    :ivar hanging: the same, while :data:`CLIENTS` clients buy and the mail server hangs.
    """

    purchases: int
    fast: float
    slow: float
    arrival: float
    quiet: float
    hanging: float


def measure(
    sites: tuple[Site, Site], servers: tuple[Mailbox, Mailbox], purchases: int
) -> Mailing:
    """Buy at two sites in turns, and look at the front page of the second.

    :param sites: two that are alike.
    :param servers: their mail servers, both of them fast.
    :param purchases: at each site, by one client.
    :raises ToolError: a mail did not come, or a page is another one.
    """
    fast, slow = sites
    came: dict[str, float] = {}
    servers[0].listen(lambda mail: came.setdefault(mail["X-Envelope-To"], time.monotonic()))
    with fast.served(), slow.served():
        _front_page(slow, WARM_UP)
        quiet = _front_page(slow, max(LOOKS, purchases))
        servers[1].seconds = SLOW
        bought, slowly = _Buying(fast), _Buying(slow, settles=False)
        take_turns([bought, slowly], purchases)
        bought.close()
        slowly.close()
        servers[1].seconds = HANGING
        hanging = _front_page_in_a_rush(slow, purchases)
    if missing := set(bought.at) - set(came):
        raise ToolError(f"{len(missing)} of {len(bought.at)} mails did not come")
    arrivals = [came[address] - at for address, at in bought.at.items()]
    return Mailing(
        purchases,
        fast=bought.median,
        slow=slowly.median,
        arrival=_p95(arrivals),
        quiet=_p95(quiet) * 1000,
        hanging=_p95(hanging) * 1000,
    )


class _Buying(Ask):
    """Purchases at a site.

    :param settles: wait for the mails of each turn.
    :ivar at: the moment of each purchase, by the buyer's address.
    """

    def __init__(self, site: Site, settles: bool = True) -> None:
        super().__init__(site, self._buy, settles)
        self._caller = Caller(site.port)
        self._of = site
        self.close = self._caller.close
        self.at: dict[str, float] = {}

    def _buy(self) -> float:
        sale = new_sale()
        self.at[sale.address] = time.monotonic()
        taken = self._caller.sell(sale.body)
        self._of.acknowledged(sale)
        return taken


def _front_page(site: Site, times: int) -> list[float]:
    """Seconds of looks at the front page, by a visitor."""
    with Connection(site.port) as connection:
        return [_look(connection) for _ in range(times)]


def _front_page_in_a_rush(site: Site, purchases: int) -> list[float]:
    """Seconds of looks at the front page while others buy."""
    # Enough of them for the looks.
    amount = max(purchases, CLIENTS * LOOKS)
    bought: list[Rush] = []
    buyers = Thread(target=lambda: bought.append(rush(site.port, CLIENTS, amount)))
    taken = []
    with Connection(site.port) as connection:
        buyers.start()
        while buyers.is_alive():
            taken.append(_look(connection))
    buyers.join()
    site.note(bought[0])
    if len(taken) < 2:
        raise ToolError("The front page did not come while others bought")
    return taken


def _look(connection: Connection) -> float:
    answer = connection.ask("GET", "")
    if answer.status != 200 or demo.SITE_TITLE not in answer.text:
        raise ToolError(f"The front page: {answer.status} {answer.text[:300]!r}")
    return answer.seconds


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[18] if len(values) > 1 else median(values)
