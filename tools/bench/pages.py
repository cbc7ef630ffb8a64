"""The pages that owners look at, and what each of them has to show."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from tools.bench import histories
from typing import Any
from urllib.parse import urlencode

import json
import re


#: Rows of a list on a page.
PAGE = 50
#: Different entries, and buyers, whose own pages are looked at.
SAMPLES = 100
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
    """A request to a site.

    :ivar name: for the table.
    :ivar paths: one after the other, without the site's own.
    :ivar check: called with the answer and the path; says what is wrong, "" for nothing.
    :ivar json: ask for the service and no page.
    """

    name: str
    paths: Sequence[str]
    check: Callable[[bytes, str], str]
    json: bool = False


def asks(expected: Mapping[str, Any]) -> Iterator[Ask]:
    """The requests to a site.

    :param expected: what the answers have to be, see :mod:`tools.bench.expected`.
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
    yield Ask("overview", ("@@click2sell-overview",), _contains(b"click2sell-checklist"))
    yield from _services(expected, buyers, keys)


def count_rows(answer: bytes) -> int:
    """The number of notifications, or buyers, in a list or a service's answer."""
    told = answer.count(b'"user_id"')
    return max(told, *(len(_ids(pattern, answer)) for pattern in (_ENTRY, _BUYER)))


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
