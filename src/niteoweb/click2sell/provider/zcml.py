"""The ZCML directive ``click2sell:provider``, which registers all parts of a payment provider.

It finds the classes of the pages by their dotted names, as ZCML does: they are in rooms above.
"""

from niteoweb.click2sell.interfaces import IClick2SellLayer
from niteoweb.click2sell.interfaces import IPaymentProvider
from plone.base.interfaces import IPloneSiteRoot
from plone.restapi.controlpanels.interfaces import IControlpanel
from Products.Five.browser import metaconfigure
from typing import Any
from zope.component.zcml import utility
from zope.configuration.fields import GlobalObject
from zope.interface import Interface


ADDON = "niteoweb.click2sell"
CONFIGURE = f"{ADDON}.Configure"


class IProviderDirective(Interface):
    """Register a payment provider, its callback, its settings page and its control panel."""

    component = GlobalObject(
        title="Provider",
        description="An IPaymentProvider; its name becomes the name of the views.",
    )
    callback = GlobalObject(
        title="Class of the callback",
        description="In the place of niteoweb.click2sell.browser.callback.Callback.",
        required=False,
    )


def provider(context: Any, component: IPaymentProvider, callback: Any = None) -> None:
    """Register a payment provider and its views of Plone sites with the add-on."""
    name, site = component.name, {"for_": IPloneSiteRoot, "layer": IClick2SellLayer}
    callback = callback or context.resolve(f"{ADDON}.browser.callback.Callback")
    settings = context.resolve(f"{ADDON}.browser.settings.page.SettingsPage")
    panel = context.resolve(f"{ADDON}.restapi.controlpanel.Click2SellControlpanel")
    utility(context, IPaymentProvider, component, name=name)
    metaconfigure.page(context, component.callback, "zope2.Public", class_=callback, **site)
    metaconfigure.page(context, f"{name}-settings", CONFIGURE, class_=settings, **site)
    metaconfigure.view(
        context, CONFIGURE, name=name, class_=panel, provides=IControlpanel, **site
    )()
