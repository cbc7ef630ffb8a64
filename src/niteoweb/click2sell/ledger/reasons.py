"""Why an entry needs a person, waits or was refused: codes that are stored, and their texts."""

from niteoweb.click2sell import _
from niteoweb.click2sell import notification
from niteoweb.click2sell.entitlement import event
from niteoweb.click2sell.ledger import ledger
from zope.i18nmessageid import Message


#: Code -> text for the owner; ``${subject}`` is the entry's subject, a group for example.
REASONS = {
    # The notification itself
    event.UNKNOWN_KIND: _(
        "The provider's documents do not describe this kind of notification. It changes "
        "nothing."
    ),
    "parameter": _("The notification is genuine, but ${subject} is missing or malformed."),
    ledger.ANOTHER: _(
        "The signature is valid, but its transaction belongs to another buyer or product."
    ),
    # The history
    event.FUTURE: _("Its time is more than a day after its arrival. It grants nothing."),
    event.BEYOND: _("It would extend access further than a renewal can. It grants nothing."),
    event.AFTER_REFUND: _("Its purchase was refunded before. It grants nothing."),
    event.AMBIGUOUS: _("It can mean several purchases. The latest one was taken."),
    event.UNMATCHED_REFUND: _("It names no known payment. Nothing was taken away."),
    event.OPEN_END: _("Access has no end and the product has no days. It goes on."),
    event.NO_PURCHASE: _("No payment that it could belong to is known. It grants nothing."),
    event.ENDED: _("What it goes on with had ended before. It grants nothing."),
    event.DISPLACED: _(
        "It pays for a product that an exclusive purchase had ended. It grants access."
    ),
    event.CUSTOMER_DELETED: _(
        "The provider has deleted this customer. What the customer had from it has ended; "
        "erase the member if nothing else is left."
    ),
    notification.SEVERAL_USERS: _(
        "Several people share the subscription, and who they are is not told. It grants "
        "nothing."
    ),
    notification.SEVERAL_PIECES: _(
        "More than one piece was bought, and for whom is not told. It grants nothing."
    ),
    "unreachable": _("${subject} cannot be reached. It is asked again later."),
    "not told": _("${subject} could not be asked for the rest, or does not know it."),
    "customer not known": _(
        "${subject} names the customer by an id alone, and nobody is known by it. It is taken "
        "up when something comes that names this customer's address, too."
    ),
    "waits for its purchase": _("It undoes a purchase that has not arrived yet."),
    "erased buyer": _(
        "Its buyer was erased. It makes no account and grants nothing until you decide."
    ),
    "erased": _("Its buyer was erased before it was settled. There is nothing left to do."),
    # The account
    "account not certain": _(
        "An account has this address as its login name or as its e-mail address, but not as "
        "both, so it is not certain that it is the buyer's."
    ),
    "several accounts": _("More than one account could be the buyer's."),
    "privileged account": _("The account may administer the site; no purchase changes it."),
    "address not accepted": _("Plone does not accept this e-mail address for a member."),
    "account missing": _("The account that this buyer is tied to does not exist any more."),
    ledger.TOO_MANY: _(
        "As many accounts as the settings allow were made in an hour. The sweep makes this one "
        "when there is room, in order of arrival, unless you dismiss it."
    ),
    # The groups
    "group missing": _('There is no group "${subject}".'),
    "group privileged": _(
        'Members of the group "${subject}" may administer the site; no buyer is put in it.'
    ),
    "group not granted": _('The buyer could not be put in the group "${subject}".'),
}


def text(code: str, subject: str = "") -> str:
    """The text of a stored code, for the owner: a message to be translated.

    :param subject: the subject of the reason, as it stands in the entry.
    :returns: the code itself when it is unknown, "" for no code.
    """
    found = REASONS.get(code)
    return code if found is None else Message(found, mapping={"subject": subject})
