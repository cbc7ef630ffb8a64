"""Take a person out of the stored records, and put hashes where the names were.

Part of an erasure; :mod:`niteoweb.click2sell.privacy.erasure` says what goes and what stays.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from datetime import datetime
from functools import partial
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
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.privacy import export
from typing import Any


#: Outcomes of entries that could still be processed: after an erasure nobody could.
UNSETTLED = frozenset({Outcome.RECEIVED, Outcome.FAILED, Outcome.ATTENTION})

#: Whether a text of a stored record has to go.
Goes = Callable[[str], bool]


def redact(site: Any, holdings: export.Holdings, now: datetime) -> None:
    """Redact everything that was stored about an address.

    :param now: in UTC.
    """

    def everything(_text: str) -> bool:
        return True

    def naming(text: str) -> bool:
        return mentions.names(text, holdings.addresses)

    new = [entry for entry in holdings.entries if not pseudonyms.is_erased(entry)]
    for record in holdings.records:
        _rank(site, record)
    places = [(history.product(entry)[0], entry["transaction"]) for entry in new]
    for entry in new:
        _transaction(site, entry, holdings.addresses)
    keys = {entry["key"]: pseudonyms.key_alias(site, entry["key"]) for entry in new}
    for entry in new:
        _texts_of_entry(site, entry, everything)
        _entry(site, entry, now)
        ledger.rekey(site, entry, keys[entry["key"]])
    for record in holdings.records:
        buyers.change(site, record, keys=tuple(keys.get(key, key) for key in record["keys"]))
        _texts_of_buyer(site, record, everything)
        _record(site, record, now)
    for entry in holdings.moved:
        _taken_out(site, entry, holdings.addresses, naming)
    for record in holdings.naming:
        _texts_of_buyer(site, record, naming)
    _corrections(site, places, holdings.addresses)
    for mail in holdings.mails:
        _mail(site, mail)


def affiliated(site: Any, holdings: export.Holdings) -> Iterable[buyers.Buyer]:
    """The other buyers whose accounts name one of the addresses as their affiliate."""
    ids = dict.fromkeys(entry["buyer_id"] for entry in holdings.moved)
    for record in filter(None, (buyers.get(site, buyer_id) for buyer_id in ids)):
        if record["user_id"] and accounts.exists(record["user_id"]):
            affiliate = accounts.fields(record["user_id"], ("affiliate",))["affiliate"]
            if mentions.names(affiliate or "", holdings.addresses):
                yield record


def take_in(site: Any, record: buyers.Buyer, waiting: Iterable[ledger.Entry]) -> None:
    """Reopen an erased buyer, under the addresses of later notifications.

    :param waiting: notifications that name these addresses.
    """
    names = {entry["buyer"] for entry in waiting if entry["buyer_id"] == record["id"]}
    addresses = tuple(dict.fromkeys((*record["addresses"], *sorted(names))))
    buyers.rename(site, record, addresses=addresses)
    buyers.change(site, record, erased_at="", revision=record["revision"] + 1)


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


def _entry(site: Any, entry: ledger.Entry, now: datetime) -> None:
    """Redact a notification of the buyer down to its figures and hashes."""
    ledger.exchange(site, entry, in_reply_to="", **pseudonyms.fields(site, entry))
    ledger.change(
        site,
        entry,
        buyer=pseudonyms.alias(site, pseudonyms.ADDRESS, entry["buyer"]),
        error="",
        failures=(),
        erased_at=timestamps.iso(now),
    )
    if entry["outcome"] in UNSETTLED:
        ledger.set_outcome(site, entry, Outcome.NOTHING, Reason.ERASED)


def _record(site: Any, record: buyers.Buyer, now: datetime) -> None:
    """Redact the buyer's record down to the fields that its notifications need.

    Hashes of the addresses and customer ids lead to it from now on.
    """
    alias = partial(pseudonyms.alias, site)
    addresses = (alias(pseudonyms.ADDRESS, name) for name in record["addresses"])
    customer_ids = ((of, alias(pseudonyms.CUSTOMER, id_)) for of, id_ in record["customer_ids"])
    buyers.rename(
        site,
        record,
        addresses=tuple(dict.fromkeys(addresses)),
        customer_ids=tuple(dict.fromkeys(customer_ids)),
    )
    buyers.change(
        site,
        record,
        stated=(),
        deleted_at=timestamps.iso(now),
        erased_at=timestamps.iso(now),
        account_asked="",
        revision=record["revision"] + 1,
        **buyers.NO_ACCOUNT,
    )


def _taken_out(site: Any, entry: ledger.Entry, addresses: Collection[str], goes: Goes) -> None:
    """Take a person out of a notification of another buyer, who keeps what it gave."""
    if entry["buyer"] in addresses:
        # It names the person alone, but for the member who was logged in.
        member = entry["member"]
        _texts_of_entry(site, entry, lambda text: text != member or goes(text))
        alias = pseudonyms.alias(site, pseudonyms.ADDRESS, entry["buyer"])
        ledger.change(site, entry, buyer=alias)
    else:
        _texts_of_entry(site, entry, goes)


def _texts_of_entry(site: Any, entry: ledger.Entry, goes: Goes) -> None:
    """Remove the texts that have to go from a notification, its payload and notes."""
    gone = {name: "" for name in mentions.FIELDS if goes(entry[name])}
    ledger.exchange(site, entry, **gone)
    ledger.change(site, entry, notes=_notes(entry, goes))
    if any(map(goes, mentions.in_payload(entry))):
        ledger.remove_payload(site, entry)


def _texts_of_buyer(site: Any, record: buyers.Buyer, goes: Goes) -> None:
    """Remove the texts that have to go from the choice, log and notes of a buyer's record."""
    log = tuple(
        # The id of an account may be an address.
        (at, event, pseudonyms.alias(site, pseudonyms.ACCOUNT, subject))
        if event in buyers.ABOUT_ACCOUNT and goes(subject)
        else (at, event, subject)
        for at, event, subject in record.get("log", ())
    )
    chosen = "" if goes(record["chosen"]) else record["chosen"]
    stated = tuple(one for one in record.get("stated", ()) if not goes(one[1]))
    notes = _notes(record, goes)
    buyers.change(site, record, chosen=chosen, stated=stated, log=log, notes=notes)


def _notes(noted: Mapping[str, Any], goes: Goes) -> tuple[dict[str, str], ...]:
    return tuple(
        {**note, "text": ""} if goes(note["text"]) else note for note in noted["notes"]
    )


def _rank(site: Any, record: buyers.Buyer) -> None:
    """Keep the order that the keys decide, for when these are hashes."""
    entries = [ledger.get(site, key) for key in record["keys"]]
    ranked = sorted(entries, key=lambda entry: entry["tie"] + entry["key"])
    for rank, entry in enumerate(ranked):
        ledger.change(site, entry, tie=f"{rank:06} ")


def _mail(site: Any, mail: outbox.Mail) -> None:
    if mail["to"].startswith(pseudonyms.MARK):
        return
    if mail["due_at"]:
        outbox.dropped(site, mail, "the buyer was erased")
    to = pseudonyms.alias(site, pseudonyms.ADDRESS, mail["to"].lower())
    outbox.readdress(
        site, mail, to, pseudonyms.alias(site, pseudonyms.ACCOUNT, mail["user_id"])
    )
