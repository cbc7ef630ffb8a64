"""Plone's user folder, where only private attributes of its plugins serve.

Another Plone may call them otherwise: tests/member/test_plonepas.py holds each of them.
"""

from Acquisition import aq_base
from BTrees.OOBTree import OOSet
from BTrees.OOBTree import OOTreeSet
from niteoweb.click2sell import site as plone_site
from Products.PlonePAS.interfaces.group import IGroupManagement
from Products.PluggableAuthService.interfaces.plugins import IAuthenticationPlugin
from Products.PluggableAuthService.interfaces.plugins import IGroupsPlugin
from Products.PluggableAuthService.interfaces.plugins import IRoleAssignerPlugin
from typing import Any

import logging
import transaction


logger = logging.getLogger("niteoweb.click2sell")


def password_hash(user_id: str) -> bytes:
    """The stored hash of an account's password, empty when Plone itself does not keep it."""
    users = getattr(plone_site.tool("acl_users"), "source_users", None)
    stored = users._user_passwords.get(user_id) if users is not None else None
    return stored.encode("utf-8") if isinstance(stored, str) else stored or b""


def log_in(user_id: str, response: Any) -> None:
    """Log an account in, in the browser that gets a response."""
    plone_site.tool("acl_users").session._setupSession(user_id, response)


def web_token(user_id: str, fullname: str) -> str:
    """A token by which plone.restapi knows an account, "" on a site without its plugin."""
    users = plone_site.tool("acl_users")
    for _id, plugin in users.plugins.listPlugins(IAuthenticationPlugin):
        if plugin.meta_type == "JWT Authentication Plugin":
            return plugin.create_token(user_id, data={"fullname": fullname})
    return ""


def has_properties(user_id: str) -> bool:
    """Whether Plone keeps properties of an id, as it does of a removed account."""
    plugin = getattr(plone_site.tool("acl_users"), "mutable_properties", None)
    return plugin is not None and user_id in plugin._storage


def forget(user_id: str) -> None:
    """Remove the roles, groups and reset links that Plone keeps of a deleted account.

    An old link to reset the password would open an account that is made anew.
    """
    requests = plone_site.tool("portal_password_reset")._requests
    for link in [link for link, (asked, _expiry) in requests.items() if asked == user_id]:
        del requests[link]
    plugins = plone_site.tool("acl_users").plugins
    for kind, name in (
        (IRoleAssignerPlugin, "_principal_roles"),
        (IGroupsPlugin, "_principal_groups"),
    ):
        for _id, plugin in plugins.listPlugins(kind):
            kept = getattr(aq_base(plugin), name, {})
            if user_id in kept:
                del kept[user_id]


def keep_in_tree(group_id: str) -> None:
    """Keep the members of a group in a tree, however many there are.

    Plone's group plugin keeps them in one database record: each member who is added or removed
    writes all of them anew, and two who do so at once get in each other's way. A tree has the
    same methods and keeps a few members in each record. It comes from BTrees, as the set does,
    so that nothing of ours is needed to read it.

    Call it before each change: a group that was deleted and made again begins with a set.
    """
    managers = plone_site.tool("acl_users").plugins.listPlugins(IGroupManagement)
    for _name, manager in managers:
        groups = getattr(aq_base(manager), "_group_principal_map", {})
        members = groups.get(group_id)
        if type(members) is OOSet:
            _convert(groups, group_id, members)


def _convert(groups: dict[str, OOSet | OOTreeSet], group_id: str, members: OOSet) -> None:
    groups[group_id] = OOTreeSet(members)
    number = len(members)
    # A change of the old set at this moment must get a conflict, even while it is empty: its
    # new member would be lost without a trace.
    members.clear()
    members._p_changed = True
    transaction.get().addAfterCommitHook(_log_conversion, (group_id, number))


def _log_conversion(committed: bool, group_id: str, number: int) -> None:
    if committed:
        logger.info('The %d members of group "%s" are kept in a tree now.', number, group_id)
