"""Buyers: one record each, which ties notifications, an account and what we granted together.

A record is a persistent mapping of plain values. Every provisioning changes it in the same
commit as the grants, so that two runs for one buyer always conflict and one starts anew.
"""

from collections.abc import Collection
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import erased
from niteoweb.click2sell import figures
from niteoweb.click2sell import group
from niteoweb.click2sell import outbox
from niteoweb.click2sell import store
from niteoweb.click2sell.ledger import iso
from persistent.mapping import PersistentMapping
from plone import api
from Products.PluggableAuthService.interfaces.events import IGroupDeletedEvent
from Products.PluggableAuthService.interfaces.events import IPrincipalAddedToGroupEvent
from Products.PluggableAuthService.interfaces.events import IPrincipalDeletedEvent
from Products.PluggableAuthService.interfaces.events import IPrincipalRemovedFromGroupEvent
from Products.PluggableAuthService.interfaces.events import IUserLoggedInEvent
from typing import Any
from zope.component import adapter

import transaction
import uuid


Buyer = PersistentMapping


def get(site: Any, buyer_id: str) -> Buyer | None:
    """The record of a buyer."""
    return store.tree(site, "buyers").get(buyer_id)


def of_address(site: Any, address: str) -> Buyer:
    """The record of the buyer with this address, made when there is none.

    :param address: in lower case.
    """
    by_address = store.tree(site, "buyer_by_address")
    address = erased.address(site, address)
    buyer_id = by_address.get(address)
    if buyer_id is None:
        buyer_id = by_address[address] = uuid.uuid4().hex
        store.tree(site, "buyers")[buyer_id] = PersistentMapping(
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
                # What an owner did to it, as in ledger.remark().
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
            }
        )
    return store.tree(site, "buyers")[buyer_id]


def of_user(site: Any, user_id: str) -> Buyer | None:
    """The record of the buyer that a member is."""
    buyer_id = store.tree(site, "buyer_by_user").get(user_id)
    return get(site, buyer_id) if buyer_id else None


def made_by_us(site: Any, user_id: str) -> bool:
    """Whether this add-on made the account."""
    record = of_user(site, user_id)
    return record is not None and record["made"]


def tie(site: Any, buyer: Buyer, user_id: str, made: bool) -> None:
    """Tie a buyer to an account."""
    change(buyer, user_id=user_id, made=made)
    store.tree(site, "buyer_by_user")[user_id] = buyer["id"]


def own(site: Any, buyer: Buyer, entry: PersistentMapping) -> None:
    """Put a ledger entry into the buyer's history."""
    entry["buyer_id"] = buyer["id"]
    change(buyer, keys=(*buyer["keys"], entry["key"]))


def disown(buyer: Buyer, keys: Collection[str]) -> None:
    """Take ledger entries out of the buyer's history; they have to get into another one."""
    change(buyer, keys=tuple(key for key in buyer["keys"] if key not in keys))


def untie(site: Any, buyer: Buyer) -> None:
    """End the tie to an account that does not exist any more."""
    if buyer["user_id"]:
        store.tree(site, "buyer_by_user").pop(buyer["user_id"], None)
        change(buyer, user_id="", made=False, password_print="", grants={}, taken={}, due=())


def united(buyer: Buyer, other: Buyer) -> Buyer:
    """A record as it would be with another one's addresses and history; not a stored one."""
    union = PersistentMapping(buyer)
    for name in ("addresses", "customer_ids", "keys"):
        union[name] = (
            *buyer[name],
            *(value for value in other[name] if value not in buyer[name]),
        )
    return union


def absorb(site: Any, buyer: Buyer, other: Buyer) -> None:
    """Make two records one: both turned out to be the same account.

    :param other: has no account yet; it is gone afterwards.
    """
    change(buyer, **united(buyer, other))
    for address in other["addresses"]:
        store.tree(site, "buyer_by_address")[address] = buyer["id"]
    for key in other["keys"]:
        store.tree(site, "entries")[key]["buyer_id"] = buyer["id"]
    await_groups(site, other, ())
    schedule(site, other, None)
    figures.absorb(site, buyer, other)
    # Written, so that another process that files an entry under it conflicts and begins anew.
    other["revision"] += 1
    del store.tree(site, "buyers")[other["id"]]


def change(buyer: Buyer, **values: Any) -> None:
    """Set fields of a record, writing only what differs."""
    for name, value in values.items():
        if buyer.get(name) != value:
            buyer[name] = value


def schedule(site: Any, buyer: Buyer, moment: datetime | None) -> None:
    """File the buyer under the time at which access changes by itself next."""
    text = iso(moment) if moment else ""
    if text == buyer["next_change"]:
        return
    due = store.tree(site, "buyers_due")
    if buyer["next_change"]:
        due.remove((buyer["next_change"], buyer["id"]))
    if text:
        due.insert((text, buyer["id"]))
    buyer["next_change"] = text


def await_groups(site: Any, buyer: Buyer, group_ids: tuple[str, ...]) -> None:
    """File the buyer under the groups that have to be made before they can be given."""
    filed = store.tree(site, "buyers_pending")
    for group_id in set(buyer["pending"]) - set(group_ids):
        filed.discard((group_id, buyer["id"]))
    for group_id in group_ids:
        filed.insert((group_id, buyer["id"]))
    change(buyer, pending=tuple(sorted(group_ids)))


def set_live(site: Any, buyer: Buyer, live: tuple[tuple[str, str], ...]) -> None:
    """Set which products the buyer has access to, and count the buyers with any."""
    difference = bool(live) - bool(buyer["live"])
    if difference:
        store.tree(site, "buyers_with_access").change(difference)
    figures.count_products(site, buyer["live"], live)
    change(buyer, live=live)


@adapter(IPrincipalRemovedFromGroupEvent)
def removed_from_group(event: IPrincipalRemovedFromGroupEvent) -> None:
    """An owner took a member out of a group: do not put the member back."""
    site, record = _by_hand(event.principal)
    if record is None:
        return
    grants = dict(record["grants"])
    granted_for = grants.pop(event.group_id, None)
    if granted_for is None and event.group_id not in record["due"]:
        return
    _removals(site).setdefault(event.group_id, []).append((record["id"], granted_for))
    taken = {**record["taken"], event.group_id: iso(datetime.now(timezone.utc))}
    change(record, grants=grants, taken=taken)


@adapter(IPrincipalAddedToGroupEvent)
def added_to_group(event: IPrincipalAddedToGroupEvent) -> None:
    """An owner put a member into a group: it is theirs, and what they took is given back."""
    _site, record = _by_hand(event.principal)
    if record is not None and event.group_id in record["taken"]:
        change(record, taken=_without(record["taken"], event.group_id))


@adapter(IGroupDeletedEvent)
def group_deleted(event: IGroupDeletedEvent) -> None:
    """A group is gone. Its members were taken out one by one first, which was nobody's decision
    about them: what we granted stays granted, to be given again when the group is made again.
    """
    site = _site()
    if site is None:
        return
    for buyer_id, granted_for in _removals(site).pop(event.principal, ()):
        record = get(site, buyer_id)
        taken = _without(record["taken"], event.principal)
        grants = dict(record["grants"])
        if granted_for is not None:
            grants[event.principal] = granted_for
            pending = tuple({*record["pending"], event.principal})
            await_groups(site, record, pending)
        change(record, taken=taken, grants=grants)


@adapter(IPrincipalDeletedEvent)
def member_deleted(event: IPrincipalDeletedEvent) -> None:
    """An account is gone: so are our grants, the tie, and Plone's left-over group entries.

    Plone leaves the group entries behind; a new account of the same id would be in the groups.
    """
    site = _site()
    record = of_user(site, event.principal) if site is not None else None
    if record is None:
        return
    outbox.drop_all(site, event.principal, "the member was deleted")
    for group_id in group.of(event.principal):
        group.revoke(event.principal, group_id)
    del store.tree(site, "buyer_by_user")[event.principal]
    change(
        record,
        user_id="",
        made=False,
        password_print="",
        chosen="",
        deleted_at=iso(datetime.now(timezone.utc)),
        grants={},
        taken={},
        due=(),
        revision=record["revision"] + 1,
    )
    set_live(site, record, ())
    await_groups(site, record, ())
    schedule(site, record, None)
    figures.follow_login(site, record)
    figures.follow_renewals(site, record, {})


@adapter(IUserLoggedInEvent)
def member_logged_in(event: IUserLoggedInEvent) -> None:
    """Somebody logged in, who need not be asked any more whether the mail arrived."""
    site = _site()
    record = of_user(site, event.principal.getId()) if site is not None else None
    if record is not None and not record.get("logged_in"):
        change(record, logged_in=True)
        figures.follow_login(site, record)


def _without(mapping: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in mapping.items() if key != name}


def _by_hand(user_id: str) -> tuple[Any, Buyer | None]:
    """Site and buyer that a change of groups concerns, unless it is our own change."""
    if group.is_own_run():
        return None, None
    site = _site()
    return site, of_user(site, user_id) if site is not None else None


def _site() -> Any | None:
    try:
        site = api.portal.get()
    except api.exc.CannotGetPortalError:
        return None
    return site if store.exists(site) else None


def _removals(site: Any) -> dict[str, list[tuple[str, Any]]]:
    """Removals of the current transaction, by group; a deleted group takes them back."""
    current = transaction.get()
    try:
        return current.data(_removals)
    except KeyError:
        removals: dict[str, list[tuple[str, Any]]] = {}
        current.set_data(_removals, removals)
        return removals
