"""Groups: which exist, which may be given, and who is in them."""

from Acquisition import aq_base
from Acquisition import aq_parent
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.member import plonepas
from niteoweb.click2sell.member import principal
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.storage import trees
from Products.PlonePAS.interfaces.capabilities import IGroupCapability
from Products.PlonePAS.interfaces.group import IGroupManagement
from Products.PluggableAuthService.interfaces.plugins import IGroupsPlugin
from Products.PluggableAuthService.interfaces.plugins import IRolesPlugin
from Products.PluggableAuthService.PropertiedUser import PropertiedUser
from typing import Any

import re
import threading
import uuid


#: A possible id of a new group; Plone itself checks nothing.
GROUP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.@+-]{0,99}")

#: Objects of the site that are looked through for local roles, at most.
LOOKED_THROUGH = 200
LOCAL_ROLES = "__ac_local_roles__"

_own = threading.local()


class CannotGrant(Exception):
    """A group cannot be given; the message names the group and says why."""


def exists(group_id: str) -> bool:
    """Whether there is a group of this id."""
    return _group(group_id) is not None


def title(group_id: str) -> str:
    """The title of a group, else its id."""
    group = _group(group_id)
    return (principal.text(group, "title") if group is not None else "") or group_id


def titles(group_ids: Iterable[str]) -> str:
    """The titles of groups, in one line."""
    return ", ".join(map(title, group_ids))


def _group(group_id: str) -> Any:
    """A group as the user folder has it, None for none."""
    look_up = plone_site.tool("acl_users").getGroup
    return principal.asked(look_up, group_id) if group_id else None


def choices() -> list[tuple[str, str]]:
    """The groups that products can give, each with its title, in order of titles."""
    # Plone's objects of groups leave something behind that it cannot remove after the request.
    ids = plone_site.tool("portal_groups").getGroupIds()
    groups = [(id_, title(id_)) for id_ in ids if not problem(id_)]
    return sorted(groups, key=lambda choice: choice[1].casefold())


def is_automatic(group_id: str) -> bool:
    """Whether members are in the group by themselves, such as AuthenticatedUsers."""
    managers = plone_site.tool("acl_users").plugins.listPlugins(IGroupManagement)
    return not any(
        plugin.allowGroupAdd("", group_id)
        for _name, plugin in managers
        if IGroupCapability.providedBy(plugin)
    )


def problem(group_id: str) -> str:
    """The reason code of a group that cannot be given, "" for one that can."""
    # Looked up once: Plone collects a group's properties, roles and groups each time, and the
    # groups tool would add its own properties of groups, which nobody asks for.
    group = _group(group_id)
    if group is None:
        return Reason.GROUP_MISSING
    if is_automatic(group_id):
        return Reason.GROUP_NOT_GRANTED
    return Reason.GROUP_PRIVILEGED if privilege.group(group) else ""


def with_ancestors(group_ids: Iterable[str]) -> frozenset[str]:
    """The ids of groups, and of the groups that they belong to and not everybody does."""
    ids = frozenset(group_ids)
    outer = {one.getId() for id_ in ids for one in privilege.with_ancestors(_group(id_))}
    return ids.union(one for one in outer if not is_automatic(one))


def site_roles(group_id: str) -> list[str]:
    """The roles on the whole site that members of a group have, and other members have not."""
    group = plone_site.tool("acl_users").getGroup(group_id)
    return sorted(privilege.roles(group) - {"Member"}) if group is not None else []


def cannot_make(group_id: str) -> str:
    """The reason code of a group that cannot be created, "" for one that can.

    Plone keeps all of a deleted group: roles, local roles, the groups it was in. A new group
    of that id would have them too, and with them every buyer.
    """
    if left_behind(group_id):
        return Reason.GROUP_PRIVILEGED
    taken = plone_site.tool("acl_users").searchPrincipals(id=group_id, exact_match=True)
    return Reason.GROUP_NOT_GRANTED if taken or not GROUP_ID.fullmatch(group_id) else ""


def make(group_id: str, title: str) -> None:
    """Make a group.

    :raises CannotGrant: it turns out to be a privileged one.
    """
    plone_site.tool("portal_groups").addGroup(group_id, title=title)
    if problem(group_id) == Reason.GROUP_PRIVILEGED:
        raise CannotGrant(f'members of the group "{group_id}" can administer the site')


def of(user_id: str) -> tuple[str, ...]:
    """The groups that an id is in directly; Plone keeps those of a deleted account too."""
    managers = plone_site.tool("acl_users").plugins.listPlugins(IGroupManagement)
    return tuple(
        group_id
        for _name, plugin in managers
        if IGroupsPlugin.providedBy(plugin)
        for group_id in _answer(plugin.getGroupsForPrincipal, user_id)
    )


def left_behind(principal_id: str) -> bool:
    """Whether a deleted account or group left something that the next of its id would inherit.

    Plone keeps its roles and its groups, those that administer the site too, and its local
    roles in folders, if it was not told to look for them.
    """
    if of(principal_id):
        return True
    if _was_account(principal_id) and _may_have_local_roles(principal_id):
        return True
    roles = _roles(principal_id) - {"Member"}
    return bool(roles and roles - _roles(uuid.uuid4().hex))


def _was_account(user_id: str) -> bool:
    """Whether an account of this id was deleted, or removed behind Plone's back."""
    gone = trees.tree(plone_site.get(), "members_gone")
    return trees.number(user_id) in gone or plonepas.has_properties(user_id)


def _may_have_local_roles(user_id: str) -> bool:
    """Whether an id has local roles somewhere; a site with much content is not searched."""
    catalog = plone_site.tool("portal_catalog")
    everything = catalog.unrestrictedSearchResults(
        path="/".join(plone_site.get().getPhysicalPath())
    )
    return len(everything) > LOOKED_THROUGH or any(
        user_id in (getattr(aq_base(brain._unrestrictedGetObject()), LOCAL_ROLES, None) or {})
        for brain in everything
    )


def _roles(principal_id: str) -> set[str]:
    """The roles that an account or group of this id would have, whether there is one or not."""
    portal = plone_site.get()
    roles = set()
    for context in (portal, aq_parent(portal)):
        roles.update(context.get_local_roles_for_userid(principal_id))
    plugins = plone_site.tool("acl_users").plugins.listPlugins(IRolesPlugin)
    for _name, plugin in plugins:
        roles.update(_answer(plugin.getRolesForPrincipal, principal_id))
    return roles


def _answer(plugin_method: Callable[..., Any], principal_id: str) -> tuple[str, ...]:
    return principal.texts(
        principal.asked(lambda: tuple(plugin_method(PropertiedUser(principal_id))))
    )


def grant(user_id: str, group_id: str) -> None:
    """Put a member into a group.

    :raises CannotGrant: no plugin of the user folder took the member in.
    """
    plonepas.keep_in_tree(group_id)
    with own_run():
        if not plone_site.tool("portal_groups").addPrincipalToGroup(user_id, group_id):
            raise CannotGrant(f'nobody can be put in the group "{group_id}"')


def revoke(user_id: str, group_id: str) -> None:
    """Take a member out of a group; that it is gone or the member not in it is no error."""
    with own_run():
        if exists(group_id) and group_id in of(user_id):
            plonepas.keep_in_tree(group_id)
            plone_site.tool("portal_groups").removePrincipalFromGroup(user_id, group_id)


@contextmanager
def own_run() -> Iterator[None]:
    """Mark changes inside as made by this add-on, not by the hand of an owner."""
    before = is_own_run()
    _own.active = True
    try:
        yield
    finally:
        _own.active = before


def is_own_run() -> bool:
    """Whether this thread is changing groups on behalf of the add-on."""
    return getattr(_own, "active", False)
