"""Stripe as a registered payment provider."""

from niteoweb.click2sell.interfaces import IStripeSettings
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.stripe import client
from niteoweb.click2sell.providers.stripe import protocol
from niteoweb.click2sell.providers.stripe import sample


PROVIDER = registry.PaymentProvider(protocol, IStripeSettings, client, sample)
