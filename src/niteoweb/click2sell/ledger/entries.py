"""The ledger's store of entries: in the order of arrival, and by key.

The place of an entry is a whole number: minus the microseconds of its arrival, so that the
newest comes first. Of two that arrived in one microsecond the second one is put as if it
had arrived in the next. Indexes hold places and nothing else: they are small, and each record
of an index is written whole when one of its places changes.
"""

from collections.abc import Mapping
from collections.abc import MutableMapping
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.storage import trees
from persistent.mapping import PersistentMapping
from typing import Any


Entry = PersistentMapping


def get(site: Any, key: str) -> Entry | None:
    """The entry of exactly this key."""
    found = trees.tree(site, "entry_places").get(trees.number(key))
    return None if found is None else at(site, found)


def where(site: Any, key: str) -> int:
    """The place of the entry of exactly this key, without loading it.

    :raises KeyError: there is none.
    """
    return trees.tree(site, "entry_places")[trees.number(key)]


def at(site: Any, place_: int) -> Entry:
    """The entry at a place."""
    return trees.tree(site, "entries")[place_]


def choose(site: Any, values: MutableMapping[str, Any]) -> None:
    """Choose a free place for an entry that is about to be made.

    :param values: the entry's fields; the place is added where it is not the time of arrival.
    """
    entries, found = trees.tree(site, "entries"), place(values)
    while found in entries:
        found -= 1
    if found != place(values):
        values["place"] = found


def put(site: Any, entry: Entry) -> None:
    """Keep an entry whose place is free."""
    trees.tree(site, "entries")[place(entry)] = entry
    trees.tree(site, "entry_places")[trees.number(entry["key"])] = place(entry)


def rekey(site: Any, entry: Entry, key: str) -> None:
    """Let an entry be found by another key; it stays where it is."""
    places = trees.tree(site, "entry_places")
    del places[trees.number(entry["key"])]
    places[trees.number(key)] = place(entry)
    entry["key"] = key


def place(entry: Mapping[str, Any]) -> int:
    """The entry's place in each of its indexes: the newest entry comes first."""
    return entry.get("place") or -timestamps.microseconds(
        datetime.fromisoformat(entry["received_at"])
    )
