"""The ledger's store of entries: in the order of arrival, and by key.

An entry is stored as two records: the notification, which is written once, and again without
its payload when retention or erasure remove that; and its processing, a small one that alone is
written when the outcome changes. Fields that have their default are left out.

The place of an entry is a whole number: minus the microseconds of its arrival, so that the
newest comes first. Of two that arrived in one microsecond the second one is put as if it
had arrived in the next. Indexes hold places and nothing else: they are small, and each record
of an index is written whole when one of its places changes.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import records
from niteoweb.click2sell.ledger.outcomes import Outcome
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import Record
from niteoweb.click2sell.storage import trees
from types import MappingProxyType
from typing import Any
from typing import TypeVar


T = TypeVar("T")

#: The processing of an entry that was just recorded.
_PROCESSING = {
    "outcome": str(Outcome.RECEIVED),
    "reason": "",
    "subject": "",
    "error": "",
    # The attempts that failed, the latest of them, see ledger.note_failure().
    "failures": (),
    "attempts": 0,
    # Whether it takes part in computing its buyer's entitlements.
    "counts": False,
    "buyer_id": "",
    # Reason and subject that an owner has decided to leave as they are.
    "dismissed": None,
    # The decisions of owners about it, see ledger.add_note().
    "notes": (),
    # Terms, from the mapping at the time of recording.
    "days": None,
    "exclusive": False,
    "terms_known": False,
}

#: Further fields that few entries have, so that they are listed only where they say something.
_SELDOM = {
    # Its place, where that of its time of arrival was taken.
    "place": 0,
    # The provider has to be asked for the details; when it told them.
    "asks": False,
    "told_at": "",
    # When a failed entry is tried again, or which provider it waits for, see retryqueue.py.
    "retry_at": "",
    "waits_for": "",
    # It ties its transaction to its buyer and product, see ownership.py.
    "binds": False,
    # When its buyer was erased, and the prefix of its key in the order then.
    "erased_at": "",
    "tie": "",
}

#: Fields of notifications that few have.
_SELDOM_TOLD = {
    *("customer_id", "external_subscription_id", "in_reply_to", "validation_result", "aliases"),
    *("valid_from", "earliest", "member_token", "member", "undoing"),
    *("fully_signed", "snapshot", "customer_deleted", "customer_suspended"),
    *("attention", "attention_subject"),
}

#: Fields that nothing is filed by, and nothing derived from.
_UNFILED = {"attempts", "error"}

_DEFAULTS = {**records.DEFAULTS, **_PROCESSING, **_SELDOM}
_LISTED = _DEFAULTS.keys() - _SELDOM.keys() - _SELDOM_TOLD


class Entry(Mapping[str, Any]):
    """An entry of the ledger, to be read: the fields of its notification and its processing.

    :ivar stored: the record of its processing, for the ledger's room alone.
    """

    __slots__ = ("stored",)

    def __init__(self, stored: Record) -> None:
        self.stored = stored

    def __getitem__(self, name: str) -> Any:
        # The dictionaries in the mappings: pages and reports read many fields.
        part = self.stored.data
        if name not in part:
            part = part[TOLD].data
        value = part[name] if name in part else _DEFAULTS[name]
        return MappingProxyType(value) if name == "payload" else value

    def derived(self, function: Callable[["Entry"], T]) -> T:
        """The result of a function of this entry, kept in memory until the entry changes.

        :param function: of a module; of the entry's own fields alone, not of its index rows.
        """
        try:
            known = self.stored._v_derived
        except AttributeError:
            known = self.stored._v_derived = {}
        if function not in known:
            known[function] = function(self)
        return known[function]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> set[str]:
        return {*self.stored, *self.stored[TOLD], *_LISTED} - {TOLD}


#: The field of the stored record that holds the notification.
TOLD = "notification"


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
    """The entry at a place.

    :raises KeyError: there is none.
    """
    return Entry(trees.tree(site, "entries")[place_])


def new(site: Any, told: Mapping[str, Any], buyer: str) -> Entry:
    """An entry that is not put anywhere yet.

    :param told: its notification as a record, with the time of arrival; a place is added where
        the one of that time is taken.
    :param buyer: the address that the entry is assigned to.
    """
    stored = Record({TOLD: Record(told), "buyer": buyer})
    entry, entries = Entry(stored), trees.tree(site, "entries")
    free = place(entry)
    while free in entries:
        free -= 1
    if free != place(entry):
        stored[TOLD]["place"] = free
    return entry


def put(site: Any, entry: Entry) -> None:
    """Keep an entry whose place is free."""
    trees.tree(site, "entries")[place(entry)] = entry.stored
    trees.tree(site, "entry_places")[trees.number(entry["key"])] = place(entry)
    indexes.mark(site, "entries", entry.stored)


def change(site: Any, entry: Entry, **values: Any) -> None:
    """Set fields of an entry's processing, writing only those that differ.

    Its indexes follow, and those of its buyer, whose words and payments are the entries'.
    """
    if _set(entry.stored, values) and not values.keys() <= _UNFILED:
        _mark(site, entry)


def exchange(site: Any, entry: Entry, **values: Any) -> None:
    """Exchange fields of an entry's notification: its provider completed it, or it was erased.

    The record is written anew in its place, so that the next pack removes the old values.
    """
    if _set(entry.stored[TOLD], values):
        # So that nobody goes on with what was derived from it.
        entry.stored._p_changed = True
        _mark(site, entry)


def rekey(site: Any, entry: Entry, key: str) -> None:
    """Let an entry be found by another key; it stays where it is."""
    places = trees.tree(site, "entry_places")
    del places[trees.number(entry["key"])]
    places[trees.number(key)] = place(entry)
    exchange(site, entry, key=key)


def place(entry: Mapping[str, Any]) -> int:
    """The entry's place in each of its indexes: the newest entry comes first."""
    return entry["place"] or -timestamps.microseconds(
        datetime.fromisoformat(entry["received_at"])
    )


def _set(part: Record, values: Mapping[str, Any]) -> bool:
    """Set values in a part of an entry; whether that changed anything."""
    changed = {n: v for n, v in values.items() if part.get(n, _DEFAULTS.get(n)) != v}
    for name, value in changed.items():
        if name in _DEFAULTS and value == _DEFAULTS[name]:
            del part[name]
        else:
            part[name] = value
    return bool(changed)


def _mark(site: Any, entry: Entry) -> None:
    if hasattr(entry.stored, "_v_derived"):
        del entry.stored._v_derived
    indexes.mark(site, "entries", entry.stored)
    buyer = trees.tree(site, "buyers").get(entry["buyer_id"])
    if buyer is not None:
        if "summary" in buyer and place(entry) not in buyer["recent"]:
            # It is one of those that the buyer's summary stands for.
            del buyer["summary"]
        indexes.mark(site, "buyers", buyer)
