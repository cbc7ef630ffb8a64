"""A buyer's timeline in words, as the member's page shows it."""

from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.explain import timeline
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.report import happenings
from zope.i18nmessageid import Message


@dataclass(frozen=True)
class EventLine:
    """An event of the timeline.

    :ivar details: further facts, each a line.
    :ivar badge: the outcome of a notification, None for other events.
    :ivar link: its text, which leads to the notification if there is one.
    """

    at: formatting.Moment
    link: formatting.Link
    details: tuple[Message | str, ...]
    badge: formatting.Badge | None
    key: str = ""


def line(event: timeline.TimelineEvent, list_url: str) -> EventLine:
    """An event in words.

    :param list_url: address of the list of notifications.
    """
    entry = event.what in (timeline.NOTIFICATION, timeline.ACTION)
    return EventLine(
        at=formatting.moment(event.at),
        link=formatting.Link(
            happenings.text(event, formatting.translated),
            f"{list_url}/{event.key}" if event.key else "",
        ),
        details=tuple(_details(event)),
        badge=formatting.badge(event.outcome) if entry else None,
        key=event.key if event.what == timeline.ACTION else "",
    )


def _details(event: timeline.TimelineEvent) -> list[Message | str]:
    details: list[Message | str] = []
    if event.receipt:
        details.append(_("Receipt: ${receipt}", mapping={"receipt": event.receipt}))
    if event.reason:
        details.append(reasons.text(event.reason, event.reason_subject))
    if event.attempts > 1:
        details.append(_("Attempts: ${number}", mapping={"number": event.attempts}))
    if remark := happenings.remark(event):
        details.append(remark)
    if event.by:
        details.append(_("By ${user}", mapping={"user": event.by}))
    return details
