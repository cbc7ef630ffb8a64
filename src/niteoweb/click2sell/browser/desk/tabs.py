"""Site Setup: the tabs that join our pages."""

from niteoweb.click2sell import _
from niteoweb.click2sell.browser.pagetitle import ITitled
from niteoweb.click2sell.browser.words.formatting import Link
from plone import api
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.interface import implementer


VIEW, CONFIGURE = "Click2Sell: View purchases", "Click2Sell: Configure"
OPERATE = "Click2Sell: Operate purchases"

OVERVIEW = "click2sell-overview"

#: Pages, their titles, and the permissions of which one is needed.
TABS = (
    (OVERVIEW, _("Overview"), (VIEW, CONFIGURE, OPERATE)),
    ("click2sell-members", _("Members"), (VIEW,)),
    ("click2sell-notifications", _("Notifications"), (VIEW,)),
    ("click2sell-report", _("Report"), (VIEW,)),
    ("click2sell-settings", _("Settings"), (CONFIGURE,)),
)


@implementer(ITitled)
class Tabbed(BrowserView):
    """A page with tabs, of which each reader sees those of the pages that they may use.

    :cvar tab: name of the page whose tab is open.
    :cvar shared: the macros of all pages.
    """

    tab = OVERVIEW
    tabs_label = _("Memberships")
    copy_label, copied_label = _("Copy"), _("Copied")
    shared = ViewPageTemplateFile("../templates/shared.pt")

    @property
    def tab_links(self) -> list[Link]:
        """The links to the tabs."""
        here = self.context.absolute_url()
        return [
            Link(title, f"{here}/@@{name}", "page" if name == self.tab else None)
            for name, title, permissions in TABS
            if self.may(*permissions)
        ]

    def may(self, *permissions: str) -> bool:
        """Whether the reader has one of some permissions on the site."""
        return any(api.user.has_permission(one, obj=self.context) for one in permissions)
