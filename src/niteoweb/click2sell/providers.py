"""The payment providers that come with the add-on."""

from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.paymentprovider import PaymentProvider
from niteoweb.click2sell.provider import click2sell


CLICK2SELL = PaymentProvider(click2sell, IClick2SellSettings)
