"""The token for a provider's own API, and the address that it is sent to.

Like a secret key it is never shown. It belongs to the address that it was entered for: another
address clears it, so that nobody can have it sent elsewhere without knowing it. That goes for
Plone's own configuration registry and for imports into it, too.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from niteoweb.click2sell import _
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import secretkeys
from plone.registry.interfaces import IRecordModifiedEvent
from typing import Any
from zope.component import adapter
from zope.i18nmessageid import Message


#: The field with the token; not every provider has one.
NAME = "api_token"
#: The field with the address that it is sent to.
ADDRESS = "api_url"


def is_set(provider: IPaymentProvider) -> bool:
    """Whether the provider's API can be asked."""
    return NAME in provider.schema and bool(getattr(registry.settings(provider), NAME))


def notice(site: Any, provider: IPaymentProvider) -> secretkeys.Notice | None:
    """The notice to the owner about the token; None when there is none."""
    if not is_set(provider):
        return None
    text = _("A token is set. Leave this field blank to keep it.")
    return secretkeys.Notice("info", text, is_set=False)


def problems(values: Mapping[str, Any]) -> Iterator[tuple[str, Message]]:
    """Problems of the address of an API.

    :param values: as for :func:`niteoweb.click2sell.settings.rules.validate`.
    """
    if values.get(ADDRESS) and not jsonapi.allowed(values[ADDRESS]):
        yield ADDRESS, _("This has to be an address that begins with https.")
    if values.get(NAME) and values.get("api_token_clear"):
        yield "api_token_clear", _("Enter a token or remove the present one, not both.")


def changes(values: Mapping[str, Any], provider: IPaymentProvider) -> dict[str, str | None]:
    """The token as it has to be stored: a blank one keeps the stored one.

    :param values: settings that :func:`problems` found nothing wrong with.
    """
    if NAME not in provider.schema:
        return {}
    stored = registry.settings(provider)
    moved = ADDRESS in values and values[ADDRESS] != stored.api_url
    kept = None if moved or values.get("api_token_clear") else stored.api_token
    return {NAME: values.get(NAME) or kept}


@adapter(IRecordModifiedEvent)
def follow(event: Any) -> None:
    """Clear the token of a provider whose address was changed, however that was done."""
    if event.record.fieldName != ADDRESS or event.oldValue == event.newValue:
        return
    for provider in registry.registered():
        if provider.schema.__identifier__ == event.record.interfaceName and is_set(provider):
            setattr(registry.settings(provider), NAME, None)
