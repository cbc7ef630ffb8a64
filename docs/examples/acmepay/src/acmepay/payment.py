"""Acme Pay, as it is registered."""

from acmepay import provider
from acmepay import sample
from acmepay.interfaces import IAcmePaySettings
from niteoweb.click2sell.provider import registry


ACMEPAY = registry.PaymentProvider(provider, IAcmePaySettings, sample=sample)
