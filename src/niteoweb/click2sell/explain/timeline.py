"""Everything that happened to a buyer, the newest first: for people who want to know."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.notification import OWNER
from typing import Any


# The kinds of events.
NOTIFICATION = "notification"  # of a provider
ACTION = "action"  # of an owner, written down like a notification
NOTE = "note"  # of an owner, on an entry
FILED = "mail filed"
TRIED = "mail tried"  # and not taken by the mail server
SENT = "mail sent"
DROPPED = "mail dropped"


@dataclass(frozen=True)
class TimelineEvent:
    """An event of a buyer's timeline.

    :ivar at: in UTC.
    :ivar what: one of the constants above, or an event of the log of buyers.py.
    :ivar subject: the kind of the notification or of the mail, the group, the account, or the
        kind of the note.
    :ivar key: of the entry, "" for none.
    :ivar outcome: of the entry.
    :ivar reason: of the entry's outcome, a code of reasons.py.
    :ivar reason_subject: the subject of that reason.
    :ivar product: name or id of the product.
    :ivar receipt: of the notification.
    :ivar text: an owner's reason or note, or why a mail was not sent.
    :ivar by: user id of the owner who did it.
    :ivar to: address that a mail goes to.
    :ivar attempts: how often a mail was tried.
    :ivar undoes: it is an owner's act that undoes another one.
    """

    at: datetime
    what: str
    subject: str = ""
    key: str = ""
    outcome: str = ""
    reason: str = ""
    reason_subject: str = ""
    product: str = ""
    receipt: str = ""
    text: str = ""
    by: str = ""
    to: str = ""
    attempts: int = 0
    undoes: bool = False


def of(
    site: Any, buyer: buyers.Buyer, entries: Sequence[ledger.Entry]
) -> tuple[TimelineEvent, ...]:
    """Everything that happened to a buyer, the newest first.

    :param entries: all of the buyer's entries.
    """
    happened = [one for entry in entries for one in (_entry(entry), *_notes(entry))]
    # A consequence of a notification has its time, and comes after it.
    happened += [
        TimelineEvent(timestamps.from_iso(at), event, subject)
        for at, event, subject in buyer.get("log", ())
    ]
    claims = (
        mail
        for address in buyers.addresses(buyer)
        for mail in outbox.of_address(site, address)
        if mail.get("buyer_id") == buyer["id"]
    )
    filed = (*outbox.of_accounts(site, buyers.accounts(buyer)), *claims)
    happened += [*_mails(filed), *_notes(buyer)]
    happened.sort(key=lambda one: one.at)
    return tuple(happened[::-1])


def _mails(filed: Iterable[outbox.Mail]) -> Iterator[TimelineEvent]:
    for mail in filed:
        filed_at = timestamps.from_iso(mail["filed_at"])
        by = mail.get("by", "")
        yield TimelineEvent(filed_at, FILED, mail["kind"], to=mail["to"], by=by)
        tried_at, error = mail.get("tried_at", ""), mail["error"]
        what = {outbox.SENT: SENT, outbox.DROPPED: DROPPED}.get(mail["state"], TRIED)
        if what != TRIED or mail["attempts"]:
            yield TimelineEvent(
                timestamps.from_iso(tried_at) if tried_at else filed_at,
                what,
                mail["kind"],
                text=error,
                to=mail["to"],
                attempts=mail["attempts"],
            )


def _entry(entry: ledger.Entry) -> TimelineEvent:
    owners = entry["provider"] == OWNER
    payload = entry["payload"] if owners else {}
    return TimelineEvent(
        at=timestamps.from_iso(entry["received_at"]),
        what=ACTION if owners else NOTIFICATION,
        subject=entry["kind"],
        key=entry["key"],
        outcome=entry["outcome"],
        reason=entry["reason"],
        reason_subject=entry["subject"],
        product=history.product_title(entry),
        receipt=entry["receipt"],
        text=payload.get("reason", ""),
        by=payload.get("by", ""),
        undoes="undoes" in payload,
    )


def _notes(noted: Mapping[str, Any]) -> Iterator[TimelineEvent]:
    """The decisions of owners.

    :param noted: an entry, or the buyer's record.
    """
    for note in noted.get("notes", ()):
        yield TimelineEvent(
            at=timestamps.from_iso(note["at"]),
            what=NOTE,
            subject=note["what"],
            key=noted.get("key", ""),
            text=note["text"],
            by=note["by"],
        )
