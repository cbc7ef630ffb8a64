"""Member sets of groups that stay cheap, however many members there are.

Plone's group plugin keeps the members of a group in one database record. Each member who is
added or taken away writes all of them anew, and two who do so at once get in each other's way.
A tree has the same methods and keeps a few members in each record. It comes from BTrees, as
the set does, so that nothing of ours is needed to read it.
"""

from Acquisition import aq_base
from BTrees.OOBTree import OOSet
from BTrees.OOBTree import OOTreeSet
from niteoweb.click2sell import site as plone_site
from Products.PlonePAS.interfaces.group import IGroupManagement

import logging
import transaction


logger = logging.getLogger("niteoweb.click2sell")


def prepare(group_id: str) -> None:
    """See to it that a group is cheap to change, before it is changed.

    A group that was deleted and made again begins with the expensive kind.
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
    # Whoever changes the old set at this moment must get a conflict, also when it is empty:
    # what goes into it now would be lost without a trace.
    members.clear()
    members._p_changed = True
    transaction.get().addAfterCommitHook(_tell, (group_id, number))


def _tell(committed: bool, group_id: str, number: int) -> None:
    if committed:
        logger.info('The %d members of group "%s" are kept in a tree now.', number, group_id)
