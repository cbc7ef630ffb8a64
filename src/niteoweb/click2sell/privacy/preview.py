"""The preview of an erasure."""

from dataclasses import dataclass
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.privacy import redaction

import json


@dataclass(frozen=True)
class Account:
    """An account that a buyer is tied to.

    :ivar made: this add-on made it.
    :ivar privileged: it can administer the site, so it is left alone.
    :ivar groups: those that are revoked.
    """

    user_id: str
    made: bool
    privileged: bool
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """The preview of an erasure.

    :ivar addresses: all addresses that are erased.
    :ivar entries: notifications that are redacted.
    :ivar unsettled: number of these that need attention, or would be tried again.
    :ivar mails: mails that are redacted.
    :ivar others: records of other buyers that an address is taken out of.
    :ivar held: keys of notifications that arrived since the last erasure and wait.
    :ivar fingerprint: of everything that is stored about the address.
    """

    addresses: tuple[str, ...]
    entries: int
    unsettled: int
    mails: int
    others: int
    accounts: tuple[Account, ...]
    held: tuple[str, ...]
    fingerprint: str

    @property
    def anything(self) -> bool:
        """Whether there is anything left to erase."""
        parts = (self.addresses, self.entries, self.mails, self.others, self.accounts)
        return any(parts)


def of(holdings: export.Holdings) -> Preview:
    """Preview the erasure of holdings; nothing is changed."""
    entries = [entry for entry in holdings.entries if not pseudonyms.is_erased(entry)]
    mails = [mail for mail in holdings.mails if not mail["to"].startswith(pseudonyms.MARK)]
    accounts = tuple(
        Account(
            user_id=record["user_id"],
            made=record["made"],
            privileged=privilege.member(record["user_id"]),
            groups=tuple(sorted(record["grants"])),
        )
        for record in holdings.records
        if record["user_id"]
    )
    named = {name for record in holdings.records for name in buyers.addresses(record)}
    named |= {entry["buyer"] for entry in entries} - {""}
    erased = [record["id"] for record in holdings.records if pseudonyms.is_erased(record)]
    stored = [
        json.dumps({**export.plain(part), "password_print": ""}, sort_keys=True)
        for part in (
            *(*holdings.records, *holdings.naming),
            *(*holdings.entries, *holdings.moved, *holdings.mails),
        )
    ]
    return Preview(
        addresses=tuple(sorted(name for name in named if not name.startswith(pseudonyms.MARK))),
        entries=len(entries) + len(holdings.moved),
        unsettled=sum(entry["outcome"] in redaction.UNSETTLED for entry in entries),
        mails=len(mails),
        others=len(holdings.naming),
        accounts=accounts,
        held=tuple(
            entry["key"]
            for entry in entries
            if entry["reason"] == Reason.ERASED_BUYER
            and entry["buyer_id"] in erased
            and not entry["counts"]
        ),
        fingerprint=idempotency_key(holdings.address, *stored, repr(accounts)),
    )
