"""The cost of a renewal for a buyer with many of them, beside one for a buyer with few."""

from contextlib import closing
from dataclasses import dataclass
from tools.bench.measure import Ask
from tools.bench.measure import take_turns
from tools.bench.provider import Caller
from tools.bench.sites import Site
from tools.client import ask
from tools.demo import settings as demo
from tools.program import ToolError
from tools.sale import encoded
from tools.sale import form
from tools.sale import new_sale


RENEWAL = {"transaction_type": "Subscription", "subscription_status": "Recurring"}
JSON = {"Accept": "application/json"}


@dataclass
class Renewals:
    """The figures of two buyers; times are medians, in milliseconds.

    :ivar before: renewals that the one with many had before.
    :ivar few: of a renewal of the buyer with few.
    :ivar many: of a renewal of the buyer with many.
    :ivar bytes_few: that the database grew by the former.
    :ivar bytes_many: that it grew by the latter.
    """

    before: int
    few: float
    many: float
    bytes_few: float
    bytes_many: float


def measure(site: Site, before: int, times: int) -> Renewals:
    """Renew for two buyers, in turns.

    :param site: without buyers.
    :param before: renewals of one of them before that.
    :param times: renewals of each that are measured.
    :raises WrongAnswer: the site does not answer as documented.
    :raises ToolError: a renewal is missing, or did not take effect.
    """
    with site.served(), closing(Caller(site.port)) as caller:
        many, few = _Subscriber(caller), _Subscriber(caller)
        for _renewal in range(before):
            many.renew()
        site.settle()
        asks = [Ask(site, many.renew), Ask(site, few.renew)]
        take_turns(asks, times)
        _check(site.port, many.told + few.told)
    return Renewals(before, asks[1].median, asks[0].median, asks[1].grown, asks[0].grown)


class _Subscriber:
    """A buyer who renews.

    :ivar told: notifications that were acknowledged.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        sale = new_sale()
        caller.sell(sale.body)
        self._address = sale.address
        self.told = 1

    def renew(self) -> float:
        """Renew once; each renewal has a transaction of its own."""
        taken = self._caller.sell(encoded({**form(self._address), **RENEWAL}))
        self.told += 1
        return taken


def _check(port: int, told: int) -> None:
    """Whether all notifications that were acknowledged took effect."""
    owner = (demo.OWNER, demo.OWNER_PASSWORD)
    path = "@click2sell-notifications?outcome=accepted&b_size=1"
    accepted = ask(port, path, owner, **JSON).json()["items_total"]
    if accepted != told:
        raise ToolError(f"{told} notifications are due; {accepted} took effect")
