"""The pages that owners look at, asked of a small and a large site in turns."""

from base64 import b64encode
from bench import histories
from bench.provider import Caller
from bench.provider import encoded
from bench.server import BenchError
from bench.server import Site
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from demo import settings as demo
from http.client import HTTPConnection
from itertools import cycle
from niteoweb.click2sell import notify
from statistics import median
from typing import Any
from urllib.parse import urlencode

import json
import re
import time


#: Rows of a list on a page.
PAGE = 50
#: Different entries, and buyers, whose own pages are looked at.
SAMPLES = 100
#: Requests of each kind that are not counted.
WARM_UP = 4

#: Names of the filters, and the fields of an entry that they are about.
FACETS = {
    "outcome": "outcome",
    "provider": "provider",
    "kind": "kind",
    "product": "product_id",
}

#: The lists of notifications, with their filters.
LISTS: Mapping[str, Mapping[str, str]] = {
    "all": {},
    "outcome": {"outcome": "accepted"},
    "rare outcome": {"outcome": "needs attention"},
    "provider": {"provider": "click2sell"},
    "kind": {"kind": "renewal"},
    "product": {"product": "2"},
    "two, nearly all": {"outcome": "accepted", "provider": "click2sell"},
    "two, many": {"kind": "purchase", "product": "2"},
    "two, few": {"outcome": "needs attention", "product": "6"},
    "two, few of many": {"provider": histories.OTHER, "kind": "purchase"},
    "two, none of many": {"kind": "renewal", "product": "1"},
    "three": {"outcome": "accepted", "provider": "click2sell", "kind": "purchase"},
}

#: Beyond the last page of anything.
_END = 10**9

_ENTRY = re.compile(rb"@@click2sell-notifications/([0-9a-f]{64})")
_BUYER = re.compile(rb"@@click2sell-members/([0-9a-f]{12,32})\"")


@dataclass
class Ask:
    """What is asked of a site.

    :ivar name: for the table.
    :ivar paths: one after the other, without the site's own.
    :ivar check: called with the answer and the path; says what is wrong, "" for nothing.
    :ivar json: ask for the service and no page.
    """

    name: str
    paths: Sequence[str]
    check: Callable[[bytes, str], str]
    json: bool = False


@dataclass
class Pages:
    """What was measured of one kind of request; times are in milliseconds, by entries.

    :ivar name: of the page.
    """

    name: str
    times: dict[int, float]

    @property
    def ratio(self) -> float:
        """The largest ledger's over the smallest one's."""
        first, *_others, last = self.times.values()
        return last / first


class Owner:
    """Somebody who may see everything, on one connection that is kept open."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=600)
        word = f"{demo.OWNER}:{demo.OWNER_PASSWORD}".encode("ascii")
        self._headers = {"Authorization": f"Basic {b64encode(word).decode('ascii')}"}

    def get(self, path: str, as_json: bool = False) -> tuple[float, bytes]:
        """Ask for a page, and wait for the whole of it.

        :returns: seconds, and the answer.
        :raises BenchError: there is no such page.
        """
        return self._ask("GET", path, None, as_json)

    def sweep(self) -> tuple[float, dict[str, Any]]:
        """Sweep.

        :returns: seconds, and the report.
        """
        taken, answer = self._ask("POST", "@click2sell-sweep", b"{}", True)
        return taken, json.loads(answer)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _ask(
        self, method: str, path: str, body: bytes | None, as_json: bool
    ) -> tuple[float, bytes]:
        headers = dict(self._headers)
        if as_json:
            headers["Accept"] = "application/json"
        if body is not None:
            headers["Content-Type"] = "application/json"
        begin = time.perf_counter()
        self._connection.request(method, f"/{demo.SITE_ID}/{path}", body, headers)
        answer = self._connection.getresponse()
        said = answer.read()
        taken = time.perf_counter() - begin
        if answer.status != 200:
            raise BenchError(f"{path}: {answer.status} {said[:300]!r}")
        return taken, said


def asks(expected: Mapping[str, Any]) -> Iterator[Ask]:
    """What is asked of a site.

    :param expected: what the answers have to be, see :mod:`bench.expected`.
    """
    for name, filters in LISTS.items():
        for end, start in (("first", 0), ("last", _END)):
            query = urlencode({**filters, "b_start": start})
            yield Ask(
                f"notifications: {name}, {end} page",
                (f"@@click2sell-notifications?{query}",),
                _list(expected[name], end),
            )
    now = datetime.now(timezone.utc)
    for name, filters in (
        ("the last week", {"from": f"{now - timedelta(days=7):%Y-%m-%d}"}),
        ("a day half a year ago", _day(now - timedelta(days=180))),
        ("everything since then", {"from": f"{now - timedelta(days=180):%Y-%m-%d}"}),
        ("kind and time", {"kind": "refund", "from": f"{now - timedelta(days=300):%Y-%m-%d}"}),
    ):
        for end, start in (("first", 0), ("last", _END)):
            query = urlencode({**filters, "b_start": start})
            yield Ask(
                f"notifications: {name}, {end} page",
                (f"@@click2sell-notifications?{query}",),
                _some_entries,
            )
    address = histories.buyer_address(0)
    for name, query, least in (
        ("buyer", {"buyer": address}, 10),
        ("search for an address", {"search": address}, 10),
        ("search for a receipt", {"search": "R-0-3"}, 1),
        ("search for a common name", {"search": "anna"}, 50),
        ("search for two common names", {"search": "anna bauer"}, 20),
        ("search and outcome", {"search": "anna bauer", "outcome": "accepted"}, 15),
    ):
        yield Ask(
            f"notifications: {name}",
            (f"@@click2sell-notifications?{urlencode(query)}",),
            _at_least(_ENTRY, least),
        )
    keys = expected["some entries"]
    yield Ask("a notification", [f"@@click2sell-notifications/{key}" for key in keys], _about)
    for end, start in (("first", 0), ("last", _END)):
        yield Ask(
            f"members, {end} page",
            (f"@@click2sell-members?b_start={start}",),
            _rows(_BUYER, expected["members"][end]),
        )
    for name, text, least in (
        ("address", address, 1),
        ("a receipt", "R-0-3", 1),
        ("a common name", "bauer", 10),
        ("two common names", "anna bauer", 2),
    ):
        yield Ask(
            f"members: search for {name}",
            (f"@@click2sell-members?{urlencode({'search': text})}",),
            _at_least(_BUYER, least),
        )
    buyers = expected["some buyers"]
    yield Ask("a member", [f"@@click2sell-members/{id_}" for id_ in buyers], _contains(b"R-"))
    for query in ("days=30", "months=24"):
        yield Ask(f"report, {query}", (f"@@click2sell-report?{query}",), _contains(b"<svg"))
    yield Ask("check-list", ("@@click2sell-checklist",), _contains(b"click2sell"))
    yield from _services(expected, buyers, keys)


def _services(
    expected: Mapping[str, Any], buyers: Sequence[str], keys: Sequence[str]
) -> Iterator[Ask]:
    for name in ("all", "outcome", "two, many", "two, few of many"):
        query = urlencode({**LISTS[name], "b_size": PAGE})
        yield Ask(
            f"service: notifications, {name}",
            (f"@click2sell-notifications?{query}",),
            _items(expected[name]),
            json=True,
        )
    yield Ask(
        "service: a notification",
        [f"@click2sell-notifications/{key}" for key in keys],
        _contains(b"payload"),
        json=True,
    )
    yield Ask("service: members", ("@click2sell-members",), _contains(b"items"), json=True)
    yield Ask(
        "service: a member",
        [f"@click2sell-members/{buyer_id}" for buyer_id in buyers],
        _contains(b"timeline"),
        json=True,
    )
    yield Ask("service: report", ("@click2sell-report",), _contains(b"figures"), json=True)


def measure(sites: Mapping[int, Site], times: int) -> list[Pages]:
    """Ask small and large sites in turns.

    :param sites: served ones, by their entries.
    :param times: how often each page is asked for.
    :raises BenchError: an answer is not what the ledger holds.
    """
    owners = {entries: Owner(site.port) for entries, site in sites.items()}
    of_each = {
        entries: list(asks(json.loads((site.folder / "expected.json").read_text("utf-8"))))
        for entries, site in sites.items()
    }
    found = []
    for same in zip(*of_each.values(), strict=True):
        taken: dict[int, list[float]] = {entries: [] for entries in sites}
        turns = [
            (entries, ask, cycle(ask.paths)) for entries, ask in zip(sites, same, strict=True)
        ]
        for number in range(WARM_UP + times):
            # Neither is always the first one.
            for entries, ask, paths in turns if number % 2 else turns[::-1]:
                path = next(paths)
                seconds, answer = owners[entries].get(path, ask.json)
                if wrong := ask.check(answer, path):
                    raise BenchError(f"{entries:,} entries, {path}: {wrong}")
                if number >= WARM_UP:
                    taken[entries].append(seconds * 1000)
        found.append(Pages(same[0].name, {n: median(took) for n, took in taken.items()}))
    for owner in owners.values():
        owner.close()
    return found


def measure_sweeps(sites: Mapping[int, Site], lapsed: int, times: int) -> Pages:
    """Sweep small and large sites in turns, each time with some members whose access is over.

    :param sites: served ones, by their entries.
    :param lapsed: how many members lose access in a sweep.
    :raises BenchError: a sweep did something else.
    """
    taken: dict[int, list[float]] = {entries: [] for entries in sites}
    for number in range(1 + times):
        for site in sites.values():
            _let_lapse(site, lapsed)
        time.sleep(_MOMENT.total_seconds())
        for entries, site in sites.items():
            owner = Owner(site.port)
            seconds, report = owner.sweep()
            owner.close()
            if len(report["lapsed"]) != lapsed or report["troubled"] or report["busy"]:
                raise BenchError(f"{entries:,} entries: not {lapsed} lapsed: {report}")
            if number:
                taken[entries].append(seconds * 1000)
    return Pages(f"sweep with {lapsed} lapsed", {n: median(took) for n, took in taken.items()})


#: How long access lasts that is sold to lapse.
_MOMENT = timedelta(seconds=6)


def _let_lapse(site: Site, lapsed: int) -> None:
    """Sell a week's access that is over in a moment to subscribers."""
    product_id = "4"
    product = demo.PRODUCTS[product_id]
    days = int(product.terms)
    at = datetime.now(timezone.utc) - timedelta(days=days) + _MOMENT
    caller = Caller(site.port)
    for number in range(lapsed):
        # Eleven of twenty are subscribers, the first ones.
        buyer = number // 11 * histories.CYCLE + number % 11
        receipt = f"L-{number}-{time.time_ns()}"
        form = notify.form_fields(
            demo.SECRET_KEY,
            receipt,
            product=product_id,
            email=histories.buyer_address(buyer),
            date=f"{at:%Y-%m-%d}",
            time=f"{at:%H:%M:%S}",
            receipt=receipt,
            product_name=product.name,
            price=product.price,
        )
        caller.sell(encoded(form))
    caller.close()


def _day(at: datetime) -> dict[str, str]:
    return {"from": f"{at:%Y-%m-%d}", "to": f"{at:%Y-%m-%d}"}


def _list(expected: Mapping[str, Any], end: str) -> Callable[[bytes, str], str]:
    return _rows(_ENTRY, expected[end])


def _rows(pattern: re.Pattern[bytes], ids: Sequence[str]) -> Callable[[bytes, str], str]:
    def check(answer: bytes, _path: str) -> str:
        found = _ids(pattern, answer)
        return "" if found == list(ids) else f"{len(found)} rows, other ones than {len(ids)}"

    return check


def _at_least(pattern: re.Pattern[bytes], least: int) -> Callable[[bytes, str], str]:
    def check(answer: bytes, _path: str) -> str:
        found = _ids(pattern, answer)
        return "" if len(found) >= least else f"{len(found)} rows, not {least}"

    return check


def _some_entries(answer: bytes, _path: str) -> str:
    return "" if b"Notifications" in answer else "no list"


def _contains(text: bytes) -> Callable[[bytes, str], str]:
    return lambda answer, _path: "" if text in answer else f"without {text!r}"


def _about(answer: bytes, path: str) -> str:
    return "" if path.rpartition("/")[2].encode("ascii") in answer else "another one"


def _items(expected: Mapping[str, Any]) -> Callable[[bytes, str], str]:
    def check(answer: bytes, _path: str) -> str:
        items = json.loads(answer)["items"]
        keys = [item["key"] for item in items]
        return "" if keys == expected["first"] else f"{len(keys)} other items"

    return check


def _ids(pattern: re.Pattern[bytes], answer: bytes) -> list[str]:
    """Ids in the links of a page, each once, in order."""
    return [found.decode("ascii") for found in dict.fromkeys(pattern.findall(answer))]
