"""plenigo as a registered payment provider."""

from niteoweb.click2sell import _
from niteoweb.click2sell.interfaces import IPlenigoSettings
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.plenigo import checks
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import paywall
from niteoweb.click2sell.providers.plenigo import privacy
from niteoweb.click2sell.providers.plenigo import protocol
from niteoweb.click2sell.providers.plenigo import sample
from typing import Any
from zope.i18nmessageid import Message


def links(settings: Any, customer_ids: tuple[str, ...]) -> tuple[tuple[str, Message], ...]:
    """The pages of the site for who buys from plenigo."""
    if not protocol.sells(settings):
        return ()
    redeem = ("@@plenigo-voucher", _("Redeem a voucher"))
    cancel = ("@@plenigo-subscription", _("Cancel or resume a subscription"))
    return (cancel, redeem) if customer_ids else (redeem,)


PROVIDER = registry.PaymentProvider(
    protocol,
    IPlenigoSettings,
    client,
    sample,
    privacy=privacy,
    links=links,
    checks=checks.items,
    paywall=paywall,
)
