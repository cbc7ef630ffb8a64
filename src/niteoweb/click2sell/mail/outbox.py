"""The outbox: mails that members and the owner are owed, kept until they are sent.

A mail is a persistent mapping of plain values. It is filed in the commit that makes it due,
marked "sending" before the mail server is asked and "sent" after; a process that dies in
between may repeat one mail, with the same Message-ID.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import Record
from niteoweb.click2sell.storage import trees
from typing import Any

import secrets


DUE = "due"
SENDING = "sending"
SENT = "sent"
DROPPED = "dropped"

WELCOME = "welcome"
NOTICE = "notice"
#: Asks a buyer to confirm a purchase that waits for that.
CLAIM = "claim"
#: Asks a member to prove to be a customer of a provider; the provider writes it.
LINK = "link"
#: Before access ends, and after that; see farewells.py.
REMINDER = "reminder"
ENDED = "access ended"

DAILY = "daily"
SILENT = "provider silent"
HEARD = "provider heard again"
STOPPED = "sweep stopped"
DOUBTED = "clock doubted"
RESUMED = "sweep goes on"
HELD = "accounts wait"
#: A receiver of hooks is switched off, or takes nothing for days.
NOT_TAKEN = "events not taken"
#: Mails to the owner; they belong to no member.
TO_OWNER = frozenset({DAILY, SILENT, HEARD, STOPPED, DOUBTED, RESUMED, HELD, NOT_TAKEN})

#: Pauses before the second and each later attempt, in minutes; the last one repeats.
PAUSES = (5, 15, 60, 240, 720, 1440)
#: Mails of one kind that anybody can have sent to an address, at most, in 24 hours.
CLAIMS_A_DAY = 3
#: A process that sends takes seconds; one that is at it for longer has died.
SENDING_AT_MOST = timedelta(minutes=2)

Mail = Record

#: The kind of the records, see :mod:`niteoweb.click2sell.storage.record`.
RECORD = "mail"


def beginning() -> dict[str, Any]:
    """The fields that a mail begins with, where :func:`file` says nothing else."""
    return {
        "kind": WELCOME,
        "user_id": "",
        "credentials": "",
        "by": "",
        "state": DUE,
        "attempts": 0,
        "error": "",
        "tried_at": "",
    }


def file(
    site: Any,
    kind: str,
    user_id: str,
    to: str,
    product: str,
    now: datetime,
    domain: str,
    credentials: str = "",
    by: str = "",
) -> Mail:
    """Put a mail into the outbox, due at once.

    :param kind: :data:`WELCOME`, :data:`NOTICE` or :data:`CLAIM`.
    :param to: the address that it goes to.
    :param product: name of the product that was bought.
    :param domain: right side of the Message-ID.
    :param credentials: of a welcome mail, "link" or "password"; "" as the settings say.
    :param by: user id of the owner who asked for it, "" for none.
    """
    mail_id = f"{timestamps.stamp(now)}{secrets.token_hex(4)}"
    filed_at = timestamps.iso(now)
    mail = trees.tree(site, "mails")[mail_id] = Record(
        {
            "id": mail_id,
            "kind": kind,
            "user_id": user_id,
            "to": to,
            "product": product,
            "credentials": credentials,
            "by": by,
            "message_id": f"<{mail_id}@{domain}>",
            "filed_at": filed_at,
            "due_at": filed_at,
        },
        RECORD,
    )
    indexes.mark(site, "mails", mail)
    return mail


def file_for_owner(
    site: Any, kind: str, to: str, about: Mapping[str, Any], now: datetime, domain: str
) -> Mail:
    """Put a mail to an owner of the site into the outbox, due at once.

    :param kind: one of :data:`TO_OWNER`.
    :param to: the address that it goes to.
    :param about: what it tells, in plain values.
    :param domain: right side of the Message-ID.
    """
    mail = file(site, kind, "", to, "", now, domain)
    mail["about"] = dict(about)
    return mail


def may_ask(site: Any, kind: str, to: str, now: datetime) -> bool:
    """Whether somebody who only has an address may have it mailed so once more."""
    since = timestamps.iso(now - timedelta(days=1))
    mails = [one for one in of_address(site, to.lower()) if one["kind"] == kind]
    return sum(one["filed_at"] > since for one in mails) < CLAIMS_A_DAY


def file_claim(site: Any, buyer_id: str, to: str, product: str, now: datetime) -> Mail | None:
    """Put a mail into the outbox that asks a buyer to confirm a purchase, due at once.

    :param to: the address that was paid under.
    :returns: None, and there is no mail, when the address had :data:`CLAIMS_A_DAY` already.
    """
    if not may_ask(site, CLAIM, to, now):
        return None
    mail = file(site, CLAIM, "", to, product, now, plone_site.mail_domain())
    mail["buyer_id"] = buyer_id
    return mail


def of_address(site: Any, address: str) -> list[Mail]:
    """All mails to an address, whatever became of them.

    :param address: in lower case.
    """
    number = trees.number(address)
    filed = trees.tree(site, "mails_by_address").keys((number, ""), (number, "~"))
    mails = (get(site, mail_id) for _number, mail_id in filed)
    return [mail for mail in mails if mail["to"].lower() == address]


def readdress(site: Any, mail: Mail, to: str, user_id: str) -> None:
    """Put other names on a mail that is not to be sent any more."""
    mail["to"], mail["user_id"] = to, user_id
    indexes.mark(site, "mails", mail)


def get(site: Any, mail_id: str) -> Mail:
    """A mail."""
    return trees.tree(site, "mails")[mail_id]


def find(site: Any, mail_id: str) -> Mail | None:
    """A mail, None when there is none of that id."""
    return trees.tree(site, "mails").get(mail_id)


def due(site: Any, now: datetime) -> list[str]:
    """Ids of the mails whose next attempt is due, the longest waiting first."""
    return [
        mail_id
        for _time, mail_id in trees.tree(site, "mails_due").keys(max=(timestamps.iso(now), "~"))
    ]


def hasten(site: Any, now: datetime) -> None:
    """Let no mail wait that was put off, or filed as due at once, by a clock that was ahead."""
    for _time, mail_id in list(trees.tree(site, "mails_due").keys((timestamps.iso(now), "~"))):
        mail = get(site, mail_id)
        if mail["tried_at"] > timestamps.iso(now) or mail["due_at"] == mail["filed_at"]:
            _move(site, mail, mail["state"], now)


def waiting(site: Any, now: datetime) -> int:
    """The number of mails whose next attempt is not due yet."""
    return len(trees.tree(site, "mails_due").keys(min=(timestamps.iso(now), "~")))


def of_user(site: Any, user_id: str) -> list[Mail]:
    """All mails to a member, whatever became of them, in no order."""
    rows = trees.tree(site, "mails_by_user").keys((user_id, ""), (user_id, "~"))
    mails = {id_: get(site, id_) for _user_id, id_ in rows}
    mails |= {mail["id"]: mail for mail in of_address(site, user_id)}
    return [mail for mail in mails.values() if mail["user_id"] == user_id]


def of_accounts(site: Any, accounts: Iterable[tuple[str, str, str]]) -> list[Mail]:
    """All mails to accounts while they were a buyer's, in no order.

    :param accounts: see :func:`niteoweb.click2sell.buyers.buyers.accounts`.
    """
    mails = {
        mail["id"]: mail
        for user_id, since, until in accounts
        for mail in of_user(site, user_id)
        if since <= mail["filed_at"] <= until
    }
    return list(mails.values())


def is_due(mail: Mail, now: datetime) -> bool:
    """Whether a mail is to be sent now, and nobody else is sending it."""
    if not mail["due_at"] or mail["due_at"] > timestamps.iso(now):
        return False
    if mail["state"] != SENDING:
        return True
    # A clock that was put back makes it due at once.
    tried_at = timestamps.from_iso(mail["tried_at"])
    return not timestamps.is_recent(tried_at, now, SENDING_AT_MOST)


def sending(mail: Mail, now: datetime) -> None:
    """Mark a mail as being sent; should the process die, it is due again in two minutes.

    It stays filed as due: only the mail itself is written.
    """
    mail["state"] = SENDING
    mail["attempts"] += 1
    mail["tried_at"] = timestamps.iso(now)


def give_back(site: Any, mail: Mail, error: str) -> None:
    """Leave a mail due: the mail server could not be reached.

    :param error: the cause, without the address.
    """
    mail["state"], mail["error"] = DUE, error
    indexes.mark(site, "mails", mail)


def sent(site: Any, mail: Mail) -> None:
    """Mark a mail as taken by the mail server."""
    mail["error"] = ""
    _move(site, mail, SENT, None)


def failed(site: Any, mail: Mail, error: str, now: datetime) -> None:
    """File a mail for the next attempt, after a pause that grows with the attempts.

    :param error: the cause, without the address.
    """
    pause = PAUSES[min(mail["attempts"], len(PAUSES)) - 1]
    mail["error"] = error
    _move(site, mail, DUE, now + timedelta(minutes=pause))


def postpone(site: Any, mail: Mail, moment: datetime) -> None:
    """Let a mail wait until a moment, in UTC."""
    _move(site, mail, DUE, moment)


def dropped(site: Any, mail: Mail, why: str) -> None:
    """Give a mail up: nobody is there to read it."""
    mail["error"] = why
    _move(site, mail, DROPPED, None)


def drop_all(site: Any, user_id: str, why: str) -> None:
    """Give up all mails that wait for a member."""
    for mail in of_user(site, user_id):
        if mail["due_at"]:
            dropped(site, mail, why)


def _move(site: Any, mail: Mail, state: str, due_at: datetime | None) -> None:
    mail["state"] = state
    mail["due_at"] = timestamps.iso(due_at) if due_at else ""
    indexes.mark(site, "mails", mail)


def _due(site: Any, mail: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(mail["due_at"], mail["id"])] if mail["due_at"] else []


def _by_address(site: Any, mail: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(trees.number(mail["to"].lower()), mail["id"])]


def _by_user(site: Any, mail: Mapping[str, Any]) -> list[tuple[str, str]]:
    # Mostly the user id is the address, under which the mail is filed already.
    named = mail["user_id"] not in ("", mail["to"].lower())
    return [(mail["user_id"], mail["id"])] if named else []


def _failed(site: Any, mail: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The row of a mail that could not be sent so far, the newest first."""
    if not (mail["due_at"] and mail["error"]):
        return []
    return [(-timestamps.microseconds(timestamps.from_iso(mail["filed_at"])), mail["id"])]


indexes.define(
    "mails",
    lambda mail: mail["id"],
    indexes.Index("mails_due", _due),
    indexes.Index("mails_by_address", _by_address),
    indexes.Index("mails_by_user", _by_user),
    indexes.Index("mails_failed", _failed),
)
