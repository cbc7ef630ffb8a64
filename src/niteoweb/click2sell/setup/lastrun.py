"""The last automatic check, in words: for the checklist, the report and a page of its own."""

from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.setup.check import Check
from niteoweb.click2sell.setup.check import duration
from niteoweb.click2sell.setup.check import Status
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.timestamps import is_recent
from typing import Any
from zope.i18nmessageid import Message


#: The page about it.
PAGE = "click2sell-check"
TITLE = _("Automatic check")

#: It is late after so many of its pauses.
PAUSES = 3
#: The same where the site calls it by cron.
EXPECTED = timedelta(days=1)

#: Who runs it, where that is no owner.
STARTED_BY = {
    schedule.CLOCK: _("the site's clock"),
    schedule.COMMAND: _("the command"),
    schedule.SERVICE: _("the service"),
}

#: The numbers of a run, each with its sentence, in the order in which a run does them.
SENTENCES = {
    "entries": _("Notifications processed again: ${number}"),
    "missed": _("Missed notifications that a provider was asked for: ${number}"),
    "lapsed": _("Members whose access ended: ${number}"),
    "groups_given_late": _("Members who got a group that had been missing: ${number}"),
    "reminded": _("Members reminded that access ends: ${number}"),
    "accounts_made_late": _("Accounts created for buyers who had waited: ${number}"),
    "payloads_removed": _("Notifications whose old parameters were removed: ${number}"),
    "busy": _(
        "Left for the next check because another process was changing the same data: ${number}"
    ),
    "troubled": _("Unexpected errors, which are in the site's log: ${number}"),
}


def check(site: Any, now: datetime) -> Check:
    """Whether the automatic check runs, as an item of the checklist.

    :param now: in UTC.
    """
    last = schedule.last_run(site)
    state, text = _state(last, now)
    details = (pause(), *([_run(last, now), *done(last)] if last else ()))
    moment = last.begun_at if last else None
    return Check("last_sweep", state, TITLE, text, details, moment)


def late(site: Any, now: datetime) -> Check | None:
    """The automatic check, when it is late or asks somebody; it never runs on a copy."""
    found = check(site, now)
    if found.moment is None or found.state == Status.OK or plone_site.is_copy():
        return None
    if found.state != Status.TODO and not plone_site.public_address():
        # It waits for the address, which is a step of the set-up.
        return None
    return found


def titled(check: Check) -> Message:
    """The text of a check, with its title."""
    return _("${title}: ${text}", mapping={"title": check.title, "text": check.text})


def _state(last: schedule.Run | None, now: datetime) -> tuple[Status, Message]:
    if last is None:
        text = _(
            "It never ran. Without it access does not end, and what failed is not tried again."
        )
        return Status.WARNING, text
    if is_late(last, now):
        text = _(
            "It is late. Without it access does not end, and what failed is not tried again."
        )
        return Status.WARNING, text
    if last.stopped and "hours_off" in last.stopped:
        return Status.TODO, doubted(last.stopped)
    if last.stopped:
        text = _(
            "It stopped: ${members} members would have lost access at once. Look at them, and "
            "confirm that it is right.",
            mapping=dict(last.stopped),
        )
        return Status.TODO, text
    return Status.OK, ago(last.begun_at, now)


def ago(moment: datetime, now: datetime) -> Message:
    """The time since a run began, as a sentence."""
    return _("Last run ${ago} ago.", mapping={"ago": duration(now - moment)})


def doubted(stopped: Mapping[str, int]) -> Message:
    """The reason for which a run ended no access: the clock of the server has jumped."""
    return _(
        "It ends no access: the server's clock is off by ${hours_off} hours from the time that "
        "was expected after the last check. Either the clock was changed, or the site was down "
        "for long, or restored from a backup. If the clock is right, and the payment providers "
        "have delivered what they could not, confirm it.",
        mapping=dict(stopped),
    )


def is_late(last: schedule.Run, now: datetime) -> bool:
    """Whether the next run should have begun by now; a run in the future counts as none."""
    pause_ = effective.sweep_pause()
    return abs(now - last.begun_at) > (EXPECTED if pause_ is None else PAUSES * pause_)


def pause() -> Message:
    """The pause between two runs, as a sentence."""
    pause_ = effective.sweep_pause()
    if pause_ is None:
        return _("The site does not check by itself: cron has to.")
    if not plone_site.public_address():
        return _("The site does not check by itself before its public address is set.")
    minutes = pause_ // timedelta(minutes=1)
    if minutes == 1:
        return _("The site checks every minute.")
    return _("The site checks every ${minutes} minutes.", mapping={"minutes": minutes})


def started_by(by: str) -> Message | str:
    """The name of its starter, in words.

    :param by: see :class:`niteoweb.click2sell.storage.schedule.Run`.
    """
    return STARTED_BY.get(by, by)


def took(last: schedule.Run, now: datetime) -> Message:
    """The duration of a run, as a sentence."""
    if last.seconds is not None and last.seconds < 1:
        return _("It took less than a second.")
    if last.seconds is not None:
        return _("It took ${seconds} s.", mapping={"seconds": round(last.seconds)})
    if is_running(last, now):
        return _("It is running now.")
    return _("It did not finish: its process ended.")


def is_running(last: schedule.Run, now: datetime) -> bool:
    """Whether a run goes on, as far as anybody can know."""
    return last.seconds is None and is_recent(last.begun_at, now, schedule.LEASE)


def done(last: schedule.Run) -> list[Message]:
    """A sentence for each kind of work that a run did; none before its end."""
    if last.numbers is None:
        return []
    return sentences(last.numbers, SENTENCES) or [_("Nothing was due.")]


def sentences(numbers: Mapping[str, int], texts: Mapping[str, Message]) -> list[Message]:
    """The sentences of the numbers that are not zero."""
    return [
        Message(text, mapping={"number": numbers[name]})
        for name, text in texts.items()
        if numbers.get(name)
    ]


def _run(last: schedule.Run, now: datetime) -> Message:
    """The starter of a run, and its duration, as one sentence."""
    names = {"who": started_by(last.by), "took": took(last, now)}
    return _("Started by ${who}. ${took}", mapping=names)
