"""The settings in use: the mapping of all providers, the policy, and the callback addresses."""

from datetime import timedelta
from functools import lru_cache
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.entitlement import Line
from niteoweb.click2sell.entitlement import parse
from niteoweb.click2sell.entitlement import Policy
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.provider import registry

import logging


logger = logging.getLogger("niteoweb.click2sell")


def mapping() -> tuple[Line, ...]:
    """The readable lines of all providers' mappings.

    A line that cannot be read is logged by its number, and does no harm. The lines of a
    provider that was switched off count: purchases stay.
    """
    mapping_lines: list[Line] = []
    for provider in registry.registered():
        read, errors = _parsed(_stored(provider), provider.name)
        for error in errors:
            logger.error("Mapping of products of %s to groups: %s", provider.name, error)
        mapping_lines += read
    return tuple(mapping_lines)


def lines(provider: IPaymentProvider) -> tuple[Line, ...]:
    """The readable lines of a provider's mapping."""
    return _parsed(_stored(provider), provider.name)[0]


def _stored(provider: IPaymentProvider) -> tuple[str, ...]:
    return tuple(registry.settings(provider).mapping or ())


#: Reads a mapping once: comparing each line with all others takes time.
_parsed = lru_cache(maxsize=32)(parse)


def policy() -> Policy:
    """The settings that entitlements depend on."""
    settings = plone_site.settings()
    return Policy(
        grace_days=settings.grace_days or 0,
        unmatched_refund_needs_attention=bool(settings.unmatched_refund_needs_attention),
    )


def sweep_pause() -> timedelta | None:
    """The time from one sweep to the next, None when the site calls the sweep by itself."""
    minutes = plone_site.settings().sweep_minutes
    if minutes is None:
        minutes = IClick2SellSettings["sweep_minutes"].default
    return timedelta(minutes=minutes) if minutes else None


def callback_address(provider: IPaymentProvider) -> str:
    """The address to which a payment provider has to send its notifications."""
    return f"{plone_site.address()}/@@{provider.callback}"
