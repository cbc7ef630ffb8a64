"""The export of everything about one address, found without a scan, as plain values.

An address leads to its buyer: by the index of addresses that were paid under, by the hash of it
once it was erased, by an account that has the address as login name, user id or e-mail address,
and by what a provider states for a customer who is nobody else. It leads no further: other
addresses that are stated for the buyer may be a stranger's, with mail of their own. Everything
else hangs on the buyer: its notifications (also those that name it but were refused, because
their transaction is another buyer's), its mails, its account. Other records that name the
address are filed under it, see :mod:`niteoweb.click2sell.ledger.mentions`.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from DateTime import DateTime
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.hooks import outbox as outgoing
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import mentions
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import index
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provisioning import NO_PURCHASE
from niteoweb.click2sell.storage import trees
from typing import Any


#: The member properties that this add-on writes; the first two on accounts that it makes.
FIELDS = ("fullname", "email", *NO_PURCHASE, "affiliate")

#: Names of the fields of a buyer's record in the export, where they differ.
WORDS = {
    "id": "buyer_id",
    "made": "account_made_for_the_purchase",
    "account_asked": "account_waited_for_since",
    "deleted_at": "account_deleted_at",
    "taken": "groups_taken_by_hand",
    "due": "groups_due",
    "pending": "groups_waited_for",
    "live": "products_with_access",
    "next_change": "access_changes_at",
}

#: Fields that the export tells otherwise, or that are about no person.
_ELSEWHERE = {
    *("keys", "grants", "revision", "password_print", "filed", "claims", "summary", "recent"),
}


@dataclass(frozen=True)
class Holdings:
    """Everything that is stored about an address.

    :ivar address: in lower case.
    :ivar records: of the buyers that it leads to; nearly always one, or none.
    :ivar entries: of the ledger, in the order of arrival.
    :ivar moved: notifications of other buyers that name one of the addresses: an owner gave
        them to the other one, for example.
    :ivar naming: records of other buyers that name one of the addresses, in an owner's note
        for example.
    :ivar mails: to these buyers and their accounts, sent or not.
    :ivar addresses: all addresses of these buyers, and the one that was asked for.
    :ivar user_ids: of the accounts that these buyers are and were tied to.
    :ivar hooks: events about these buyers that receivers have not taken yet.
    :ivar provided: records that providers keep beside the ledger, by their names.
    """

    address: str
    records: tuple[buyers.Buyer, ...]
    entries: tuple[ledger.Entry, ...]
    moved: tuple[ledger.Entry, ...]
    naming: tuple[buyers.Buyer, ...]
    mails: tuple[outbox.Mail, ...]
    addresses: tuple[str, ...]
    user_ids: tuple[str, ...]
    provided: Mapping[str, Any] = field(default_factory=dict)
    hooks: tuple[outgoing.Event, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether anything is stored."""
        parts = (self.records, self.entries, self.moved, self.naming, self.mails, self.provided)
        return any((*parts, self.hooks))


def find(site: Any, address: str) -> Holdings:
    """Find all that is stored about an address.

    :param address: in any letter case.
    """
    address = address.strip().lower()
    matches = index.find(site, address) if address else ()
    buyer_id = trees.tree(site, "buyer_by_address").get(pseudonyms.address(site, address), "")
    known = [buyers.get(site, buyer_id)]
    known += [buyers.of_user(site, match.user_id) for match in matches]
    known += customers.stating(site, address)
    records = tuple({record["id"]: record for record in known if record is not None}.values())
    addresses = tuple(
        dict.fromkeys((address, *(name for record in records for name in record["addresses"])))
    )
    ties = [tie for record in records for tie in buyers.accounts(record)]
    ids = {record["id"] for record in records}
    entries = {key: ledger.get(site, key) for record in records for key in record["keys"]}
    moved, naming = {}, {}
    for id_ in dict.fromkeys(id_ for name in addresses for id_ in mentions.find(site, name)):
        other = buyers.get(site, id_)
        if other is not None:
            naming[id_] = other
        elif id_ not in entries:
            entry = ledger.get(site, id_)
            (moved if entry["buyer_id"] else entries)[id_] = entry
    for other in naming.values():
        # A provider stated the address for a buyer of more than that.
        theirs = (ledger.get(site, key) for key in other["keys"] if key not in entries)
        moved.update((one["key"], one) for one in theirs if one["buyer"] in addresses)
    return Holdings(
        address=address,
        records=records,
        entries=_in_order(entries.values(), "received_at"),
        moved=_in_order(moved.values(), "received_at"),
        naming=tuple(record for id_, record in naming.items() if id_ not in ids),
        mails=_mails(site, addresses, ties),
        addresses=addresses,
        user_ids=tuple(dict.fromkeys(user_id for user_id, _since, _until in ties)),
        provided=_provided(site, addresses),
        hooks=tuple(outgoing.about(site, tuple(ids), addresses)),
    )


def export(site: Any, address: str, now: datetime) -> dict[str, Any]:
    """All that is stored about an address, as values for JSON; docs/privacy.rst explains them.

    :param address: in any letter case.
    :param now: in UTC.
    """
    holdings = find(site, address)
    return {
        "address": holdings.address,
        "exported_at": timestamps.iso(now),
        "buyers": [_buyer(record) for record in holdings.records],
        "accounts": _accounts(site, holdings),
        "notifications": [
            {name: plain(entry[name]) for name in sorted(entry) if name != "filed"}
            for entry in holdings.entries
        ],
        # The reader must not learn who their buyers are.
        "named_by_others": [
            {"key": entry["key"], "received_at": entry["received_at"]}
            for entry in holdings.moved
        ],
        "named_in_notes_on_others": len(holdings.naming),
        "transactions": _transactions(site, holdings),
        "mails": [plain(mail) for mail in holdings.mails],
        **({"hooks_waiting": [_hook(one) for one in holdings.hooks]} if holdings.hooks else {}),
        **({"kept_for_providers": plain(holdings.provided)} if holdings.provided else {}),
    }


def _hook(event: outgoing.Event) -> dict[str, Any]:
    return {name: plain(event[name]) for name in ("type", "filed_at", "state", "data")}


def _provided(site: Any, addresses: Iterable[str]) -> dict[str, Any]:
    """The records that providers keep beside the ledger."""
    keeping = (one for one in registry.registered() if one.privacy is not None)
    kept_by = {one.name: one.privacy.export(site, addresses) for one in keeping}
    return {name: kept for name, kept in kept_by.items() if kept}


def _mails(
    site: Any, addresses: Iterable[str], ties: Iterable[tuple[str, str, str]]
) -> tuple[outbox.Mail, ...]:
    """The mails to addresses, and to accounts while they were the buyers'."""
    mails = [mail for name in addresses for mail in outbox.of_address(site, name)]
    mails += outbox.of_accounts(site, ties)
    return _in_order({mail["id"]: mail for mail in mails}.values(), "filed_at")


def _in_order(things: Iterable[Any], field: str) -> tuple[Any, ...]:
    return tuple(sorted(things, key=lambda record: record[field]))


def _buyer(record: buyers.Buyer) -> dict[str, Any]:
    fields = {
        WORDS.get(name, name): plain(value)
        for name, value in sorted(record.items())
        if name not in _ELSEWHERE
    }
    granted = [
        {"group": group_id, "because_of": plain(products)}
        for group_id, products in sorted(record["grants"].items())
    ]
    return {**fields, "groups_granted": granted}


def _accounts(site: Any, holdings: Holdings) -> list[dict[str, Any]]:
    """The accounts that the buyers are tied to, and those that have the address."""
    tied = {record["user_id"]: record for record in holdings.records if record["user_id"]}
    matches = {match.user_id: match for match in index.find(site, holdings.address)}
    accounts_ = []
    for user_id in dict.fromkeys((*tied, *matches)):
        exists = accounts.exists(user_id)
        match = matches.get(user_id)
        accounts_.append(
            {
                "user_id": user_id,
                "exists": exists,
                "login_name": accounts.login_name(user_id) if exists else "",
                "buyer_id": tied[user_id]["id"] if user_id in tied else "",
                "has_address_as_email": match is not None and match.by_email,
                "has_address_as_name": match is not None and match.by_name,
                "properties": plain(accounts.fields(user_id, FIELDS))
                if exists and user_id in tied
                else {},
            }
        )
    return accounts_


def _transactions(site: Any, holdings: Holdings) -> list[dict[str, Any]]:
    """Which buyer and product the transactions belong to, and how often they were heard of."""
    sources = {
        pseudonyms.transaction(site, (entry["provider"], entry["transaction"]))
        for entry in holdings.entries
    }
    transactions = []
    for source in sorted(sources):
        buyer, product = ownership.owner_of(site, source) or ("", "")
        known = ownership.tally(site, source) or ownership.Tally(0, kept=0)
        own = not buyer or buyer in holdings.addresses
        transactions.append(
            {
                "provider": source[0],
                "transaction": source[1],
                # The reader must not learn who another buyer is.
                "buyer": buyer if own else None,
                "product_id": product if own else None,
                "notifications": known.kept,
                "notifications_only_counted": known.dropped,
                "notifications_of_others": known.foreign,
            }
        )
    return transactions


def plain(value: Any) -> Any:
    """A stored value as JSON has it."""
    if isinstance(value, Mapping) or hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, DateTime):
        return value.ISO8601()
    return value if isinstance(value, (str, int, float, type(None))) else str(value)
