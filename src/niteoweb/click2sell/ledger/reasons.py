"""Why an entry needs a person, waits or was refused: codes that are stored, and their texts."""

from niteoweb.click2sell import _
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.provider import registry
from zope.i18nmessageid import Message


#: Code -> text for the owner; ``${subject}`` is the entry's subject, a group for example.
REASONS = {
    # The notification itself
    Reason.UNKNOWN_KIND: _(
        "The provider's documentation does not describe this kind of notification. It changes "
        "nothing."
    ),
    Reason.PARAMETER: _(
        "Genuine, but a part of it is missing or cannot be read. It changed nothing."
    ),
    Reason.ANOTHER: _(
        "The signature is valid, but its transaction belongs to another buyer or product."
    ),
    # The history
    Reason.FUTURE: _("Dated in the future. No access given."),
    Reason.BEYOND: _("It would extend access further than a renewal can. No access given."),
    Reason.AFTER_REFUND: _("Its purchase had been refunded. No access given."),
    Reason.AMBIGUOUS: _("It could be about several purchases. The latest was taken."),
    Reason.UNMATCHED_REFUND: _("It matches no known payment. No access was ended."),
    Reason.OPEN_END: _("Access is unlimited and the product has no days: access goes on."),
    Reason.NO_PURCHASE: _("It matches no known payment. No access given."),
    Reason.ENDED: _("The access that it would extend had ended. No access given."),
    Reason.DISPLACED: _(
        "It pays for a product that was ended when another one was bought. Access given."
    ),
    Reason.CUSTOMER_DELETED: _(
        "The provider has deleted this customer. What the customer had from it has ended; "
        "erase the member if nothing else is left."
    ),
    Reason.SEVERAL_USERS: _(
        "Several people share the subscription, and the provider does not say who. No access "
        "given."
    ),
    Reason.SEVERAL_PIECES: _(
        "More than one was bought, and the provider does not say for whom. No access given."
    ),
    Reason.UNREACHABLE: _("${subject} cannot be reached. It will be asked again."),
    Reason.NOT_TOLD: _("${subject} could not be asked for the details, or does not know them."),
    Reason.CUSTOMER_NOT_KNOWN: _(
        "${subject} identifies the customer only by an id that is not known here. The "
        "notification is processed once something arrives that also names this customer's "
        "e-mail address."
    ),
    Reason.WAITS_FOR_PURCHASE: _("Refund for a purchase that this site never received."),
    Reason.ERASED_BUYER: _(
        "Its buyer was erased. It creates no account and gives no access until you decide."
    ),
    Reason.ERASED: _(
        "Its buyer was erased before it was settled. There is nothing left to do."
    ),
    # The account
    Reason.ACCOUNT_NOT_CERTAIN: _(
        "Waits for the buyer to confirm: an account has this address, but not certainly the "
        "buyer. A link to confirm it was mailed to the address. You can decide instead."
    ),
    Reason.SEVERAL_ACCOUNTS: _(
        "Waits for the buyer to confirm: more than one account has this address. A link to "
        "confirm it was mailed to the address. You can decide instead."
    ),
    Reason.PRIVILEGED_ACCOUNT: _(
        "This is an administrator's account, so purchases never change it."
    ),
    Reason.ADDRESS_NOT_ACCEPTED: _("Plone does not accept this e-mail address for a member."),
    Reason.ACCOUNT_MISSING: _(
        "The account that this buyer is tied to does not exist any more."
    ),
    Reason.TOO_MANY: _(
        "As many accounts as the settings allow were created in an hour. The automatic check "
        "creates this one when there is room, in order of arrival, unless you dismiss it."
    ),
    # The groups
    Reason.GROUP_MISSING: _('The group "${subject}" does not exist.'),
    Reason.GROUP_PRIVILEGED: _(
        'Members of the group "${subject}" can administer the site; no buyer is put in it.'
    ),
    Reason.GROUP_NOT_GRANTED: _('The buyer could not be put in the group "${subject}".'),
}

#: What the name of a parameter contains that cannot be read -> text for the owner.
_PARTS = (
    (
        ("mail",),
        _("Genuine, but the buyer's address is missing or cannot be read. It changed nothing."),
    ),
    (
        ("date", "time"),
        _("Genuine, but its date or time is missing or cannot be read. It changed nothing."),
    ),
    (
        ("price", "amount"),
        _("Genuine, but its amount is missing or cannot be read. It changed nothing."),
    ),
    (
        ("product", "offer"),
        _("Genuine, but its product is missing or cannot be read. It changed nothing."),
    ),
)


def text(code: str, subject: str = "") -> str:
    """The text of a stored code, for the owner: a message to be translated.

    :param subject: the subject of the reason, as it stands in the entry.
    :returns: the code itself when it is unknown, "" for no code.
    """
    message = REASONS.get(code) or registry.reason(code)
    if code == Reason.PARAMETER:
        name = subject.lower()
        known = (part for words, part in _PARTS if any(word in name for word in words))
        message = next(known, message)
    return code if message is None else Message(message, mapping={"subject": subject})
