"""When the owner is told: once a day what waits for them, and at once what cannot wait.

Each thing is told once. What was told is written down in the same commit as the mails, so that
of two sweeps at once only one tells.
"""

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.storage import trees
from typing import Any


#: A kind of mail to the owner, and what it tells.
News = tuple[str, dict[str, Any]]

#: Where what was told already is kept.
_DAY = "alert_day"
_SILENT = "alert_silent"
_STOPPED = "alert_stopped"
_HELD = "alert_held"

#: That accounts have to wait is told again when none had to for so long.
HELD_AGAIN = timedelta(hours=1)


def file(site: Any, stopped: Mapping[str, int] | None, now: datetime) -> None:
    """Put the mails that the owner is owed into the outbox, if there are any.

    Without an address to mail to nothing counts as told.

    :param stopped: whether the sweep that is going on stopped; see
        :class:`niteoweb.click2sell.worker.report.SweepReport`.
    :param now: in UTC.
    """
    to = addresses()
    if not to:
        return
    told = trees.tree(site, "remarks")
    news = [
        *_silent(site, told, now),
        *_stopped(told, stopped),
        *_held(site, told, now),
        *_daily(site, told, now),
    ]
    domain = plone_site.mail_domain()
    for kind, about in news:
        for address in to:
            outbox.file_for_owner(site, kind, address, about, now, domain)


def addresses() -> tuple[str, ...]:
    """Who is told: the addresses of the settings, else the sender address of the site."""
    sender = plone_site.sender()[1]
    return tuple(plone_site.settings().alert_addresses or ([sender] if sender else []))


def _silent(site: Any, told: Any, now: datetime) -> Iterator[News]:
    """Providers that have fallen silent, and those that are heard again."""
    before = told.get(_SILENT, {})
    after = {name: timestamps.iso(last) for name, last in silence.silent(site, now).items()}
    if after == before:
        return
    told[_SILENT] = after
    for provider, last in sorted(after.items()):
        if before.get(provider) != last:
            yield outbox.SILENT, {"provider": provider, "since": last}
    for provider in sorted(set(before) - set(after)):
        yield outbox.HEARD, {"provider": provider, "since": before[provider]}


def _stopped(told: Any, stopped: Mapping[str, int] | None) -> Iterator[News]:
    """A sweep that stopped, and the first one after it that did not."""
    if bool(stopped) == told.get(_STOPPED, False):
        return
    told[_STOPPED] = bool(stopped)
    yield (outbox.STOPPED, dict(stopped)) if stopped else (outbox.RESUMED, {})


def _held(site: Any, told: Any, now: datetime) -> Iterator[News]:
    """Accounts that have to wait because of the cap, once for as long as that goes on."""
    before = told.get(_HELD)
    if accountquota.anybody_waits(site):
        told[_HELD] = timestamps.iso(now)
        if before is None:
            about = {"waiting": accountquota.waiting(site), "limit": accountquota.cap()}
            yield outbox.HELD, about
    elif before is not None and now - timestamps.from_iso(before) >= HELD_AGAIN:
        del told[_HELD]


def _daily(site: Any, told: Any, now: datetime) -> Iterator[News]:
    """What waits for the owner, once a day at most, and only when some of it is new."""
    untold = trees.tree(site, "untold")
    today = now.astimezone(plone_site.timezone()).date().isoformat()
    # A record that is not there yet reads as None.
    if plone_site.settings().daily_mail is False or not untold or told.get(_DAY) == today:
        return
    found = Counter(_what(ledger.get(site, key)) for key in untold)
    told[_DAY] = today
    untold.clear()
    yield (
        outbox.DAILY,
        {
            "counts": tuple((*what, number) for what, number in sorted(found.items())),
            "older": ledger.waiting(site) - found.total(),
        },
    )


def _what(entry: ledger.Entry) -> tuple[str, str, str]:
    """Outcome, reason and subject of an entry, without anything about its buyer."""
    code = entry["reason"]
    named = code == "parameter" or code.startswith("group")
    return entry["outcome"], code, entry["subject"] if named else ""
