"""The visitor of a page as a buyer, and the ways that pages offer: to order, and to ask."""

from AccessControl import getSecurityManager
from Acquisition import aq_base
from Acquisition import aq_inner
from Acquisition import aq_parent
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.storage import trees
from typing import Any


def member_id(site: Any) -> str:
    """The member of the site who is logged in, "" for nobody.

    A user of Zope's root may have the id of a member of the site, and be another person.
    """
    user = getSecurityManager().getUser()
    is_own = aq_base(aq_parent(aq_inner(user))) is aq_base(site.acl_users)
    return user.getId() or "" if is_own and trees.exists(site) else ""


def contact_url(site: Any) -> str:
    """Plone's contact form, which mails the site's own address; "" for a site without one."""
    return f"{site.absolute_url()}/contact-info" if plone_site.sender()[1] else ""
