"""Local roles that deleted accounts have left in the site's content.

Plone removes them while it deletes an account, and walks through the whole site for that: a
millisecond an object, in which nobody could buy. Here the walk only reads, in the background,
and each object that has such roles is a commit of its own.
"""

from Acquisition import aq_base
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from typing import Any

import transaction


def leave(site: Any, user_id: str) -> None:
    """Note, in the current transaction, that the local roles of an account have to go."""
    trees.tree(site, "local_roles_left").insert(user_id)


def clear() -> None:
    """Remove the local roles that are left; a removal that was interrupted begins anew.

    :raises niteoweb.click2sell.storage.transactions.Busy: the next time goes on.
    """
    user_ids = tuple(trees.tree(plone_site.get(), "local_roles_left"))
    if not user_ids:
        return
    for path in tuple(_paths(plone_site.get(), user_ids)):
        writer.run(_at(path, user_ids))
        steps.reached("local roles removed")
    transaction.begin()
    writer.run(lambda site: _settle(site, user_ids))


def _paths(content: Any, user_ids: Collection[str]) -> Iterator[tuple[str, ...]]:
    """The paths of the objects in which one of these accounts has local roles."""
    if any(content.get_local_roles_for_userid(user_id) for user_id in user_ids):
        yield content.getPhysicalPath()
    if hasattr(aq_base(content), "contentValues"):
        for inside in content.contentValues():
            yield from _paths(inside, user_ids)
            # A walk through a large site must not fill the memory.
            aq_base(inside)._p_deactivate()


def _at(path: tuple[str, ...], user_ids: Collection[str]) -> Callable[[Any], None]:
    def work(site: Any) -> None:
        content = site.unrestrictedTraverse(path, None)
        if content is not None and content.getPhysicalPath() == path:
            content.manage_delLocalRoles(list(user_ids))
            content.reindexObjectSecurity()

    return work


def _settle(site: Any, user_ids: Collection[str]) -> None:
    for user_id in user_ids:
        trees.tree(site, "local_roles_left").discard(user_id)
        # An account that is made anew under this id inherits nothing any more.
        trees.tree(site, "members_gone").discard(trees.number(user_id))
