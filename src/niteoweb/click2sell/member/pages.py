"""The site's pages that are shared with groups, as the catalog knows them.

Nothing of ours is stored for them: what Plone's *Sharing* says is in the catalog's index of
permissions, and no page is loaded to ask it.
"""

from AccessControl import getSecurityManager
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from DateTime import DateTime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.member import group
from plone import api
from urllib.parse import quote


#: Pages that are looked at, at most; folders come before their contents.
MOST = 500

_INDEX = "allowedRolesAndUsers"
_PREFIX = "user:"


@dataclass(frozen=True)
class SharedPage:
    """A page, or a folder of pages.

    :ivar path: below the site, quoted as in an address.
    """

    title: str
    path: str


def shared_with(group_ids: Iterable[str]) -> list[SharedPage]:
    """The pages that are open to members of some groups and not to everybody, sorted.

    Of a folder and its contents only the folder is listed.
    """
    readers = {_PREFIX + one for one in group.with_ancestors(group_ids)}
    if not readers:
        return []  # the catalog would take it for a search without this condition
    brains = plone_site.tool("portal_catalog").unrestrictedSearchResults(
        **{_INDEX: sorted(readers)},
        effectiveRange=DateTime(),
        sort_on="created",
        sort_limit=MOST,
    )[:MOST]
    as_file = api.portal.get_registry_record(
        "plone.types_use_view_action_in_listings", default=()
    )
    site_path = "/".join(plone_site.get().getPhysicalPath())
    topmost: list[str] = []
    pages = []
    for path, brain in sorted((f"{brain.getPath()}/", brain) for brain in brains):
        if not topmost or not path.startswith(topmost[-1]):
            topmost.append(path)
            below = brain.getPath().removeprefix(f"{site_path}/")
            view = "/view" if brain.portal_type in as_file else ""
            pages.append(SharedPage(brain.Title or brain.getId, quote(below) + view))
    return sorted(pages, key=lambda page: page.title.lower())


def readers(path: Sequence[str]) -> frozenset[str]:
    """The ids of groups and members that the page of a path is shared with.

    :param path: in Zope; of a view, or a page that is not there, the nearest one above
        counts.
    :returns: none for a page that the present visitor may read.
    """
    catalog, site_path = plone_site.tool("portal_catalog"), plone_site.get().getPhysicalPath()
    path = tuple(path)
    rid = None
    while rid is None and len(path) > len(site_path) and path[: len(site_path)] == site_path:
        rid = catalog.getrid("/".join(path))
        path = path[:-1]
    if rid is None:
        return frozenset()
    allowed = set(catalog._catalog.getIndex(_INDEX).getEntryForObject(rid) or ())
    visitor = getSecurityManager().getUser()
    if allowed.intersection(catalog._listAllowedRolesAndUsers(visitor)):
        return frozenset()
    return frozenset(one.removeprefix(_PREFIX) for one in allowed if one.startswith(_PREFIX))
