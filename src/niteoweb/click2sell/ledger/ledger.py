"""The ledger: every genuine notification, kept for ever, with its outcome.

Entries are added and their outcome changes; none is ever removed. Readers use an entry as one
mapping of plain values (text, numbers, ISO dates in UTC); :func:`change` sets fields of its
processing, and the functions here set those that belong together.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from datetime import datetime
from heapq import merge
from niteoweb.click2sell import hooks
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.entitlement import TOLERANCE
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import facets
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.ledger import records
from niteoweb.click2sell.ledger.entries import change
from niteoweb.click2sell.ledger.entries import Entry
from niteoweb.click2sell.ledger.entries import exchange
from niteoweb.click2sell.ledger.entries import place
from niteoweb.click2sell.ledger.outcomes import Outcome
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import secrecy
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import trees
from typing import Any


#: Fields of an entry that a list can be about, the number of entries with some values of them,
#: and their places.
FACETS, count, filed = facets.NAMES, facets.count, facets.places

#: The entry at a place.
at = entries.at

#: Failed attempts that an entry keeps.
FAILURES = 20

#: A listing of a range of time, or of the results of a search, counts no further.
CAPPED = 1000


def get(site: Any, key: str) -> Entry | None:
    """The entry of a key."""
    found = entries.get(site, key)
    return pseudonyms.entry(site, key) if found is None else found


def record(site: Any, notification: Notification, received_at: datetime) -> Entry | None:
    """Write a genuine notification down, as received.

    :param received_at: in UTC.
    :returns: None when its transaction has too many entries already, see ownership.py;
        then it is only counted.
    """
    notification = secrecy.discreet(notification, registry.secrets())
    told = {"received_at": timestamps.iso(received_at), **_told(notification)}
    entry = entries.new(site, told, _address(site, notification))
    if not ownership.reserve(site, entry):
        return None
    entries.put(site, entry)
    return entry


def amend(site: Any, entry: Entry, notification: Notification, now: datetime) -> None:
    """Complete an entry by the provider's later answer.

    :param notification: the entry's, with all its fields.
    :param now: the time of the answer, in UTC.
    """
    notification = secrecy.discreet(notification, registry.secrets())
    exchange(site, entry, **{**records.DEFAULTS, **_told(notification)})
    # By the provider's clock it may be of now, days after it arrived.
    told_at = timestamps.iso(now)
    address = _address(site, notification)
    change(site, entry, buyer=address, told_at=told_at, asks=False)


def set_outcome(
    site: Any, entry: Entry, outcome: str, reason: str = "", subject: str = ""
) -> None:
    """Set the outcome of an entry; nothing is written when it has this outcome already.

    :param reason: code of the reason, see :mod:`niteoweb.click2sell.ledger.reasons`.
    :param subject: the subject of the reason, a group for example.
    """
    told_apart = entry["reason"] == Reason.TOO_MANY
    if entry["outcome"] != outcome or told_apart != (reason == Reason.TOO_MANY):
        tell = outcome in outcomes.WAITS and reason != Reason.TOO_MANY
        untold = trees.tree(site, "untold")
        (untold.insert if tell else untold.discard)(place(entry))
        if tell and outcome != Outcome.FAILED:
            _tell_receivers(site, entry)
    again = {} if outcome == Outcome.FAILED else {"retry_at": "", "waits_for": ""}
    change(site, entry, outcome=str(outcome), reason=str(reason), subject=subject, **again)


def _tell_receivers(site: Any, entry: Entry) -> None:
    """File for the receivers of hooks that an entry waits for a decision."""
    about = {"email": entry["email"], "provider": entry["provider"], "entry": entry["key"]}
    about["product"] = entry["product_id"]
    buyer, now = entry["buyer_id"], timestamps.now()
    hooks.outbox.file(site, hooks.events.ATTENTION, buyer, about, now)


def waiting(site: Any) -> int:
    """The number of entries that the owner has to know of and has not dismissed."""
    return sum(count(site, outcome=outcome) for outcome in outcomes.WAITS) - len(
        trees.tree(site, "dismissed")
    )


def is_waiting(entry: Entry) -> bool:
    """Whether an entry is one of these."""
    is_dismissed = entry["outcome"] == Outcome.REFUSED and entry["dismissed"]
    return entry["outcome"] in outcomes.WAITS and not is_dismissed


def waiting_keys(site: Any) -> Iterator[str]:
    """Keys of these entries, the newest first."""
    dismissed = trees.tree(site, "dismissed")
    for found in merge(*(filed(site, outcome=outcome) for outcome in outcomes.WAITS)):
        key = entries.at(site, found)["key"]
        if key not in dismissed:
            yield key


def mark_told(site: Any, entry: Entry) -> None:
    """Note that the owner knows of an entry that waits, and need not be told."""
    trees.tree(site, "untold").discard(place(entry))


def remove_payload(site: Any, entry: Entry) -> None:
    """Remove all parameters of an entry's notification as they were received."""
    if entry["payload"]:
        del entry.stored[entries.TOLD]["payload"]
        indexes.mark(site, "entries", entry.stored)


def set_terms(site: Any, entry: Entry, terms: mapping.Terms) -> None:
    """Set the terms of an entry; a later mapping does not rewrite them."""
    change(site, entry, days=terms.days, exclusive=terms.exclusive, terms_known=True)


def count_attempt(site: Any, entry: Entry) -> None:
    """Count an attempt to process an entry."""
    change(site, entry, attempts=entry["attempts"] + 1, error="")


def note_failure(site: Any, entry: Entry, error: str, now: datetime) -> None:
    """Count an attempt to process an entry that failed.

    :param error: the cause, without a name or an address.
    :param now: in UTC.
    """
    count_attempt(site, entry)
    failure = {"at": timestamps.iso(now), "error": error}
    failures = (*entry["failures"], failure)[-FAILURES:]
    change(site, entry, error=error, failures=failures)


def dismiss(site: Any, entry: Entry) -> None:
    """Dismiss the present reason of an entry: an owner leaves it as it is."""
    change(site, entry, dismissed=(entry["reason"], entry["subject"]))
    mark_told(site, entry)


def add_note(site: Any, entry: Entry, at: datetime, by: str, what: str, text: str) -> None:
    """Note an owner's decision on an entry.

    :param at: in UTC.
    :param by: user id of the owner.
    :param what: "decided", "attached", "dismissed" or "group made".
    :param text: the owner's reason.
    """
    note = {"at": timestamps.iso(at), "by": by, "what": what, "text": text}
    change(site, entry, notes=(*entry["notes"], note))


def rekey(site: Any, entry: Entry, key: str) -> None:
    """File an entry, whose payload is gone, under another key."""
    trees.tree(site, "payloads_kept").discard(place(entry))
    entries.rekey(site, entry, key)


def newest_first(site: Any, **wanted: str) -> Iterator[str]:
    """Keys of the entries that have some values, or of all entries."""
    for found in filed(site, **wanted):
        yield entries.at(site, found)["key"]


def received_before(site: Any, moment: datetime, **wanted: str) -> Iterator[str]:
    """Keys of the entries with some values that arrived before a moment, newest first."""
    for found in filed(site, **wanted).between(-timestamps.microseconds(moment) + 1):
        yield entries.at(site, found)["key"]


def money_moved(site: Any, since: datetime, until: datetime) -> Iterator[Entry]:
    """The entries whose money moved in a time, the oldest first, of all outcomes.

    :param since: the first moment.
    :param until: the last moment.
    """
    bounds = (timestamps.microseconds(since),), (timestamps.microseconds(until) + 1,)
    for _time, found in trees.tree(site, "money").keys(*bounds):
        yield entries.at(site, found)


def moved_at(entry: Mapping[str, Any]) -> datetime:
    """The time at which an entry's money moved: by the provider's clock, in UTC.

    A time that cannot be, more than a day after arrival, would hide the money in a year to
    come; then it is the time of arrival.
    """
    occurred_at, received_at = (
        timestamps.from_iso(entry["occurred_at"]),
        timestamps.from_iso(entry["received_at"]),
    )
    return occurred_at if occurred_at - received_at <= TOLERANCE else received_at


def _told(notification: Notification) -> dict[str, Any]:
    """The record of a notification, without the address, which an owner may correct."""
    told = records.write(notification)
    del told["buyer"]
    return told


def _address(site: Any, notification: Notification) -> str:
    """The address that a notification's entry is assigned to."""
    # An owner's act on a purchase follows the purchase.
    source = (notification.on_behalf_of or notification.provider, notification.transaction)
    return ownership.corrected(site, source, notification.buyer) or notification.buyer
