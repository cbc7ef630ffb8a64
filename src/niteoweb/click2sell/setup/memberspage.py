"""A folder for members: private, and shared with a group, by Plone's own workflow and sharing.

Everything is done with the permissions of the person who asks for it, and is undone as Plone
does it: on the tab *Sharing*, by a change of state, or by deleting the folder.
"""

from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.storage import NotPossible
from plone import api
from plone.api.exc import InvalidParameterError
from Products.CMFCore.WorkflowCore import WorkflowException
from typing import Any
from zExceptions import Unauthorized

import transaction


#: Types of a new folder, the first one that the site allows; pages hold pages on Volto sites.
TYPES = ("Folder", "Document")
PRIVATE = "private"

#: Folders to choose from, at most.
MOST = 50


def folders() -> list[tuple[str, str]]:
    """Ids and titles of the folders at the root of the site that the reader may see."""
    root = "/".join(plone_site.get().getPhysicalPath())
    brains = api.content.find(
        path={"query": root, "depth": 1}, is_folderish=True, sort_on="sortable_title"
    )
    return [(brain.getId, brain.Title or brain.getId) for brain in brains[:MOST]]


def prepare(site: Any, folder_id: str, title: str, group_id: str) -> tuple[Any, int]:
    """Create a folder or take one of :func:`folders`; make it private; let a group read it.

    :param folder_id: "" for a new folder.
    :param title: of a new folder.
    :returns: the folder, and the number of objects in it that everybody can still read.
    :raises NotPossible: the person may not do it, or the workflow has no private state.
    """
    before = transaction.savepoint(optimistic=True)
    try:
        folder = _chosen(site, folder_id) if folder_id else _created(site, title)
        _share(folder, group_id)
    except Unauthorized:
        problem = _("You may not create or share this folder.")
    except (InvalidParameterError, WorkflowException):
        problem = _("The folder cannot be made private: its workflow has no private state.")
    else:
        return folder, _public(folder)
    before.rollback()
    raise NotPossible(problem)


def _share(folder: Any, group_id: str) -> None:
    if api.content.get_state(folder, default="") != PRIVATE:
        api.content.transition(folder, to_state=PRIVATE)
    roles = {*folder.get_local_roles_for_userid(group_id), "Reader"}
    # Plone's own form looks at which roles this person may give.
    folder.restrictedTraverse("@@sharing").update_role_settings(
        [{"id": group_id, "type": "group", "roles": sorted(roles)}]
    )
    if "Reader" not in folder.get_local_roles_for_userid(group_id):
        raise Unauthorized("Reader")


def _chosen(site: Any, folder_id: str) -> Any:
    if folder_id not in dict(folders()):
        raise NotPossible(_("There is no such folder."))
    return site.restrictedTraverse(folder_id)


def _created(site: Any, title: str) -> Any:
    if not title:
        raise NotPossible(_("Enter a title for the folder."))
    allowed = {type_.getId() for type_ in site.allowedContentTypes()}
    type_ = next((name for name in TYPES if name in allowed), None)
    if type_ is None:
        raise NotPossible(_("You may not create a folder here."))
    return api.content.create(container=site, type=type_, title=title)


def _public(folder: Any) -> int:
    """The number of objects below the folder that visitors can read."""
    path = "/".join(folder.getPhysicalPath())
    brains = plone_site.tool("portal_catalog").unrestrictedSearchResults(
        path=path, allowedRolesAndUsers=["Anonymous"]
    )
    return sum(brain.getPath() != path for brain in brains)
