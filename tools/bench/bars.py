"""Limits for the figures."""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from tools.bench.crowd import Crowd
from tools.bench.endurance import Endurance
from tools.bench.mailing import CLIENTS
from tools.bench.mailing import Mailing
from tools.bench.mailing import SLOW
from tools.bench.measure import Compared
from tools.bench.measure import Figures
from tools.bench.renewals import Renewals
from tools.bench.visits import Pages


@dataclass(frozen=True)
class Bar:
    """The limit for a figure.

    :ivar most: the largest value that is good.
    """

    name: str
    value: float
    most: float
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the figure is good."""
        return self.value <= self.most

    def __str__(self) -> str:
        said = f"{'met' if self.met else 'NOT':<4} {self.name:<72}{_figure(self.value):>9}"
        return f"{said}  at most {_figure(self.most)} {self.unit}".rstrip()


def of_sizes(figures: Sequence[Figures]) -> Iterator[Bar]:
    """Limits for a site with the add-on.

    :param figures: the smallest site first.
    """
    some, last = [found for found in figures if found.members], figures[-1]
    sizes = f"{last.members:,} members"
    if len(some) > 1:
        yield Bar(
            f"a purchase, {sizes} over {some[0].members:,}",
            last.purchase / some[0].purchase,
            1.1,
        )
    yield Bar(f"bytes a purchase, {sizes}", last.bytes_purchase, 30_000, "bytes")
    yield Bar(f"a purchase over the floor, {sizes}", last.purchase / last.floor, 5)
    yield Bar(f"duplicate over first, {sizes}", last.duplicate / last.purchase, 0.3)
    yield Bar(f"forged over the floor, {sizes}", last.forged / last.floor, 1.3)
    yield Bar("growth by 1,000 forged ones", last.bytes_forged, 0, "bytes")


def of_compared(compared: Sequence[Compared]) -> Iterator[Bar]:
    """Limits in comparison with Plone's own registration.

    :param compared: the smallest first.
    """
    for found in compared:
        if found is compared[-1] or found.members == 100:
            name = f"over Plone's registration, {found.members:,} members"
            yield Bar(f"a purchase {name}", found.site / found.registration, 1.5)
            grown = found.bytes_site / found.bytes_registration
            yield Bar(f"bytes a purchase {name}", grown, 1.5)


def of_crowd(crowd: Crowd) -> Iterator[Bar]:
    """Limits for clients that buy at once."""
    many = crowd.clients
    at_once = f"{many} clients, {crowd.purchases:,} purchases, {crowd.members:,} members"
    yield Bar(f"failed or lost, {at_once}", crowd.failed, 0)
    total = crowd.seconds[many] / crowd.seconds[1]
    yield Bar(f"total time over one client's, {at_once}", total, 1.15)
    yield Bar(f"p99 over one client's median, {at_once}", crowd.p99[many] / crowd.p50[1], 15)


def of_endurance(found: Endurance) -> Iterator[Bar]:
    """Limits for the memory."""
    first, last = found.looks[0], found.looks[-1]
    name = f"memory after {last.purchases:,} purchases over that after {first.purchases:,}"
    yield Bar(name, last.memory / first.memory, STEADY)
    # What grows with the database is no leak, and no setting limits it.
    rest = last.memory - found.index_grown - found.placeholders_grown
    yield Bar("the same without index and placeholders", rest / first.memory, STEADY)
    yield Bar(f"failed or lost of {last.purchases:,} purchases", found.failed, 0)


#: Growth of a process that counts as none.
STEADY = 1.1


def of_mailing(found: Mailing) -> Iterator[Bar]:
    """Limits for mail, which no request waits for."""
    name = f"a purchase, a mail server that takes {SLOW:.0f} seconds over a fast one"
    yield Bar(name, found.slow / found.fast, 1.1)
    yield Bar(
        "the mail of a purchase is with the mail server, p95", found.arrival, 2, "seconds"
    )
    name = f"p95 of the front page, {CLIENTS} clients buy and mail hangs, over at rest"
    yield Bar(name, found.hanging / found.quiet, 3)


def of_renewals(found: Renewals) -> Iterator[Bar]:
    """Limits for a buyer with a long history."""
    name = f"a renewal, after {found.before:,} renewals over after few"
    yield Bar(name, found.many / found.few, 1.5)
    yield Bar(f"bytes of {name}", found.bytes_many / found.bytes_few, 1.5)


def of_pages(pages: Sequence[Pages]) -> Iterator[Bar]:
    """Limits for pages; a page that shows more rows of a longer ledger is not judged."""
    for page in pages:
        if page.comparable:
            yield Bar(page.name, page.ratio, 1.3)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
