"""The results: a table for the terminal with the bars, and JSON for scripts."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timezone
from importlib.metadata import version
from pathlib import Path
from tools.bench import bars
from tools.bench.bars import Bar
from tools.bench.crowd import Crowd
from tools.bench.endurance import Endurance
from tools.bench.mailing import CLIENTS
from tools.bench.mailing import Mailing
from tools.bench.measure import Compared
from tools.bench.measure import Figures
from tools.bench.renewals import Renewals
from tools.bench.visits import Pages

import json
import os
import platform


PACKAGES = ("niteoweb.click2sell", "Products.CMFPlone", "Zope", "ZODB", "BTrees", "waitress")


@dataclass
class Outcome:
    """The results of a run of the benchmarks; what was left out is empty.

    :ivar mail: what new members were mailed.
    :ivar figures: by size, the smallest first.
    :ivar compared: beside Plone's registration, the smallest first.
    :ivar crowd: at the largest size.
    :ivar mailing: with mail servers of several kinds.
    :ivar renewals: of a buyer with many and of one with few.
    :ivar endurance: of one process.
    :ivar pages: that were looked at with ledgers of several sizes, the smallest first.
    """

    mail: str
    figures: list[Figures] = field(default_factory=list)
    compared: list[Compared] = field(default_factory=list)
    crowd: Crowd | None = None
    mailing: Mailing | None = None
    renewals: Renewals | None = None
    endurance: Endurance | None = None
    pages: list[Pages] = field(default_factory=list)

    def bars(self) -> list[Bar]:
        """The bars that this run can tell of."""
        return [
            bar
            for of, part in (
                (bars.of_sizes, self.figures),
                (bars.of_compared, self.compared),
                (bars.of_crowd, self.crowd),
                (bars.of_mailing, self.mailing),
                (bars.of_renewals, self.renewals),
                (bars.of_endurance, self.endurance),
                (bars.of_pages, self.pages),
            )
            if part
            for bar in of(part)
        ]

    def table(self) -> str:
        """The figures and bars for the terminal."""
        lines = [
            line
            for of, part in (
                (_sizes, self.figures),
                (_compared, self.compared),
                (_crowd, self.crowd),
                (_mailing, self.mailing),
                (_renewals, self.renewals),
                (_endurance, self.endurance),
                (_pages, self.pages),
            )
            if part
            for line in (*of(part), "")
        ]
        return "\n".join([*lines, *map(str, self.bars())])

    def json(self) -> str:
        """The figures and bars for scripts."""
        return as_json(
            self.bars(), versions={name: version(name) for name in PACKAGES}, **asdict(self)
        )


def as_json(judged: Iterable[Bar], **figures: object) -> str:
    """Figures and bars, with the time and the machine, for scripts."""
    return json.dumps(
        {
            "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "machine": machine(),
            **figures,
            "bars": [{**asdict(bar), "met": bar.met} for bar in judged],
        },
        indent=1,
    )


def machine() -> dict[str, str | int]:
    """The machine that the benchmark ran on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = "unknown"
    information = Path("/proc/meminfo")
    if information.is_file():
        kilobytes = int(information.read_text("ascii").split()[1])
        memory = f"{kilobytes / 1024 / 1024:.0f} GiB"
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": cores or 0,
        "memory": memory,
        "python": platform.python_version(),
    }


def _sizes(figures: Sequence[Figures]) -> Iterator[str]:
    heads = ("members", "purchase", "duplicate", "forged", "floor", "bytes", "memory")
    yield _row(heads)
    for found in figures:
        times = (found.purchase, found.duplicate, found.forged, found.floor)
        grown, memory = f"{found.bytes_purchase:,.0f}", _mb(found.memory)
        yield _row((f"{found.members:,}", *map(_ms, times), grown, memory))


def _compared(compared: Sequence[Compared]) -> Iterator[str]:
    yield "A purchase beside Plone's registration alone:"
    yield _row(("members", "add-on", "alone", "bytes add-on", "bytes alone", "over alone"))
    for found in compared:
        times = (found.site, found.registration)
        grown = (found.bytes_site, found.bytes_registration)
        over = f"{found.site / found.registration:.2f}"
        cells = (*map(_ms, times), *(f"{value:,.0f}" for value in grown), over)
        yield _row((f"{found.members:,}", *cells))


def _crowd(crowd: Crowd) -> Iterator[str]:
    for number, seconds in crowd.seconds.items():
        yield (
            f"{number:>3} clients: {crowd.purchases:,} purchases in {seconds:.1f} s, "
            f"p50 {crowd.p50[number]:.1f} ms, p99 {crowd.p99[number]:.1f} ms"
        )


def _mailing(found: Mailing) -> Iterator[str]:
    yield f"Mail, {found.purchases:,} purchases at each of two sites, in turns:"
    yield f"  purchase, fast mail server {found.fast:.1f} ms, slow one {found.slow:.1f} ms"
    yield f"  the mail arrives within {found.arrival:.2f} s, p95"
    yield (
        f"  front page, p95: at rest {found.quiet:.1f} ms, while {CLIENTS} clients buy and the "
        f"mail server hangs {found.hanging:.1f} ms"
    )


def _renewals(found: Renewals) -> Iterator[str]:
    yield (
        f"A renewal after few: {found.few:.1f} ms, {found.bytes_few:,.0f} bytes; "
        f"after {found.before:,}: {found.many:.1f} ms, {found.bytes_many:,.0f} bytes"
    )


def _endurance(found: Endurance) -> Iterator[str]:
    yield _row(("purchases", "memory", "loaded", "placeholders", "objects"))
    for look in found.looks:
        cells = (f"{number:,}" for number in (look.loaded, look.placeholders, look.objects))
        yield _row((f"{look.purchases:,}", _mb(look.memory), *cells))
    yield (
        f"It grew by {_mb(found.grown)}, {_mb(found.index_grown)} of it the database's index, "
        f"{_mb(found.placeholders_grown)} placeholders."
    )


def _pages(pages: Sequence[Pages]) -> Iterator[str]:
    yield f"{'':<56}" + "".join(f"{entries:>14,}" for entries in pages[0].times)
    for page in pages:
        times = "".join(f"{took:>11.1f} ms" for took in page.times.values())
        rows = "" if page.comparable else f"  rows: {list(page.rows.values())}"
        yield f"{page.name:<56}{times}{rows}"


def _row(cells: Iterable[str]) -> str:
    return "".join(f"{cell:>13}" for cell in cells)


def _ms(value: float) -> str:
    return f"{value:.1f} ms"


def _mb(value: float) -> str:
    return f"{value / 1e6:.0f} MB"
