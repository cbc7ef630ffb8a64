"""Subscribers: changes of accounts and groups by hand, in Plone's own pages, are noted.

The user folder tells of them; changes by this add-on do not count.
"""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import group
from niteoweb.click2sell.storage import trees
from plone import api
from Products.PluggableAuthService.interfaces.events import IGroupDeletedEvent
from Products.PluggableAuthService.interfaces.events import IPrincipalAddedToGroupEvent
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
        record, grants=grants, taken={**record["taken"], event.group_id: timestamps.iso(now)}
    )
    buyers.note(record, buyers.TAKEN_BY_HAND, event.group_id, now)


@adapter(IPrincipalAddedToGroupEvent)
def added_to_group(event: IPrincipalAddedToGroupEvent) -> None:
    """An owner put a member into a group: the group is the owner's, and no longer taken."""
    _site, record = _by_hand(event.principal)
    if record is not None:
        buyers.change(record, taken=_without(record["taken"], event.group_id))
        buyers.note(record, buyers.GIVEN_BY_HAND, event.group_id, timestamps.now())


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
            pending = tuple({*record["pending"], event.principal})
            buyers.await_groups(site, record, pending)
        log = list(record["log"])
        noted = [
            event_ for event_ in log if event_[1:] == (buyers.TAKEN_BY_HAND, event.principal)
        ]
        log.remove(noted[-1])
        buyers.change(record, taken=taken, grants=grants, log=tuple(log))


@adapter(IPrincipalDeletedEvent)
def member_deleted(event: IPrincipalDeletedEvent) -> None:
    """An account is gone: so are our grants, the tie, and Plone's left-over group entries.

    Plone leaves the group entries behind; a new account of that id would be in the groups.
    """
    site = _site()
    record = buyers.of_user(site, event.principal) if site is not None else None
    if record is None:
        return
    outbox.drop_all(site, event.principal, "the member was deleted")
    for group_id in group.of(event.principal):
        group.revoke(event.principal, group_id)
    now = timestamps.now()
    buyers.note(record, buyers.DELETED, event.principal, now)
    buyers.untie(site, record)
    buyers.change(record, deleted_at=timestamps.iso(now))


@adapter(IUserLoggedInEvent)
def member_logged_in(event: IUserLoggedInEvent) -> None:
    """Somebody logged in, who need not be asked any more whether the mail arrived."""
    site = _site()
    user_id = event.principal.getId()
    record = buyers.of_user(site, user_id) if site is not None else None
    if record is not None and not record.get("logged_in"):
        buyers.change(record, logged_in=True)
        counters.follow_login(site, record)


def _without(mapping: dict[str, str], name: str) -> dict[str, str]:
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
