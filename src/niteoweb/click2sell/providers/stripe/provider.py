"""Stripe as a registered payment provider."""

from niteoweb.click2sell import _
from niteoweb.click2sell.interfaces import IStripeSettings
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.stripe import checks
from niteoweb.click2sell.providers.stripe import client
from niteoweb.click2sell.providers.stripe import events
from niteoweb.click2sell.providers.stripe import protocol
from niteoweb.click2sell.providers.stripe import sample


REASONS = {
    events.THIN: _(
        "Stripe says only that something happened, and changes no access. In Stripe's "
        "Dashboard, create an event destination with the payload style Snapshot in the place "
        "of this one, which has the style Thin."
    ),
}
PROVIDER = registry.PaymentProvider(
    protocol, IStripeSettings, client, sample, checks=checks.items, reasons=REASONS
)
