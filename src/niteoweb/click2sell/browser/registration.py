"""The callback of each payment provider, and its settings on a page and in a service.

The registration of a provider alone makes them, and they go with it.
"""

from AccessControl.class_init import InitializeClass
from AccessControl.security import protectClass
from AccessControl.security import protectName
from collections.abc import Iterator
from niteoweb.click2sell.browser import callback
from niteoweb.click2sell.browser.settings import controlpanel
from niteoweb.click2sell.interfaces import IClick2SellLayer
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.restapi import controlpanel as settingsservice
from plone.base.interfaces import IPloneSiteRoot
from plone.restapi.controlpanels.interfaces import IControlpanel
from Products.Five.browser import BrowserView
from typing import Any
from zope.component import adapter
from zope.component import getGlobalSiteManager
from zope.interface import Interface
from zope.interface.interfaces import IRegistered
from zope.interface.interfaces import IRegistrationEvent
from zope.interface.interfaces import IUtilityRegistration


@adapter(IRegistrationEvent)
def follow(event: Any) -> None:
    """Give each payment provider that is registered what it has, and take it back with it.

    What is registered in a site's own database has none: no class made here can be kept there.
    """
    registration = event.object
    if not (
        IUtilityRegistration.providedBy(registration)
        and registration.provided is IPaymentProvider
        and registration.registry is getGlobalSiteManager()
    ):
        return
    registry, provider = registration.registry, registration.component
    for factory, *places in _adapters(provider):
        if IRegistered.providedBy(event):
            registry.registerAdapter(factory, *places)
        else:
            registry.unregisterAdapter(None, *places)


def _adapters(provider: IPaymentProvider) -> Iterator[tuple[Any, ...]]:
    """The registrations for a provider, as arguments of ``registerAdapter``."""
    page = (IPloneSiteRoot, IClick2SellLayer), Interface
    view = _protected(callback.view_of(provider), "zope2.Public")
    yield view, *page, provider.name
    view = _protected(controlpanel.view_of(provider), "niteoweb.click2sell.Configure")
    yield view, *page, f"{provider.name}-settings"
    panel = (Interface, IClick2SellLayer), IControlpanel
    yield settingsservice.panel_of(provider), *panel, provider.name


def _protected(view: type[BrowserView], permission: str) -> type[BrowserView]:
    """A page as ZCML would make it."""
    view.__page_attribute__ = "__call__"
    protectClass(view, permission)
    protectName(view, "__call__", permission)
    InitializeClass(view)
    return view
