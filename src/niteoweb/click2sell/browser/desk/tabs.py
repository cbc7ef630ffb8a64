"""Site Setup: the tabs that join our pages."""

from collections.abc import Iterator
from niteoweb.click2sell import _
from niteoweb.click2sell.browser.words.formatting import Link
from niteoweb.click2sell.provider import registry
from plone import api
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile


#: Pages, their titles, and the permissions that they need.
PAGES = (
    ("click2sell-settings", _("Settings"), "Click2Sell: Configure"),
    ("click2sell-notifications", _("Notifications"), "Click2Sell: View purchases"),
    ("click2sell-members", _("Members"), "Click2Sell: View purchases"),
    ("click2sell-report", _("Report"), "Click2Sell: View purchases"),
    ("click2sell-reconcile", _("Reconcile"), "Click2Sell: Operate purchases"),
    ("click2sell-privacy", _("Privacy"), "Click2Sell: View purchases"),
)


def _providers(current: str) -> Iterator[tuple[str, str, str]]:
    """The settings of payment providers that are switched on, but for the first of PAGES.

    :param current: is there in any case.
    """
    for provider in registry.registered():
        name = f"{provider.name}-settings"
        if name != PAGES[0][0] and (name == current or registry.is_enabled(provider)):
            yield name, provider.title, PAGES[0][2]


class Tabbed(BrowserView):
    """A page with tabs, of which each reader sees those of the pages that they may use.

    :cvar tab: name of the page whose tab is open.
    :cvar shared: the macros of all pages.
    """

    tab = "click2sell-settings"
    shared = ViewPageTemplateFile("../templates/shared.pt")

    @property
    def tab_links(self) -> list[Link]:
        """The links to the other tabs."""
        here, tab = self.context.absolute_url(), self.tab
        return [
            Link(title, f"{here}/@@{name}", "page" if name == tab else None)
            for name, title, permission in (*PAGES[:1], *_providers(tab), *PAGES[1:])
            if api.user.has_permission(permission, obj=self.context)
        ]
