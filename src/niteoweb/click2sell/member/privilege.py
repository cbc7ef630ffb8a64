"""Privileged accounts and groups: they administer the site, and no purchase may touch them.

Privileged means: holding one of :data:`PERMISSIONS` at the site root or in Zope's root, through
roles, groups, nested groups or local roles of the site root. The add-on's own permissions are
among them: they show all buyers, and give and end access. It is evaluated at each change, since
a group that was harmless when the mapping was saved may have become powerful since.
"""

from AccessControl.PermissionRole import rolesForPermissionOn
from AccessControl.Permissions import manage_users
from Acquisition import aq_base
from Acquisition import aq_parent
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.member.principal import texts
from Products.CMFCore.permissions import ManagePortal
from typing import Any


#: The permissions of people who work with purchases.
VIEW, OPERATE = "Click2Sell: View purchases", "Click2Sell: Operate purchases"
CONFIGURE = "Click2Sell: Configure"
#: Plone's own, to show, change and delete accounts.
MANAGE_MEMBERS = "Plone Site Setup: Users and Groups"

PERMISSIONS = (
    ManagePortal,
    manage_users,
    *(MANAGE_MEMBERS, CONFIGURE, VIEW, OPERATE),
    "Click2Sell: Validate purchases",
    "Click2Sell: Sell in the store",
    "Click2Sell: Set paywall",
)


def member(user_id: str) -> bool:
    """Whether an account is privileged.

    :param user_id: of an account of the site; an account of the same user id or login name in
        Zope's root counts too.
    """
    portal = plone_site.get()
    user = plone_site.tool("acl_users").getUserById(user_id)
    if user is None:
        return False
    return _holds_permission(user, portal) or root_account(user_id, *texts(user.getUserName()))


def root_account(*names: str) -> bool:
    """Whether Zope's root user folder has a privileged account of one of these names."""
    root = aq_parent(plone_site.get())
    folder = getattr(aq_base(root), "acl_users", None)
    if folder is None:
        return False
    folder = root.acl_users
    users = [
        user for name in names for user in (folder.getUserById(name), folder.getUser(name))
    ]
    return any(user is not None and _holds_permission(user, root) for user in users)


def group(group: Any) -> bool:
    """Whether a group makes its members privileged, itself or through groups it belongs to.

    :param group: as the user folder gave it.
    """
    held = roles(group)
    return bool(held) and any(
        not held.isdisjoint(rolesForPermissionOn(permission, context))
        for permission in PERMISSIONS
        for context in _contexts()
    )


def roles(group: Any) -> set[str]:
    """The roles that a group gives on the whole site, its own and those of groups it is in."""
    roles: set[str] = set()
    for principal in with_ancestors(group):
        roles.update(texts(list(principal.getRoles())))
        for context in _contexts():
            roles.update(context.get_local_roles_for_userid(principal.getId()))
    return roles - {"Authenticated", "Anonymous"}


def _contexts() -> tuple[Any, Any]:
    """The site and Zope's root, whose local roles hold in the site too."""
    portal = plone_site.get()
    return portal, aq_parent(portal)


def _holds_permission(user: Any, context: Any) -> bool:
    return any(user.has_permission(permission, context) for permission in PERMISSIONS)


def with_ancestors(group: Any) -> list[Any]:
    """A group and all groups that it belongs to, directly or not."""
    pas = plone_site.tool("acl_users")
    seen: dict[str, Any] = {}
    waiting = [group]
    while waiting:
        principal = waiting.pop()
        if principal is None or principal.getId() in seen:
            continue
        seen[principal.getId()] = principal
        names = texts(list(principal.getGroups()))
        waiting.extend(pas.getGroup(name) for name in names if name not in seen)
    return list(seen.values())
