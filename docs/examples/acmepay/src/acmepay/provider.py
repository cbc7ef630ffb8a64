"""Acme Pay as a registered payment provider."""

from acmepay import protocol
from acmepay import sample
from acmepay.interfaces import IAcmePaySettings
from niteoweb.click2sell.provider import registry
from typing import Any


PROVIDER = registry.PaymentProvider(protocol, IAcmePaySettings, sample=sample)


def install(setup_tool: Any) -> None:
    """Create the settings, and the entry in Site Setup."""
    registry.install(PROVIDER)


def uninstall(setup_tool: Any) -> None:
    """Delete both."""
    registry.uninstall(PROVIDER)
