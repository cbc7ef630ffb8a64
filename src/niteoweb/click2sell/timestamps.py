"""Timestamps: moments as they are stored, and as people, scripts and providers write them.

Pure but for :func:`now` and :func:`running`, the only places that read a clock.
"""

from datetime import datetime
from datetime import time
from datetime import timedelta
from datetime import timezone
from datetime import tzinfo
from typing import Any

import re
import time as clocks


#: The smallest step of the ledger's clock.
TICK = timedelta(microseconds=1)
#: The end of the calendar. Providers state a moment near it for access without an end.
LAST = datetime.max.replace(tzinfo=timezone.utc)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATETIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[-+ ]\d{2}:?\d{2})?", re.ASCII
)
#: RFC 3339, with a comma, a space or an offset without a colon, too.
_WITH_ZONE = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d([.,]\d{1,9})?([Zz]|[+-]\d\d:?[0-5]\d)", re.ASCII
)
#: No provider existed earlier; an older moment is a mistake.
_FIRST_YEAR = 1990


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(timezone.utc)


def running() -> float:
    """Seconds by a clock that nobody sets, and that goes on while the machine sleeps."""
    clock = getattr(clocks, "CLOCK_BOOTTIME", None)
    return clocks.monotonic() if clock is None else clocks.clock_gettime(clock)


def iso(moment: datetime) -> str:
    """A moment as stored: ISO 8601 in UTC, so that text sorts as time does."""
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")


def from_iso(text: str) -> datetime:
    """A stored moment."""
    return datetime.fromisoformat(text)


def is_recent(moment: datetime, now: datetime, within: timedelta) -> bool:
    """Whether a moment is close to now, before it or after it.

    Another thread or machine may be a little ahead; a moment far ahead is of a wrong clock.

    :param within: how close.
    """
    return abs(now - moment) < within


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def stamp(moment: datetime) -> str:
    """The beginning of an id that is made at a moment: 13 digits, which sort as time does.

    Records with such ids stand at the end of their tree, side by side, where others were just
    read and written. Ids at random are spread over all of it: with many records each new one
    reads a part of the tree that is not in memory.
    """
    return f"{microseconds(moment):013x}"


def from_microseconds(count: int) -> datetime:
    """The moment that many microseconds after 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=count)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """A moment on the clock of a time zone; as it is where the calendar of that clock ends."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def parse(value: Any) -> datetime:
    """Read a moment as providers' machines write it.

    :param value: ISO 8601 with its time zone, or Unix seconds.
    :returns: in UTC.
    :raises ValueError: it is something else, or before 1990.
    """
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            moment = _EPOCH + timedelta(seconds=value)
        elif isinstance(value, str) and _WITH_ZONE.fullmatch(value):
            moment = _utc(datetime.fromisoformat(value.upper()), timezone.utc)
        else:
            raise ValueError(value)
    except OverflowError:
        raise ValueError(value) from None
    if moment.year < _FIRST_YEAR:
        raise ValueError(value)
    return moment


def begin(text: str, timezone_: tzinfo) -> datetime:
    """The first moment that a text means.

    :param timezone_: of a date, and of a date and time that names none.
    :returns: in UTC.
    :raises ValueError: it is no ISO date or datetime.
    """
    return _read(text, timezone_)[0]


def end(text: str, timezone_: tzinfo) -> datetime:
    """The last moment that a text means: of a date the last one of its day.

    :param timezone_: of a date, and of a date and time that names none.
    :returns: in UTC.
    :raises ValueError: it is no ISO date or datetime.
    """
    return _read(text, timezone_)[1]


def _read(text: str, timezone_: tzinfo) -> tuple[datetime, datetime]:
    if _DATE.fullmatch(text):
        day = datetime.fromisoformat(text)
        # The second time that the clock shows it, where it is put back over midnight.
        last = datetime.combine(day, time.max).replace(fold=1)
        return _utc(day, timezone_), _utc(last, timezone_)
    moment = _moment(text)
    # When clocks are put back they show an hour twice, and when put forward they skip one.
    first, last = sorted(_utc(moment.replace(fold=fold), timezone_) for fold in (0, 1))
    return first, last


def _moment(text: str) -> datetime:
    if not _DATETIME.fullmatch(text):
        raise ValueError(text)
    # In the query of an address an unquoted plus sign is a space.
    return datetime.fromisoformat(f"{text[:10]}T{text[11:].replace(' ', '+')}")


def _utc(moment: datetime, timezone_: tzinfo) -> datetime:
    """A moment in UTC; past the end of the calendar it is that end.

    :raises ValueError: it is before the begin of the calendar.
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone_)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:
        if moment.year < LAST.year:
            raise ValueError(moment) from None
        return LAST
