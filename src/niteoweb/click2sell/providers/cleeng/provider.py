"""Cleeng as a registered payment provider."""

from niteoweb.click2sell.interfaces import ICleengSettings
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.cleeng import protocol
from niteoweb.click2sell.providers.cleeng import sample


PROVIDER = registry.PaymentProvider(protocol, ICleengSettings, sample=sample)
