"""Records that are good for some time only: a checkout, a session, a link.

One that is over is not given out any more. It goes when the next one is added.
"""

from collections.abc import Collection
from collections.abc import Iterator
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.storage import trees
from typing import Any


class ShortLived:
    """Records of one kind, each under a key.

    :param name: of their tree; that of its index ends with ``_by_end``.
    """

    def __init__(self, name: str) -> None:
        self._name, self._index = name, f"{name}_by_end"
        # key -> (until when it is good, values...), and (until when, key)
        trees.declare(**{self._name: trees.Tree, self._index: trees.TreeSet})

    def add(self, site: Any, key: str, until: datetime, *values: Any) -> None:
        """Add a record, in the place of one that has its key."""
        ends, end = trees.tree(site, self._index), timestamps.iso(until)
        over = [one for _end, one in ends.keys(None, (_now(), ""))]
        for one in (*over, key):
            self.remove(site, one)
        trees.tree(site, self._name)[key] = (end, *values)
        ends.insert((end, key))

    def get(self, site: Any, key: str) -> tuple[Any, ...] | None:
        """The values of a record, None for none that is good."""
        end, *values = trees.tree(site, self._name).get(key, ("",))
        return tuple(values) if end > _now() else None

    def change(self, site: Any, key: str, *values: Any) -> None:
        """Give a record other values; it is good for as long as before."""
        records = trees.tree(site, self._name)
        records[key] = (records[key][0], *values)

    def remove(self, site: Any, key: str) -> None:
        """Remove a record, if there is one."""
        end, *_values = trees.tree(site, self._name).pop(key, ("",))
        if end:
            trees.tree(site, self._index).remove((end, key))

    def good_after(self, site: Any, moment: datetime) -> Iterator[tuple[Any, ...]]:
        """The values of the records that are good after a moment."""
        records = trees.tree(site, self._name)
        for _end, key in trees.tree(site, self._index).keys((timestamps.iso(moment), "")):
            yield records[key][1:]

    def ends(self, site: Any, addresses: Collection[str]) -> dict[str, str]:
        """Until when records are good whose last value is one of some addresses, by their keys.

        All are looked at: there are few at a time.

        :param addresses: in lower case.
        """
        records = trees.tree(site, self._name).items()
        return {key: end for key, (end, *_rest, last) in records if last in addresses}

    def erase(self, site: Any, addresses: Collection[str]) -> None:
        """Remove the records of some addresses.

        :param addresses: see :meth:`ends`.
        """
        for key in self.ends(site, addresses):
            self.remove(site, key)


def _now() -> str:
    return timestamps.iso(timestamps.now())
