"""Pages and sweeps of a small and a large site in turns, so that both see the same machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from itertools import cycle
from statistics import median
from tools.bench import histories
from tools.bench.pages import asks
from tools.bench.pages import count_rows
from tools.bench.provider import Caller
from tools.bench.sites import Site
from tools.client import Answer
from tools.client import Connection
from tools.demo import settings as demo
from tools.program import ToolError
from tools.sale import encoded
from tools.sale import form

import json
import time


#: Requests of each kind that are not counted.
WARM_UP = 4


@dataclass
class Pages:
    """The measured times of one kind of request, in milliseconds, by entries.

    :ivar name: of the page.
    :ivar rows: of a list, by entries; a page with more rows takes longer anywhere.
    """

    name: str
    times: dict[int, float]
    rows: dict[int, int] = field(default_factory=dict)

    @property
    def comparable(self) -> bool:
        """Whether the pages show as many rows each."""
        return len(set(self.rows.values())) < 2

    @property
    def ratio(self) -> float:
        """The largest ledger's over the smallest one's."""
        first, *_others, last = self.times.values()
        return last / first


class Owner:
    """An owner who may see everything, on one connection that is kept open."""

    def __init__(self, port: int) -> None:
        user = (demo.OWNER, demo.OWNER_PASSWORD)
        self._connection = Connection(port, user, timeout=600)
        self.close = self._connection.close

    def get(self, path: str, as_json: bool = False) -> Answer:
        """Ask for a page, and wait for the whole of it.

        :raises ToolError: there is no such page.
        """
        return self._ask("GET", path, None, as_json)

    def sweep(self) -> Answer:
        """Sweep; the answer is the report."""
        return self._ask("POST", "@click2sell-sweep", b"{}", True)

    def _ask(self, method: str, path: str, body: bytes | None, as_json: bool) -> Answer:
        headers = {"Accept": "application/json"} if as_json else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = self._connection.ask(method, path, body, headers)
        if answer.status != 200:
            raise ToolError(f"{path}: {answer.status} {answer.text[:300]!r}")
        return answer


def measure(sites: Mapping[int, Site], times: int) -> list[Pages]:
    """Ask small and large sites in turns.

    :param sites: served ones, by their entries.
    :param times: how often each page is asked for.
    :raises ToolError: an answer is not what the ledger holds.
    """
    owners = {entries: Owner(site.port) for entries, site in sites.items()}
    of_each = {
        entries: list(asks(json.loads((site.folder / "expected.json").read_text("utf-8"))))
        for entries, site in sites.items()
    }
    found = []
    for same in zip(*of_each.values(), strict=True):
        taken: dict[int, list[float]] = {entries: [] for entries in sites}
        rows: dict[int, int] = {}
        turns = [
            (entries, ask, cycle(ask.paths)) for entries, ask in zip(sites, same, strict=True)
        ]
        for number in range(WARM_UP + times):
            # Neither is always the first one.
            for entries, ask, paths in turns if number % 2 else turns[::-1]:
                path = next(paths)
                answer = owners[entries].get(path, ask.json)
                if wrong := ask.check(answer.body, path):
                    raise ToolError(f"{entries:,} entries, {path}: {wrong}")
                if number >= WARM_UP:
                    taken[entries].append(answer.seconds * 1000)
                if len(ask.paths) == 1:
                    rows[entries] = count_rows(answer.body)
        times_ = {entries: median(took) for entries, took in taken.items()}
        found.append(Pages(same[0].name, times_, {n: rows[n] for n in sites if n in rows}))
    for owner in owners.values():
        owner.close()
    return found


def measure_sweeps(sites: Mapping[int, Site], lapsed: int, times: int) -> Pages:
    """Sweep small and large sites in turns, each time with some members whose access is over.

    :param sites: served ones, by their entries.
    :param lapsed: how many members lose access in a sweep.
    :raises ToolError: a sweep did something else.
    """
    taken: dict[int, list[float]] = {entries: [] for entries in sites}
    for number in range(1 + times):
        for site in sites.values():
            _let_lapse(site, lapsed)
        time.sleep(_MOMENT.total_seconds())
        for entries, site in sites.items():
            owner = Owner(site.port)
            answer = owner.sweep()
            owner.close()
            report = answer.json()
            if len(report["lapsed"]) != lapsed or report["troubled"] or report["busy"]:
                raise ToolError(f"{entries:,} entries: not {lapsed} lapsed: {report}")
            if number:
                taken[entries].append(answer.seconds * 1000)
    return Pages(f"sweep with {lapsed} lapsed", {n: median(took) for n, took in taken.items()})


#: How long access lasts that is sold to lapse.
_MOMENT = timedelta(seconds=6)


def _let_lapse(site: Site, lapsed: int) -> None:
    """Sell a week's access that is over in a moment to subscribers."""
    product_id = "4"
    days = int(demo.PRODUCTS[product_id].terms)
    at = datetime.now(timezone.utc) - timedelta(days=days) + _MOMENT
    caller = Caller(site.port)
    for number in range(lapsed):
        # Eleven of twenty are subscribers, the first ones.
        buyer = number // 11 * histories.CYCLE + number % 11
        address = histories.buyer_address(buyer)
        caller.sell(encoded(form(address, product=product_id, at=at)))
    caller.close()
