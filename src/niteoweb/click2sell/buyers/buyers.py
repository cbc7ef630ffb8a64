"""Buyers: one record each, which ties notifications, an account and what we granted together.

A record is a persistent mapping of plain values. Every provisioning changes it in the same
commit as the grants, so that two runs for one buyer always conflict and one starts anew.
"""

from collections.abc import Collection
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import mentions
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.storage import trees
from persistent.mapping import PersistentMapping
from typing import Any

import secrets


Buyer = PersistentMapping

#: Events in a buyer's log, with what each is about: the user id, or the group.
MADE = "account made"
ATTACHED = "account attached"
DELETED = "account deleted"
GIVEN = "group given"
ENDED = "group taken back"
TAKEN_BY_HAND = "group taken by hand"
GIVEN_BY_HAND = "group given by hand"

#: Events that a log keeps, the latest ones.
LOGGED = 200


def get(site: Any, buyer_id: str) -> Buyer | None:
    """The record of a buyer."""
    return trees.tree(site, "buyers").get(buyer_id)


def of_address(site: Any, address: str) -> Buyer:
    """The record of the buyer with this address, made when there is none.

    :param address: in lower case.
    """
    by_address = trees.tree(site, "buyer_by_address")
    address = pseudonyms.address(site, address)
    buyer_id = by_address.get(address)
    if buyer_id is None:
        buyer_id = by_address[address] = _new_id(site)
        trees.tree(site, "buyers")[buyer_id] = PersistentMapping(
            {
                "id": buyer_id,
                "revision": 0,
                "addresses": (address,),
                "customer_ids": (),
                "keys": (),
                # The account: its user id, whether we made it, the password we gave it.
                "user_id": "",
                "made": False,
                "password_print": "",
                "logged_in": False,
                # The account that an owner has chosen, for when one is needed.
                "chosen": "",
                # Since when an account is waited for, as in the index.
                "account_asked": "",
                # What an owner did to it, as in ledger.add_note().
                "notes": (),
                # When an owner deleted the account; only a later payment makes a new one.
                "deleted_at": "",
                # When the buyer was erased; what arrives since then waits for the owner.
                "erased_at": "",
                # group id -> products that it was granted for, by us
                "grants": {},
                # groups that an owner took away, not to be given back
                "taken": {},
                # groups that the last run found due, given or not
                "due": (),
                # (provider, product id) with access at the last run
                "live": (),
                "next_change": "",
                # the day on which the report counts the buyer as new
                "new_on": "",
                # groups that could not be given, as in the index
                "pending": (),
                # what is no notification: (time, event, what it is about), the latest last
                "log": (),
                # what it is filed under, see search.py
                "words": (),
                "paid": None,
            }
        )
    return trees.tree(site, "buyers")[buyer_id]


def of_user(site: Any, user_id: str) -> Buyer | None:
    """The record of the buyer that a member is."""
    buyer_id = trees.tree(site, "buyer_by_user").get(user_id)
    if buyer_id:
        return get(site, buyer_id)
    # Mostly the user id is the address, and is filed as that already.
    record = get(site, trees.tree(site, "buyer_by_address").get(user_id, ""))
    return record if record is not None and record["user_id"] == user_id else None


def made_by_us(site: Any, user_id: str) -> bool:
    """Whether this add-on made the account."""
    record = of_user(site, user_id)
    return record is not None and record["made"]


def tie(site: Any, buyer: Buyer, user_id: str, made: bool, now: datetime) -> None:
    """Tie a buyer to an account.

    :param made: whether the account was made for it.
    """
    # Mostly the user id is the address, under which the record is filed already.
    found_by_it = user_id in buyer["addresses"] and buyer["user_id"] in ("", user_id)
    change(buyer, user_id=user_id, made=made)
    by_user = trees.tree(site, "buyer_by_user")
    if user_id in by_user or trees.tree(site, "buyer_by_address").get(user_id) != buyer["id"]:
        by_user[user_id] = buyer["id"]
    note(buyer, MADE if made else ATTACHED, user_id, now)
    if not found_by_it:
        _file(site, buyer)


def accounts(buyer: Buyer) -> list[str]:
    """User ids of the accounts that a buyer is and, as the log tells, was tied to."""
    told = (MADE, ATTACHED, DELETED)
    before = [subject for _at, event, subject in buyer.get("log", ()) if event in told]
    return [user_id for user_id in (*before, buyer["user_id"]) if user_id]


def note(buyer: Buyer, event: str, subject: str, now: datetime) -> None:
    """Write an event into the buyer's log."""
    log = (*buyer.get("log", ()), (timestamps.iso(now), event, subject))
    change(buyer, log=log[-LOGGED:])


def own(site: Any, buyer: Buyer, entry: PersistentMapping) -> None:
    """Put a ledger entry into the buyer's history."""
    entry["buyer_id"] = buyer["id"]
    change(buyer, keys=(*buyer["keys"], entry["key"]))
    _file(site, buyer)


def disown(site: Any, buyer: Buyer, keys: Collection[str]) -> None:
    """Take ledger entries out of the buyer's history; they have to get into another one."""
    change(buyer, keys=tuple(key for key in buyer["keys"] if key not in keys))
    _file(site, buyer)


def untie(site: Any, buyer: Buyer) -> None:
    """End the tie to an account that does not exist any more, and what it had with us."""
    if not buyer["user_id"]:
        return
    trees.tree(site, "buyer_by_user").pop(buyer["user_id"], None)
    change(
        buyer,
        user_id="",
        made=False,
        password_print="",
        chosen="",
        grants={},
        taken={},
        due=(),
        revision=buyer["revision"] + 1,
    )
    set_live(site, buyer, ())
    await_groups(site, buyer, ())
    schedule(site, buyer, None)
    counters.follow_login(site, buyer)
    counters.follow_renewals(site, buyer, {})
    _file(site, buyer)


def united(buyer: Buyer, other: Buyer) -> Buyer:
    """A record as it would be with what belongs to another one, too; not a stored one."""
    union = PersistentMapping(buyer)
    for name in ("addresses", "customer_ids", "keys", "notes"):
        known = buyer.get(name, ())
        union[name] = (*known, *(v for v in other.get(name, ()) if v not in known))
    union["log"] = tuple(sorted((*buyer.get("log", ()), *other.get("log", ()))))[-LOGGED:]
    return union


def absorb(site: Any, buyer: Buyer, other: Buyer) -> None:
    """Make two records one: both turned out to be the same account.

    :param other: has no account yet; it is gone afterwards.
    """
    change(buyer, **united(buyer, other))
    for address in other["addresses"]:
        trees.tree(site, "buyer_by_address")[address] = buyer["id"]
    for customer in other["customer_ids"]:
        trees.tree(site, "buyer_by_customer")[customer] = buyer["id"]
    for key in other["keys"]:
        entries.get(site, key)["buyer_id"] = buyer["id"]
    await_groups(site, other, ())
    accountquota.wait(site, other, "")
    schedule(site, other, None)
    counters.absorb(site, buyer, other)
    search.forget(site, other)
    mentions.forget(site, other, other["id"])
    _file(site, buyer)
    # Written, so that another process that files an entry under it conflicts and begins anew.
    other["revision"] += 1
    del trees.tree(site, "buyers")[other["id"]]


def change(buyer: Buyer, **values: Any) -> None:
    """Set fields of a record, writing only what differs."""
    for name, value in values.items():
        if buyer.get(name) != value:
            buyer[name] = value


def schedule(site: Any, buyer: Buyer, moment: datetime | None) -> None:
    """File the buyer under the time at which access changes by itself next."""
    text = timestamps.iso(moment) if moment else ""
    if text == buyer["next_change"]:
        return
    due = trees.tree(site, "buyers_due")
    if buyer["next_change"]:
        due.remove((buyer["next_change"], buyer["id"]))
    if text:
        due.insert((text, buyer["id"]))
    buyer["next_change"] = text


def await_groups(site: Any, buyer: Buyer, group_ids: tuple[str, ...]) -> None:
    """File the buyer under the groups that have to be made before they can be given."""
    filed = trees.tree(site, "buyers_pending")
    for group_id in set(buyer["pending"]) - set(group_ids):
        filed.discard((group_id, buyer["id"]))
    for group_id in group_ids:
        filed.insert((group_id, buyer["id"]))
    change(buyer, pending=tuple(sorted(group_ids)))


def set_live(site: Any, buyer: Buyer, live: tuple[tuple[str, str], ...]) -> None:
    """Set which products the buyer has access to, and count the buyers with any."""
    difference = bool(live) - bool(buyer["live"])
    if difference:
        trees.tree(site, "buyers_with_access").change(difference)
    counters.count_products(site, buyer["live"], live)
    change(buyer, live=live)


def _file(site: Any, buyer: Buyer) -> None:
    """File a record under all that leads to it."""
    search.file(site, buyer)
    mentions.file_buyer(site, buyer)


def _new_id(site: Any) -> str:
    """An id that no buyer has; short, since it stands in all indexes."""
    buyers = trees.tree(site, "buyers")
    while (buyer_id := secrets.token_hex(6)) in buyers:
        pass
    return buyer_id
