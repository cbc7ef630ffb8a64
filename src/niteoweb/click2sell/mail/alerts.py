"""Alerts to the owner: open notifications once a day, urgent news at once.

Each alert is mailed once. It is written down in the commit of its mails, so that of two sweeps
at once only one mails it.
"""

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import hooks
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.entitlement import ABOUT_GROUP
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.timestamps import is_recent
from typing import Any


#: A kind of mail to the owner, and the values of its text.
News = tuple[str, dict[str, Any]]

#: The keys of the alerts that were mailed already.
_DAY = "alert_day"
_SILENT = "alert_silent"
_STOPPED = "alert_stopped"
_HELD = "alert_held"
_NOT_TAKEN = "alert_not_taken"

#: The owner is alerted again that accounts wait when none waited for so long.
HELD_AGAIN = timedelta(hours=1)


def file(site: Any, stopped: Mapping[str, int] | None, now: datetime) -> None:
    """File the alerts that are due in the outbox.

    Without an address to mail to no alert counts as mailed.

    :param stopped: why the sweep that is going on stopped, None when it did not; see
        :class:`niteoweb.click2sell.worker.report.SweepReport`.
    :param now: in UTC.
    """
    to = addresses()
    if not to:
        return
    mailed = trees.tree(site, "remarks")
    news = [*_stopped(mailed, stopped)]
    if not (stopped and "hours_off" in stopped):
        # A clock that is wrong tells neither silence nor days.
        news += (
            *_silent(site, mailed, now),
            *_held(site, mailed, now),
            *_not_taken(site, mailed),
            *_daily(site, mailed, now),
        )
    domain = plone_site.mail_domain()
    for kind, about in news:
        for address in to:
            outbox.file_for_owner(site, kind, address, about, now, domain)


def addresses() -> tuple[str, ...]:
    """The owner's addresses: those of the settings, else the sender address of the site."""
    sender = plone_site.sender()[1]
    return tuple(plone_site.settings().alert_addresses or ([sender] if sender else []))


def _silent(site: Any, mailed: Any, now: datetime) -> Iterator[News]:
    """Providers that have fallen silent, and those that are heard again."""
    before = mailed.get(_SILENT, {})
    after = {name: timestamps.iso(last) for name, last in silence.silent(site, now).items()}
    if after == before:
        return
    mailed[_SILENT] = after
    for provider, last in sorted(after.items()):
        if before.get(provider) != last:
            yield outbox.SILENT, {"provider": provider, "since": last}
    for provider in sorted(set(before) - set(after)):
        yield outbox.HEARD, {"provider": provider, "since": before[provider]}


def _stopped(mailed: Any, stopped: Mapping[str, int] | None) -> Iterator[News]:
    """A sweep that stopped, and the first one after it that did not."""
    if bool(stopped) == mailed.get(_STOPPED, False):
        return
    mailed[_STOPPED] = bool(stopped)
    if not stopped:
        yield outbox.RESUMED, {}
    else:
        yield outbox.DOUBTED if "hours_off" in stopped else outbox.STOPPED, dict(stopped)


def _held(site: Any, mailed: Any, now: datetime) -> Iterator[News]:
    """Accounts that have to wait because of the cap, once for as long as that goes on."""
    before = mailed.get(_HELD)
    if accountquota.anybody_waits(site):
        mailed[_HELD] = timestamps.iso(now)
        if before is None:
            about = {"waiting": accountquota.waiting(site), "limit": accountquota.cap()}
            yield outbox.HELD, about
    elif before is not None and not is_recent(timestamps.from_iso(before), now, HELD_AGAIN):
        del mailed[_HELD]


def _not_taken(site: Any, mailed: Any) -> Iterator[News]:
    """Receivers of hooks that were switched off, or whose events were given up."""
    before = mailed.get(_NOT_TAKEN, ())
    failed = {
        receiver["id"]: hooks.receivers.host(receiver)
        for receiver in hooks.receivers.every(site)
        if receiver["switched_off_at"] or hooks.outbox.given_up(site, receiver["id"])
    }
    if set(failed) != set(before):
        mailed[_NOT_TAKEN] = tuple(failed)
    for receiver_id, host in failed.items():
        if receiver_id not in before:
            yield outbox.NOT_TAKEN, {"host": host}


def _daily(site: Any, mailed: Any, now: datetime) -> Iterator[News]:
    """The notifications that wait for the owner, once a day, when there are new ones."""
    untold = trees.tree(site, "untold")
    today = now.astimezone(plone_site.timezone()).date().isoformat()
    # A record that is not there yet reads as None.
    if plone_site.settings().daily_mail is False or not untold or mailed.get(_DAY) == today:
        return
    counts = Counter(_reason(entries.at(site, place)) for place in untold)
    mailed[_DAY] = today
    untold.clear()
    yield (
        outbox.DAILY,
        {
            "counts": tuple((*reason, number) for reason, number in sorted(counts.items())),
            "older": ledger.waiting(site) - counts.total(),
        },
    )


def _reason(entry: ledger.Entry) -> tuple[str, str, str]:
    """Outcome, reason and subject of an entry, without anything about its buyer."""
    code = entry["reason"]
    named = code in {Reason.PARAMETER, *ABOUT_GROUP}
    return entry["outcome"], code, entry["subject"] if named else ""
