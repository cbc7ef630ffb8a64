"""Take a person out of the stored records, and put hashes where the names were.

Part of an erasure; :mod:`niteoweb.click2sell.privacy.erasure` says what goes and what stays.
"""

from collections.abc import Collection
from collections.abc import Iterable
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import mentions
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.storage import trees
from typing import Any


#: What could still be worked on: after an erasure nobody could.
UNSETTLED = frozenset({Outcome.RECEIVED, Outcome.FAILED, Outcome.ATTENTION})

#: Fields of a notification that are emptied.
_EMPTY = dict.fromkeys(("email", "first_name", "last_name", "affiliate", "in_reply_to"), "")


def redact(site: Any, holdings: export.Holdings, now: datetime) -> None:
    """Redact everything that was stored about an address.

    :param now: in UTC.
    """
    new = [entry for entry in holdings.entries if not pseudonyms.is_erased(entry)]
    for record in holdings.records:
        _rank(site, record)
    places = [(history.product(entry)[0], entry["transaction"]) for entry in new]
    for entry in new:
        _transaction(site, entry, holdings.addresses)
    for record in holdings.records:
        _ties(site, record)
    keys = {entry["key"]: pseudonyms.key_alias(site, entry["key"]) for entry in new}
    for entry in new:
        _entry(site, entry, now)
    for entry in new:
        ledger.rekey(site, entry, keys[entry["key"]])
    for record in holdings.records:
        buyers.change(site, record, keys=tuple(keys.get(key, key) for key in record["keys"]))
        _record(site, record, now)
    for entry in holdings.moved:
        _others_entry(site, entry, holdings.addresses)
    for record in holdings.naming:
        _others_record(site, record, holdings.addresses)
    _corrections(site, places, holdings.addresses)
    for mail in holdings.mails:
        _mail(site, mail)


def take_in(site: Any, record: buyers.Buyer, waiting: Iterable[ledger.Entry]) -> None:
    """Reopen an erased buyer, under the addresses of later notifications.

    :param waiting: notifications that name these addresses.
    """
    names = {entry["buyer"] for entry in waiting if entry["buyer_id"] == record["id"]}
    for name in names:
        trees.tree(site, "buyer_by_address")[name] = record["id"]
    buyers.change(
        site,
        record,
        erased_at="",
        addresses=tuple(dict.fromkeys((*record["addresses"], *sorted(names)))),
        revision=record["revision"] + 1,
    )


def _transaction(site: Any, entry: ledger.Entry, addresses: Collection[str]) -> None:
    """File the entry's transaction under its hash, unless it is another buyer's."""
    source = pseudonyms.transaction(site, (entry["provider"], entry["transaction"]))
    owner = ownership.owner_of(site, source)
    if source[1] and (owner is None or owner[0] in addresses):
        known_as = (source[0], pseudonyms.alias(site, pseudonyms.TRANSACTION, source[1]))
        ownership.rename(site, source, known_as)


def _corrections(
    site: Any, places: Collection[tuple[str, str]], addresses: Collection[str]
) -> None:
    """Replace names in the corrections of owners by hashes.

    :param places: the transactions of the erased entries.
    """
    ours = [*places, *(("", name) for name in addresses)]
    ours += [source for name in addresses for source in ownership.corrected_to(site, name)]
    for source in dict.fromkeys(ours):
        right = ownership.correction(site, source)
        if not right:
            continue
        ownership.correct(site, source, "")
        if right in addresses:
            right = pseudonyms.alias(site, pseudonyms.ADDRESS, right)
        ownership.correct(site, ownership.pseudonym(site, source), right)


def _ties(site: Any, record: buyers.Buyer) -> None:
    """Replace the buyer's addresses by hashes, where they lead to it."""
    by_address = trees.tree(site, "buyer_by_address")
    for name in record["addresses"]:
        by_address.pop(name, None)
        by_address[pseudonyms.alias(site, pseudonyms.ADDRESS, name)] = record["id"]
    customers = trees.tree(site, "buyer_by_customer")
    for provider, customer_id in record["customer_ids"]:
        customers.pop((provider, customer_id), None)
        known_as = (provider, pseudonyms.alias(site, pseudonyms.CUSTOMER, customer_id))
        customers[known_as] = record["id"]


def _entry(site: Any, entry: ledger.Entry, now: datetime) -> None:
    ledger.exchange(site, entry, **{**_EMPTY, **pseudonyms.fields(site, entry)})
    ledger.change(
        site,
        entry,
        buyer=pseudonyms.alias(site, pseudonyms.ADDRESS, entry["buyer"]),
        error="",
        failures=(),
        notes=_without_text(entry["notes"]),
        erased_at=timestamps.iso(now),
    )
    ledger.remove_payload(site, entry)
    if entry["outcome"] in UNSETTLED:
        ledger.set_outcome(site, entry, Outcome.NOTHING, Reason.ERASED)


def _record(site: Any, record: buyers.Buyer, now: datetime) -> None:
    """Redact a buyer's record down to the fields that its notifications need."""
    buyers.change(
        site,
        record,
        addresses=tuple(
            dict.fromkeys(
                pseudonyms.alias(site, pseudonyms.ADDRESS, name) for name in record["addresses"]
            )
        ),
        customer_ids=tuple(
            (provider, pseudonyms.alias(site, pseudonyms.CUSTOMER, customer_id))
            for provider, customer_id in record["customer_ids"]
        ),
        user_id="",
        made=False,
        password_print="",
        chosen="",
        notes=_without_text(record["notes"]),
        log=tuple(_event(site, *event) for event in record.get("log", ())),
        deleted_at=timestamps.iso(now),
        erased_at=timestamps.iso(now),
        grants={},
        taken={},
        due=(),
        account_asked="",
        revision=record["revision"] + 1,
        **buyers.NO_ACCESS,
    )


def _others_entry(site: Any, entry: ledger.Entry, addresses: Collection[str]) -> None:
    """Take addresses out of another buyer's notification."""
    gone = {name: "" for name in mentions.FIELDS if mentions.names(entry[name], addresses)}
    ledger.exchange(site, entry, **gone)
    ledger.change(site, entry, notes=_without(entry["notes"], addresses))
    if any(mentions.names(text, addresses) for text in mentions.in_payload(entry)):
        ledger.remove_payload(site, entry)


def _others_record(site: Any, record: buyers.Buyer, addresses: Collection[str]) -> None:
    """Remove addresses from the notes of another buyer."""
    chosen = "" if mentions.names(record["chosen"], addresses) else record["chosen"]
    log = tuple(
        _event(site, *event) if mentions.names(event[2], addresses) else event
        for event in record.get("log", ())
    )
    notes = _without(record["notes"], addresses)
    buyers.change(site, record, chosen=chosen, log=log, notes=notes)


def _event(site: Any, at: str, what: str, subject: str) -> tuple[str, str, str]:
    """An event of a buyer's log without the account, whose id may be the address."""
    if what in (buyers.MADE, buyers.ATTACHED, buyers.DELETED):
        subject = pseudonyms.alias(site, pseudonyms.ACCOUNT, subject)
    return at, what, subject


def _rank(site: Any, record: buyers.Buyer) -> None:
    """Keep the order that the keys decide, for when these are hashes."""
    entries = [ledger.get(site, key) for key in record["keys"]]
    ranked = sorted(entries, key=lambda entry: entry["tie"] + entry["key"])
    for rank, entry in enumerate(ranked):
        ledger.change(site, entry, tie=f"{rank:06} ")


def _without(
    notes: Iterable[dict[str, str]], addresses: Collection[str]
) -> tuple[dict[str, str], ...]:
    """Notes without the text of those that name an address."""
    return tuple(
        {**note, "text": ""} if mentions.names(note["text"], addresses) else note
        for note in notes
    )


def _without_text(notes: Iterable[dict[str, str]]) -> tuple[dict[str, str], ...]:
    return tuple({**note, "text": ""} for note in notes)


def _mail(site: Any, mail: outbox.Mail) -> None:
    if mail["to"].startswith(pseudonyms.MARK):
        return
    if mail["due_at"]:
        outbox.dropped(site, mail, "the buyer was erased")
    to = pseudonyms.alias(site, pseudonyms.ADDRESS, mail["to"].lower())
    outbox.readdress(
        site, mail, to, pseudonyms.alias(site, pseudonyms.ACCOUNT, mail["user_id"])
    )
