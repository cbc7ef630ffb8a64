"""The access of members in a sweep: lapsed access ends, missing groups are given.

A missing group may exist by now, an account may have waited for room. Each member is a commit
of its own. :func:`look` reports the same without changing anything.
"""

from collections.abc import Iterable
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.buyers import Admission
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.member import group
from niteoweb.click2sell.provisioning import LOOK_AGAIN
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import Plan
from niteoweb.click2sell.provisioning import preview
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.worker import breaker
from niteoweb.click2sell.worker.report import SweepReport
from typing import Any


#: For so long the runs that ended access are known, so that the first one whose clock is right
#: again looks at them.
ENDED_KEPT = timedelta(days=7)


def look(site: Any, report: SweepReport, now: datetime, confirmed: bool) -> None:
    """Report whose access would end, and who would be given groups and accounts.

    :param confirmed: however many lose access, and although a provider is silent.
    """
    report.silent = {} if confirmed else silence.silent(site, now)
    for plan in _plans(report, _due(site, now, confirmed), now, confirmed):
        report.add(plan)
    breaker.trip(site, report, confirmed)
    ready = _plans(report, _ready(site, report), now, confirmed)
    report.granted = sum(bool(plan.grant) for plan in ready)
    waiting, room = accountquota.waiting(site), accountquota.room(site, now)
    report.accounts = waiting if room is None else min(waiting, room)


def end_lapsed(report: SweepReport, now: datetime, confirmed: bool) -> frozenset[str]:
    """End lapsed access, unless suspiciously many members would lose it.

    :param confirmed: end it however many they are, and although a provider is silent.
    :returns: the buyers whose access was not ended.
    """
    site = plone_site.get()
    report.silent = {} if confirmed else silence.silent(site, now)
    due = []
    for plan in _plans(report, _due(site, now, confirmed), now, confirmed):
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


def give_missing(report: SweepReport, waiting: frozenset[str]) -> None:
    """Give the groups that exist by now, and those that a wrong clock took.

    :param waiting: buyers who have to wait for the owner, because the circuit breaker tripped.
    """
    ready = [b for b in _ready(plone_site.get(), report) if b not in waiting]
    plans = {plan.buyer_id: plan for plan in _provision(report, ready, False)}
    report.granted = sum(bool(plan.grant) for plan in plans.values())
    early = [row for row in _ended_later(plone_site.get(), report) if row[1] in plans]
    if early:
        with report.attempt("Access that a wrong clock took"):
            writer.run(lambda site: _settle(site, early))


def make_accounts(report: SweepReport) -> None:
    """Make the accounts that had to wait, as many as there is room for."""
    called = accountquota.called(plone_site.get())
    for plan in _provision(report, called, False, Admission.CALLED):
        report.accounts += plan.create
        if plan.asked:
            break


def forget_old(site: Any, now: datetime) -> None:
    """Forget the runs that ended access long ago, in the current transaction."""
    ended = trees.tree(site, "access_ended")
    for row in list(ended.keys(max=(timestamps.iso(now - ENDED_KEPT), ""))):
        ended.remove(row)


def hasten(site: Any, now: datetime) -> None:
    """Let the buyers be looked at for whom something arrived by a clock that was ahead.

    By that clock it was over already, or had begun already, or its provider was silent. Those
    whose access it ended are given it back, see :func:`give_missing`.

    :param now: in UTC.
    """
    arrived = ledger.filed(site).between(high=-timestamps.microseconds(now) - 1)
    ended = trees.tree(site, "access_ended").keys((timestamps.iso(now), "~"))
    given_back = {buyer_id for _at, buyer_id in ended}
    for buyer_id in {ledger.at(site, place)["buyer_id"] for place in arrived} - given_back:
        buyer = buyers.get(site, buyer_id)
        if buyer is not None and buyer["user_id"]:
            buyers.change(site, buyer, next_change=timestamps.iso(now))


def _settle(site: Any, rows: Iterable[tuple[str, str]]) -> None:
    for row in rows:
        trees.tree(site, "access_ended").discard(row)


def _plans(
    report: SweepReport, buyer_ids: Iterable[str], now: datetime, confirmed: bool
) -> Iterable[Plan]:
    """The plans for buyers; nothing is changed."""
    site = plone_site.get()
    for buyer_id in buyer_ids:
        with report.attempt(buyer_id):
            yield preview.plan(site, buyer_id, now, despite_silence=confirmed)


def _provision(
    report: SweepReport,
    buyer_ids: Iterable[str],
    confirmed: bool,
    admission: Admission = Admission.ARRIVAL,
) -> Iterable[Plan]:
    for buyer_id in buyer_ids:
        with report.attempt(buyer_id):
            yield pipeline.provision(buyer_id, despite_silence=confirmed, admission=admission)


def _due(site: Any, now: datetime, confirmed: bool) -> Iterable[str]:
    """The buyers to look at; if confirmed also those whose provider is silent."""
    until = timestamps.iso(now + LOOK_AGAIN if confirmed else now)
    for _moment, buyer_id in trees.tree(site, "buyers_due").keys(max=(until, "~")):
        yield buyer_id


def _ended_later(site: Any, report: SweepReport) -> Iterable[tuple[str, str]]:
    """Runs that ended access by a clock that was ahead: the time of each, and the buyer."""
    ended, now = trees.tree(site, "access_ended"), timestamps.now()
    return () if report.off else ended.keys((timestamps.iso(now), "~"))


def _ready(site: Any, report: SweepReport) -> list[str]:
    """The buyers who wait for a group that exists by now, or whom a wrong clock took one."""
    records = trees.tree(site, "buyers")
    filed = trees.tree(site, "buyers_pending")
    ended = (buyer_id for _at, buyer_id in _ended_later(site, report))
    ready = dict.fromkeys(buyer_id for buyer_id in ended if buyer_id in records)
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
