"""The ledger: every genuine notification, kept for ever, with what became of it.

An entry is a persistent mapping of plain values (text, numbers, ISO dates in UTC). Entries are
added and their outcome changes; none is ever removed.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.entitlement import TOLERANCE
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import facets
from niteoweb.click2sell.ledger import mentions
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.ledger import retryqueue
from niteoweb.click2sell.ledger.entries import Entry
from niteoweb.click2sell.ledger.entries import place
from niteoweb.click2sell.notification import MONEY
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.storage import trees
from persistent.mapping import PersistentMapping
from typing import Any

import json


RECEIVED = "received"
ACCEPTED = "accepted"
NOTHING = "nothing to do"
ATTENTION = "needs attention"
REFUSED = "refused"
FAILED = "failed"
#: Reason of what is refused.
ANOTHER = "another buyer or product"
#: Reason of what waits for an account, see accountquota.py: told at once, settled by the sweep.
TOO_MANY = "too many accounts"

#: No entry was made, see :data:`.ownership.ENTRIES_PER_TRANSACTION`.
NOT_KEPT = "not kept"

#: Outcomes that answer a second delivery; the others are tried again.
FINAL = frozenset({ACCEPTED, NOTHING, ATTENTION, REFUSED})
#: Outcomes that the report's figures count.
EFFECTIVE = FINAL - {REFUSED}

#: Outcomes that the owner has to know of.
WAITS = frozenset({ATTENTION, REFUSED, FAILED})

#: Fields of an entry that a list can be about.
FACETS = facets.NAMES

#: Fields that an entry has only when they say something.
SELDOM = (
    *("customer_id", "external_subscription_id", "in_reply_to", "validation_result", "aliases"),
    *("fully_signed", "snapshot", "customer_deleted", "attention", "attention_subject"),
)

#: Failed attempts that an entry keeps.
FAILURES = 20

#: A listing of a range of time, or of what a search finds, counts no further.
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
    return _add(
        site,
        {
            "key": notification.key,
            "received_at": timestamps.iso(received_at),
            **_told(site, notification),
        },
    )


def amend(site: Any, entry: Entry, notification: Notification) -> None:
    """Write down what its provider has told of an entry since.

    :param notification: the entry's, with what was not known.
    """
    _index(site, entry, add=False)
    for name in SELDOM:
        entry.pop(name, None)
    change(entry, **_told(site, notification))
    _index(site, entry, add=True)


def _told(site: Any, notification: Notification) -> dict[str, Any]:
    """The fields of an entry that say what its notification says."""
    amount = notification.amount
    # What an owner does to a purchase follows the purchase.
    source = (notification.on_behalf_of or notification.provider, notification.transaction)
    valid_until = notification.valid_until
    return {
        "provider": notification.provider,
        "kind": str(notification.kind),
        "occurred_at": timestamps.iso(notification.occurred_at),
        "buyer": ownership.buyer_of(site, source, notification.buyer),
        "email": notification.email,
        "first_name": notification.first_name,
        "last_name": notification.last_name,
        "product_id": notification.product_id,
        "product_name": notification.product_name,
        "transaction": notification.transaction,
        "receipt": notification.receipt,
        "amount": None if amount is None else str(amount),
        "currency": notification.currency,
        "country": notification.country,
        "affiliate": notification.affiliate,
        "subscription": notification.subscription,
        "on_behalf_of": notification.on_behalf_of,
        "valid_until": None if valid_until is None else timestamps.iso(valid_until),
        "payload": json.dumps(dict(notification.payload)),
        **_seldom(notification),
    }


def _seldom(notification: Notification) -> dict[str, Any]:
    """Fields that few entries have, see :class:`Notification`."""
    values = {name: getattr(notification, name) for name in SELDOM}
    return {name: value for name, value in values.items() if value}


def file(site: Any, entry: Entry) -> None:
    """Keep an entry, and put it into all indexes."""
    entries.put(site, entry)
    facets.count_one_more(site)
    _index(site, entry, add=True)


def _index(site: Any, entry: Entry, add: bool) -> None:
    """Put an entry into all indexes, or take it out."""
    (facets.file if add else facets.forget)(site, entry)
    if entry["kind"] in MONEY:
        money, moved = (
            trees.tree(site, "money"),
            (timestamps.microseconds(moved_at(entry)), place(entry)),
        )
        (money.insert if add else money.discard)(moved)


def finish(site: Any, entry: Entry, outcome: str, reason: str = "", subject: str = "") -> None:
    """Set what became of an entry; nothing is written when it is so already.

    :param reason: code of the reason, see :mod:`niteoweb.click2sell.ledger.reasons`.
    :param subject: what the reason is about, a group for example.
    """
    told_apart = entry["reason"] == TOO_MANY
    change(entry, reason=reason, subject=subject)
    if entry["outcome"] != outcome or told_apart != (reason == TOO_MANY):
        tell = outcome in WAITS and reason != TOO_MANY
        untold = trees.tree(site, "untold")
        (untold.insert if tell else untold.discard)(entry["key"])
    if outcome != FAILED:
        retryqueue.forget(site, entry)
    if entry["outcome"] != outcome:
        facets.forget(site, entry)
        entry["outcome"] = outcome
        facets.file(site, entry)
        file_dismissed(site, entry)
    counters.follow_entry(site, entry, outcome in EFFECTIVE)


def file_dismissed(site: Any, entry: Entry) -> None:
    """File an entry that stays refused although an owner has dismissed it, or no longer."""
    filed = trees.tree(site, "dismissed")
    waits_no_more = entry["outcome"] == REFUSED and entry["dismissed"]
    (filed.insert if waits_no_more else filed.discard)(entry["key"])


def waiting(site: Any) -> int:
    """How many entries the owner has to know of, without those that were dismissed."""
    return sum(count(site, "outcome", outcome) for outcome in WAITS) - len(
        trees.tree(site, "dismissed")
    )


def tell_no_more(site: Any, entry: Entry) -> None:
    """The owner knows of an entry that waits, and need not be told."""
    trees.tree(site, "untold").discard(entry["key"])


def change(entry: Entry, **values: Any) -> None:
    """Set fields of an entry, writing only what differs."""
    for name, value in values.items():
        if entry.get(name) != value:
            entry[name] = value


def note_failure(entry: Entry, error: str, now: datetime) -> None:
    """Note that an attempt to process an entry failed.

    :param error: the cause, without a name or an address.
    :param now: in UTC.
    """
    failure = {"at": timestamps.iso(now), "error": error}
    entry["error"] = error
    entry["failures"] = (*entry.get("failures", ()), failure)[-FAILURES:]


def add_note(site: Any, entry: Entry, at: datetime, by: str, what: str, text: str) -> None:
    """Note an owner's decision on an entry.

    :param at: in UTC.
    :param by: user id of the owner.
    :param what: "decided", "attached", "dismissed" or "group made".
    :param text: the owner's reason.
    """
    note = {"at": timestamps.iso(at), "by": by, "what": what, "text": text}
    entry["notes"] = (*entry.get("notes", ()), note)
    mentions.file_entry(site, entry)


def rekey(site: Any, entry: Entry, key: str) -> None:
    """File an entry, whose payload is gone, under another key."""
    trees.tree(site, "payloads_kept").discard(place(entry))
    for filed_ in (trees.tree(site, "untold"), trees.tree(site, "dismissed")):
        if entry["key"] in filed_:
            filed_.remove(entry["key"])
            filed_.insert(key)
    entries.rekey(site, entry, key)


def count(site: Any, facet: str = "all", value: str = "") -> int:
    """How many entries there are, or how many of one value of one of :data:`FACETS`."""
    return facets.count(site, _wanted(facet, value))


def newest_first(site: Any, facet: str = "all", value: str = "") -> Iterator[str]:
    """Keys of all entries, or of those of one value of one of :data:`FACETS`."""
    for found in filed(site, facet, value):
        yield entries.at(site, found)["key"]


def filed(site: Any, facet: str = "all", value: str = "") -> facets.Places:
    """The places of all entries, or of those of one value of one of :data:`FACETS`."""
    return facets.places(site, _wanted(facet, value))


def received_before(site: Any, facet: str, value: str, moment: datetime) -> Iterator[str]:
    """Keys of the entries of a facet that arrived before a moment, newest first."""
    for found in filed(site, facet, value).between(-timestamps.microseconds(moment) + 1):
        yield entries.at(site, found)["key"]


def money_moved(site: Any, since: datetime, until: datetime) -> Iterator[Entry]:
    """The entries whose money moved in a time, the oldest first; whatever became of them.

    :param since: the first moment.
    :param until: the last moment.
    """
    bounds = (timestamps.microseconds(since),), (timestamps.microseconds(until) + 1,)
    for _time, found in trees.tree(site, "money").keys(*bounds):
        yield entries.at(site, found)


def moved_at(entry: Mapping[str, Any]) -> datetime:
    """When an entry's money moved: by the provider's clock, in UTC.

    A time that cannot be, more than a day after arrival, would hide the money in a year to
    come; then it is the time of arrival.
    """
    occurred_at, received_at = (
        timestamps.from_iso(entry["occurred_at"]),
        timestamps.from_iso(entry["received_at"]),
    )
    return occurred_at if occurred_at - received_at <= TOLERANCE else received_at


def _add(site: Any, values: dict[str, Any]) -> Entry | None:
    entries.choose(site, values)
    if not ownership.reserve(site, values):
        return None
    entry = PersistentMapping(
        {
            **values,
            "outcome": RECEIVED,
            "reason": "",
            "subject": "",
            "error": "",
            # The attempts that failed, the latest of them, see note_failure().
            "failures": (),
            "attempts": 0,
            # Whether it takes part in computing what its buyer is entitled to.
            "counts": False,
            "buyer_id": "",
            # Reason and subject that an owner has decided to leave as they are.
            "dismissed": None,
            # What an owner decided about it, see add_note().
            "notes": (),
            # Terms, from the mapping at the time of recording.
            "days": None,
            "exclusive": False,
            "terms_known": False,
        }
    )
    file(site, entry)
    mentions.file_entry(site, entry)
    return entry


def _wanted(facet: str, value: str) -> dict[str, str]:
    return {} if facet == "all" else {facet: value}
