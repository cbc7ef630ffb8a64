"""Reminding: members are told some days before access ends, each end once.

The mail is filed in the commit that notes the end as told, so neither a crash nor a second
process repeats it or loses it. The event for content rules is fired after that commit.
"""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.buyers import reminders
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.mail import farewells
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.provisioning import events
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import writer
from typing import Any


def due(site: Any, now: datetime) -> Iterator[reminders.Row]:
    """The ends that members are to be told of now."""
    days = plone_site.settings().reminder_days
    if days and not plone_site.is_copy():
        yield from reminders.due(site, days, now)


def remind(row: reminders.Row, now: datetime) -> bool:
    """Tell a member of an end, unless it is an end no more.

    :returns: whether the member is told.
    :raises niteoweb.click2sell.storage.transactions.Busy: another process was at the same data.
    """
    event = writer.run(lambda site: _tell(site, row, now))
    if event is not None:
        events.hand_over([event])
    return event is not None


def _tell(site: Any, row: reminders.Row, now: datetime) -> events.AccessEndsSoonEvent | None:
    end, buyer_id, *names = row
    product = names[0], names[1]
    buyer, settings = buyers.get(site, buyer_id), plone_site.settings()
    if buyer is None or row not in buyer.get("ends_ahead", ()):
        return None  # another process was faster
    outcome, until = history.outcome(site, buyer, now), timestamps.from_iso(end)
    if outcome.endings.get(product) != until:
        reminders.note(site, buyer, outcome.endings, now)
        return None
    reminders.tell(site, buyer, row)
    since = next(one.since for one in outcome.entitlements if one.product == product)
    is_short = since > until - timedelta(days=settings.reminder_days)
    user_id = buyer["user_id"]
    if is_short or not accounts.exists(user_id) or privilege.member(user_id):
        return None
    if settings.reminder_mail is not False:
        farewells.file(site, buyer, outbox.REMINDER, product, until, now)
    steps.reached("reminder filed")
    aliases = outcome.aliases.get(product, ())
    groups = mapping.groups(outcome.lines, product, aliases)
    return events.AccessEndsSoonEvent(user_id, *product, groups, until)
