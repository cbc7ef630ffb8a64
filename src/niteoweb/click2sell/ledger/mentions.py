"""Where an address stands besides its own buyer's records: filed, so that it is found.

An address leads to its buyer, and to all that hangs on the buyer. But an owner can give a
purchase to another buyer, a payload can name several people, and a reason that an owner states
can name anybody. What holds an address that is not its buyer's is filed under it here. What it
was filed under is kept with it, so that filing again changes what differs and nothing else.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from niteoweb.click2sell.storage import trees
from typing import Any

import json
import re


#: Fields of an entry with what came from outside word for word, besides the payload.
FIELDS = ("email", "first_name", "last_name", "affiliate")

#: Addresses that one thing is filed under, at most.
MOST = 20

#: Things after which what was read leaves the memory.
_BATCH = 5000

#: Characters of an address (RFC 5321).
_LONGEST = 254

#: What stands between addresses in a text, and what may stand around one.
_BETWEEN = re.compile(r"[\s<>()\[\]{},;:\"|]+")
_AROUND = ".!?'"


def addresses(*texts: str) -> tuple[str, ...]:
    """What looks like an address in texts, in lower case."""
    found = (
        word.strip(_AROUND).lower()
        for text in texts
        if "@" in text
        for word in _BETWEEN.split(text)
    )
    return tuple(
        dict.fromkeys(word for word in found if "@" in word[1:-1] and len(word) <= _LONGEST)
    )


def names(text: str, wanted: Collection[str]) -> bool:
    """Whether a text names one of some addresses.

    :param wanted: in lower case.
    """
    return any(address in wanted for address in addresses(text))


def in_payload(entry: Mapping[str, Any]) -> list[str]:
    """What stands in an entry's payload."""
    return [str(value) for value in json.loads(entry["payload"]).values()]


def file_entry(site: Any, entry: Any) -> None:
    """File an entry of the ledger under what it names, but for the address of its buyer."""
    texts = [entry[name] for name in FIELDS]
    texts += in_payload(entry)
    _file(site, entry, entry["key"], (*texts, *_notes(entry)), (entry["buyer"],))


def file_buyer(site: Any, buyer: Any) -> None:
    """File a buyer's record under what it names, but for its own addresses."""
    subjects = (subject for _at, _event, subject in buyer.get("log", ()))
    texts = (buyer["user_id"], buyer.get("chosen", ""), *subjects, *_notes(buyer))
    _file(site, buyer, buyer["id"], texts, buyer["addresses"])


def forget(site: Any, thing: Any, id_: str) -> None:
    """Take an entry or a record out of the index: its id is about to change, or it goes.

    :param id_: key of the entry or id of the buyer.
    """
    _file(site, thing, id_, (), ())


def find(site: Any, address: str) -> list[str]:
    """Keys of the entries and ids of the buyers that are filed under an address.

    :param address: in lower case.
    """
    filed = trees.tree(site, "mentions").keys((address, ""), (address, "~"))
    return [id_ for _address, id_ in filed]


def rebuild(site: Any) -> int:
    """Make the index anew from all entries and buyers.

    :returns: how many rows it has.
    """
    filed = trees.tree(site, "mentions")
    filed.clear()
    for name, file in (("entries", file_entry), ("buyers", file_buyer)):
        for position, thing in enumerate(trees.tree(site, name).values(), 1):
            if thing.get("named"):
                thing["named"] = ()
            file(site, thing)
            if position % _BATCH == 0:
                site._p_jar.cacheGC()
    return len(filed)


def _notes(thing: Mapping[str, Any]) -> list[str]:
    return [note["text"] for note in thing.get("notes", ())]


def _file(site: Any, thing: Any, id_: str, texts: Iterable[str], own: Collection[str]) -> None:
    found = [address for address in addresses(*texts)[:MOST] if address not in own]
    now, before = tuple(sorted(found)), thing.get("named", ())
    if now == before:
        return
    index = trees.tree(site, "mentions")
    for address in set(before).difference(now):
        index.discard((address, id_))
    index.update((address, id_) for address in set(now).difference(before))
    thing["named"] = now
