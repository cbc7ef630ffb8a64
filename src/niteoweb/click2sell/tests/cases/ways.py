"""All pages and services of the add-on, found by their registrations."""

from collections.abc import Iterator
from dataclasses import dataclass
from niteoweb.click2sell.interfaces import IClick2SellLayer
from plone.app.layout.globals.interfaces import IBodyClassAdapter
from plone.restapi.controlpanels.interfaces import IControlpanel
from zope.component import getSiteManager
from zope.interface.registry import AdapterRegistration
from zope.interface.registry import Components

import re


_SERVICE = re.compile(r"([A-Z]+)_application_json_(@.+)")


@dataclass(frozen=True, order=True)
class Way:
    """A way to call the add-on over HTTP.

    :ivar path: below the site.
    :ivar method: of a service, "" for a page, which takes GET and POST.
    """

    path: str
    method: str = ""


def ways() -> list[Way]:
    """The pages and services that are registered for the add-on's browser layer."""
    names = set()
    for registration in _registrations(getSiteManager()):
        if IClick2SellLayer not in registration.required or not registration.name:
            continue
        if len(registration.required) == 1:
            continue  # a folder of scripts and styles
        if len(registration.required) > 2:
            continue  # a viewlet, which is a part of pages
        if registration.provided is IBodyClassAdapter:
            continue  # classes of other people's pages
        service = _SERVICE.fullmatch(registration.name)
        if registration.provided is IControlpanel:
            names.add(Way(f"@controlpanels/{registration.name}", "GET"))
            names.add(Way(f"@controlpanels/{registration.name}", "PATCH"))
        elif service:
            names.add(Way(service[2], service[1]))
        else:
            names.add(Way(f"@@{registration.name}"))
    return sorted(names)


def _registrations(components: Components) -> Iterator[AdapterRegistration]:
    """The adapters of a registry, and of those that it is stacked on."""
    yield from components.registeredAdapters()
    for base in components.__bases__:
        yield from _registrations(base)
