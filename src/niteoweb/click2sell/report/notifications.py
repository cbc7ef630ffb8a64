"""Lists of ledger entries: filters over the ledger's indexes, the newest entry first.

A page reads index objects and the page's entries, and nothing else. So the
first and the last page of the whole ledger, or of one index, cost the same however long the
ledger is. Only the history of one buyer is read whole, and those of the few buyers whom a
search finds.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo
from itertools import islice
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import facets
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.storage import trees
from typing import Any


#: Place of an entry in an index, see :mod:`.entries`.
Place = int

#: Names of the filters, as in an address, and the facet of the ledger that each one is.
FACETS = {
    "outcome": "outcome",
    "provider": "provider",
    "kind": "kind",
    "product": "product_id",
}
NAMES = ("search", *FACETS, "buyer", "from", "to")

OUTCOMES = (*sorted(outcomes.FINAL), Outcome.RECEIVED, Outcome.FAILED)


class FilterError(ValueError):
    """A filter has a value that it cannot have.

    :ivar name: one of :data:`NAMES`.
    :ivar message: for the person who asked, translatable.
    """

    def __init__(self, name: str, message: Any) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


@dataclass(frozen=True)
class Filters:
    """The filters of the list; an empty one lets everything through.

    :ivar product: product id.
    :ivar buyer: an address of the buyer, in lower case. All entries of that buyer are listed,
        also those of other addresses of that buyer.
    :ivar search: words of an address, a name, a receipt or a transaction; all have to fit.
    :ivar since: arrived at this moment or later, in UTC.
    :ivar until: arrived at this moment or earlier, in UTC.
    """

    outcome: str = ""
    provider: str = ""
    kind: str = ""
    product: str = ""
    buyer: str = ""
    search: str = ""
    since: datetime | None = None
    until: datetime | None = None


def choices(site: Any) -> dict[str, tuple[str, ...]]:
    """The values that a filter can have, for the filters that have few."""
    used = registry.to_set_up()
    return {
        "outcome": OUTCOMES,
        "provider": tuple(sorted({*silence.providers(site)}.union(one.name for one in used))),
        "kind": tuple(str(kind) for kind in Kind),
    }


def parse(site: Any, values: Mapping[str, Any], timezone_: tzinfo) -> Filters:
    """Read filters as they stand in an address: :data:`NAMES`; other names do not count.

    :param timezone_: of dates; ``to`` means the whole of its day.
    :raises FilterError: a value is not possible.
    """
    given = {}
    for name in NAMES:
        value = values.get(name) or ""
        if not isinstance(value, str):
            message = _('"${name}" may stand only once.', mapping={"name": name})
            raise FilterError(name, message)
        if text := value.strip():
            given[name] = text
    for name, possible in choices(site).items():
        if name in given and given[name] not in possible:
            raise FilterError(
                name,
                _(
                    '"${name}" must be one of: ${possible}.',
                    mapping={"name": name, "possible": ", ".join(possible)},
                ),
            )
    moments = {}
    for name, read in (("from", timestamps.begin), ("to", timestamps.end)):
        try:
            moments[name] = read(given[name], timezone_) if name in given else None
        except ValueError:
            raise FilterError(
                name,
                _(
                    '"${name}" must be a date such as 2027-01-31, or a date and time such as '
                    "2027-01-31T12:00:00+00:00.",
                    mapping={"name": name},
                ),
            ) from None
    texts = {name: given.get(name, "") for name in ("search", *FACETS)}
    buyer, since, until = given.get("buyer", "").lower(), moments["from"], moments["to"]
    return Filters(**texts, buyer=buyer, since=since, until=until)


class Listing:
    """The entries that filters let through.

    :ivar total: how many there are, :data:`~niteoweb.click2sell.ledger.ledger.CAPPED` at most
        when :attr:`capped`.
    :ivar capped: there are more than `total`; only so many were counted, and only these have
        pages. That can happen when a range of time had to be counted, and when a search fits
        very many.
    """

    def __init__(self, site: Any, filters: Filters) -> None:
        self._site = site
        self.capped = False
        #: Places of the matching entries; None when the indexes alone give the pages.
        self._matching: list[Place] | None = None
        self._low, self._high = _bounds(filters)
        wanted = {
            facet: value for name, facet in FACETS.items() if (value := getattr(filters, name))
        }
        self._places = facets.places(site, **wanted)
        self._for_people = bool(filters.buyer or filters.search)
        if self._for_people:
            places, self.capped = _of_people(site, filters)
            self._matching = [
                place
                for place in places
                if (self._low is None or self._low <= place)
                and (self._high is None or place <= self._high)
                and (not wanted or place in self._places)
            ]
            self.total = len(self._matching)
        elif self._low is None and self._high is None:
            self.total = facets.count(site, **wanted)
        else:
            matching = list(islice(self._in_time(), ledger.CAPPED + 1))
            self._matching = matching[: ledger.CAPPED]
            self.total = len(self._matching)
            self.capped = len(matching) > ledger.CAPPED

    def keys(self, start: int, size: int) -> list[str]:
        """Keys of a page, the newest first.

        :param start: entries before the page, from 0.
        :param size: entries on the page, at most.
        """
        stop = min(start + size, self.total)
        if start >= stop:
            return []
        if self._matching is not None:
            places = self._matching[start:stop]
        else:
            places = part(self._places, self.total, start, stop)
        return [entries.at(self._site, place)["key"] for place in places]

    def every_key(self) -> Iterator[str]:
        """Keys of all of them, the newest first, also of those that were not counted.

        Of a search that fits very many there are no others than those that are listed.
        """
        for place in self._matching if self._for_people else self._in_time():
            yield entries.at(self._site, place)["key"]

    def _in_time(self) -> Iterator[Place]:
        return self._places.between(self._low, self._high)


def part(places: facets.Places, total: int, start: int, stop: int) -> list[Place]:
    """Some of many places, read from whichever of their ends is nearer.

    :param total: how many there are.
    """
    if start <= total // 2:
        return list(islice(places, start, stop))
    from_the_end = [
        place
        for position, place in zip(
            range(total - 1, start - 1, -1), places.last_first(), strict=False
        )
        if position < stop
    ]
    return from_the_end[::-1]


def _bounds(filters: Filters) -> tuple[Place | None, Place | None]:
    """The first place that is let through, and the last one."""
    low = high = None
    if filters.until is not None:
        low = -timestamps.microseconds(filters.until)
    if filters.since is not None:
        high = -timestamps.microseconds(filters.since)
    return low, high


def _of_people(site: Any, filters: Filters) -> tuple[list[Place], bool]:
    """Places of the entries of a buyer that match words, and whether there may be more."""
    if not filters.search:
        return _of_buyer(site, filters.buyer), False
    results = search.entries(site, filters.search)
    places = sorted(entries.where(site, key) for key in results.ids)
    if filters.buyer:
        of_buyer = set(_of_buyer(site, filters.buyer))
        return [place for place in places if place in of_buyer], results.capped
    return places, results.capped


def _of_buyer(site: Any, address: str) -> list[Place]:
    """Places of all entries of the buyers with this address."""
    buyer_id = trees.tree(site, "buyer_by_address").get(pseudonyms.address(site, address), "")
    records = [buyers.get(site, buyer_id), *customers.stating(site, address)]
    keys = {key for record in records if record is not None for key in record["keys"]}
    return sorted(entries.where(site, key) for key in keys)
