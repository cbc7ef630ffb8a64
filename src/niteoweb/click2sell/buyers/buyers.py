"""Buyers: one record each, which ties notifications, an account and our grants together.

A record is a persistent mapping of plain values. Every provisioning changes it in the same
commit as the grants, so that two runs for one buyer always conflict and one starts anew.
"""

from BTrees.OOBTree import OOTreeSet
from collections.abc import Collection
from datetime import datetime
from niteoweb.click2sell import hooks
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import Record
from niteoweb.click2sell.storage import trees
from typing import Any


Buyer = Record

#: Of records, see :mod:`niteoweb.click2sell.storage.record`.
KIND = "buyer"

#: Events in a buyer's log; the subject of each is the user id, or the group.
MADE = "account made"
ATTACHED = "account attached"
DELETED = "account deleted"
GIVEN = "group given"
ENDED = "group taken back"
TAKEN_BY_HAND = "group taken by hand"
GIVEN_BY_HAND = "group given by hand"
ABOUT_ACCOUNT = frozenset({MADE, ATTACHED, DELETED})

#: Keys of entries that are written with the record; more are in a tree, of which a part is.
FEW = 20

#: Events that a log keeps, the latest ones.
LOGGED = 200

#: The trees that lead to a record, by the field with their keys.
_LEADING = {"addresses": "buyer_by_address", "customer_ids": "buyer_by_customer"}

#: Fields of a record without an account, and so without any access, now or later.
NO_ACCOUNT: dict[str, Any] = {
    "user_id": "",
    "made": False,
    "password_print": "",
    "chosen": "",
    "own_account": False,
    "claims": (),
    "grants": {},
    "taken": {},
    "due": (),
    "live": (),
    "pending": (),
    "next_change": "",
    "renewals_awaited": (),
    "ends_ahead": (),
    "ends_told": (),
}


def beginning() -> dict[str, Any]:
    """The fields of a new record, beside id, addresses and customers."""
    return {
        "revision": 0,
        # of its entries, in no order; see add_entry()
        "keys": (),
        # The account: its user id, whether we made it, the password we gave it.
        "user_id": "",
        "made": False,
        "password_print": "",
        "logged_in": False,
        # The account that an owner has chosen, for when one is needed.
        "chosen": "",
        # Since when an account is waited for.
        "account_asked": "",
        # What an owner did to it, as in ledger.add_note().
        "notes": (),
        # When an owner deleted the account; only a later payment makes a new one.
        "deleted_at": "",
        # When the buyer was erased; later notifications wait for the owner.
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
        # groups that could not be given
        "pending": (),
        # events beside notifications: (time, event, subject), the latest last
        "log": (),
    }


def get(site: Any, buyer_id: str) -> Buyer | None:
    """The record of a buyer."""
    return trees.tree(site, "buyers").get(buyer_id)


def find(site: Any, address: str) -> Buyer | None:
    """The record of the buyer with this address, in lower case, None when there is none."""
    by_address = trees.tree(site, "buyer_by_address")
    return get(site, by_address.get(pseudonyms.address(site, address), ""))


def of_address(site: Any, address: str) -> Buyer:
    """The record of the buyer with this address, made when there is none.

    :param address: in lower case.
    """
    return find(site, address) or new(site, addresses=(address,))


def new(
    site: Any,
    addresses: tuple[str, ...] = (),
    customer_ids: tuple[tuple[str, str], ...] = (),
) -> Buyer:
    """A new record.

    :param addresses: that the buyer has paid under, in lower case.
    :param customer_ids: providers, with their ids of the buyer.
    """
    record = Record({"id": _new_id(site), "addresses": (), "customer_ids": ()}, KIND)
    trees.tree(site, "buyers")[record["id"]] = record
    rename(site, record, addresses=addresses, customer_ids=customer_ids)
    return record


def rename(site: Any, buyer: Buyer, **names: tuple[Any, ...]) -> None:
    """Exchange the addresses or the customer ids, which lead to a record.

    :param names: all of them, by their field; see :func:`new`.
    """
    for field, present in names.items():
        leading = trees.tree(site, _LEADING[field])
        for name in buyer[field]:
            leading.pop(name, None)
        leading.update(dict.fromkeys(present, buyer["id"]))
    change(site, buyer, **names)


def addresses(buyer: Buyer) -> tuple[str, ...]:
    """All addresses of a buyer: those that were paid under, and those that providers stated."""
    stated = (address for _customer, address in reversed(buyer.get("stated", ())))
    return tuple(dict.fromkeys((*buyer["addresses"], *stated)))


def of_user(site: Any, user_id: str) -> Buyer | None:
    """The record of the buyer that a member is."""
    buyer_id = trees.tree(site, "buyer_by_user").get(user_id)
    if buyer_id:
        return get(site, buyer_id)
    # Mostly the user id is the address, and is filed as that already.
    record = get(site, trees.tree(site, "buyer_by_address").get(user_id, ""))
    return record if record is not None and record["user_id"] == user_id else None


def link_account(site: Any, buyer: Buyer, user_id: str, made: bool, now: datetime) -> None:
    """Link a buyer to an account.

    :param made: whether the account was made for it.
    """
    change(site, buyer, user_id=user_id, made=made)
    by_user = trees.tree(site, "buyer_by_user")
    # Mostly the user id is the address, under which the record is filed already.
    if user_id in by_user or trees.tree(site, "buyer_by_address").get(user_id) != buyer["id"]:
        by_user[user_id] = buyer["id"]
    note(site, buyer, MADE if made else ATTACHED, user_id, now)


def accounts(buyer: Buyer) -> list[tuple[str, str, str]]:
    """The accounts that a buyer is and, as the log tells, was tied to.

    :returns: user ids, each with the first and the last moment of the tie: before and after
        these the id may be of somebody else's account. "" and "~" stand for no limit.
    """
    log = [row for row in buyer.get("log", ()) if row[1] in ABOUT_ACCOUNT]
    present, ties = buyer["user_id"], []
    for place, (at, event, user_id) in enumerate(log):
        later = log[place + 1 :]
        if event == DELETED:
            if not any(tie[0] == user_id for tie in ties):
                ties.append((user_id, "", at))
            continue
        ends = [time for time, _event, subject in later if subject == user_id]
        if not ends and user_id != present:
            ends = [time for time, _event, _subject in later]
        ties.append((user_id, at, ends[0] if ends else "~"))
    if present and not any(tie[0] == present and tie[2] == "~" for tie in ties):
        ties.append((present, "", "~"))
    return ties


def note(site: Any, buyer: Buyer, event: str, subject: str, now: datetime) -> None:
    """Write an event into the buyer's log."""
    log = (*buyer.get("log", ()), (timestamps.iso(now), event, subject))
    change(site, buyer, log=log[-LOGGED:])


def entries(site: Any, buyer: Buyer) -> list[ledger.Entry]:
    """All entries of a buyer's history, in the order of arrival.

    They are looked up once: the list goes with the state of the record, which is written with
    each change of its keys, and leaves the memory with it.
    """
    if not hasattr(buyer, "_v_entries"):
        known = (ledger.get(site, key) for key in buyer["keys"])
        buyer._v_entries = sorted(known, key=ledger.place, reverse=True)
    return buyer._v_entries


def telling(site: Any, buyer: Buyer) -> list[ledger.Entry]:
    """The entries that tell who a buyer is and what the present is, in the order of arrival.

    Of a long history these are the recent ones, and those that stand for the others; see
    :mod:`niteoweb.click2sell.buyers.summary`.
    """
    if "summary" not in buyer:
        return entries(site, buyer)
    places = {*buyer["summary"]["standing"], *buyer["recent"]}
    known, of = getattr(buyer, "_v_telling", (None, []))
    if known != places:
        of = [ledger.at(site, place) for place in sorted(places, reverse=True)]
        buyer._v_telling = places, of
    return of


def add_entry(site: Any, buyer: Buyer, entry: ledger.Entry) -> None:
    """Add a ledger entry to the buyer's history."""
    if "summary" in buyer:
        buyer["recent"] = (*buyer["recent"], ledger.place(entry))
    ledger.change(site, entry, buyer_id=buyer["id"])
    if len(buyer["keys"]) < FEW:
        change(site, buyer, keys=(*buyer["keys"], entry["key"]))
        return
    if isinstance(buyer["keys"], tuple):
        change(site, buyer, keys=OOTreeSet(buyer["keys"]))
    # The record is written, too, so that two runs for one buyer conflict.
    change(site, buyer, revision=buyer["revision"] + 1)
    if hasattr(buyer, "_v_entries"):
        buyer._v_entries.append(entry)
    buyer["keys"].insert(entry["key"])


def remove_entries(site: Any, buyer: Buyer, keys: Collection[str]) -> None:
    """Remove ledger entries from the buyer's history; they have to get into another one."""
    change(site, buyer, keys=tuple(key for key in buyer["keys"] if key not in keys))


def unlink_account(site: Any, buyer: Buyer) -> None:
    """End the link to an account that does not exist any more, and all that it had with us."""
    if not buyer["user_id"]:
        return
    trees.tree(site, "buyer_by_user").pop(buyer["user_id"], None)
    change(site, buyer, revision=buyer["revision"] + 1, **NO_ACCOUNT)


def merged(buyer: Buyer, other: Buyer) -> Buyer:
    """A copy of a record, not stored, with all that belongs to another one, too."""
    union = Record(buyer, KIND)
    union.pop("summary", None)
    for name in ("addresses", "customer_ids", "stated", "keys", "notes"):
        known = buyer.get(name, ())
        union[name] = (*known, *(v for v in other.get(name, ()) if v not in known))
    for name in ("ends_told", "ended_on", "access_turned", "not_renewed_in"):
        union[name] = (*buyer.get(name, ()), *other.get(name, ()))
    union["log"] = tuple(sorted((*buyer.get("log", ()), *other.get("log", ()))))[-LOGGED:]
    return union


def merge(site: Any, buyer: Buyer, other: Buyer) -> None:
    """Merge two records that turned out to share one account.

    :param other: has no account yet; it is removed.
    """
    indexes.forget(site, "buyers", other)
    union = merged(buyer, other)
    rename(site, buyer, **{field: union[field] for field in _LEADING})
    change(site, buyer, **union)
    for key in other["keys"]:
        ledger.change(site, ledger.get(site, key), buyer_id=buyer["id"])
    # Written, so that another process that files an entry under it conflicts and begins anew.
    other["revision"] += 1
    del trees.tree(site, "buyers")[other["id"]]
    hooks.outbox.merge(site, buyer["id"], other["id"])


def change(site: Any, buyer: Buyer, **values: Any) -> None:
    """Set fields of a record that differ; its indexes follow."""
    changed = {n: v for n, v in values.items() if n not in buyer or buyer[n] != v}
    if changed:
        if "keys" in changed:
            buyer.pop("summary", None)
            buyer.__dict__.pop("_v_entries", None)
        if "live" in changed and bool(changed["live"]) != bool(buyer.get("live")):
            changed["access_turned"] = counters.turned(buyer, bool(changed["live"]))
        buyer.update(changed)
        indexes.mark(site, "buyers", buyer)


def _new_id(site: Any) -> str:
    """An id that no buyer has; short, since it stands in all indexes."""
    buyers, moment = trees.tree(site, "buyers"), timestamps.now()
    while (buyer_id := timestamps.stamp(moment)) in buyers:
        moment += timestamps.TICK
    return buyer_id
