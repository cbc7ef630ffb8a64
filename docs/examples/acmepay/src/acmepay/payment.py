"""Acme Pay, as it is registered."""

from acmepay import provider
from acmepay import sample
from acmepay.interfaces import IAcmePaySettings
from niteoweb.click2sell.paymentprovider import PaymentProvider


ACMEPAY = PaymentProvider(provider, IAcmePaySettings, sample=sample)
