"""Site Setup: the tabs that join our pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell.provider import registry
from plone import api
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message


#: Pages, their titles, and the permissions that they need.
PAGES = (
    ("click2sell-settings", _("Settings"), "Click2Sell: Configure"),
    ("click2sell-notifications", _("Notifications"), "Click2Sell: View purchases"),
    ("click2sell-members", _("Members"), "Click2Sell: View purchases"),
    ("click2sell-report", _("Report"), "Click2Sell: View purchases"),
    ("click2sell-reconcile", _("Reconcile"), "Click2Sell: Operate purchases"),
    ("click2sell-privacy", _("Privacy"), "Click2Sell: View purchases"),
)


@dataclass(frozen=True)
class Tab:
    """A page that one can go to.

    :ivar current: the value of ``aria-current``, None on the other tabs.
    """

    title: Message | str
    url: str
    current: str | None


def _providers(current: str) -> Iterator[tuple[str, str, str]]:
    """The settings of payment providers that are switched on, but for the first of PAGES.

    :param current: is there in any case.
    """
    for provider in registry.registered():
        name = f"{provider.name}-settings"
        if name != PAGES[0][0] and (name == current or registry.is_enabled(provider)):
            yield name, provider.title, PAGES[0][2]


class Tabs(BrowserView):
    """``@@click2sell-tabs``: the templates of the pages call it with their page's name."""

    template = ViewPageTemplateFile("../templates/tabs.pt")
    tabs: tuple[Tab, ...] = ()

    def __call__(self, current: str = "") -> str:
        self.tabs = tuple(
            Tab(title, f"{self.context.absolute_url()}/@@{name}", self._mark(name, current))
            for name, title, permission in (*PAGES[:1], *_providers(current), *PAGES[1:])
            if api.user.has_permission(permission, obj=self.context)
        )
        return self.template()

    def _mark(self, name: str, current: str) -> str | None:
        return "page" if name == current else None
