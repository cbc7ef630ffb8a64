"""The delivery of the outbox's mails: each once, with the result of each attempt.

Background threads, the sweep and scripts send; a request hands over, and never waits for a mail
server.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from enum import Enum
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import claims
from niteoweb.click2sell.mail import alertmessages
from niteoweb.click2sell.mail import farewells
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.mail import smtp
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from typing import Any

import logging
import transaction


logger = logging.getLogger("niteoweb.click2sell")

#: Passwords of new members by the ids of their mails, until each was tried once.
_passwords: dict[str, str] = {}


#: Write the mails that only a provider can, by its name: from the site, the mail and the time.
writers: dict[str, Callable[[Any, outbox.Mail, datetime], EmailMessage]] = {}


class Sent(Enum):
    """The result of an attempt to send a mail."""

    SENT = "sent"
    #: It is tried again later.
    FAILED = "failed"
    #: The mail server takes no mail now; this one stays due.
    AWAY = "away"
    #: Nothing was to be sent: it is sent, given up, or being sent elsewhere.
    NOTHING = "nothing"
    #: Another process was at the same data; the mail stays due.
    BUSY = "busy"
    #: Something unexpected happened, see the log; the mail stays due.
    TROUBLED = "troubled"


def remember(mail_id: str, password: str) -> None:
    """Keep a new member's password for its mail, in memory alone, if this process sends mail.

    Called in the transaction that files the mail: from its commit on the mail can be sent.
    """
    if not (background.is_done_here(background.MAIL) and plone_site.public_address()):
        return  # nothing is sent here
    if plone_site.is_copy():
        return

    def forget(committed: bool = False) -> None:
        if not committed:
            _passwords.pop(mail_id, None)

    _passwords[mail_id] = password
    current = transaction.get()
    current.addAfterCommitHook(forget)
    current.addAfterAbortHook(forget)


def hand_over(mail_id: str) -> None:
    """Leave a mail that was just filed to this process's thread for mail.

    Without such a thread the sweep sends it, or another process does.
    """
    background.wake(background.MAIL)


def send_due(may_go_on: Callable[[], bool] = lambda: True) -> Counter[Sent]:
    """Send the due mails, one after the other, until the mail server takes none.

    :param may_go_on: asked before each mail.
    :returns: the results of the attempts.
    """
    results: Counter[Sent] = Counter()
    for mail_id in outbox.due(plone_site.get(), timestamps.now()):
        if results[Sent.AWAY] or not may_go_on():
            break
        try:
            results[deliver(mail_id)] += 1
        except transactions.Busy:
            results[Sent.BUSY] += 1
        except Exception as error:
            log_failure(f"Mail {mail_id}", error)
            results[Sent.TROUBLED] += 1
    _forget_sent(plone_site.get())
    return results


def _forget_sent(site: Any) -> None:
    """Forget the passwords of mails that another process has sent."""
    for mail_id in list(_passwords):
        mail = outbox.find(site, mail_id)
        # One that is not there is of another site, or not committed yet.
        if mail is not None and not mail["due_at"]:
            _passwords.pop(mail_id, None)


def deliver(mail_id: str) -> Sent:
    """Send one mail now. The writer writes and notes it, and is not held while it is sent.

    Mails wait while the site's public address is not set: their links would lead nowhere.

    :param mail_id: of a mail in the outbox.
    :raises niteoweb.click2sell.storage.transactions.Busy: another process was at the same data.
    """
    if plone_site.is_copy() or not plone_site.public_address():
        return Sent.NOTHING
    steps.reached("before mail")
    # Of the first attempt; a later one sets a new one.
    password = _passwords.pop(mail_id, "")
    try:
        message = writer.run(lambda site: _prepare(site, mail_id, password))
    except transactions.Busy:
        raise
    except Exception as error:
        log_failure(f"Mail {mail_id} could not be written and will be tried again", error)
        writer.run(lambda site: _note_unwritten(site, mail_id, error))
        return Sent.FAILED
    if message is None:
        return Sent.NOTHING
    steps.reached("mail marked sending")
    error = _send(message)
    steps.reached("mail handed over")
    if error is not None:
        text = messages.error_text(error)
        logger.warning("Mail %s was not sent: %s; it will be tried again.", mail_id, text)
    result = writer.run(lambda site: _note(site, mail_id, error))
    steps.reached("mail marked sent")
    return result


def _prepare(site: Any, mail_id: str, password: str) -> EmailMessage | None:
    """Write the mail and mark it as being sent; None when there is nothing to send."""
    mail = outbox.get(site, mail_id)
    now = timestamps.now()
    if not outbox.is_due(mail, now):
        return None  # done, or another process is at it
    if mail["kind"] in outbox.TO_OWNER:
        message = alertmessages.message(mail)
    elif mail["kind"] == outbox.LINK:
        message = writers[mail["provider"]](site, mail, now)
    elif mail["kind"] == outbox.CLAIM:
        message = _to_buyer(site, mail, now)
    else:
        message = _to_member(site, mail, password, now)
    if message is not None:
        outbox.sending(mail, now)
    return message


def _to_buyer(site: Any, mail: outbox.Mail, now: datetime) -> EmailMessage | None:
    """Write a mail that asks to confirm a purchase; None, and it is given up, if none waits."""
    buyer = buyers.get(site, mail["buyer_id"])
    if buyer is None or buyer["user_id"]:
        outbox.dropped(site, mail, "no purchase waits any more")
        return None
    token = claims.issue(site, buyer, mail["to"], now)
    link = plone_site.link(f"{messages.CLAIM_PAGE}?token={token}")
    return messages.claim(mail["to"], mail["message_id"], mail["product"], link)


def _to_member(
    site: Any, mail: outbox.Mail, password: str, now: datetime
) -> EmailMessage | None:
    """Write a mail to a member; None, and the mail is given up, when nobody is to read it."""
    user_id = mail["user_id"]
    names = accounts.names(user_id)
    if names is None:
        outbox.dropped(site, mail, "the member does not exist any more")
        return None
    name = names[0] or mail["to"]
    if mail["kind"] in farewells.KINDS:
        if farewells.is_true(site, mail, now):
            return farewells.message(mail, name)
        outbox.dropped(site, mail, "access was paid for meanwhile")
        return None
    way = mail["credentials"] or plone_site.settings().welcome_mail
    if mail["kind"] == outbox.WELCOME and way == "none":
        outbox.dropped(site, mail, "the welcome mail was switched off")
        return None
    login_url = plone_site.link("login")
    buyer = buyers.of_user(site, user_id)
    groups = buyer["grants"] if buyer is not None else ()
    values = messages.values(name, names[1], mail["product"], login_url, groups)
    if mail["kind"] == outbox.NOTICE:
        return messages.notice(mail["to"], mail["message_id"], values)
    credentials = _credentials(site, user_id, password, way, bool(mail["by"]))
    return messages.welcome(mail["to"], mail["message_id"], values, credentials)


def _credentials(site: Any, user_id: str, password: str, way: str, asked: bool) -> str:
    """The line that lets the new member in: the password, or a link to set one.

    No password is stored, so a later attempt has to set a new one. That is only right while
    nobody uses the account yet: we made it, the password is the one we set, and nobody ever
    logged in, or an owner has asked for a new one. Otherwise the member gets a link.

    :param password: the new member's, while it is known.
    :param way: "password" or "link".
    :param asked: whether an owner asked for this mail.
    """
    if way == "password":
        buyer = buyers.of_user(site, user_id)
        ours = buyer is not None and buyer["made"] and bool(buyer["password_print"])
        unchanged = ours and buyer["password_print"] == accounts.password_print(user_id)
        if password and unchanged:
            return messages.password_line(password)
        unused = unchanged and accounts.never_logged_in(user_id)
        if unused or (asked and ours and not privilege.member(user_id)):
            password = accounts.set_password(user_id)
            buyers.change(site, buyer, password_print=accounts.password_print(user_id))
            if password:
                return messages.password_line(password)
    return messages.link_line(accounts.reset_link(user_id))


def _send(message: EmailMessage) -> Exception | None:
    """Hand a mail over.

    :returns: the error, None when the mail server took it.
    """
    try:
        messages.send(message)
    except Exception as error:
        # Other MailHosts than Plone's raise errors of their own.
        return error
    return None


def _note_unwritten(site: Any, mail_id: str, error: Exception) -> None:
    mail = outbox.get(site, mail_id)
    now = timestamps.now()
    if outbox.is_due(mail, now):
        mail["attempts"] += 1
        outbox.failed(site, mail, type(error).__name__, now)


def _note(site: Any, mail_id: str, error: Exception | None) -> Sent:
    mail = outbox.get(site, mail_id)
    if error is None:
        outbox.sent(site, mail)
        return Sent.SENT
    text = messages.error_text(error)
    if smtp.is_away(error):
        outbox.give_back(site, mail, text)
        return Sent.AWAY
    outbox.failed(site, mail, text, timestamps.now())
    return Sent.FAILED
