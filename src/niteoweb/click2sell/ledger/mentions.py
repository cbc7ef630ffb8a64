"""The index of personal data in the records of others.

An address leads to its buyer, and to all records of the buyer. But an owner can give a purchase
to another buyer, a payload can name several people, and a reason that an owner states can name
anybody. Each record that holds an address which is not its buyer's is filed under it here.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from niteoweb.click2sell.storage import trees
from typing import Any

import re


#: Fields of an entry that came from outside word for word, besides the payload.
FIELDS = ("email", "first_name", "last_name", "affiliate", "member")

#: Addresses that one record is filed under, at most.
MOST = 20

#: Characters of an address (RFC 5321).
_LONGEST = 254

#: Characters between addresses in a text, and characters around one.
_BETWEEN = re.compile(r"[\s<>()\[\]{},;:\"|]+")
_AROUND = ".!?'"


def addresses(*texts: str) -> tuple[str, ...]:
    """All words in texts that look like addresses, in lower case."""
    candidates = (
        word.strip(_AROUND).lower()
        for text in texts
        if "@" in text
        for word in _BETWEEN.split(text)
    )
    return tuple(
        dict.fromkeys(
            word for word in candidates if "@" in word[1:-1] and len(word) <= _LONGEST
        )
    )


def names(text: str, wanted: Collection[str]) -> bool:
    """Whether a text names one of some addresses.

    :param wanted: in lower case.
    """
    return any(address in wanted for address in addresses(text))


def in_payload(entry: Mapping[str, Any]) -> list[str]:
    """The values of an entry's payload."""
    return [str(value) for value in entry["payload"].values()]


def in_entry(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The addresses that an entry names, but for its buyer's, with its key."""
    texts = (*(entry[name] for name in FIELDS), *in_payload(entry), *_notes(entry))
    return _rows(entry["key"], texts, (entry["buyer"],), entry["member"])


def in_buyer(buyer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The addresses that a buyer's record names, but for its own, with its id."""
    subjects = (subject for _at, _event, subject in buyer.get("log", ()))
    stated = (address for _customer, address in buyer.get("stated", ()))
    texts = (buyer["user_id"], buyer.get("chosen", ""), *stated, *subjects, *_notes(buyer))
    return _rows(buyer["id"], texts, buyer["addresses"], buyer.get("chosen", ""))


def find(site: Any, address: str) -> list[str]:
    """Keys of the entries and ids of the buyers that are filed under an address.

    :param address: in lower case.
    """
    filed = trees.tree(site, "mentions").keys((address, ""), (address, "~"))
    return [id_ for _address, id_ in filed]


def _notes(record: Mapping[str, Any]) -> list[str]:
    return [note["text"] for note in record.get("notes", ())]


def _rows(
    id_: str, texts: Iterable[str], own: Collection[str], user_id: str
) -> list[tuple[str, str]]:
    """The rows of a record.

    :param user_id: of an account that the record names, for when that is deleted.
    """
    named = {address for address in addresses(*texts)[:MOST] if address not in own}
    return [(name, id_) for name in sorted(named | {user_id} - {""})]
