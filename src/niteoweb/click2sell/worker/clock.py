"""The clock: runs the sweep when its time has come, and records its result."""

from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import retryqueue
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.worker import access
from niteoweb.click2sell.worker import breaker
from niteoweb.click2sell.worker import sweep
from niteoweb.click2sell.worker.report import SweepReport
from typing import Any

import secrets


#: The mark of this process, for the lease.
_HOLDER = secrets.token_hex(8)


def run(by: str, confirmed: bool = False, outside: bool = True) -> SweepReport:
    """Run the sweep, and record its time, its starter, its duration and its results.

    :param by: see :class:`niteoweb.click2sell.storage.schedule.Run`.
    :param confirmed: see :func:`niteoweb.click2sell.worker.sweep.sweep`, like `outside`.
    :raises niteoweb.click2sell.storage.transactions.Busy: the database is read-only.
    """
    if plone_site.is_copy():
        return sweep.sweep(confirmed=confirmed, outside=outside)
    begun_at, running = timestamps.now(), timestamps.running()
    writer.run(lambda site: _begin(site, by, begun_at))
    report = sweep.sweep(confirmed=confirmed, outside=outside)
    seconds = round(max(timestamps.running() - running, 0.0), 1)
    ended = schedule.Run(begun_at, by, seconds, report.numbers(), report.stopped)

    def end(site: Any) -> None:
        schedule.end(site, ended)
        if not report.off:
            breaker.trust(site, begun_at, running)

    writer.run(end)
    return report


def _begin(site: Any, by: str, now: datetime) -> None:
    last = schedule.last_run(site)
    if last is not None and last.begun_at > now:
        # The clock was ahead. What was put off then must not wait until then.
        access.hasten(site, now)
        retryqueue.hasten(site, now)
        outbox.hasten(site, now)
    schedule.begin(site, by, now)


def run_in_request(by: str, confirmed: bool) -> SweepReport:
    """Run the sweep in a request, which asks providers only where no thread does.

    :param by: see :func:`run`, like `confirmed`.
    :raises niteoweb.click2sell.provider.Unreachable: other requests wait for providers.
    :raises niteoweb.click2sell.storage.transactions.Busy: the database is read-only.
    """
    if is_run_by_thread():
        return run(by, confirmed, outside=False)
    with jsonapi.within(jsonapi.SALE):
        return run(by, confirmed)


def is_run_by_thread() -> bool:
    """Whether threads of this process work for the current site."""
    return background.is_done_here(background.CLOCK) and plone_site.is_reached()


def turn() -> None:
    """Run the sweep of the current site, if this process has to."""
    pause, now = effective.sweep_pause(), timestamps.now()
    if not schedule.is_due(plone_site.get(), _HOLDER, pause, now):
        return
    wanted = writer.run(lambda site: schedule.take(site, _HOLDER, pause, now))
    if wanted is not None:
        run(wanted.by, wanted.confirmed, outside=False)
