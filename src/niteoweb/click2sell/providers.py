"""The payment providers that come with the add-on."""

from niteoweb.click2sell.client import plenigo as plenigo_client
from niteoweb.click2sell.interfaces import ICleengSettings
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.interfaces import IPlenigoSettings
from niteoweb.click2sell.paymentprovider import PaymentProvider
from niteoweb.click2sell.provider import cleeng
from niteoweb.click2sell.provider import click2sell
from niteoweb.click2sell.provider import plenigo
from niteoweb.click2sell.sample import cleeng as cleeng_sample
from niteoweb.click2sell.sample import click2sell as click2sell_sample
from niteoweb.click2sell.sample import plenigo as plenigo_sample


CLEENG = PaymentProvider(cleeng, ICleengSettings, sample=cleeng_sample)
CLICK2SELL = PaymentProvider(click2sell, IClick2SellSettings, sample=click2sell_sample)
PLENIGO = PaymentProvider(plenigo, IPlenigoSettings, plenigo_client, plenigo_sample)
