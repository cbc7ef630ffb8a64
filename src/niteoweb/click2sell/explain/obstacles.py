"""Obstacles: each reason for which a buyer is kept out, with its sentence for the owner."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.mail import failures
from niteoweb.click2sell.member import group
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


#: Codes whose subject is the error of a mail.
ABOUT_MAIL = frozenset({"mail server away", "mail failing", "mail dropped"})

#: Codes whose subject is a group.
ABOUT_GROUP = frozenset({"group taken", "group missing", "group barred", "group waiting"})

#: Code -> sentence for the owner.
TEXTS = {
    # The payment
    "no purchase": _("No access: no payment of this buyer is known."),
    "failed": _(
        "Paid on ${time}, but no access yet: processing the payment failed. It is tried again "
        "by itself; you can also try it now."
    ),
    "received": _("Paid on ${time}, but no access yet: the payment is still being processed."),
    "refused": _(
        "Paid on ${time}, but no access: the notification was refused, because its transaction "
        "belongs to another buyer or product."
    ),
    "attention": _(
        "Paid on ${time}, but no access yet: the payment needs your attention. ${reason}"
    ),
    # The account
    "erased": _("The buyer was erased on ${time}. Later notifications wait for you."),
    "account deleted": _(
        "No access: the account was deleted on ${time}. A new one is created with the next "
        "payment, or when you give access by hand."
    ),
    "account missing": _("No access: the account ${subject} does not exist any more."),
    "account privileged": _(
        "${subject} is an administrator's account, so purchases never change it."
    ),
    # What was bought
    "no line": _(
        "Paid on ${time}, but no access: ${subject} is not in the list of products in the "
        "settings."
    ),
    "refunded": _("No access: ${subject} was refunded on ${time}."),
    "charged back": _("No access: the payment for ${subject} was charged back on ${time}."),
    "cancelled": _(
        "No access: the subscription to ${subject} was cancelled, and access ended on ${time}."
    ),
    "not renewed": _("No access: ${subject} ended on ${time}, because no renewal came."),
    "over": _("No access: ${subject} ended on ${time}, at the end of the paid time."),
    "ended": _("No access: access to ${subject} was ended on ${time}."),
    "not begun": _("No access yet: access to ${subject} begins on ${time}."),
    "suspended": _("No access: the provider of ${subject} has suspended the buyer."),
    # The groups
    "group taken": _("Somebody took the member out of the group ${subject} on ${time}."),
    "group missing": _('No access yet: the group "${subject}" does not exist.'),
    "group barred": _("${reason}"),
    "group waiting": _(
        'The member is not in the group "${subject}" yet. The next automatic check adds the '
        "member. If you have changed the products in the settings, reconcile all members."
    ),
    "no group": _("No access: ${subject} gives no group."),
    # The mail
    "no mail": _("The buyer has access, but never logged in, and was sent no welcome mail."),
    "mail waiting": _(
        "The welcome mail was not sent yet. It goes out within a minute, if the public address "
        "of the site is set."
    ),
    "mail server away": _(
        "The welcome mail waits. ${subject} It goes out as soon as the server takes mail again."
    ),
    "mail failing": _(
        "The welcome mail could not be sent. ${subject} It will be tried again on ${time}."
    ),
    "mail dropped": _("The welcome mail is not sent any more. ${subject}"),
    "never logged in": _(
        "The buyer has access, but never logged in. The welcome mail was sent on ${time}."
    ),
}


#: Codes of obstacles to a buyer who has paid, in a few words for a list.
SHORT = {
    "failed": _("processing failed"),
    "received": _("being processed"),
    "refused": _("notification refused"),
    "attention": _("needs attention"),
    "account deleted": _("account deleted"),
    "account missing": _("account deleted"),
    "account privileged": _("administrator's account"),
    "no line": _("product not in the settings"),
    "group taken": _("removed from the group ${subject}"),
    "group missing": _("no group ${subject}"),
    "group barred": _("group ${subject} cannot be used"),
    "group waiting": _("not in the group ${subject} yet"),
    "no group": _("product without a group"),
    "no mail": _("never logged in"),
    "mail waiting": _("welcome mail waits"),
    "mail server away": _("welcome mail waits"),
    "mail failing": _("welcome mail not sent"),
    "mail dropped": _("welcome mail not sent"),
    "never logged in": _("never logged in"),
}
#: Reasons of "attention" that are short as well.
_SHORT_REASONS = {
    Reason.ACCOUNT_NOT_CERTAIN: _("account not certain"),
    Reason.SEVERAL_ACCOUNTS: _("several accounts"),
    Reason.ADDRESS_NOT_ACCEPTED: _("address not accepted"),
    Reason.TOO_MANY: _("too many new accounts"),
    Reason.PRIVILEGED_ACCOUNT: SHORT["account privileged"],
    Reason.FUTURE: _("dated in the future"),
    Reason.UNKNOWN_KIND: _("unknown notification"),
}


def short(obstacle: Obstacle) -> Message | str:
    """The obstacle in a few words, "" where the state of the product says it."""
    words = _SHORT_REASONS.get(obstacle.reason) or SHORT.get(obstacle.code, "")
    return words and Message(words, mapping={"subject": _subject(obstacle)})


def text(
    obstacle: Obstacle,
    shown: Callable[[datetime], str],
    translate: Callable[[Message | str], str],
) -> Message:
    """The sentence for the owner, to be translated.

    :param shown: how a moment is written.
    :param translate: translates the texts that the sentence quotes.
    """
    subject = _subject(obstacle)
    if obstacle.code in ABOUT_MAIL:
        subject = translate(failures.text(subject))
    return Message(
        TEXTS[obstacle.code],
        mapping={
            "time": shown(obstacle.at) if obstacle.at else "",
            "subject": subject,
            "reason": translate(reasons.text(obstacle.reason, obstacle.reason_subject)),
        },
    )


def _subject(obstacle: Obstacle) -> str:
    """The subject as people know it: the title of a group."""
    about_group = obstacle.code in ABOUT_GROUP
    return group.title(obstacle.subject) if about_group else obstacle.subject
