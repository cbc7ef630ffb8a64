"""Obstacles: each reason for which a buyer is kept out, with its sentence for the owner."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell.ledger import reasons
from zope.i18nmessageid import Message


@dataclass(frozen=True)
class Obstacle:
    """The obstacle that keeps a buyer out.

    :ivar code: one of :data:`TEXTS`.
    :ivar at: when it began, or will be over, in UTC.
    :ivar subject: its product, group, account or error.
    :ivar key: of the notification that it comes from, "" for none.
    :ivar reason: why that notification needs attention, a code of reasons.py.
    :ivar reason_subject: the subject of that reason.
    """

    code: str
    at: datetime | None = None
    subject: str = ""
    key: str = ""
    reason: str = ""
    reason_subject: str = ""


#: Code -> sentence for the owner.
TEXTS = {
    # The payment
    "no purchase": _("No access: no payment of this buyer is known."),
    "failed": _(
        "The payment that arrived on ${time} opened nothing: processing it failed. Replay it."
    ),
    "received": _(
        "The payment that arrived on ${time} opened nothing: it is not processed yet."
    ),
    "refused": _(
        "The payment that arrived on ${time} opened nothing: it was refused. Its transaction "
        "belongs to another buyer or product."
    ),
    "attention": _(
        "The payment that arrived on ${time} opened nothing: it needs attention. ${reason}"
    ),
    # The account
    "erased": _("The buyer was erased on ${time}. What arrives since waits for the owner."),
    "account deleted": _(
        "No access: the account was deleted on ${time}. Only a later payment makes a new one."
    ),
    "account missing": _("No access: the account ${subject} does not exist any more."),
    "account privileged": _(
        "The account ${subject} may administer the site, so no purchase changes it."
    ),
    # What was bought
    "no line": _(
        "No line of the mapping names product ${subject}, which was paid on ${time}: it opens "
        "nothing."
    ),
    "refunded": _("No access: product ${subject} was refunded on ${time}."),
    "charged back": _(
        "No access: the payment of product ${subject} was charged back on ${time}."
    ),
    "cancelled": _(
        "No access: the subscription to product ${subject} was cancelled, and access ended on "
        "${time}."
    ),
    "not renewed": _(
        "No access: access to product ${subject} ended on ${time}, because no renewal came."
    ),
    "over": _(
        "No access: access to product ${subject} ended on ${time}, when what was paid for was "
        "over."
    ),
    "ended": _("No access: access to product ${subject} was ended on ${time}."),
    "not begun": _("No access yet: access to product ${subject} begins on ${time}."),
    # The groups
    "group taken": _("The member was taken out of the group ${subject} by hand on ${time}."),
    "group missing": _('The group "${subject}" does not exist, so it cannot be given.'),
    "group barred": _("${reason}"),
    "group waiting": _(
        'The member is not in the group "${subject}" yet: the next automatic check, or '
        "a replay, puts it there."
    ),
    "no group": _("Product ${subject} gives no group, so it opens nothing."),
    # The mail
    "no mail": _(
        "The buyer has access, but has never logged in, and was sent no welcome mail. Mail it."
    ),
    "mail waiting": _(
        "The welcome mail was not sent yet. It goes out within a minute, if the public address "
        "of the site is set."
    ),
    "mail server away": _(
        "The mail server takes no mail: ${subject}. The welcome mail goes out as soon as it "
        "does."
    ),
    "mail failing": _(
        "The welcome mail could not be sent: ${subject}. It is tried again on ${time}."
    ),
    "mail dropped": _("The welcome mail was given up: ${subject}."),
    "never logged in": _(
        "The buyer has access, but has never logged in. The welcome mail was sent on ${time}."
    ),
}


def text(
    obstacle: Obstacle, shown: Callable[[datetime], str], said: Callable[[Message | str], str]
) -> Message:
    """The sentence for the owner, to be translated.

    :param shown: how a moment is written.
    :param said: translates the texts that the sentence quotes.
    """
    return Message(
        TEXTS[obstacle.code],
        mapping={
            "time": shown(obstacle.at) if obstacle.at else "",
            "subject": obstacle.subject,
            "reason": said(reasons.text(obstacle.reason, obstacle.reason_subject)),
        },
    )
