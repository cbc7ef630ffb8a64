"""Why an entry needs a person, waits or was refused: codes that are stored, and their texts."""

from niteoweb.click2sell import _


#: Code -> text for the owner; ``${subject}`` is the entry's subject, a group for example.
REASONS = {
    # The notification itself
    "unknown kind": _("The provider's documents do not describe this kind of notification."),
    "parameter": _("The notification is genuine, but ${subject} is missing or malformed."),
    "another buyer or product": _(
        "The signature is valid, but its transaction belongs to another buyer or product."
    ),
    # The account
    "account not certain": _(
        "An account has this address as its login name or as its e-mail address, but not as "
        "both, so it is not certain that it is the buyer's."
    ),
    "several accounts": _("More than one account could be the buyer's."),
    "privileged account": _("The account may administer the site; no purchase changes it."),
    "address not accepted": _("Plone does not accept this e-mail address for a member."),
    "account missing": _("The account that this buyer is tied to does not exist any more."),
    # The groups
    "group missing": _('There is no group "${subject}".'),
    "group privileged": _(
        'Members of the group "${subject}" may administer the site; no buyer is put in it.'
    ),
    "group not granted": _('The buyer could not be put in the group "${subject}".'),
}
