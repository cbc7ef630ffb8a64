"""The forms of what an owner does for a buyer: their fields, in words."""

from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell.owner import requests
from zope.i18nmessageid import Message


TITLES = {
    requests.GRANT: _("Give access by hand"),
    requests.EXTEND: _("Extend access"),
    requests.REVOKE: _("End access"),
    requests.RESEND: _("Mail the welcome mail again"),
}

DONE = {
    requests.GRANT: _("Access was given."),
    requests.EXTEND: _("Access was extended."),
    requests.REVOKE: _("Access was ended."),
}

LABELS = {
    "address": _("Address of the buyer"),
    "name": _("Name of the buyer"),
    "product": _("Product"),
    "until": _("Until"),
    "days": _("Days"),
    "reason": _("Reason"),
    "mail": _("Mail the buyer"),
    "way": _("What the mail brings"),
}

HELP = {
    "until": _("The last day of access. Left empty, the product's own days count."),
    "days": _("Counted from the end of access, or from now if that is over."),
    "reason": _("Stands in the record of the buyer, with your name."),
    "name": _("For a new account."),
    "mail": _("The welcome mail or the notice, as after a purchase."),
}

TYPES = {
    "address": "email",
    "until": "date",
    "days": "number",
    "mail": "checkbox",
}

WAYS = {"link": _("a link to set a password"), "password": _("a new password")}


@dataclass(frozen=True)
class Field:
    """A field of the form.

    :ivar choices: the values that it can have, with their texts; none where it is typed.
    :ivar error: what is wrong with the value.
    """

    name: str
    label: Message
    help: Message | None
    type: str
    value: str
    choices: tuple[requests.Choice, ...]
    error: Message | None
