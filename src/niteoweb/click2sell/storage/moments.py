"""Moments that the owner is shown, such as the last use of a key: written now and then.

All of them are in one small record of the database. They are written together with the
event itself, at most once an hour each, so that they cost next to nothing. Of two
processes that write at once the later one conflicts, begins anew and finds nothing to write.
"""

from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.storage import trees
from typing import Any


#: A moment is written again after this, so it is known as exactly as this.
PAUSE = timedelta(hours=1)

_PREFIX = "at "


def note(site: Any, name: str, now: datetime) -> None:
    """Write down that something happened, in the current transaction, unless it just was.

    :param name: of the event.
    :param now: in UTC.
    """
    before = last(site, name)
    # A clock that was wrong once must not keep the true time out.
    if before is None or not timestamps.is_recent(before, now, PAUSE):
        trees.tree(site, "remarks")[_PREFIX + name] = timestamps.iso(now)


def last(site: Any, name: str) -> datetime | None:
    """When something happened last, exact to :data:`PAUSE`; None for never."""
    stored = trees.tree(site, "remarks").get(_PREFIX + name)
    return None if stored is None else timestamps.from_iso(stored)


def forget(site: Any, beginning: str, but: tuple[str, ...]) -> None:
    """Forget all moments whose names begin so, in the current transaction.

    :param but: names of those that are kept.
    """
    remarks = trees.tree(site, "remarks")
    kept = {_PREFIX + name for name in but}
    for name in [name for name in remarks if name.startswith(_PREFIX + beginning)]:
        if name not in kept:
            del remarks[name]
