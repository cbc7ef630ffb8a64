"""The token for a provider's own API, and the address that it is sent to.

Like a secret key it is never shown. It belongs to the address that it was entered for: another
address clears it, so that nobody can have it sent elsewhere without knowing it.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from niteoweb.click2sell import _
from niteoweb.click2sell import paymentprovider
from niteoweb.click2sell.client import jsonapi
from niteoweb.click2sell.interfaces import IPaymentProvider
from typing import Any
from zope.i18nmessageid import Message


#: The field with the token; not every provider has one.
NAME = "api_token"


def is_set(provider: IPaymentProvider) -> bool:
    """Whether the provider's API can be asked."""
    return NAME in provider.schema and bool(getattr(paymentprovider.settings(provider), NAME))


def problems(values: Mapping[str, Any]) -> Iterator[tuple[str, Message]]:
    """What is wrong with the address of an API.

    :param values: as for :func:`niteoweb.click2sell.settings.validate`.
    """
    if values.get("api_url") and not jsonapi.allowed(values["api_url"]):
        yield "api_url", _("This has to be an address that begins with https.")
    if values.get(NAME) and values.get("api_token_clear"):
        yield "api_token_clear", _("Enter a token or remove the present one, not both.")


def changes(values: Mapping[str, Any], provider: IPaymentProvider) -> dict[str, str | None]:
    """What has to be stored of the token: a blank one keeps the stored one.

    :param values: settings that :func:`problems` found nothing wrong with.
    """
    if NAME not in provider.schema:
        return {}
    stored = paymentprovider.settings(provider)
    moved = "api_url" in values and values["api_url"] != stored.api_url
    kept = None if moved or values.get("api_token_clear") else stored.api_token
    return {NAME: values.get(NAME) or kept}
