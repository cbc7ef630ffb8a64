"""A body of JSON from outside, read strictly.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

Two readers of one text must not understand it differently, and no text may cost more than its
length: a name that comes twice, numbers that are none, very long numbers and deep nesting are
refused. How long a body may be is checked before, by the callback view.

Names are dotted: ``data.offerId``, and ``entity.items.0.productId`` in a list.
"""

from collections import Counter
from collections.abc import Container
from collections.abc import ItemsView
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.provider import secrecy
from niteoweb.click2sell.provider.undecided import unreadable
from typing import Any

import json
import re


CONTENT_TYPE = "application/json"

#: Objects and lists within one another; no provider comes near it.
DEEPEST = 20
#: Digits of a number, as many as 64 bits have, and zeros that its exponent may stand for.
LONGEST_NUMBER = 19
#: Characters of a text that decides something.
LONGEST_TEXT = 255
LONGEST_ID = 100
#: The name that errors in the text itself are reported under.
WHOLE = "body"

#: Characters in an address, by the rules of mail.
LONGEST_ADDRESS = 254
_LABEL = r"[^\s@<>(),;:\\\"\[\].]+"
_ADDRESS = re.compile(rf"[^\s@<>(),;:\\\"\[\]]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,8})?", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def is_address(text: str) -> bool:
    """Whether a text, without spaces around it, can be a buyer's mail address."""
    fits = len(text) <= LONGEST_ADDRESS and text.isprintable()
    return fits and bool(_ADDRESS.fullmatch(text))


def read(raw: bytes) -> "JsonBody":
    """Read a body.

    :raises ParameterInvalid: it is not UTF-8 or not JSON, not an object, has a name twice in an
        object, a number that is none or too long, half a character, or is nested too deeply.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ParameterInvalid(WHOLE) from None
    try:
        values = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_refuse,
        )
        if _depth(values) > DEEPEST:
            raise ParameterInvalid(WHOLE)
        # Half of a character can be written as an escape, but not be stored or sent.
        json.dumps(values, ensure_ascii=False, default=str).encode("utf-8")
    except (json.JSONDecodeError, UnicodeEncodeError, RecursionError):
        raise ParameterInvalid(WHOLE) from None
    return JsonBody(values)


class JsonBody:
    """An object of JSON: its values by dotted names.

    A method raises ParameterInvalid, with the name, for a value that is something else.

    :param prefix: the beginning of names in errors.
    :raises ParameterInvalid: it is not an object.
    """

    def __init__(self, values: Any, prefix: str = "") -> None:
        if not isinstance(values, dict):
            raise ParameterInvalid(prefix.rstrip(".") or WHOLE)
        self._values = values
        self._prefix = prefix

    def items(self) -> ItemsView[str, Any]:
        """Names and values, as they were read."""
        return self._values.items()

    def value(self, name: str) -> Any:
        """A value as it was read, None when there is none."""
        return self._find(name)

    def has(self, name: str) -> bool:
        """Whether there is a value other than null and ""."""
        return self._find(name) not in (None, "")

    def text(self, name: str, longest: int = LONGEST_TEXT) -> str:
        """A text without spaces around it, "" when there is none.

        :param longest: the characters that it may have.
        :raises ParameterInvalid: it is too long, no text, or has a control character in it.
        """
        value = self._find(name)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > longest or not value.isprintable():
            raise ParameterInvalid(self._prefix + name)
        return value.strip()

    def choice(self, name: str, choices: Container[str]) -> str:
        """A text out of several, "" when there is none."""
        value = self.text(name)
        if value and value not in choices:
            raise ParameterInvalid(self._prefix + name)
        return value

    def title(self, name: str) -> str:
        """A text that decides nothing, "" where it is none: cut, and on one line."""
        value = self._find(name)
        if not isinstance(value, str):
            return ""
        plain = "".join(sign if sign.isprintable() else " " for sign in value)
        return " ".join(plain.split())[:LONGEST_TEXT]

    def identifier(self, name: str) -> str:
        """An id, written as a text or as a number, as text; "" for none."""
        value = self._find(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text(name, LONGEST_ID)

    def required(self, name: str) -> str:
        """An id that has to be there.

        :raises ParameterMissing: it is absent or empty.
        """
        value = self.identifier(name)
        if not value:
            raise ParameterMissing(self._prefix + name)
        return value

    def integer(self, name: str) -> int | None:
        """A whole number, None when there is none."""
        value = self._find(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise ParameterInvalid(self._prefix + name)
        return value

    def decimal(self, name: str) -> Decimal | None:
        """A number from 0, written as one or as a text, None when there is none."""
        value = self._find(name)
        if value in (None, ""):
            return None
        if isinstance(value, str) and _AMOUNT.fullmatch(value):
            value = Decimal(value)
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value < 0:
            raise ParameterInvalid(self._prefix + name)
        return Decimal(value)

    def boolean(self, name: str) -> bool | None:
        """Yes or no, None when it is not said."""
        value = self._find(name)
        if value is not None and not isinstance(value, bool):
            raise ParameterInvalid(self._prefix + name)
        return value

    def moment(self, name: str) -> datetime | None:
        """A moment in UTC, None for none: ISO 8601 with a time zone, or Unix seconds.

        A moment before 1990 is a mistake.
        """
        value = self._find(name)
        if value in (None, ""):
            return None
        try:
            return timestamps.parse(value)
        except ValueError:
            raise ParameterInvalid(self._prefix + name) from None

    def address(self, name: str) -> str:
        """A mail address, "" when there is none."""
        value = self.text(name)
        if value and not is_address(value):
            raise ParameterInvalid(self._prefix + name)
        return value

    def part(self, name: str) -> "JsonBody":
        """An object in it, an empty one when there is none."""
        value = self._find(name)
        return JsonBody({} if value is None else value, f"{self._prefix}{name}.")

    def parts(self, name: str) -> list["JsonBody"]:
        """The objects of a list, none when there is no list."""
        value = self._find(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise ParameterInvalid(self._prefix + name)
        return [
            JsonBody(item, f"{self._prefix}{name}.{number}.")
            for number, item in enumerate(value)
        ]

    def payload(self) -> dict[str, str]:
        """All values as text by dotted names, for the record, without secrets."""
        return secrecy.payload(_flat(self._values, ""))

    def unreadable(
        self, provider: str, id_name: str, error: ParameterError, now: datetime
    ) -> Notification:
        """An item of a provider's list that cannot be read: a person must decide.

        It is the same notification as long as the same field cannot be read.

        :param id_name: of the field with the item's id, "" where it has none.
        :param now: in UTC.
        """
        field, payload = error.parameter.removeprefix(self._prefix), self.payload()
        try:
            id_ = self.identifier(id_name)
        except ParameterError:
            id_ = ""
        about = id_ or json.dumps(payload, sort_keys=True)
        key = idempotency_key(provider, "item", id_name, about, field)
        return unreadable(key, provider, id_, payload, field, now)

    def _find(self, name: str) -> Any:
        value: Any = self._values
        for step in name.split("."):
            if value is None:
                return None
            if not isinstance(value, dict):
                raise ParameterInvalid(self._prefix + name)
            value = value.get(step)
        return value


def payload_of(raw: bytes) -> dict[str, str]:
    """The values of a body, for the record, without secrets; it never fails.

    Of a body that cannot be read only the length is kept: nobody can tell the secrets in it.
    """
    try:
        return read(raw).payload()
    except ParameterInvalid:
        return {"(unreadable)": f"{len(raw)} bytes"}


def _depth(value: Any) -> int:
    """The number of objects and lists within one another."""
    if not isinstance(value, (dict, list)):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, inner), default=0)


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """The values in a value, with their dotted names."""
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    if isinstance(value, (dict, list)) and value:
        for step, item in inner:
            yield from _flat(item, f"{name}.{step}" if name else str(step))
    elif isinstance(value, str):
        yield name, value
    elif name:
        yield name, json.dumps(value, default=str).strip('"')


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        # A name is only repeated in an answer when it cannot be anything but a name.
        raise ParameterInvalid(twice if _NAME.fullmatch(twice) else "?")
    return values


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > LONGEST_NUMBER:
        raise ParameterInvalid(WHOLE)
    return int(digits)


def _decimal(digits: str) -> Decimal:
    if len(digits) <= 2 * LONGEST_NUMBER:
        with suppress(ArithmeticError):
            number = Decimal(digits)
            if abs(number.adjusted()) <= LONGEST_NUMBER:
                return number
    raise ParameterInvalid(WHOLE)


def _refuse(_constant: str) -> None:
    raise ParameterInvalid(WHOLE)
