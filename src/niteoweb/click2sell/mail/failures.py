"""Why a mail was not sent, in words: the outbox keeps the names of errors."""

from niteoweb.click2sell import _
from zope.i18nmessageid import Message


_AWAY = _("The mail server cannot be reached.")

#: First word of a kept error, or all of it, and its text for people.
TEXTS = {
    "SMTPRecipientsRefused": _("The mail server refuses this address."),
    "SMTPSenderRefused": _("The mail server refuses the address that the site sends from."),
    "SMTPDataError": _("The mail server refuses the mail."),
    "SMTPResponseException": _("The mail server refuses the mail."),
    "SMTPAuthenticationError": _("The mail server refuses the site's name or password."),
    **dict.fromkeys(
        (
            *("SMTPConnectError", "SMTPHeloError", "SMTPServerDisconnected"),
            *("ConnectionRefusedError", "ConnectionResetError", "ConnectionAbortedError"),
            *("ConnectionError", "BrokenPipeError", "TimeoutError", "gaierror", "OSError"),
        ),
        _AWAY,
    ),
    "the site has no address to send mail from": _("The site has no address to send from."),
    "no purchase waits any more": _("No purchase waits any more."),
    "the member does not exist any more": _("The account does not exist any more."),
    "the welcome mail was switched off": _("The welcome mail was switched off."),
    "the buyer was erased": _("The buyer was erased."),
    "the member was deleted": _("The account was deleted."),
}

_OTHER = _("The mail could not be sent; your administrator finds the error in the site's log.")


def text(error: str) -> Message | str:
    """A kept error in words, "" for none."""
    if not error:
        return ""
    return TEXTS.get(error) or TEXTS.get(error.split()[0], _OTHER)
