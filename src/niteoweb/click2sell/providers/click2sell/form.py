"""The form that Click2Sell posts: its parameters as bytes, as text, and for the record.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.provider import secrecy
from urllib.parse import parse_qsl
from urllib.parse import unquote_to_bytes

import re


_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_BREAKS = re.compile(r"[\r\n\x00]")


class Form:
    """The parameters of a form-encoded body, as bytes, in the order they came.

    :ivar by_previous_key: the provider's ``verify`` found it signed with the previous key.
    :ivar arrived_at: in UTC.
    """

    by_previous_key = False
    arrived_at: datetime | None = None

    def __init__(self, body: bytes) -> None:
        self._body = body

    @cached_property
    def _pairs(self) -> list[tuple[str, bytes]]:
        # latin-1 maps every byte to one character and back; parse_qsl wants text.
        return [
            (name, value.encode("latin-1"))
            for name, value in parse_qsl(
                self._body.decode("latin-1"), keep_blank_values=True, encoding="latin-1"
            )
        ]

    @property
    def transaction(self) -> str:
        """The transaction id, "" where it cannot be read."""
        try:
            return self.signed("acquirer_transaction_id").decode("ascii", "backslashreplace")
        except ParameterError:
            return ""

    def signed(self, name: str) -> bytes:
        """The raw value of a parameter that the signature depends on.

        Nothing else of the body is read, so that a forger's guesses cost little.

        :raises ParameterMissing: it is absent or empty.
        :raises ParameterInvalid: it came twice.
        """
        wanted = name.encode("ascii")
        occurrences = []
        for pair in self._body.split(b"&"):
            key, _equals, value = pair.partition(b"=")
            if key == wanted or (b"%" in key and _unquoted(key) == wanted):
                occurrences.append(value)
        if len(occurrences) > 1:
            raise ParameterInvalid(name)
        if not occurrences or not occurrences[0]:
            raise ParameterMissing(name)
        return _unquoted(occurrences[0])

    def values(self) -> Mapping[str, str]:
        """All parameters as text: UTF-8, and where any is not, all as Windows-1252.

        :raises ParameterInvalid: a parameter came twice, has a line break or a NUL in it, or
            is in neither encoding.
        """
        try:
            return self._decoded("utf-8")
        except UnicodeDecodeError:
            return self._decoded("windows-1252", strict=True)

    def payload(self) -> dict[str, str]:
        """All parameters of a broken delivery, for the record, without secrets.

        Unlike :meth:`values` it never fails: unreadable bytes are escaped, and of a parameter
        that came twice the second value is kept under ``name (2)``.
        """
        return secrecy.payload(
            (_escaped(name.encode("latin-1")), _escaped(value)) for name, value in self._pairs
        )

    def _decoded(self, encoding: str, strict: bool = False) -> dict[str, str]:
        values: dict[str, str] = {}
        for raw_name, raw_value in self._pairs:
            # A name is only repeated in an answer when it cannot be anything but a name.
            name = raw_name if _NAME.fullmatch(raw_name) else "?"
            try:
                value = raw_value.decode(encoding)
                key = raw_name.encode("latin-1").decode(encoding)
            except UnicodeDecodeError:
                if strict:
                    raise ParameterInvalid(name) from None
                raise
            if key in values or _BREAKS.search(value) or _BREAKS.search(key):
                raise ParameterInvalid(name)
            values[key] = value
        return values


def _escaped(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


def _unquoted(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))
