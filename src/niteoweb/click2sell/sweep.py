"""The sweep: what is due without a delivery. For cron, or a timer.

It takes up entries whose process died or that failed, ends lapsed access, gives groups that
were missing, sends due mails, and removes payloads that are old enough. Each member, entry and
mail is a commit of its own, and two sweeps at once do each thing once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import buyer as buyers
from niteoweb.click2sell import commit
from niteoweb.click2sell import forgery
from niteoweb.click2sell import group
from niteoweb.click2sell import ledger
from niteoweb.click2sell import member
from niteoweb.click2sell import outbox
from niteoweb.click2sell import plan as plans
from niteoweb.click2sell import postman
from niteoweb.click2sell import provisioning
from niteoweb.click2sell import retention
from niteoweb.click2sell import silence
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import store
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")

#: An entry that is "received" for longer belongs to a process that died.
RECEIVED_AT_MOST = timedelta(minutes=2)

#: Fewer members than this never trip the circuit breaker.
BREAKER_AT_LEAST = 20


@dataclass
class Report:
    """What a sweep did, or would do.

    :ivar as_of: the moment that it looked at, in UTC.
    :ivar copy: this is a copy of the site; nothing was applied.
    :ivar lapsed: a member each: ``user_id``, ``email``, ``products``, ``groups``.
    :ivar stopped: why no access was ended: ``members``, ``limit``; None when it was.
    :ivar silent: silent providers, with the time of their last notification. Subscriptions of
        these were not ended for want of a renewal.
    :ivar entries: keys of the entries that were taken up, with their outcome.
    :ivar granted: members who were given a group that had been missing.
    :ivar mails: mails that were sent, and that could not be.
    :ivar redacted: entries whose payload was removed.
    :ivar busy: members that another process was at; the next sweep does them.
    """

    as_of: datetime
    dry_run: bool
    copy: bool
    lapsed: list[dict[str, Any]] = field(default_factory=list)
    stopped: dict[str, int] | None = None
    silent: dict[str, datetime] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)
    granted: int = 0
    mails: dict[str, int] = field(default_factory=lambda: {"sent": 0, "failed": 0, "due": 0})
    redacted: int = 0
    busy: int = 0

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "as_of": self.as_of.isoformat(),
            "dry_run": self.dry_run,
            "copy_of_the_site": self.copy,
            "lapsed": self.lapsed,
            "stopped": self.stopped,
            "silent_providers": {n: t.isoformat() for n, t in sorted(self.silent.items())},
            "entries": self.entries,
            "groups_given_late": self.granted,
            "mails": self.mails,
            "payloads_removed": self.redacted,
            "busy": self.busy,
        }


def sweep(
    dry_run: bool = False, as_of: datetime | None = None, confirmed: bool = False
) -> Report:
    """Do what is due.

    :param dry_run: only tell.
    :param as_of: tell what is due at that moment, in UTC; only with `dry_run`.
    :param confirmed: end access however many members lose it, and although a provider is
        silent.
    :raises ValueError: `as_of` without `dry_run`.
    """
    if as_of is not None and not dry_run:
        raise ValueError("as_of needs dry_run: the past and the future cannot be applied")
    now = as_of or datetime.now(timezone.utc)
    report = Report(now, dry_run, plone_site.is_copy())
    site = plone_site.get()
    if dry_run or report.copy:
        _look(site, report, now, confirmed)
        return report
    commit.run(forgery.write)
    _entries(report, now)
    _lapsed(report, now, confirmed)
    _pending(report)
    _mails(report, now)
    report.redacted = retention.redact(now)
    return report


def _look(site: Any, report: Report, now: datetime, confirmed: bool) -> None:
    """Fill the report without changing anything."""
    report.silent = {} if confirmed else silence.silent(site, now)
    report.entries = {key: ledger.get(site, key)["outcome"] for key in _unfinished(site, now)}
    for buyer_id in _due(site, now):
        buyer = buyers.get(site, buyer_id)
        _tell(report, plans.make(site, buyer, now, despite_silence=confirmed))
    _break(site, report, confirmed)
    report.mails["due"] = len(outbox.due(site, now))


def _entries(report: Report, now: datetime) -> None:
    """Take up entries whose process died, and failed ones."""
    for key in _unfinished(plone_site.get(), now):
        try:
            report.entries[key] = provisioning.resume(key).outcome
        except commit.Busy:
            report.busy += 1
        except provisioning.Failed:
            report.entries[key] = ledger.FAILED


def _lapsed(report: Report, now: datetime, confirmed: bool) -> None:
    """End what is over, unless that would be suspiciously much."""
    site = plone_site.get()
    report.silent = {} if confirmed else silence.silent(site, now)
    due = list(_due(site, now))
    for buyer_id in due:
        _tell(
            report, plans.make(site, buyers.get(site, buyer_id), now, despite_silence=confirmed)
        )
    _break(site, report, confirmed)
    if report.stopped:
        return
    report.lapsed = []
    for plan in _provision(report, due, confirmed):
        _tell(report, plan)


def _pending(report: Report) -> None:
    """Give the groups that exist by now."""
    site = plone_site.get()
    waiting: dict[str, bool] = {}
    ready = []
    for group_id, buyer_id in store.tree(site, "buyers_pending"):
        if group_id not in waiting:
            waiting[group_id] = not group.problem(group_id)
        if waiting[group_id]:
            ready.append(buyer_id)
    report.granted = sum(bool(plan.grant) for plan in _provision(report, ready, False))


def _provision(
    report: Report, buyer_ids: Iterable[str], confirmed: bool
) -> Iterable[plans.Plan]:
    for buyer_id in buyer_ids:
        try:
            yield provisioning.provision(buyer_id, despite_silence=confirmed)
        except commit.Busy:
            report.busy += 1
        except Exception as error:
            # One member's trouble is not the others'; the next sweep tries again.
            logger.error("Buyer %s: %s", buyer_id, type(error).__name__)
            report.busy += 1


def _mails(report: Report, now: datetime) -> None:
    """Send what is due; an unreachable server is asked once more for each mail."""
    for mail_id in outbox.due(plone_site.get(), now):
        try:
            sent = postman.deliver(mail_id, "", provisioning.step)
        except commit.Busy:
            report.busy += 1
        else:
            report.mails["sent" if sent else "failed"] += 1
    report.mails["due"] = len(outbox.due(plone_site.get(), datetime.now(timezone.utc)))


def _unfinished(site: Any, now: datetime) -> list[str]:
    died = ledger.received_before(site, "outcome", ledger.RECEIVED, now - RECEIVED_AT_MOST)
    return [*died, *ledger.newest_first(site, "outcome", ledger.FAILED)]


def _due(site: Any, now: datetime) -> Iterable[str]:
    for _moment, buyer_id in store.tree(site, "buyers_due").keys(max=(ledger.iso(now), "~")):
        yield buyer_id


def _tell(report: Report, plan: plans.Plan) -> None:
    if not plan.lost:
        return
    report.lapsed.append(
        {
            "user_id": plan.user_id,
            "email": member.fields(plan.user_id, ("email",))["email"],
            "products": [{"provider": p, "product_id": product} for p, product in plan.lost],
            "groups": list(plan.revoked),
        }
    )


def _break(site: Any, report: Report, confirmed: bool) -> None:
    """Trip the circuit breaker: a wrong clock or mapping must not empty the site."""
    settings = plone_site.settings()
    with_access = store.tree(site, "buyers_with_access")()
    limit = max(
        BREAKER_AT_LEAST,
        min(settings.breaker_members, with_access * settings.breaker_percent // 100),
    )
    if len(report.lapsed) > limit and not confirmed:
        report.stopped = {"members": len(report.lapsed), "limit": limit}
        logger.error(
            "The sweep stopped: %s members would lose access at once, the limit is %s.",
            len(report.lapsed),
            limit,
        )
