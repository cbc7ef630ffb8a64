"""The results: a table, what each bar asks, JSON, and a plot."""

from collections.abc import Iterator
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timezone
from importlib.metadata import version
from lxml import etree
from pathlib import Path
from tools.bench import bars
from tools.bench import table
from tools.bench.bars import Bar
from tools.bench.crowd import Crowd
from tools.bench.endurance import Endurance
from tools.bench.measure import Compared
from tools.bench.measure import Figures
from tools.bench.visits import Pages

import json
import os
import platform
import pygal


PACKAGES = ("niteoweb.click2sell", "Products.CMFPlone", "Zope", "ZODB", "BTrees", "waitress")
#: What is plotted of a comparison, and how it is called there.
LINES = {
    "site": "with the add-on",
    "legacy": "release 0.4.5",
    "registration": "Plone alone",
    "django": "bare Django",
}


@dataclass
class Outcome:
    """What a run of the benchmarks found; what was left out is empty.

    :ivar mail: what new members were mailed.
    :ivar figures: by size, the smallest first.
    :ivar compared: the same.
    :ivar crowd: at the largest size.
    :ivar endurance: of one process.
    :ivar pages: that were looked at with ledgers of several sizes, the smallest first.
    """

    mail: str
    figures: list[Figures] = field(default_factory=list)
    compared: list[Compared] = field(default_factory=list)
    crowd: Crowd | None = None
    endurance: Endurance | None = None
    pages: list[Pages] = field(default_factory=list)

    def bars(self) -> list[Bar]:
        """The bars that this run can tell of."""
        return list(self._of_parts(bars))

    def table(self) -> str:
        """For the terminal."""
        return "\n".join([*self._of_parts(table, ""), *map(str, self.bars())])

    def json(self) -> str:
        """For scripts."""
        return json.dumps(
            {
                "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "machine": machine(),
                "versions": {name: version(name) for name in PACKAGES},
                **asdict(self),
                "bars": [{**asdict(bar), "met": bar.met} for bar in self.bars()],
            },
            indent=2,
        )

    def plot(self) -> bytes:
        """Cost against members, as SVG without any script."""
        chart = pygal.Line(
            title="A purchase by members in each group, median in milliseconds",
            js=(),
            include_x_axis=True,
            x_labels=[f"{found.members:,}" for found in self.compared],
        )
        for name, called in LINES.items():
            values = [getattr(found, name) for found in self.compared]
            if None not in values:
                chart.add(called, [round(value, 2) for value in values])
        drawn = chart.render_tree()
        for script in list(drawn.iter("script", "{*}script")):
            script.getparent().remove(script)
        return etree.tostring(drawn)

    def _of_parts(self, module, *end: str) -> Iterator:
        """What a module says of each part that there is.

        :param end: follows each part.
        """
        parts = {
            module.of_sizes: self.figures,
            module.of_compared: self.compared,
            module.of_crowd: self.crowd,
            module.of_endurance: self.endurance,
            module.of_pages: self.pages,
        }
        for say, part in parts.items():
            if part:
                yield from say(part)
                yield from end


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
