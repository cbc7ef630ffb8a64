"""The schedule of the sweep: its last run, the process that runs it, an owner who asks for it.

All of it is one small record of the database, written anew at each run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.storage import trees
from persistent.mapping import PersistentMapping
from typing import Any


#: Who runs a sweep, where that is no owner.
CLOCK, COMMAND, SERVICE = "clock", "command", "service"

#: A process that runs the sweep for longer than this may have died: another one takes over.
LEASE = timedelta(minutes=15)

_NAME = "schedule"


@dataclass(frozen=True)
class Run:
    """A run of the sweep.

    :ivar begun_at: in UTC.
    :ivar by: :data:`CLOCK`, :data:`COMMAND`, :data:`SERVICE`, or the user id of an owner.
    :ivar seconds: that it took; None while it runs, or when its process died.
    :ivar numbers: what it did, by the names of
        :meth:`niteoweb.click2sell.worker.report.SweepReport.numbers`.
    :ivar stopped: see :class:`niteoweb.click2sell.worker.report.SweepReport`.
    """

    begun_at: datetime
    by: str
    seconds: float | None = None
    numbers: Mapping[str, int] | None = None
    stopped: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Request:
    """An owner's request to run the sweep now.

    :ivar by: user id of the owner.
    :ivar confirmed: whether access ends however many members lose it.
    :ivar at: when, in UTC.
    """

    by: str
    confirmed: bool = False
    at: str = ""


def last_run(site: Any) -> Run | None:
    """The last run of the sweep that has begun, None for never."""
    stored = _stored(site).get("run")
    if stored is None:
        return None
    return Run(**{**stored, "begun_at": timestamps.from_iso(stored["begun_at"])})


def requested(site: Any) -> Request | None:
    """The request of an owner that waits."""
    stored = _stored(site).get("request")
    return None if stored is None else Request(**stored)


def request(site: Any, by: str, now: datetime, confirmed: bool = False) -> None:
    """Ask for a run of the sweep, by the thread of whichever process takes it up first."""
    asked = {"by": by, "confirmed": confirmed, "at": timestamps.iso(now)}
    _record(site)["request"] = asked


def is_due(site: Any, holder: str, pause: timedelta | None, now: datetime) -> bool:
    """Whether a process has to run the sweep now.

    :param holder: a mark of the process.
    :param pause: from the beginning of one run to that of the next, None for never.
    """
    stored = _stored(site)
    if stored.get("holder") not in (None, holder):
        # A clock that was put back must not keep the lease for longer.
        left = timestamps.from_iso(stored["held_until"]) - now
        if timedelta() < left <= LEASE:
            return False
    if "request" in stored:
        return True
    last = last_run(site)
    # The same of a run in the future.
    return pause is not None and (
        last is None or not timestamps.is_recent(last.begun_at, now, pause)
    )


def take(site: Any, holder: str, pause: timedelta | None, now: datetime) -> Request | None:
    """Take up the sweep for a process, in a job of the writer.

    :returns: what it has to do, None when another process was faster.
    """
    if not is_due(site, holder, pause, now):
        return None
    record = _record(site)
    wanted = record.pop("request", {"by": CLOCK})
    record.update(holder=holder, held_until=timestamps.iso(now + LEASE))
    asked = Request(**wanted)
    # Other members may be due by now than those that the owner has seen.
    fresh = asked.confirmed and timestamps.is_recent(timestamps.from_iso(asked.at), now, LEASE)
    return replace(asked, confirmed=fresh)


def begin(site: Any, by: str, now: datetime) -> None:
    """Note that a run begins."""
    _record(site)["run"] = {"begun_at": timestamps.iso(now), "by": by}


def end(site: Any, run: Run) -> None:
    """Note that a run has ended; the lease of its process does, too."""
    record = _record(site)
    record["run"] = {**vars(run), "begun_at": timestamps.iso(run.begun_at)}
    record.pop("holder", None)


def trusted(site: Any) -> tuple[datetime, ...]:
    """The last two runs whose clock was right, as far as anybody knew, the latest first."""
    return tuple(map(timestamps.from_iso, _stored(site).get("trusted", ())))


def trust(site: Any, now: datetime) -> None:
    """Note that the clock of a run was right."""
    record = _record(site)
    record["trusted"] = (timestamps.iso(now), *record.get("trusted", ())[:1])


def _stored(site: Any) -> Mapping[str, Any]:
    return trees.tree(site, "remarks").get(_NAME, {})


def _record(site: Any) -> PersistentMapping:
    remarks = trees.tree(site, "remarks")
    if _NAME not in remarks:
        remarks[_NAME] = PersistentMapping()
    return remarks[_NAME]
