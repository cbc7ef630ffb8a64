"""Records: mappings of plain values that take little room in the database.

A purchase writes some of them, twice for the most part, and most of their values are the ones
that all records of a kind begin with. In memory a record is a mapping of everything; only what
is written is short.
"""

from collections.abc import Callable
from collections.abc import Mapping
from functools import cache
from persistent.mapping import PersistentMapping
from pkgutil import resolve_name
from typing import Any


#: The functions that give the values which a record begins with, by kind. The values never
#: change, as that would change stored records. A new field is one that may be missing.
_BEGINNINGS = {
    "": "builtins:dict",
    "buyer": "niteoweb.click2sell.buyers.buyers:beginning",
    "mail": "niteoweb.click2sell.mail.outbox:beginning",
}


class Record(PersistentMapping):
    """A mapping of plain values: text, numbers, tuples and mappings of these, other records.

    It is stored without the values that it began with, and with each text once.
    """

    def __init__(self, values: Mapping[str, Any], kind: str = "") -> None:
        super().__init__({**_beginning(kind)(), **values})
        self.kind = kind

    def __getstate__(self) -> tuple[str, dict[str, Any]]:
        """The kind, and all that is worth writing."""
        began, texts = _beginning(self.kind)(), dict[Any, Any]()
        return self.kind, {
            name: _shared(value, texts)
            for name, value in self.data.items()
            if name not in began or value != began[name]
        }

    def __setstate__(self, state: tuple[str, dict[str, Any]]) -> None:
        """Become what was written."""
        kind, stored = state
        super().__setstate__({"kind": kind, "data": {**_beginning(kind)(), **stored}})


@cache
def _beginning(kind: str) -> Callable[[], Mapping[str, Any]]:
    """The function of a kind; its module is imported when a first record is read or made.

    So a script reads the database without loading the add-on first.
    """
    return resolve_name(_BEGINNINGS[kind])


def _shared(value: Any, texts: dict[Any, Any]) -> Any:
    """A value with one object for equal texts, which is written once."""
    if type(value) is str:
        return texts.setdefault(value, value)
    if type(value) is tuple:
        return tuple(_shared(part, texts) for part in value)
    if type(value) is dict:
        return {_shared(n, texts): _shared(part, texts) for n, part in value.items()}
    return value
