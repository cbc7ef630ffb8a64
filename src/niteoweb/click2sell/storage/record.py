"""Records: mappings of plain values that take little room in the database.

A purchase writes some of them, twice for the most part, and most of their values are the ones
that all records of a kind begin with. In memory a record is a mapping of everything; only what
is written is short.
"""

from collections.abc import Callable
from collections.abc import Mapping
from persistent.mapping import PersistentMapping
from typing import Any


#: The values that a record of a kind begins with, by kind.
_BEGINNINGS: dict[str, Callable[[], Mapping[str, Any]]] = {"": dict}


class Record(PersistentMapping):
    """A mapping of plain values: text, numbers, tuples and mappings of these, other records.

    It is stored without the values that it began with, and with each text once.
    """

    def __init__(self, values: Mapping[str, Any], kind: str = "") -> None:
        super().__init__({**_BEGINNINGS[kind](), **values})
        self.kind = kind

    @staticmethod
    def define(kind: str, beginning: Callable[[], Mapping[str, Any]]) -> None:
        """Define a kind of records, when the module that keeps them is imported.

        :param beginning: gives the values that a record begins with. They never change: that
            would change the records that are stored. A new field is one that may be missing.
        """
        _BEGINNINGS[kind] = beginning

    def __getstate__(self) -> tuple[str, dict[str, Any]]:
        """The kind, and all that is worth writing."""
        began, texts = _BEGINNINGS[self.kind](), dict[Any, Any]()
        return self.kind, {
            name: _shared(value, texts)
            for name, value in self.data.items()
            if name not in began or value != began[name]
        }

    def __setstate__(self, state: tuple[str, dict[str, Any]]) -> None:
        """Become what was written."""
        kind, stored = state
        super().__setstate__({"kind": kind, "data": {**_BEGINNINGS[kind](), **stored}})


def _shared(value: Any, texts: dict[Any, Any]) -> Any:
    """A value with one object for equal texts, which is written once."""
    if type(value) is str:
        return texts.setdefault(value, value)
    if type(value) is tuple:
        return tuple(_shared(part, texts) for part in value)
    if type(value) is dict:
        return {_shared(n, texts): _shared(part, texts) for n, part in value.items()}
    return value
