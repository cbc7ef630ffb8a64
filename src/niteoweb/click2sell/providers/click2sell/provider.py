"""Click2Sell as a registered payment provider."""

from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.click2sell import protocol
from niteoweb.click2sell.providers.click2sell import sample


PROVIDER = registry.PaymentProvider(protocol, IClick2SellSettings, sample=sample)
