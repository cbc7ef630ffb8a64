"""What the add-on asks the Plone site: its settings, its time zone, its sender, its address."""

from DateTime import DateTime
from datetime import datetime
from functools import lru_cache
from niteoweb.click2sell import paymentprovider
from niteoweb.click2sell.entitlement import Policy
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.mapping import Line
from niteoweb.click2sell.mapping import MappingError
from niteoweb.click2sell.mapping import parse
from plone import api
from plone.base.i18nl10n import ulocalized_time
from plone.base.interfaces import IMailSchema
from plone.base.interfaces import ISiteSchema
from plone.registry.interfaces import IRegistry
from Products.CMFCore.interfaces import ISiteRoot
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo
from zoneinfo import ZoneInfoNotFoundError
from zope.component import getUtility
from zope.component.hooks import getSite

import logging
import os


logger = logging.getLogger("niteoweb.click2sell")


def get() -> Any:
    """The Plone site of the current request or script."""
    found = getSite()
    # plone.api looks through all that is around it, which is asked for too often for that.
    return found if ISiteRoot.providedBy(found) else api.portal.get()


def tool(name: str) -> Any:
    """A tool of the site, such as its user folder.

    What plone.api does for it is to ask for a utility, and the site's schema for a field.
    """
    return get()[name]


def settings() -> IClick2SellSettings:
    """The add-on's settings; a record that is not there yet reads as None."""
    return getUtility(IRegistry).forInterface(IClick2SellSettings, check=False)


def mapping() -> tuple[Line, ...]:
    """The readable lines of all providers' mappings.

    The others are logged, by number, and do no harm. Those of a provider that was switched off
    count: what was paid for stays.
    """
    found: list[Line] = []
    for provider in paymentprovider.registered():
        stored = paymentprovider.settings(provider).mapping
        lines, errors = _parsed(tuple(stored or ()), provider.name)
        for error in errors:
            logger.error("Mapping of products of %s to groups: %s", provider.name, error)
        found += lines
    return tuple(found)


@lru_cache(maxsize=32)
def _parsed(
    lines: tuple[str, ...], provider: str
) -> tuple[tuple[Line, ...], tuple[MappingError, ...]]:
    """The lines as they were read before: each is compared with all others."""
    return parse(lines, provider)


def policy() -> Policy:
    """The settings that entitlements depend on."""
    found = settings()
    return Policy(
        grace_days=found.grace_days or 0,
        unmatched_refund_needs_attention=bool(found.unmatched_refund_needs_attention),
    )


def timezone() -> ZoneInfo:
    """The site's time zone, UTC when it has none."""
    name = api.portal.get_registry_record("plone.portal_timezone", default=None)
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local_time(moment: datetime, long: bool = True) -> str:
    """A moment as it stands in a mail: in the site's time zone and main language.

    :param moment: with its time zone.
    :param long: with the time of day.
    """
    # Plone shows every time in the zone of the process: give it the site's clock as if it were
    # that of the process.
    clock = DateTime(*moment.astimezone(timezone()).timetuple()[:6])
    language = api.portal.get_default_language()
    return ulocalized_time(clock, long, context=get(), target_language=language)


def title() -> str:
    """The site's title."""
    found = getUtility(IRegistry).forInterface(ISiteSchema, prefix="plone", check=False)
    return found.site_title or api.portal.get().getId()


def sender() -> tuple[str, str]:
    """Name and address that the site sends mail from.

    :returns: the address is "" when the site has none.
    """
    found = getUtility(IRegistry).forInterface(IMailSchema, prefix="plone", check=False)
    return found.email_from_name or title(), found.email_from_address or ""


def mail_domain() -> str:
    """The right side of the ids of mails."""
    return sender()[1].rpartition("@")[2] or "localhost"


def address() -> str:
    """The site's address for links in mails: the public one of the settings, if it is set."""
    return settings().site_address or api.portal.get().absolute_url()


def callback_address(provider: IPaymentProvider) -> str:
    """Where a payment provider has to send its notifications."""
    return f"{address()}/@@{provider.name}"


def is_copy() -> bool:
    """Whether this is a copy of the site, which must not act as the site.

    That is so when ``CLICK2SELL_STAGING=1`` is in the environment, or when a request comes to
    another host than that of the public address in the settings. A script has no request.
    """
    if os.environ.get("CLICK2SELL_STAGING") == "1":
        return True
    public, here = settings().site_address, api.portal.get().absolute_url()
    if not public or urlsplit(here).hostname in (None, "nohost"):
        return False
    return host(public) != host(here)


def host(url: str) -> tuple[str, int | None]:
    """Host and port of an address, to compare: "" without a host, None for a usual port."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    port = parts.port or default
    # A site behind a proxy may see http where visitors see https.
    return (parts.hostname or "").lower(), None if port in (80, 443) else port
