"""The one entry of Site Setup, which leads to all pages of the add-on."""

from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.member import privilege


#: Release 0.4.5 had an entry of this id, too.
ID = "click2sellConfiguration"

_PACKAGE = "niteoweb.click2sell"


def install() -> None:
    """Put the entry into Site Setup, in the place of all earlier ones of the add-on."""
    uninstall()
    plone_site.tool("portal_controlpanel").registerConfiglet(
        id=ID,
        name=_("Memberships"),
        action="string:${portal_url}/@@click2sell-overview",
        # Each of these people has something to do there.
        permission=(privilege.VIEW, privilege.CONFIGURE, privilege.OPERATE),
        category="Products",
        appId=_PACKAGE,
        icon_expr="string:people",
    )


def uninstall() -> None:
    """Remove the add-on's entries from Site Setup."""
    plone_site.tool("portal_controlpanel").unregisterApplication(_PACKAGE)
