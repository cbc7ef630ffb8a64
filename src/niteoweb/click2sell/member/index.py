"""An index of members by e-mail address and login name, in any letter case.

Plone finds a member by an address only by looking at all of them. This index is kept by the
events of the user folder; :func:`rebuild` makes it anew, for members that were added behind
the events' back.

An address or login name that is the user id is not in it: the user folder finds it by itself.
"""

from AccessControl.PermissionRole import rolesForPermissionOn
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.member import principal
from niteoweb.click2sell.member import visitor
from niteoweb.click2sell.storage import trees
from plone import api
from plone.base.interfaces import ISecuritySchema
from plone.registry.interfaces import IRegistry
from Products.PluggableAuthService.interfaces.events import IPrincipalCreatedEvent
from Products.PluggableAuthService.interfaces.events import IPrincipalDeletedEvent
from Products.PluggableAuthService.interfaces.events import IPropertiesUpdatedEvent
from typing import Any
from zope.component import adapter
from zope.component import getUtility

import threading


_held_back = threading.local()

#: What happened to an account.
CREATED, CHANGED, DELETED = "created", "changed", "deleted"


@dataclass(frozen=True)
class Match:
    """A member that an address may belong to, and why.

    :ivar by_email: the member's e-mail address is the address.
    :ivar by_name: the member's login name or user id is the address.
    :ivar since_made: user id and e-mail address are the address, the account never had another
        one, and no visitor could choose a password when it was made.
    """

    user_id: str
    by_email: bool
    by_name: bool
    since_made: bool = field(default=False, compare=False)


def find(site: Any, address: str) -> tuple[Match, ...]:
    """All members whose e-mail address, login name or user id is the address.

    Each match is checked against the account, so that an outdated line finds no account.

    :param address: in lower case.
    """
    pas = plone_site.tool("acl_users")
    candidates = set(trees.tree(site, "member_addresses").get(address, ()))
    candidates.update(trees.tree(site, "member_logins").get(address, ()))
    for look_up in (pas.getUser, pas.getUserById):
        user = principal.asked(look_up, address)
        candidates.update(principal.texts(user.getId()) if user is not None else ())
    matches = []
    for user_id in sorted(candidates):
        facts = _facts(user_id)
        if facts is None:
            continue
        login, emails = facts
        by_id = user_id.lower() == address
        edited = trees.number(user_id) in trees.tree(site, "members_edited")
        since_made = by_id and emails == (address,) and not edited
        match = Match(user_id, address in emails, by_id or login == address, since_made)
        if match.by_email or match.by_name:
            matches.append(match)
    return tuple(matches)


def has_kept_address(site: Any, user_id: str) -> bool:
    """Whether an account has the address that it was made with, by nobody who could choose it.

    Plone mails a link to that one; any other may be a stranger's.
    """
    edited = trees.number(user_id) in trees.tree(site, "members_edited")
    facts = None if edited else _facts(user_id)
    return facts is not None and ("@" not in user_id or user_id.lower() in facts[1])


def update(site: Any, user_id: str, member: Any = None) -> None:
    """File a member under its present address and login name; a missing member is removed.

    :param member: as Plone wraps it, where it was looked up already.
    """
    by_id = trees.tree(site, "member_ids")
    before = by_id.get(user_id, ())
    now = _to_file(user_id, member)
    if now == before:
        return
    if _addresses(before) - {user_id.lower()} and _addresses(before) != _addresses(now):
        # The account had another address: one that it gets now says nothing about its owner.
        trees.tree(site, "members_edited").insert(trees.number(user_id))
    for name, part in (("member_addresses", _addresses), ("member_logins", _logins)):
        filed = trees.tree(site, name)
        for text in sorted(part(before) - part(now)):
            rest = tuple(other for other in filed.get(text, ()) if other != user_id)
            if rest:
                filed[text] = rest
            else:
                filed.pop(text, None)
        for text in sorted(part(now) - part(before)):
            filed[text] = (*filed.get(text, ()), user_id)
    if now:
        by_id[user_id] = now
    else:
        by_id.pop(user_id, None)


def rebuild(site: Any) -> int:
    """Make the index anew from all members that the user folder can list.

    :returns: how many members there are.
    """
    for name in ("member_addresses", "member_logins", "member_ids"):
        trees.tree(site, name).clear()
    user_ids = everybody()
    for user_id in user_ids:
        update(site, user_id)
    return len(user_ids)


def everybody() -> list[str]:
    """The ids of all members that the user folder can list, in order."""
    pas = plone_site.tool("acl_users")
    user_ids = (info["userid"] for info in pas.searchUsers())
    return sorted({user_id for user_id in user_ids if isinstance(user_id, str)})


@adapter(IPrincipalCreatedEvent)
def member_created(event: IPrincipalCreatedEvent) -> None:
    """Plone made an account, perhaps under the id of one that was removed behind our back."""
    _follow(event.principal.getId(), CREATED)


@adapter(IPropertiesUpdatedEvent)
def member_changed(event: IPropertiesUpdatedEvent) -> None:
    """A member's properties changed, the e-mail address perhaps among them."""
    _follow(event.principal.getId(), CHANGED)


@adapter(IPrincipalDeletedEvent)
def member_deleted(event: IPrincipalDeletedEvent) -> None:
    """Plone deleted an account; the event carries its id."""
    _follow(event.principal, DELETED)


@contextmanager
def held_back(user_id: str) -> Iterator[None]:
    """Do not follow the events of an account that is being made inside.

    They come one after the other; the caller calls :func:`update` once.
    """
    _held_back.user_id = user_id
    try:
        yield
    finally:
        _held_back.user_id = ""


def visitors_choose_passwords() -> bool:
    """Whether visitors can register, with passwords of their own, under any address.

    Otherwise Plone mails a link to the address that a new account has.
    """
    record = getUtility(IRegistry).forInterface(ISecuritySchema, prefix="plone", check=False)
    anybody = "Anonymous" in rolesForPermissionOn("Add portal member", plone_site.get())
    return bool((record.enable_self_reg or anybody) and record.enable_user_pwd_choice)


def _follow(user_id: str, what: str) -> None:
    if user_id == getattr(_held_back, "user_id", "") or not isinstance(user_id, str):
        return
    try:
        site = api.portal.get()
    except api.exc.CannotGetPortalError:
        return
    if trees.exists(site):
        by_id, number = trees.tree(site, "member_ids"), trees.number(user_id)
        before = _addresses(by_id.get(user_id, ()))
        update(site, user_id)
        edited = trees.tree(site, "members_edited")
        if what is CHANGED:
            is_other = _addresses(by_id.get(user_id, ())) != before
            if is_other and visitor.member_id(site) == user_id:
                # Even a first address, where the account was made without one.
                edited.insert(number)
        elif what is CREATED and visitors_choose_passwords():
            # A stranger may have made it, with an address that nobody has checked.
            edited.insert(number)
        else:
            edited.discard(number)
        if what is DELETED:
            trees.tree(site, "members_gone").insert(number)


def _to_file(user_id: str, member: Any = None) -> tuple[str, ...]:
    """Address, login name and further addresses that a member is filed under.

    :returns: "" for one that is the user id; empty when the member need not be filed at all.
    """
    facts = _facts(user_id) if member is None else _facts_of(member)
    if facts is None:
        return ()
    login, emails = facts
    first, *others = emails or ("",)
    names = tuple("" if name == user_id else name for name in (first, login, *others))
    return names if any(names) else ()


def _addresses(filed: tuple[str, ...]) -> set[str]:
    return {*filed[:1], *filed[2:]} - {""}


def _logins(filed: tuple[str, ...]) -> set[str]:
    return {*filed[1:2]} - {""}


def _facts(user_id: str) -> tuple[str, tuple[str, ...]] | None:
    """A member's login name and addresses in lower case, None when there is no such member."""
    user = principal.asked(plone_site.tool("acl_users").getUserById, user_id)
    if user is None:
        return None
    return _facts_of(plone_site.tool("portal_membership").wrapUser(user))


def _facts_of(member: Any) -> tuple[str, tuple[str, ...]]:
    given = principal.texts(principal.value(member, "email"))
    emails = (text.strip().lower() for text in given)
    login = next(iter(principal.texts(member.getUserName())), "")
    return login.lower(), tuple(filter(None, emails))
