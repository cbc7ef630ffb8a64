"""The sweep: everything that is due without a delivery. For cron, or a timer.

It takes up entries whose process died or that failed, asks providers for missed notifications,
ends lapsed access, gives missing groups, tells the owner, makes accounts that waited,
sends due mails, and removes old payloads. Each member, entry and mail is a commit of its own,
and two sweeps at once do each thing once.
"""

from collections.abc import Iterable
from datetime import datetime
from datetime import timedelta
from functools import partial
from niteoweb.click2sell import hooks
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.buyers import Admission
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.mail import alerts
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.mail import Sent
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import localroles
from niteoweb.click2sell.privacy import retention
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import Plan
from niteoweb.click2sell.provisioning import preview
from niteoweb.click2sell.provisioning import reminding
from niteoweb.click2sell.provisioning import validation
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.worker import breaker
from niteoweb.click2sell.worker import catchup
from niteoweb.click2sell.worker import unfinished
from niteoweb.click2sell.worker.report import SweepReport
from typing import Any


#: For so long the runs that ended access are known, so that the first one whose clock is right
#: again looks at them.
ENDED_KEPT = timedelta(days=7)


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
    waiting = _lapsed(report, now, confirmed)
    _pending(report, waiting)
    _alert(report, now)
    _awaited(report)
    if not (report.off or report.stopped):
        _remind(report, now)
    if outside:
        _mails(report)
        _hooks(report)
    else:
        background.wake(background.MAIL)
        background.wake(background.HOOKS)
    report.mails["due"] = len(outbox.due(plone_site.get(), timestamps.now()))
    _clear_local_roles(report)
    try:
        report.redacted = 0 if report.off else retention.redact(now)
    except transactions.Busy:
        report.busy += 1
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
    ended = trees.tree(site, "access_ended")
    for row in list(ended.keys(max=(timestamps.iso(now - ENDED_KEPT), ""))):
        ended.remove(row)


def _look(site: Any, report: SweepReport, now: datetime, confirmed: bool) -> None:
    """Fill the report without changing anything."""
    report.silent = {} if confirmed else silence.silent(site, now)
    due = unfinished.due(site, now)
    report.entries = {key: ledger.get(site, key)["outcome"] for key in due}
    for plan in _plans(report, _due(site, now), now, confirmed):
        report.add(plan)
    breaker.trip(site, report, confirmed)
    ready = _plans(report, _ready(site, report), now, confirmed)
    report.granted = sum(bool(plan.grant) for plan in ready)
    waiting, room = accountquota.waiting(site), accountquota.room(site, now)
    report.reminded = sum(1 for _row in reminding.due(site, now))
    report.accounts = waiting if room is None else min(waiting, room)
    report.mails["due"] = len(outbox.due(site, now))
    _wait(site, report, now)


def _lapsed(report: SweepReport, now: datetime, confirmed: bool) -> frozenset[str]:
    """End lapsed access, unless suspiciously many members would lose it.

    :returns: the buyers whose access was not ended.
    """
    site = plone_site.get()
    report.silent = {} if confirmed else silence.silent(site, now)
    due = []
    for plan in _plans(report, _due(site, now), now, confirmed):
        report.add(plan)
        if not _blocked(site, plan):
            due.append(plan.buyer_id)
    breaker.trip(site, report, confirmed)
    if report.stopped:
        return frozenset(due)
    report.lapsed = []
    for plan in _provision(report, due, confirmed):
        report.add(plan)
    return frozenset()


def _pending(report: SweepReport, waiting: frozenset[str]) -> None:
    """Give the groups that exist by now, and those that a clock which was ahead took.

    :param waiting: buyers who have to wait for the owner, because the circuit breaker tripped.
    """
    ready = [b for b in _ready(plone_site.get(), report) if b not in waiting]
    plans = {plan.buyer_id: plan for plan in _provision(report, ready, False)}
    report.granted = sum(bool(plan.grant) for plan in plans.values())
    early = [row for row in _ended_later(plone_site.get(), report) if row[1] in plans]
    if early:
        writer.run(lambda site: _settle(site, early))


def _settle(site: Any, rows: Iterable[tuple[str, str]]) -> None:
    for row in rows:
        trees.tree(site, "access_ended").discard(row)


def _awaited(report: SweepReport) -> None:
    """Make the accounts that had to wait, as many as there is room for."""
    called = accountquota.called(plone_site.get())
    for plan in _provision(report, called, False, Admission.CALLED):
        report.accounts += plan.create
        if plan.asked:
            break


def _remind(report: SweepReport, now: datetime) -> None:
    """Tell members of access that ends soon."""
    for row in list(reminding.due(plone_site.get(), now)):
        try:
            report.reminded += reminding.remind(row, now)
        except transactions.Busy:
            report.busy += 1
        except Exception as error:
            report.trouble(row[1], error)


def _alert(report: SweepReport, now: datetime) -> None:
    """File the mails to the owner about news."""
    try:
        writer.run(lambda site: _file_alerts(site, report, now))
    except transactions.Busy:
        report.busy += 1
    except Exception as error:
        report.trouble("Mail to the owner", error)


def _file_alerts(site: Any, report: SweepReport, now: datetime) -> None:
    alerts.file(site, report.stopped, now)
    if not report.off:
        hooks.outbox.file_silent(site, silence.silent(site, now), now)


def _plans(
    report: SweepReport, buyer_ids: Iterable[str], now: datetime, confirmed: bool
) -> Iterable[Plan]:
    """The plans for buyers; nothing is changed."""
    site = plone_site.get()
    for buyer_id in buyer_ids:
        try:
            yield preview.plan(site, buyer_id, now, despite_silence=confirmed)
        except Exception as error:
            report.trouble(buyer_id, error)


def _provision(
    report: SweepReport,
    buyer_ids: Iterable[str],
    confirmed: bool,
    admission: Admission = Admission.ARRIVAL,
) -> Iterable[Plan]:
    for buyer_id in buyer_ids:
        try:
            yield pipeline.provision(buyer_id, despite_silence=confirmed, admission=admission)
        except transactions.Busy:
            report.busy += 1
        except Exception as error:
            report.trouble(buyer_id, error)


def _mails(report: SweepReport) -> None:
    """Send due mails."""
    results = delivery.send_due()
    report.mails["sent"] = results[Sent.SENT]
    report.mails["failed"] = results[Sent.FAILED] + results[Sent.AWAY]
    report.busy += results[Sent.BUSY]
    report.troubled += results[Sent.TROUBLED]


def _hooks(report: SweepReport) -> None:
    """Post the due events to the receivers of hooks."""
    try:
        hooks.delivery.send_all_due()
    except transactions.Busy:
        report.busy += 1
    except Exception as error:
        report.trouble("Outgoing hooks", error)


def _clear_local_roles(report: SweepReport) -> None:
    """Finish the erasure of accounts."""
    try:
        localroles.clear()
    except transactions.Busy:
        report.busy += 1
    except Exception as error:
        report.trouble("Local roles of deleted accounts", error)


def _wait(site: Any, report: SweepReport, now: datetime) -> None:
    """Report how much waits for its next attempt."""
    report.waiting = {
        "entries": unfinished.waiting(site, now),
        "mails": outbox.waiting(site, now),
        "accounts": accountquota.waiting(site),
    }


def _due(site: Any, now: datetime) -> Iterable[str]:
    for _moment, buyer_id in trees.tree(site, "buyers_due").keys(
        max=(timestamps.iso(now), "~")
    ):
        yield buyer_id


def _ended_later(site: Any, report: SweepReport) -> Iterable[tuple[str, str]]:
    """Runs that ended access by a clock that was ahead: the time of each, and the buyer."""
    ended, now = trees.tree(site, "access_ended"), timestamps.now()
    return () if report.off else ended.keys((timestamps.iso(now), "~"))


def _ready(site: Any, report: SweepReport) -> list[str]:
    """The buyers who wait for a group that exists by now, or whom a wrong clock took one."""
    buyers = trees.tree(site, "buyers")
    filed = trees.tree(site, "buyers_pending")
    ended = (buyer_id for _at, buyer_id in _ended_later(site, report))
    ready = dict.fromkeys(buyer_id for buyer_id in ended if buyer_id in buyers)
    after = ("", "")
    # From group to group: a missing group is looked up once, however many buyers wait for it.
    while waiting := next(iter(filed.keys(min=after)), None):
        group_id = waiting[0]
        after = (group_id, "~")
        if not group.problem(group_id):
            ready.update((buyer_id, None) for _, buyer_id in filed.keys(waiting, after))
    return list(ready)


def _blocked(site: Any, plan: Plan) -> bool:
    """Whether nothing can be done for a buyer now, and the owner was told so already.

    The account is privileged, or gone. The buyer stays due: it may become an ordinary one.
    """
    if plan.user_id or plan.create or plan.terms:
        return False
    entries = ((ledger.get(site, key), verdict) for key, verdict in plan.verdicts.items())
    return all(
        (entry["outcome"], entry["reason"]) == (verdict.outcome, verdict.reason)
        for entry, verdict in entries
    )
