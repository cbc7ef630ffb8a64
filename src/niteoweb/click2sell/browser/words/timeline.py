"""A buyer's timeline in words, as the member's page shows it."""

from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.explain import timeline
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.notification import Kind
from zope.i18nmessageid import Message


#: Actions of owners, by the kind of their entries.
ACTIONS = {
    Kind.PURCHASE: _("Access to ${product} was given by hand"),
    Kind.EXPIRY: _("Access to ${product} was ended by hand"),
    Kind.REACTIVATION: _("Access to ${product} was extended by hand"),
    Kind.PLAN_CHANGE: _("Access to ${product} was extended by hand"),
    Kind.CORRECTION: _("The buyer of a purchase was corrected"),
    Kind.INFORMATION: _("The provider told something"),
}

MAILS = {
    outbox.WELCOME: _("Welcome mail"),
    outbox.NOTICE: _("Notice that a purchase was attached to an account"),
    outbox.CLAIM: _("Link by which the buyer confirms the purchase"),
    outbox.REMINDER: _("Reminder that access ends"),
    outbox.ENDED: _("Mail that access has ended"),
}

EVENTS = {
    timeline.FILED: _("${mail} for ${to}: filed"),
    timeline.TRIED: _("${mail} for ${to}: not sent yet"),
    timeline.SENT: _("${mail} for ${to}: sent"),
    timeline.DROPPED: _("${mail} for ${to}: given up"),
    buyers.MADE: _("The account ${subject} was made"),
    buyers.ATTACHED: _("The purchase was attached to the account ${subject}"),
    buyers.DELETED: _("The account ${subject} was deleted"),
    buyers.GIVEN: _('Put in the group "${subject}"'),
    buyers.ENDED: _('Taken out of the group "${subject}"'),
    buyers.GIVEN_BY_HAND: _('Put in the group "${subject}" by hand'),
    buyers.TAKEN_BY_HAND: _('Taken out of the group "${subject}" by hand'),
}


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


def line(event: timeline.TimelineEvent, list_url: str) -> EventLine:
    """An event in words.

    :param list_url: address of the list of notifications.
    """
    entry = event.what in (timeline.NOTIFICATION, timeline.ACTION)
    return EventLine(
        at=formatting.moment(event.at),
        link=formatting.Link(_text(event), f"{list_url}/{event.key}" if event.key else ""),
        details=tuple(_details(event)),
        badge=formatting.badge(event.outcome) if entry else None,
    )


def _text(event: timeline.TimelineEvent) -> Message | str:
    if event.what == timeline.ACTION and event.subject in ACTIONS:
        return Message(ACTIONS[event.subject], mapping={"product": event.product})
    if event.what in (timeline.ACTION, timeline.NOTIFICATION):
        names = {
            "kind": formatting.translated(formatting.kind(event.subject)),
            "product": event.product,
        }
        return _("${kind}: ${product}", mapping=names) if event.product else names["kind"]
    if event.what == timeline.NOTE:
        return event.subject
    names = {
        "mail": formatting.translated(MAILS.get(event.subject, event.subject)),
        "to": event.to,
        "subject": event.subject,
    }
    return Message(EVENTS.get(event.what, event.what), mapping=names)


def _details(event: timeline.TimelineEvent) -> list[Message | str]:
    details: list[Message | str] = []
    if event.receipt:
        details.append(_("Receipt: ${receipt}", mapping={"receipt": event.receipt}))
    if event.reason:
        details.append(reasons.text(event.reason, event.reason_subject))
    if event.attempts > 1:
        details.append(_("Attempts: ${number}", mapping={"number": event.attempts}))
    if event.text:
        details.append(event.text)
    if event.by:
        details.append(_("By ${user}", mapping={"user": event.by}))
    return details
