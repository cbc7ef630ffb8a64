"""Contracts with other packages, profiles and sites: settings, events, the browser layer."""

from niteoweb.click2sell.interfaces.events import IAccessEndsSoonEvent
from niteoweb.click2sell.interfaces.events import IAccessEvent
from niteoweb.click2sell.interfaces.events import IAccessGrantedEvent
from niteoweb.click2sell.interfaces.events import IAccessRevokedEvent
from niteoweb.click2sell.interfaces.events import IMemberCreatedEvent
from niteoweb.click2sell.interfaces.events import IMemberCreateEvent
from niteoweb.click2sell.interfaces.events import IMemberEvent
from niteoweb.click2sell.interfaces.events import IMemberUpdateEvent
from niteoweb.click2sell.interfaces.plenigosettings import IPlenigoSettings
from niteoweb.click2sell.interfaces.provider import IPaymentProvider
from niteoweb.click2sell.interfaces.providersettings import ICleengSettings
from niteoweb.click2sell.interfaces.providersettings import IHookSettings
from niteoweb.click2sell.interfaces.providersettings import IProviderBasics
from niteoweb.click2sell.interfaces.providersettings import IProviderSettings
from niteoweb.click2sell.interfaces.providersettings import IStripeSettings
from niteoweb.click2sell.interfaces.secretkeyactions import ISecretKeyActions
from niteoweb.click2sell.interfaces.settings import IClick2SellSettings
from niteoweb.click2sell.interfaces.settings import SECRET_KEY_LENGTH
from niteoweb.click2sell.interfaces.settings import WELCOME_MAIL
from niteoweb.click2sell.interfaces.settings import WELCOME_SUBJECT
from niteoweb.click2sell.interfaces.settings import WELCOME_TEXT
from niteoweb.click2sell.interfaces.webtvsettings import IWebTVSettings
from zope.publisher.interfaces.browser import IDefaultBrowserLayer


__all__ = [
    *["SECRET_KEY_LENGTH", "WELCOME_MAIL", "WELCOME_SUBJECT", "WELCOME_TEXT"],
    "IAccessEndsSoonEvent",
    *["IAccessEvent", "IAccessGrantedEvent", "IAccessRevokedEvent", "IClick2SellLayer"],
    *["IMemberCreateEvent", "IMemberCreatedEvent", "IMemberEvent", "IMemberUpdateEvent"],
    *["ICleengSettings", "IClick2SellSettings", "IPlenigoSettings", "IProviderSettings"],
    *["IHookSettings", "IProviderBasics", "IWebTVSettings"],
    *["IPaymentProvider", "ISecretKeyActions", "IStripeSettings"],
]


class IClick2SellLayer(IDefaultBrowserLayer):
    """Browser layer: set on requests to sites that have the add-on installed."""
