"""The results: a table, what each bar asks, JSON, and a plot."""

from bench.measure import Crowd
from bench.measure import Figures
from bench.visits import Pages
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from datetime import datetime
from datetime import timezone
from importlib.metadata import version
from lxml import etree
from pathlib import Path

import json
import os
import platform
import pygal


PACKAGES = ("niteoweb.click2sell", "Products.CMFPlone", "Zope", "ZODB", "BTrees", "waitress")


@dataclass(frozen=True)
class Bar:
    """What is asked of a figure.

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


class Outcome:
    """What a run of the benchmarks found.

    :param figures: by size, the smallest first.
    :param crowd: of the largest size, None when it was left out.
    :param pages: that were looked at with ledgers of several sizes, the smallest first.
    """

    def __init__(
        self,
        figures: list[Figures],
        crowd: Crowd | None,
        mail: str,
        pages: Sequence[Pages] = (),
    ) -> None:
        self._figures = figures
        self._crowd = crowd
        self._mail = mail
        self._pages = pages

    def bars(self) -> list[Bar]:
        """The bars that this run can tell of."""
        purchases = self._of_purchases() if self._figures else []
        compared = [page for page in self._pages if page.comparable]
        return purchases + [Bar(page.name, page.ratio, 1.3) for page in compared]

    def _of_purchases(self) -> list[Bar]:
        first, last = self._figures[0], self._figures[-1]
        sizes = f"{last.members:,} members"
        found = [
            Bar(
                f"a purchase, {sizes} over {first.members:,}",
                last.purchase / first.purchase,
                1.1,
            ),
            Bar(f"bytes a purchase, {sizes}", last.bytes_purchase, 30_000, "bytes"),
            Bar(f"a purchase over the floor, {sizes}", last.purchase / last.floor, 5),
            Bar(f"duplicate over first, {sizes}", last.duplicate / last.purchase, 0.3),
            Bar(f"forged over the floor, {sizes}", last.forged / last.floor, 1.3),
            Bar("growth by 1,000 forged ones", last.bytes_forged, 0, "bytes"),
        ]
        if self._crowd is not None:
            crowd, many = self._crowd, self._crowd.clients
            at_once = f"{many} clients, {crowd.purchases:,} purchases, {sizes}"
            found += [
                Bar(f"failed or lost, {at_once}", crowd.failed, 0),
                Bar(
                    f"total time over one client's, {at_once}",
                    crowd.seconds[many] / crowd.seconds[1],
                    1.15,
                ),
                Bar(
                    f"p99 over one client's median, {at_once}",
                    crowd.p99[many] / crowd.p50[1],
                    15,
                ),
            ]
        return found

    def table(self) -> str:
        """For the terminal."""
        heads = ("members", "purchase", "duplicate", "forged", "floor", "bytes", "memory")
        lines = ["".join(f"{head:>11}" for head in heads)] if self._figures else []
        lines += [
            f"{f.members:>11,}{f.purchase:>8.1f} ms{f.duplicate:>8.1f} ms{f.forged:>8.1f} ms"
            f"{f.floor:>8.1f} ms{f.bytes_purchase:>11,.0f}{f.memory / 1e6:>8.0f} MB"
            for f in self._figures
        ]
        if self._crowd is not None:
            crowd = self._crowd
            lines.append("")
            lines += [
                f"{number:>3} clients: {crowd.purchases:,} purchases in "
                f"{crowd.seconds[number]:.1f} s, p50 {crowd.p50[number]:.1f} ms, "
                f"p99 {crowd.p99[number]:.1f} ms"
                for number in crowd.seconds
            ]
        if self._pages:
            lines.append(f"{'':<56}" + "".join(f"{n:>14,}" for n in self._pages[0].times))
            lines += [
                f"{page.name:<56}"
                + "".join(f"{took:>11.1f} ms" for took in page.times.values())
                + ("" if page.comparable else f"  rows: {list(page.rows.values())}")
                for page in self._pages
            ]
        lines.append("")
        lines += [
            f"{'met' if bar.met else 'NOT':<4} {bar.name:<72}{_figure(bar.value):>9}"
            f"  at most {_figure(bar.most)} {bar.unit}".rstrip()
            for bar in self.bars()
        ]
        return "\n".join(lines)

    def json(self) -> str:
        """For scripts."""
        return json.dumps(
            {
                "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "machine": machine(),
                "versions": {name: version(name) for name in PACKAGES},
                "mail": self._mail,
                "figures": [asdict(figures) for figures in self._figures],
                "crowd": None if self._crowd is None else asdict(self._crowd),
                "pages": [asdict(page) for page in self._pages],
                "bars": [{**asdict(bar), "met": bar.met} for bar in self.bars()],
            },
            indent=2,
        )

    def plot(self) -> bytes:
        """Cost against members, as SVG without any script."""
        chart = pygal.Line(
            title="Medians by members in each group, in milliseconds",
            js=(),
            include_x_axis=True,
            x_labels=[f"{figures.members:,}" for figures in self._figures],
        )
        for kind in ("purchase", "duplicate", "forged", "floor"):
            chart.add(kind, [round(getattr(figures, kind), 2) for figures in self._figures])
        drawn = chart.render_tree()
        for script in list(drawn.iter("script", "{*}script")):
            script.getparent().remove(script)
        return etree.tostring(drawn)


def machine() -> dict[str, str | int]:
    """What the benchmark ran on."""
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


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
