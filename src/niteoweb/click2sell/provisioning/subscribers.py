"""Subscribers: changes of accounts and groups by hand, in Plone's own pages, are noted.

The user folder tells of them; changes by this add-on do not count.
"""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import mentions
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import group
from niteoweb.click2sell.provisioning import events
from niteoweb.click2sell.storage import trees
from plone import api
from Products.PluggableAuthService.interfaces.events import IGroupDeletedEvent
from Products.PluggableAuthService.interfaces.events import IPrincipalAddedToGroupEvent
from Products.PluggableAuthService.interfaces.events import IPrincipalCreatedEvent
from Products.PluggableAuthService.interfaces.events import IPrincipalDeletedEvent
from Products.PluggableAuthService.interfaces.events import IPrincipalRemovedFromGroupEvent
from Products.PluggableAuthService.interfaces.events import IUserLoggedInEvent
from typing import Any
from zope.component import adapter

import transaction


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
    now = timestamps.now()
    buyers.change(
        site,
        record,
        grants=grants,
        taken={**record["taken"], event.group_id: timestamps.iso(now)},
    )
    buyers.note(site, record, buyers.TAKEN_BY_HAND, event.group_id, now)


@adapter(IPrincipalAddedToGroupEvent)
def added_to_group(event: IPrincipalAddedToGroupEvent) -> None:
    """An owner put a member into a group: the group is the owner's, and no longer taken.

    A grant that waits for a group to be made again is over then.
    """
    site, record = _by_hand(event.principal)
    if record is not None:
        kept = {name: _without(record[name], event.group_id) for name in ("taken", "grants")}
        buyers.change(site, record, **kept)
        buyers.note(site, record, buyers.GIVEN_BY_HAND, event.group_id, timestamps.now())


@adapter(IGroupDeletedEvent)
def group_deleted(event: IGroupDeletedEvent) -> None:
    """A group is gone. Its members were taken out one by one first, which was nobody's decision
    about them: our grants stay, to be given again when the group is made again.
    """
    site = _site()
    if site is None:
        return
    for buyer_id, granted_for in _removals(site).pop(event.principal, ()):
        record = buyers.get(site, buyer_id)
        taken = _without(record["taken"], event.principal)
        grants = dict(record["grants"])
        if granted_for is not None:
            grants[event.principal] = granted_for
            pending = tuple(sorted({*record["pending"], event.principal}))
            buyers.change(site, record, pending=pending)
        log = list(record["log"])
        noted = [
            event_ for event_ in log if event_[1:] == (buyers.TAKEN_BY_HAND, event.principal)
        ]
        log.remove(noted[-1])
        buyers.change(site, record, taken=taken, grants=grants, log=tuple(log))


@adapter(IPrincipalDeletedEvent)
def member_deleted(event: IPrincipalDeletedEvent) -> None:
    """An account is gone: so are our grants, the tie, and Plone's left-over group entries.

    Plone leaves the group entries behind; a new account of that id would be in the groups.
    """
    site = _site()
    if site is None:
        return
    _forget(site, event.principal)
    if _end_tie(site, event.principal):
        _empty_groups(event.principal)


@adapter(IPrincipalCreatedEvent)
def member_created(event: IPrincipalCreatedEvent) -> None:
    """An account is new: it inherits nothing from an earlier account of its id.

    The ZMI removes an account without telling, and anybody may register its login after that.
    """
    site = _site()
    if site is not None:
        _forget(site, event.principal.getId())
        _end_tie(site, event.principal.getId())
        _empty_groups(event.principal.getId())


@adapter(IUserLoggedInEvent)
def member_logged_in(event: IUserLoggedInEvent) -> None:
    """Somebody logged in, who need not be asked any more whether the mail arrived."""
    site = _site()
    user_id = event.principal.getId()
    record = buyers.of_user(site, user_id) if site is not None else None
    if record is not None and not record.get("logged_in"):
        buyers.change(site, record, logged_in=True)


def _end_tie(site: Any, user_id: str) -> bool:
    """End the tie of a buyer to an account that is gone; whether there was one."""
    record = buyers.of_user(site, user_id)
    if record is None:
        return False
    outbox.drop_all(site, user_id, "the member was deleted")
    now = timestamps.now()
    events.tell_of_end(site, record, buyers.addresses(record)[0], now)
    buyers.note(site, record, buyers.DELETED, user_id, now)
    buyers.unlink_account(site, record)
    buyers.change(site, record, deleted_at=timestamps.iso(now))
    return True


def _forget(site: Any, user_id: str) -> None:
    """Forget that purchases were meant for an account that is gone: no later one is it."""
    for id_ in mentions.find(site, user_id):
        record = buyers.get(site, id_)
        if record is None:
            entry = ledger.get(site, id_)
            if entry is not None and entry["member"] == user_id:
                ledger.exchange(site, entry, member="")
        elif record["chosen"] == user_id:
            buyers.change(site, record, chosen="")


def _empty_groups(user_id: str) -> None:
    """Take an id out of all groups that Plone keeps it in."""
    for group_id in group.of(user_id):
        group.revoke(user_id, group_id)


def _without(mapping: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != name}


def _by_hand(user_id: str) -> tuple[Any, buyers.Buyer | None]:
    """Site and buyer that a change of groups concerns, unless it is our own change."""
    if group.is_own_run():
        return None, None
    site = _site()
    return site, buyers.of_user(site, user_id) if site is not None else None


def _site() -> Any | None:
    try:
        site = api.portal.get()
    except api.exc.CannotGetPortalError:
        return None
    return site if trees.exists(site) else None


def _removals(site: Any) -> dict[str, list[tuple[str, Any]]]:
    """Removals of the current transaction, by group; a deleted group takes them back."""
    current = transaction.get()
    try:
        return current.data(_removals)
    except KeyError:
        removals: dict[str, list[tuple[str, Any]]] = {}
        current.set_data(_removals, removals)
        return removals
