"""Moments as providers' machines write them.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from typing import Any

import re


_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
    r"(?:([Zz])|([+-])(\d\d):?(\d\d))",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: No provider existed earlier; an older moment is a mistake.
_FIRST_YEAR = 1990


def moment(value: Any) -> datetime:
    """A moment in UTC.

    :param value: ISO 8601 with its time zone, as RFC 3339 has it, or Unix seconds.
    :raises ValueError: it is something else, or before 1990.
    """
    try:
        found = _read(value)
    except OverflowError:
        raise ValueError(value) from None
    if found.year < _FIRST_YEAR:
        raise ValueError(value)
    return found


def _read(value: Any) -> datetime:
    if isinstance(value, int) and not isinstance(value, bool):
        return _EPOCH + timedelta(seconds=value)
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(value)
    microsecond = int((found[7] or "").ljust(6, "0")[:6])
    away = timedelta(0)
    if not found[8]:
        if int(found[10]) > 23 or int(found[11]) > 59:
            raise ValueError(value)
        away = timedelta(hours=int(found[10]), minutes=int(found[11]))
    local = datetime(*(int(found[place]) for place in range(1, 7)), microsecond, timezone.utc)
    return local + away if found[9] == "-" else local - away
