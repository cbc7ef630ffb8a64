"""plenigo as a registered payment provider."""

from niteoweb.click2sell.interfaces import IPlenigoSettings
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import protocol
from niteoweb.click2sell.providers.plenigo import sample


PROVIDER = registry.PaymentProvider(protocol, IPlenigoSettings, client, sample)
