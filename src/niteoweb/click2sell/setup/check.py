"""A check of the checklist: its state, and the next step for the owner."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
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
