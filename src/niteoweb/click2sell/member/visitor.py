"""The visitor of a page as a member."""

from AccessControl import getSecurityManager
from Acquisition import aq_base
from Acquisition import aq_inner
from Acquisition import aq_parent
from niteoweb.click2sell.storage import trees
from typing import Any


def member_id(site: Any) -> str:
    """The member of the site who is logged in, "" for nobody.

    A user of Zope's root may have the id of a member of the site, and be another person.
    """
    user = getSecurityManager().getUser()
    is_own = aq_base(aq_parent(aq_inner(user))) is aq_base(site.acl_users)
    return user.getId() or "" if is_own and trees.exists(site) else ""
