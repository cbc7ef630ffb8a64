"""The delivery of the outbox's mails, each once, with the result of each attempt."""

from email.message import EmailMessage
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.mail import alertmessages
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")


def deliver(mail_id: str, password: str = "", claim: str = "") -> bool:
    """Send one mail now. The lock is held while it is written and noted, not while it is sent.

    :param mail_id: of a mail in the outbox.
    :param password: the new member's, when it was set a moment ago; "" at a later attempt.
    :param claim: "" unless the caller has marked the mail as being sent, see outbox.py.
    :returns: whether the mail server took it; otherwise it stays in the outbox.
    :raises niteoweb.click2sell.storage.transactions.Busy: another process was at the same data.
    """
    if plone_site.is_copy():
        return False
    steps.reached("before mail")
    try:
        message = writer.run(lambda site: _prepare(site, mail_id, password, claim))
    except transactions.Busy:
        raise
    except Exception as error:
        log_failure(f"Mail {mail_id} could not be written and will be tried again", error)
        writer.run(lambda site: _note_unwritten(site, mail_id, error, claim))
        return False
    if message is None:
        return False
    steps.reached("mail marked sending")
    error = _send(message)
    steps.reached("mail handed over")
    if error:
        logger.warning("Mail %s was not sent: %s; it will be tried again.", mail_id, error)
    writer.run(lambda site: _note(site, mail_id, error))
    steps.reached("mail marked sent")
    return not error


def _prepare(site: Any, mail_id: str, password: str, claim: str) -> EmailMessage | None:
    """Write the mail and mark it as being sent; None when there is nothing to send.

    With a claim on it there may be nothing to commit.
    """
    mail = outbox.get(site, mail_id)
    now = timestamps.now()
    if not outbox.may_send(mail, claim, now):
        return None  # done, or another process is at it
    if mail["kind"] in outbox.TO_OWNER:
        message = alertmessages.message(mail)
    else:
        message = _to_member(site, mail, password)
    if message is not None and not outbox.is_claimed(mail, claim, now):
        outbox.sending(site, mail, now)
    return message


def _to_member(site: Any, mail: outbox.Mail, password: str) -> EmailMessage | None:
    """Write a mail to a member; None, and the mail is given up, when nobody is to read it."""
    user_id = mail["user_id"]
    names = accounts.names(user_id)
    if names is None:
        outbox.dropped(site, mail, "the member does not exist any more")
        return None
    way = mail["credentials"] or plone_site.settings().welcome_mail
    if mail["kind"] == outbox.WELCOME and way == "none":
        outbox.dropped(site, mail, "the welcome mail was switched off")
        return None
    values = messages.values(names[0] or mail["to"], names[1], mail["product"])
    if mail["kind"] == outbox.NOTICE:
        return messages.notice(mail["to"], mail["message_id"], values)
    address = plone_site.address()
    credentials = _credentials(site, user_id, password, address, way, bool(mail["by"]))
    return messages.welcome(mail["to"], mail["message_id"], values, credentials)


def _credentials(
    site: Any, user_id: str, password: str, address: str, way: str, asked: bool
) -> str:
    """The line that lets the new member in: the password, or a link to set one.

    No password is stored, so a later attempt has to set a new one. That is only right while
    nobody uses the account yet: we made it, the password is the one we set, and nobody ever
    logged in, or an owner has asked for a new one. Otherwise the member gets a link.

    :param password: the new member's, while it is known.
    :param address: of the site.
    :param way: "password" or "link".
    :param asked: whether an owner asked for this mail.
    """
    if way == "password":
        if password:
            return messages.password_line(password)
        buyer = buyers.of_user(site, user_id)
        ours = buyer is not None and buyer["made"] and bool(buyer["password_print"])
        unused = (
            ours
            and buyer["password_print"] == accounts.password_print(user_id)
            and accounts.never_logged_in(user_id)
        )
        if unused or (asked and ours and not privilege.member(user_id)):
            password = accounts.set_password(user_id)
            buyers.change(site, buyer, password_print=accounts.password_print(user_id))
            return messages.password_line(password)
    return messages.link_line(accounts.reset_link(user_id, address))


def _send(message: EmailMessage) -> str:
    """Hand a mail over.

    :returns: what went wrong, without any address; "" when nothing did.
    """
    try:
        messages.send(message)
    except Exception as error:
        # Other MailHosts than Plone's raise errors of their own.
        return messages.error_text(error)
    return ""


def _note_unwritten(site: Any, mail_id: str, error: Exception, claim: str) -> None:
    mail = outbox.get(site, mail_id)
    now = timestamps.now()
    if not outbox.may_send(mail, claim, now):
        return
    if not outbox.is_claimed(mail, claim, now):
        mail["attempts"] += 1
    outbox.failed(site, mail, type(error).__name__, now)


def _note(site: Any, mail_id: str, error: str) -> None:
    mail = outbox.get(site, mail_id)
    if error:
        outbox.failed(site, mail, error, timestamps.now())
    else:
        outbox.sent(site, mail)
