"""One thing of the checklist: how it stands, and what to do."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zope.i18nmessageid import Message


class State(StrEnum):
    """How an item stands. The values are what the service answers."""

    OK = "ok"
    WARNING = "warning"
    TODO = "to do"
    UNTRIED = "not tried"


@dataclass(frozen=True)
class Item:
    """One thing to set up.

    :ivar name: for scripts; it never changes.
    :ivar text: how it is, and what to do.
    :ivar details: what is wrong, one by one.
    :ivar moment: in UTC, where the item is about when something happened last.
    :ivar provider: name of the payment provider that it is about, "" for the site.
    """

    name: str
    state: State
    title: Message
    text: Message
    details: tuple[Message | str, ...] = ()
    moment: datetime | None = None
    provider: str = ""
