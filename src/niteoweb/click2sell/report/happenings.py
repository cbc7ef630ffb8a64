"""The events of a buyer's timeline in words, for the pages and the services."""

from collections.abc import Callable
from niteoweb.click2sell import _
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.explain import timeline
from niteoweb.click2sell.mail import failures
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import group
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.report import labels
from zope.i18nmessageid import Message


#: Acts of owners, by the kind of their entries.
ACTS = {
    Kind.PURCHASE: _("Access to ${product} was given by hand"),
    Kind.EXPIRY: _("Access to ${product} was ended by hand"),
    Kind.REACTIVATION: _("Access to ${product} was extended by hand"),
    Kind.PLAN_CHANGE: _("Access to ${product} was extended by hand"),
    Kind.CORRECTION: _("The buyer of a purchase was corrected"),
    Kind.INFORMATION: _("The provider told something"),
}

MAILS = {
    outbox.WELCOME: _("Welcome mail"),
    outbox.NOTICE: _("Notice that a purchase was connected to an account"),
    outbox.CLAIM: _("Link by which the buyer confirms the purchase"),
    outbox.LINK: _("Link by which a member proves to be a customer"),
    outbox.REMINDER: _("Reminder that access ends"),
    outbox.ENDED: _("Mail that access has ended"),
}

EVENTS = {
    timeline.FILED: _("${mail} for ${to}: queued"),
    timeline.TRIED: _("${mail} for ${to}: not sent yet"),
    timeline.SENT: _("${mail} for ${to}: sent"),
    timeline.DROPPED: _("${mail} for ${to}: abandoned"),
    buyers.MADE: _("The account ${subject} was created"),
    buyers.ATTACHED: _("The purchase was connected to the account ${subject}"),
    buyers.DELETED: _("The account ${subject} was deleted"),
    buyers.GIVEN: _('Put in the group "${subject}"'),
    buyers.ENDED: _('Taken out of the group "${subject}"'),
    buyers.GIVEN_BY_HAND: _('Put in the group "${subject}" by hand'),
    buyers.TAKEN_BY_HAND: _('Taken out of the group "${subject}" by hand'),
}

#: Events of groups, whose subject is a group.
OF_GROUPS = frozenset({buyers.GIVEN, buyers.ENDED, buyers.GIVEN_BY_HAND, buyers.TAKEN_BY_HAND})

#: Events of mails, whose text is an error.
OF_MAILS = frozenset({timeline.FILED, timeline.TRIED, timeline.SENT, timeline.DROPPED})


def text(
    event: timeline.TimelineEvent, translate: Callable[[Message | str], str]
) -> Message | str:
    """An event in words.

    :param translate: translates the texts that the sentence quotes.
    """
    if event.what == timeline.ACTION and event.subject in ACTS:
        return Message(ACTS[event.subject], mapping={"product": event.product})
    if event.what in (timeline.ACTION, timeline.NOTIFICATION):
        kind = translate(labels.KINDS.get(event.subject, event.subject))
        kind = kind[:1].upper() + kind[1:]
        names = {"kind": kind, "product": event.product}
        return _("${kind}: ${product}", mapping=names) if event.product else kind
    if event.what == timeline.NOTE:
        return labels.NOTES.get(event.subject, event.subject)
    names = {
        "mail": translate(MAILS.get(event.subject, event.subject)),
        "to": event.to,
        "subject": group.title(event.subject) if event.what in OF_GROUPS else event.subject,
    }
    return Message(EVENTS.get(event.what, event.what), mapping=names)


def remark(event: timeline.TimelineEvent) -> Message | str:
    """The owner's reason for an act, or why a mail was not sent."""
    if event.undoes and not event.text:
        return _("This undoes an act by hand.")
    return failures.text(event.text) if event.what in OF_MAILS else event.text
