"""Reconcile everybody: make all groups agree with today's mapping.

A run for one buyer never revokes a group because the mapping changed; only this does, after its
preview. It grants and revokes like any run for a buyer, ended access among it. A reconciliation
has no circuit breaker of its own: the owner who applies it has seen the preview. Subscriptions
of a silent provider stay, as in a sweep.

Each member is a commit of its own, and a member who agrees needs none: after an interruption,
calling it again does the rest.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import preview
from niteoweb.click2sell.storage import batched
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from typing import Any

import time


#: Buyers whose ids are read at once.
BATCH = 500


class CopyOfSite(Exception):
    """A copy of the site must not act as the site."""


@dataclass(frozen=True)
class Change:
    """The change that reconciling makes for one buyer.

    :ivar user_id: of the member, "" when an account has to be made.
    :ivar address: the buyer's.
    :ivar given: groups that the member is put in.
    :ivar taken: groups that the member is taken out of.
    """

    buyer_id: str
    user_id: str
    address: str
    given: tuple[str, ...]
    taken: tuple[str, ...]


@dataclass
class ReconcileReport:
    """The result of a reconciliation.

    :ivar looked_at: members so far.
    :ivar changed: members who were given a group or taken out of one.
    :ivar left: members who could not be changed now: another process was at them, or something
        failed, see the log. Another call tries them again.
    """

    looked_at: int = 0
    changed: int = 0
    left: int = 0


@dataclass(frozen=True)
class Part:
    """The preview for some of the buyers.

    :ivar until: the id of the last buyer of this part, "" when that was the last of all.
    :ivar troubled: number of buyers who could not be looked at; see the log.
    """

    changes: tuple[Change, ...]
    until: str
    troubled: int = 0


def part(site: Any, after: str = "", until: str = "", seconds: float | None = None) -> Part:
    """Preview the reconciliation of some of the buyers; nothing is changed.

    :param after: look only at buyers whose ids come after this one.
    :param until: and not after this one; "" for all of them.
    :param seconds: how long this may take, None for any time.
    """
    now = timestamps.now()
    enough = None if seconds is None else time.monotonic() + seconds
    changes: list[Change | None] = []
    troubled = 0
    for buyer_id in batched(site, _buyers(site, after, until or None)):
        try:
            changes.append(_change(site, buyer_id, now))
        except Exception as error:
            log_failure(buyer_id, error)
            troubled += 1
        if enough is not None and time.monotonic() > enough:
            if next(_buyers(site, buyer_id, until or None), None):
                until = buyer_id
            break
    return Part(tuple(filter(None, changes)), until, troubled)


def _change(site: Any, buyer_id: str, now: datetime) -> Change | None:
    """The change for a buyer, None for one whose groups agree."""
    plan = preview.plan(site, buyer_id, now, follow_mapping=True)
    if not plan.grant and not plan.revoked:
        return None
    return Change(
        buyer_id=buyer_id,
        user_id=plan.user_id,
        address=buyers.addresses(buyers.get(site, buyer_id))[0],
        given=tuple(sorted(plan.grant)),
        taken=tuple(sorted(plan.revoked)),
    )


def fingerprint(changes: Iterable[Change]) -> str:
    """A fingerprint of changes: any other changes have another one."""
    parts = [f"{change.buyer_id} +{change.given} -{change.taken}" for change in changes]
    return idempotency_key(*sorted(parts))


def apply(
    changes: Iterable[Change], enough: Callable[[ReconcileReport], bool] = lambda report: False
) -> ReconcileReport:
    """Reconcile the buyers of these changes.

    :param changes: of the preview; each buyer is looked at anew, so that nothing outdated is
        applied.
    :param enough: called after each buyer with the report so far; whether to stop here.
    :raises CopyOfSite: nothing is applied on a copy.
    """
    if plone_site.is_copy():
        raise CopyOfSite
    report = ReconcileReport()
    for change in batched(plone_site.get(), changes):
        try:
            plan = pipeline.provision(change.buyer_id, follow_mapping=True)
        except transactions.Busy:
            report.left += 1
        except Exception as error:
            # The other members are reconciled all the same.
            log_failure(change.buyer_id, error)
            report.left += 1
        else:
            report.changed += bool(plan.grant or plan.revoked)
        report.looked_at += 1
        if enough(report):
            break
    return report


def _buyers(site: Any, after: str, until: str | None) -> Iterator[str]:
    """The ids of buyers, also while others are added."""
    records = trees.tree(site, "buyers")
    while batch := list(islice(records.keys(after, until, excludemin=True), BATCH)):
        yield from batch
        after = batch[-1]
