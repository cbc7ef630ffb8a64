"""The sweep: everything that is due without a delivery. For cron, or a timer.

It takes up entries whose process died or that failed, asks providers for missed notifications,
ends lapsed access, gives missing groups, tells the owner, makes accounts that waited,
sends due mails, and removes old payloads. Each member, entry and mail is a commit of its own,
and two sweeps at once do each thing once.
"""

from datetime import datetime
from functools import partial
from niteoweb.click2sell import hooks
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.mail import alerts
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.mail import Sent
from niteoweb.click2sell.member import localroles
from niteoweb.click2sell.privacy import retention
from niteoweb.click2sell.provisioning import reminding
from niteoweb.click2sell.provisioning import validation
from niteoweb.click2sell.report import daily
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.worker import access
from niteoweb.click2sell.worker import breaker
from niteoweb.click2sell.worker import catchup
from niteoweb.click2sell.worker import unfinished
from niteoweb.click2sell.worker.report import SweepReport
from typing import Any


def sweep(
    dry_run: bool = False,
    as_of: datetime | None = None,
    confirmed: bool = False,
    outside: bool = True,
) -> SweepReport:
    """Do everything that is due.

    :param dry_run: only report it.
    :param as_of: report the members whose access will have lapsed by that moment, in UTC, if
        nothing else arrives until then; only with `dry_run`. Silent providers and the circuit
        breaker do not count: they are about one sweep, and many will come until then.
    :param confirmed: end access however many members lose it, although a provider is silent,
        and although the machine's clock has jumped.
    :param outside: also ask providers and send due mails, which may take minutes. Without it
        the background threads are woken to do that.
    :raises ValueError: `as_of` without `dry_run`.
    :raises niteoweb.click2sell.storage.transactions.Busy: the database is read-only.
    """
    if as_of is not None and not dry_run:
        raise ValueError("as_of needs dry_run: the past and the future cannot be applied")
    now = as_of or timestamps.now()
    report = SweepReport(now, dry_run, plone_site.is_copy())
    site = plone_site.get()
    if not (confirmed or as_of):
        report.off = breaker.difference(site, now)
    if dry_run or report.copy:
        _look(site, report, now, confirmed or as_of is not None)
        return report
    if not report.off:
        writer.run(lambda site: _begin(site, now))
    unfinished.take_up(report, now)
    if outside:
        unfinished.ask(report)
        catchup.run(report, now)
        catchup.poll(report, confirmed)
    else:
        background.leave(
            background.QUESTIONS, site.getPhysicalPath(), partial(_poll, confirmed)
        )
        background.wake(background.QUESTIONS)
    waiting = access.end_lapsed(report, now, confirmed)
    access.give_missing(report, waiting)
    with report.attempt("Mail to the owner"):
        writer.run(lambda site: _alert(site, report, now))
    access.make_accounts(report)
    if not (report.off or report.stopped):
        _remind(report, now)
    if outside:
        _mails(report)
        with report.attempt("Outgoing hooks"):
            hooks.delivery.send_all_due()
    else:
        background.wake(background.MAIL)
        background.wake(background.HOOKS)
    report.mails["due"] = len(outbox.due(plone_site.get(), timestamps.now()))
    with report.attempt("Local roles of deleted accounts"):
        localroles.clear()
    with report.attempt("Sums of days"):
        if not report.off:
            daily.keep_up(now)
    with report.attempt("Old payloads"):
        report.redacted = 0 if report.off else retention.redact(now)
    _wait(plone_site.get(), report, timestamps.now())
    return report


def _poll(confirmed: bool) -> None:
    """Poll providers, in the thread for questions; nobody reads a report of it."""
    report = SweepReport(timestamps.now(), dry_run=False, copy=plone_site.is_copy())
    catchup.poll(report, confirmed)


def _begin(site: Any, now: datetime) -> None:
    rejections.write(site)
    accountquota.forget(site, now)
    validation.forget_old(site, now)
    hooks.outbox.forget(site, now)
    access.forget_old(site, now)


def _look(site: Any, report: SweepReport, now: datetime, confirmed: bool) -> None:
    """Fill the report without changing anything."""
    due = unfinished.due(site, now)
    report.entries = {key: ledger.get(site, key)["outcome"] for key in due}
    access.look(site, report, now, confirmed)
    report.reminded = sum(1 for _row in reminding.due(site, now))
    report.mails["due"] = len(outbox.due(site, now))
    _wait(site, report, now)


def _remind(report: SweepReport, now: datetime) -> None:
    """Tell members of access that ends soon."""
    for row in list(reminding.due(plone_site.get(), now)):
        with report.attempt(row[1]):
            report.reminded += reminding.remind(row, now)


def _alert(site: Any, report: SweepReport, now: datetime) -> None:
    """File the mails to the owner, and the events, about news."""
    alerts.file(site, report.stopped, now)
    if not report.off:
        hooks.outbox.file_silent(site, silence.silent(site, now), now)


def _mails(report: SweepReport) -> None:
    """Send due mails."""
    results = delivery.send_due()
    report.mails["sent"] = results[Sent.SENT]
    report.mails["failed"] = results[Sent.FAILED] + results[Sent.AWAY]
    report.busy += results[Sent.BUSY]
    report.troubled += results[Sent.TROUBLED]


def _wait(site: Any, report: SweepReport, now: datetime) -> None:
    """Report how much waits for its next attempt."""
    report.waiting = {
        "entries": unfinished.waiting(site, now),
        "mails": outbox.waiting(site, now),
        "accounts": accountquota.waiting(site),
    }
