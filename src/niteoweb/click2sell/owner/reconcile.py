"""Reconcile everybody: make all groups agree with today's mapping.

A run for one buyer never takes a group away because the mapping changed; only this does, after
its dry run. It gives and takes what any run for a buyer would, ended access among it, so a
reconciliation has no circuit breaker of its own: whoever applies it has seen the dry run.
Subscriptions of a silent provider stay, as in a sweep.

Each member is a commit of its own, and a member who agrees needs none: after an interruption,
calling it again does the rest.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import asdict
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan as plans
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from typing import Any

import logging
import time


logger = logging.getLogger("niteoweb.click2sell")

#: After this many buyers, what was read and is not needed any more leaves the memory.
BATCH = 500


class CopyOfSite(Exception):
    """A copy of the site must not act as the site."""


@dataclass(frozen=True)
class Change:
    """What reconciling one buyer changes.

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

    def as_json(self) -> dict[str, Any]:
        """The change as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Trouble:
    """Something unexpected happened while a buyer was looked at; the log tells what."""

    buyer_id: str


@dataclass
class Report:
    """What was applied.

    :ivar looked_at: members so far.
    :ivar changed: members who were given a group or taken out of one.
    :ivar left: members who could not be changed now: another process was at them, or something
        failed, which the log tells. Calling it again tries them again.
    """

    looked_at: int = 0
    changed: int = 0
    left: int = 0


def look(site: Any, now: datetime | None = None) -> Iterator[Change | Trouble]:
    """What reconciling everybody would change; nothing is changed.

    :param now: in UTC; None for the present.
    """
    return (found for _buyer_id, found in _look(site, now, "", "") if found)


@dataclass(frozen=True)
class Part:
    """What reconciling some of the buyers would change.

    :ivar until: the id of the last buyer that was looked at, "" when that was the last of all.
    :ivar troubled: how many could not be looked at; the log tells why.
    """

    changes: tuple[Change, ...]
    until: str
    troubled: int = 0


def part(site: Any, after: str = "", until: str = "", seconds: float | None = None) -> Part:
    """What reconciling the buyers after one of them would change.

    :param after: look only at buyers whose ids come after this one.
    :param until: and not after this one; "" for all of them.
    :param seconds: for how long to look, None for as long as it takes.
    """
    enough = None if seconds is None else time.monotonic() + seconds
    found: list[Change] = []
    troubled = 0
    for buyer_id, change in _look(site, None, after, until):
        if isinstance(change, Trouble):
            troubled += 1
        elif change:
            found.append(change)
        if enough is not None and time.monotonic() > enough:
            following = next(_buyers(site, buyer_id, until or None), None)
            return Part(tuple(found), buyer_id if following else until, troubled)
    return Part(tuple(found), until, troubled)


def fingerprint(found: Iterable[Change]) -> str:
    """Stands for these changes: another one, or one less, has another fingerprint."""
    parts = [f"{change.buyer_id} +{change.given} -{change.taken}" for change in found]
    return idempotency_key(*sorted(parts))


def apply(
    found: Iterable[Change], enough: Callable[[Report], bool] = lambda report: False
) -> Report:
    """Reconcile the buyers of these changes.

    :param found: what the dry run found; each buyer is looked at anew, so that nothing outdated
        is applied.
    :param enough: called after each buyer with the report so far; whether to stop here.
    :raises CopyOfSite: nothing is applied on a copy.
    """
    if plone_site.is_copy():
        raise CopyOfSite
    report = Report()
    for change in found:
        try:
            plan = pipeline.provision(change.buyer_id, follow_mapping=True)
        except transactions.Busy:
            report.left += 1
        except Exception as error:
            _trouble(change.buyer_id, error)
            report.left += 1
        else:
            report.changed += bool(plan.grant or plan.revoked)
        report.looked_at += 1
        if report.looked_at % BATCH == 0:
            _forget_what_was_read(plone_site.get())
        if enough(report):
            break
    return report


def _look(
    site: Any, now: datetime | None, after: str, until: str
) -> Iterator[tuple[str, Change | Trouble | None]]:
    now = now or timestamps.now()
    for buyer_id in _buyers(site, after, until or None):
        found: Change | Trouble | None
        try:
            found = _change(site, buyer_id, now)
        except Exception as error:
            found = _trouble(buyer_id, error)
        yield buyer_id, found


def _trouble(buyer_id: str, error: Exception) -> Trouble:
    """One member's trouble is not the others'."""
    log_failure(buyer_id, error)
    return Trouble(buyer_id)


def _change(site: Any, buyer_id: str, now: datetime) -> Change | None:
    buyer = buyers.get(site, buyer_id)
    plan = plans.make(site, buyer, now, follow_mapping=True)
    if not (plan.grant or plan.revoked):
        return None
    return Change(
        buyer_id=buyer["id"],
        user_id=plan.user_id,
        address=buyer["addresses"][0],
        given=tuple(sorted(plan.grant)),
        taken=tuple(sorted(plan.revoked)),
    )


def _buyers(site: Any, after: str, until: str | None) -> Iterator[str]:
    """The ids of buyers, also while others are added."""
    records = trees.tree(site, "buyers")
    while batch := list(islice(records.keys(after, until, excludemin=True), BATCH)):
        yield from batch
        after = batch[-1]
        _forget_what_was_read(site)


def _forget_what_was_read(site: Any) -> None:
    """Shrink the database's cache, which else happens only when the connection closes."""
    site._p_jar.cacheGC()
