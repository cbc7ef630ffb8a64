"""The pages that each payment provider has: its callback and its settings.

The registration of a provider alone makes them, and they go with it.
"""

from AccessControl.class_init import InitializeClass
from AccessControl.security import protectClass
from AccessControl.security import protectName
from collections.abc import Iterator
from niteoweb.click2sell.browser import callback
from niteoweb.click2sell.browser import controlpanel
from niteoweb.click2sell.interfaces import IClick2SellLayer
from niteoweb.click2sell.interfaces import IPaymentProvider
from plone.base.interfaces import IPloneSiteRoot
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
    """Give each payment provider that is registered its pages, and take them back with it.

    What is registered in a site's own database has none: no class made here can be kept there.
    """
    registration = event.object
    if not (
        IUtilityRegistration.providedBy(registration)
        and registration.provided is IPaymentProvider
        and registration.registry is getGlobalSiteManager()
    ):
        return
    for name, permission, view in _pages(registration.component):
        places = (IPloneSiteRoot, IClick2SellLayer), Interface, name
        if IRegistered.providedBy(event):
            registration.registry.registerAdapter(_protected(view, permission), *places)
        else:
            registration.registry.unregisterAdapter(None, *places)


def _pages(provider: IPaymentProvider) -> Iterator[tuple[str, str, type[BrowserView]]]:
    yield provider.name, "zope2.Public", callback.view_of(provider)
    yield (
        f"{provider.name}-settings",
        "niteoweb.click2sell.Configure",
        controlpanel.view_of(provider),
    )


def _protected(view: type[BrowserView], permission: str) -> type[BrowserView]:
    """A page as ZCML would make it."""
    view.__page_attribute__ = "__call__"
    protectClass(view, permission)
    protectName(view, "__call__", permission)
    InitializeClass(view)
    return view
