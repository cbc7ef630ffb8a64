"""The circuit breaker: a wrong clock or mapping must not empty the site.

A sweep ends no access when suspiciously many members would lose theirs, and none after a jump
of the machine's clock, before an owner confirms it.
"""

from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.worker.report import SweepReport
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")

#: Fewer members than this never trip the circuit breaker.
BREAKER_AT_LEAST = 20
#: Clocks that differ by less count as right.
TOLERANCE = timedelta(hours=1)
#: A site that was down for longer than this, or was restored from a backup, looks like one
#: whose clock was put forward; and its providers have deliveries to catch up with.
DOWN_AT_MOST = timedelta(hours=12)
#: The same where cron calls the sweep, once a day at least.
BETWEEN_CALLS = timedelta(hours=36)

#: Of each site the last moment at which this process trusted the clock, the seconds of the
#: clock that nobody sets, then, and whether that one had told so.
_trusted: dict[tuple[str, ...], tuple[datetime, float, bool]] = {}


def difference(site: Any, now: datetime) -> timedelta:
    """The time by which the clock is not where it was expected; zero where it can be trusted.

    :param now: in UTC.
    """
    last, *earlier = schedule.trusted(site) or (None,)
    if last is None:
        return timedelta()
    known, then, measured = _trusted.get(site.getPhysicalPath(), (None, 0.0, False))
    if known == last:
        off, longest = now - last - timedelta(seconds=timestamps.running() - then), TOLERANCE
    else:
        off, measured = now - last, False
        longest = DOWN_AT_MOST if effective.sweep_pause() else BETWEEN_CALLS
    if off < -TOLERANCE and not measured and any(moment <= now for moment in earlier):
        # The clock was ahead at the last run, and goes on now from the one before.
        return timedelta()
    return timedelta() if -TOLERANCE <= off <= longest else off


def trust(site: Any, now: datetime, running: float) -> None:
    """Note that the clock was right, in the current transaction.

    :param now: in UTC.
    :param running: :func:`niteoweb.click2sell.timestamps.running` at that moment.
    """
    path, (last, *_earlier) = site.getPhysicalPath(), schedule.trusted(site) or (None,)
    measured = path in _trusted and _trusted[path][0] == last
    schedule.trust(site, now)
    _trusted[path] = now, running, measured


def trip(site: Any, report: SweepReport, confirmed: bool) -> None:
    """Stop a sweep after a jump of the clock, or when too many would lose access at once."""
    if report.off:
        hours = round(abs(report.off) / timedelta(hours=1))
        report.stopped = {"members": len(report.lapsed), "limit": 0, "hours_off": hours}
        if not report.dry_run:
            logger.error("The sweep stopped: the clock is off by %s hours.", hours)
        return
    most = limit(site)
    if len(report.lapsed) > most and not confirmed:
        report.stopped = {"members": len(report.lapsed), "limit": most}
        if not report.dry_run:
            logger.error(
                "The sweep stopped: %s members would lose access at once, the limit is %s.",
                len(report.lapsed),
                most,
            )


def limit(site: Any) -> int:
    """The number of members who may lose access at once."""
    settings = plone_site.settings()
    with_access = counters.number(site, *counters.WITH_ACCESS)
    percent = with_access * _setting(settings, "breaker_percent") // 100
    return max(BREAKER_AT_LEAST, min(_setting(settings, "breaker_members"), percent))


def _setting(settings: IClick2SellSettings, name: str) -> int:
    """A number of the settings, or its default where the record is not there yet."""
    value = getattr(settings, name)
    return IClick2SellSettings[name].default if value is None else value
