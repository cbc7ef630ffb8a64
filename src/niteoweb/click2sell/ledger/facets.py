"""The entries of each outcome, provider, kind and product.

An entry is filed once, in the set of all entries that share its four values. The entries of one
outcome, or of one outcome and one product, are those of several sets, which are read side by
side in the order of arrival. So a list with several filters costs no more than one with a
single filter, however few entries they have in common, and is counted exactly. Its cost
grows with the number of different sets, that is, of products on sale, and not of entries.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from heapq import merge
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger.outcomes import Outcome
from niteoweb.click2sell.storage import trees
from typing import Any


#: Fields of an entry that a list can be about.
NAMES = ("outcome", "provider", "kind", "product_id")


class Places:
    """Places of entries, from several sets, the newest entry first.

    :param sets: BTrees whose keys are places.
    """

    def __init__(self, sets: Sequence[Any]) -> None:
        self._sets = sets

    def __iter__(self) -> Iterator[int]:
        return merge(*self._sets)

    def __contains__(self, place: int) -> bool:
        return any(place in of_one for of_one in self._sets)

    def between(self, low: int | None = None, high: int | None = None) -> Iterator[int]:
        """Places between two places, both included; None for no limit."""
        return merge(*(of_one.keys(low, high) for of_one in self._sets))

    def last_first(self, bound: int | None = None) -> Iterator[int]:
        """Places from the last one, the oldest entry, on.

        :param bound: begin at this place, or just before it.
        """
        return merge(*(_backwards(of_one, bound) for of_one in self._sets), reverse=True)


def places(site: Any, **wanted: str) -> Places:
    """The places of all entries that have these values.

    :param wanted: values of some of :data:`NAMES`; of none for all entries.
    """
    if not wanted:
        return Places((trees.tree(site, "entries"),))
    filed = trees.tree(site, "facets")
    return Places([filed[values] for values in _fitting(site, wanted)])


def count(site: Any, **wanted: str) -> int:
    """The number of entries with these values.

    :param wanted: values of some of :data:`NAMES`; of none for all entries.
    """
    filed, counts = trees.tree(site, "facets"), trees.tree(site, "counts")
    return sum(
        counts[values]() if is_counted(values[0]) else len(filed[values])
        for values in _fitting(site, wanted)
    )


def is_counted(outcome: str) -> bool:
    """Whether the entries of an outcome have a counter; it is left in a moment otherwise."""
    return outcome != Outcome.RECEIVED


def values(site: Any, name: str) -> tuple[str, ...]:
    """The values that entries have, or had, of one of :data:`NAMES`."""
    position = NAMES.index(name)
    return tuple(sorted({filed[position] for filed in trees.tree(site, "facets")}))


def groups_of(entry: Mapping[str, Any]) -> tuple[tuple[str, ...], int]:
    """An entry's values, and its place in the set of all entries with these values."""
    return tuple(entry[name] for name in NAMES), entries.place(entry)


def _fitting(site: Any, wanted: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    asked = [(NAMES.index(name), value) for name, value in wanted.items()]
    for filed in trees.tree(site, "facets"):
        if all(filed[position] == value for position, value in asked):
            yield filed


def _backwards(tree: Any, bound: int | None) -> Iterator[int]:
    # A tree cannot be read backwards; but it finds the last key before another one.
    while tree:
        try:
            found = tree.maxKey() if bound is None else tree.maxKey(bound)
        except ValueError:
            return
        yield found
        bound = found - 1
