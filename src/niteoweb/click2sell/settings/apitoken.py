"""The secrets that are sent to a provider's own API, and the address that they are sent to.

Like a secret key they are never shown. They belong to the address that they were entered for:
another address clears them, so that nobody can have them sent elsewhere without knowing them.
That goes for Plone's own configuration registry and for imports into it, too.
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
#: Each secret that is sent, with the settings that it belongs to.
SENT = {NAME: (ADDRESS,), "client_secret": (ADDRESS, "company_id")}


def is_set(provider: IPaymentProvider, name: str = NAME) -> bool:
    """Whether the provider's API can be asked, or another secret of :data:`SENT` is there."""
    return name in provider.schema and bool(getattr(registry.settings(provider), name))


def notice(site: Any, provider: IPaymentProvider, name: str = NAME) -> secretkeys.Notice | None:
    """The notice to the owner about a secret of :data:`SENT`; None when there is none."""
    if not is_set(provider, name):
        return None
    text = _("A token is set. Leave this field blank to keep it.")
    if name != NAME:
        text = _("A secret is set. Leave this field blank to keep it.")
    return secretkeys.Notice("info", text, is_set=False)


def problems(values: Mapping[str, Any]) -> Iterator[tuple[str, Message]]:
    """Problems of the address of an API.

    :param values: as for :func:`niteoweb.click2sell.settings.rules.validate`.
    """
    if values.get(ADDRESS) and not jsonapi.allowed(values[ADDRESS]):
        yield ADDRESS, _("This has to be an address that begins with https.")
    for name in SENT:
        if values.get(name) and values.get(f"{name}_clear"):
            text = _("Enter a token or remove the present one, not both.")
            if name != NAME:
                text = _("Enter a secret or remove the present one, not both.")
            yield f"{name}_clear", text


def changes(values: Mapping[str, Any], provider: IPaymentProvider) -> dict[str, str | None]:
    """The secrets as they have to be stored: a blank one keeps the stored one.

    :param values: settings that :func:`problems` found nothing wrong with.
    """
    stored, found = registry.settings(provider), {}
    for name in SENT.keys() & set(provider.schema):
        gone = values.get(f"{name}_clear") or any(
            one in values and values[one] != getattr(stored, one) for one in SENT[name]
        )
        found[name] = values.get(name) or (None if gone else getattr(stored, name))
    return found


@adapter(IRecordModifiedEvent)
def follow(event: Any) -> None:
    """Clear the secrets that belong to a setting that was changed, however that was done."""
    names = [name for name, owners in SENT.items() if event.record.fieldName in owners]
    if not names or event.oldValue == event.newValue:
        return
    for provider in registry.registered():
        if provider.schema.__identifier__ == event.record.interfaceName:
            for name in names:
                if is_set(provider, name):
                    setattr(registry.settings(provider), name, None)
