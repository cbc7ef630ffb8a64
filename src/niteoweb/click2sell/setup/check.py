"""A check of the checklist: its state, and the next step for the owner; lengths of time."""

from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from enum import StrEnum
from niteoweb.click2sell import _
from zope.i18nmessageid import Message


class Status(StrEnum):
    """The state of a check. The service answers with these values."""

    OK = "ok"
    WARNING = "warning"
    TODO = "to do"
    UNTRIED = "not tried"


@dataclass(frozen=True)
class Check:
    """A check of one thing to set up.

    :ivar name: for scripts; it never changes.
    :ivar text: the state in a sentence, with the next step for the owner.
    :ivar details: the problems, one by one.
    :ivar moment: in UTC, where the check is about the last time of something.
    :ivar provider: name of the payment provider that it is about, "" for the site.
    """

    name: str
    state: Status
    title: Message
    text: Message
    details: tuple[Message | str, ...] = ()
    moment: datetime | None = None
    provider: str = ""


def duration(length: timedelta) -> Message:
    """A length of time, in words: a minute at least."""
    minutes = max(length // timedelta(minutes=1), 1)
    if minutes < 120:
        return _("${number} min", mapping={"number": minutes})
    if minutes < 48 * 60:
        return _("${number} h", mapping={"number": minutes // 60})
    return _("${number} days", mapping={"number": minutes // (24 * 60)})
