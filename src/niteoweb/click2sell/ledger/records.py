"""The codec between notifications, the ledger's records of them, and billing events.

The fields of the dataclasses and their types drive it: a new field needs no line here. A record
is a mapping of plain values: text, numbers, ISO dates in UTC.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import fields
from dataclasses import MISSING
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.notification import Notification
from types import MappingProxyType
from types import NoneType
from types import UnionType
from typing import Any
from typing import get_args
from typing import get_origin
from typing import get_type_hints
from typing import TypeVar


T = TypeVar("T")

#: Functions that read the plain values of types.
_CONVERT = {datetime: timestamps.from_iso, Mapping: dict}


def write(notification: Notification) -> dict[str, Any]:
    """The plain values of a notification's fields, but for those that have their default."""
    values = {f.name: _plain(getattr(notification, f.name)) for f in fields(notification)}
    return {n: v for n, v in values.items() if n not in DEFAULTS or v != DEFAULTS[n]}


def read(factory: type[T], record: Mapping[str, Any], **others: Any) -> T:
    """An object of a dataclass, from the plain values in a record.

    :param factory: the dataclass, :class:`Notification` for example.
    :param others: fields that the record does not hold, or holds under another name.
    """
    wanted = [(name, read_) for name, read_ in _readers(factory) if name not in others]
    return factory(**{name: read_(record[name]) for name, read_ in wanted}, **others)


def _plain(value: Any) -> Any:
    """A value without any class of ours: renaming a class must make no record unreadable."""
    if isinstance(value, datetime):
        return timestamps.iso(value)
    if isinstance(value, str | Decimal):
        return str(value)
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return dict(value) if isinstance(value, Mapping) else value


@cache
def _readers(factory: type) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    hints = get_type_hints(factory)
    return tuple((field.name, _reader(hints[field.name])) for field in fields(factory))


def _reader(hint: Any) -> Callable[[Any], Any]:
    """The function that reads a plain value of a type, or of the type and None."""
    types = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    type_ = next(get_origin(t) or t for t in types if t is not NoneType)
    convert = type_ if issubclass(type_, Decimal | Enum) else _CONVERT.get(type_)
    if convert is None:
        return lambda value: value
    return lambda value: None if value is None else convert(value)


def _defaults() -> Iterator[tuple[str, Any]]:
    for field in fields(Notification):
        if field.default is not MISSING:
            yield field.name, field.default
        elif field.default_factory is not MISSING:
            yield field.name, MappingProxyType(field.default_factory())


#: The values of the fields that a record leaves out. They never change: that would change the
#: records of the past.
DEFAULTS = dict(_defaults())
