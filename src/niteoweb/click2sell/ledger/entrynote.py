"""What is noted on an entry of the ledger: failed attempts, and what owners decided."""

from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import mentions
from typing import Any


#: Failed attempts that an entry keeps.
FAILURES = 20


def note_failure(entry: ledger.Entry, error: str, now: datetime) -> None:
    """Note that an attempt to process an entry failed.

    :param error: what went wrong, without a name or an address.
    :param now: in UTC.
    """
    failure = {"at": timestamps.iso(now), "error": error}
    entry["error"] = error
    entry["failures"] = (*entry.get("failures", ()), failure)[-FAILURES:]


def remark(site: Any, entry: ledger.Entry, at: datetime, by: str, what: str, text: str) -> None:
    """Note what an owner decided about an entry.

    :param at: in UTC.
    :param by: user id of the owner.
    :param what: "decided", "attached", "dismissed" or "group made".
    :param text: the owner's reason.
    """
    note = {"at": timestamps.iso(at), "by": by, "what": what, "text": text}
    entry["notes"] = (*entry.get("notes", ()), note)
    mentions.file_entry(site, entry)
