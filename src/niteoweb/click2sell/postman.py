"""Send what is in the outbox, each mail once, and remember how it went."""

from collections.abc import Callable
from datetime import datetime
from datetime import timezone
from email.message import EmailMessage
from niteoweb.click2sell import _
from niteoweb.click2sell import alertmail
from niteoweb.click2sell import buyer as buyers
from niteoweb.click2sell import commit
from niteoweb.click2sell import mail as letters
from niteoweb.click2sell import member
from niteoweb.click2sell import outbox
from niteoweb.click2sell import privilege
from niteoweb.click2sell import serial
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.plan import Plan
from typing import Any

import logging
import traceback


logger = logging.getLogger("niteoweb.click2sell")


def deliver(mail_id: str, password: str, step: Callable[[str], None], claim: str = "") -> bool:
    """Send one mail now. The lock is held while it is written and noted, not while it is sent.

    :param mail_id: of a mail in the outbox.
    :param password: the new member's, when it was set a moment ago; "" at a later attempt.
    :param step: called at each place where a process could die.
    :param claim: of whoever has marked it as being sent already, see outbox.py.
    :returns: whether the mail server took it; otherwise it stays in the outbox.
    :raises niteoweb.click2sell.commit.Busy: another process was at the same data.
    """
    if plone_site.is_copy():
        return False
    step("before mail")
    try:
        with serial.section():
            message = commit.run(lambda site: _prepare(site, mail_id, password, claim))
    except commit.Busy:
        raise
    except Exception as error:
        _log_unexpected(mail_id, error)
        with serial.section():
            commit.run(lambda site: _note_unwritten(site, mail_id, error, claim))
        return False
    if message is None:
        return False
    step("mail marked sending")
    error = _send(message)
    step("mail handed over")
    if error:
        logger.warning("Mail %s was not sent: %s; it will be tried again.", mail_id, error)
    with serial.section():
        commit.run(lambda site: _note(site, mail_id, error))
    step("mail marked sent")
    return not error


def draft(plan: Plan) -> EmailMessage | None:
    """The mail that a plan owes, as it would go out, for a person to look at.

    In the place of the password or the one-time link it says that there will be one.

    :returns: None when no mail is owed.
    """
    if not plan.mail:
        return None
    if plan.create:
        name = plan.properties["fullname"]
        login = member.new_login_name(plan.address, name)
    else:
        name, login = member.names(plan.user_id)
    values = _values(name or plan.address, login, plan.product)
    if plan.mail == outbox.NOTICE:
        return letters.notice(plan.address, "", values)
    if plone_site.settings().welcome_mail == "password":
        credentials = letters.password_line(letters.translated(_("(a new password)")))
    else:
        credentials = letters.link_line(letters.translated(_("(a one-time link)")))
    return letters.welcome(plan.address, "", values, credentials)


def _prepare(site: Any, mail_id: str, password: str, claim: str) -> EmailMessage | None:
    """Write the mail and mark it as being sent; None when there is nothing to send.

    With a claim on it there may be nothing to commit.
    """
    mail = outbox.get(site, mail_id)
    now = datetime.now(timezone.utc)
    if not outbox.may_send(mail, claim, now):
        return None  # done, or another process is at it
    if mail["kind"] in outbox.TO_OWNER:
        message = alertmail.message(mail)
    else:
        message = _to_member(site, mail, password)
    if message is not None and not outbox.is_claimed(mail, claim, now):
        outbox.sending(site, mail, now)
    return message


def _to_member(site: Any, mail: outbox.Mail, password: str) -> EmailMessage | None:
    """Write a mail to a member; None, and the mail is given up, when nobody is to read it."""
    user_id = mail["user_id"]
    names = member.names(user_id)
    if names is None:
        outbox.dropped(site, mail, "the member does not exist any more")
        return None
    way = mail["credentials"] or plone_site.settings().welcome_mail
    if mail["kind"] == outbox.WELCOME and way == "none":
        outbox.dropped(site, mail, "the welcome mail was switched off")
        return None
    values = _values(names[0] or mail["to"], names[1], mail["product"])
    if mail["kind"] == outbox.NOTICE:
        return letters.notice(mail["to"], mail["message_id"], values)
    address = plone_site.address()
    credentials = _credentials(site, user_id, password, address, way, bool(mail["by"]))
    return letters.welcome(mail["to"], mail["message_id"], values, credentials)


def _values(name: str, login: str, product: str) -> dict[str, str]:
    """What the placeholders of a mail stand for, but for the credentials."""
    return {
        "name": name,
        "login": login,
        "login_url": f"{plone_site.address()}/login",
        "product": product,
        "site": plone_site.title(),
    }


def _credentials(
    site: Any, user_id: str, password: str, address: str, way: str, asked: bool
) -> str:
    """What lets the new member in: the password, or a link to set one.

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
            return letters.password_line(password)
        buyer = buyers.of_user(site, user_id)
        ours = buyer is not None and buyer["made"] and bool(buyer["password_print"])
        unused = (
            ours
            and buyer["password_print"] == member.password_print(user_id)
            and member.never_logged_in(user_id)
        )
        if unused or (asked and ours and not privilege.member(user_id)):
            password = member.set_password(user_id)
            buyers.change(buyer, password_print=member.password_print(user_id))
            return letters.password_line(password)
    return letters.link_line(member.reset_link(user_id, address))


def _send(message: EmailMessage) -> str:
    """Hand a mail over.

    :returns: what went wrong, without any address; "" when nothing did.
    """
    try:
        letters.send(message)
    except Exception as error:
        # Other MailHosts than Plone's raise errors of their own.
        return letters.error_text(error)
    return ""


def _log_unexpected(mail_id: str, error: Exception) -> None:
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error(
        "Mail %s could not be written: %s; it will be tried again.\n%s",
        mail_id,
        type(error).__name__,
        where,
    )


def _note_unwritten(site: Any, mail_id: str, error: Exception, claim: str) -> None:
    mail = outbox.get(site, mail_id)
    now = datetime.now(timezone.utc)
    if not outbox.may_send(mail, claim, now):
        return
    if not outbox.is_claimed(mail, claim, now):
        mail["attempts"] += 1
    outbox.failed(site, mail, type(error).__name__, now)


def _note(site: Any, mail_id: str, error: str) -> None:
    mail = outbox.get(site, mail_id)
    if error:
        outbox.failed(site, mail, error, datetime.now(timezone.utc))
    else:
        outbox.sent(site, mail)
