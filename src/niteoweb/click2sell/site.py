"""The Plone site: the add-on's settings in it, its time zone, its sender, its address."""

from DateTime import DateTime
from datetime import date
from datetime import datetime
from DateTime.interfaces import DateTimeError
from DateTime.interfaces import IDateTime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell import webaddress
from niteoweb.click2sell.interfaces import IClick2SellSettings
from plone import api
from plone.base.i18nl10n import ulocalized_time
from plone.base.interfaces import IMailSchema
from plone.base.interfaces import ISiteSchema
from plone.registry.interfaces import IRegistry
from Products.CMFCore.interfaces import ISiteRoot
from typing import Any
from zoneinfo import ZoneInfo
from zope.component import getUtility
from zope.component.hooks import getSite
from zope.interface import implementer

import os


def get() -> Any:
    """The Plone site of the current request or script."""
    site = getSite()
    # plone.api looks through all that is around it, which is asked for too often for that.
    return site if ISiteRoot.providedBy(site) else api.portal.get()


def tool(name: str) -> Any:
    """A tool of the site, such as its user folder.

    What plone.api does for it is to ask for a utility, and the site's schema for a field.
    """
    return get()[name]


def settings() -> IClick2SellSettings:
    """The add-on's settings; a record that is not there yet reads as None."""
    return getUtility(IRegistry).forInterface(IClick2SellSettings, check=False)


def timezone() -> ZoneInfo:
    """The site's time zone, UTC when it has none."""
    name = api.portal.get_registry_record("plone.portal_timezone", default=None)
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, TypeError, ValueError):
        return ZoneInfo("UTC")


def zope_time(moment: datetime) -> DateTime:
    """A moment as a member property keeps it: on the site's clock, if Zope knows the offset."""
    try:
        return DateTime(timestamps.in_zone(moment, timezone()).isoformat())
    except DateTimeError:
        return DateTime(moment.isoformat())


@implementer(IDateTime)
class _Shown(datetime):
    """A time for Plone to show as it is.

    Plone shows Zope's DateTime in the zone of the process, which need not be the site's.
    """


def shown(at: date, long: bool = True, language: str | None = None) -> str:
    """A day, or a moment in the site's time zone, in words.

    :param at: a moment has its time zone.
    :param long: with the time of day.
    :param language: None for the reader's.
    """
    if isinstance(at, datetime):
        at = timestamps.in_zone(at, timezone())
    clock = _Shown(*at.timetuple()[:6], tzinfo=getattr(at, "tzinfo", None))
    return ulocalized_time(clock, long, context=get(), target_language=language)


def mailed_time(moment: datetime, long: bool = True) -> str:
    """A moment as it stands in a mail: in the site's time zone and main language."""
    return shown(moment, long, api.portal.get_default_language())


def title() -> str:
    """The site's title."""
    record = getUtility(IRegistry).forInterface(ISiteSchema, prefix="plone", check=False)
    return record.site_title or api.portal.get().getId()


def sender() -> tuple[str, str]:
    """Name and address that the site sends mail from.

    :returns: the address is "" when the site has none.
    """
    record = getUtility(IRegistry).forInterface(IMailSchema, prefix="plone", check=False)
    return record.email_from_name or title(), record.email_from_address or ""


def mail_domain() -> str:
    """The right side of the ids of mails."""
    return sender()[1].rpartition("@")[2] or "localhost"


class NoAddress(Exception):
    """The site has no public address that links could be built from."""


def public_address() -> str:
    """The public address of the settings in its one form, "" for none that can be used."""
    try:
        return webaddress.normal(settings().site_address or "")
    except webaddress.Unusable:
        return ""


def link(path: str) -> str:
    """A link into the site for a mail; nothing else makes one.

    It is built from the public address of the settings, and never from a request, whose sender
    may choose the host.

    :param path: below the site, ``@@my-purchases`` for example; quoted as in an address.
    :raises NoAddress: there is no public address; the mail has to wait.
    """
    public = public_address()
    if not public:
        raise NoAddress
    return f"{public}/{path}"


def address() -> str:
    """The address of the site for its owner to read: the public one, else that of the request.

    Links in mails are made by :func:`link`.
    """
    return public_address() or get().absolute_url()


def is_copy() -> bool:
    """Whether this is a copy of the site, which must not act as the site.

    That is so when ``CLICK2SELL_STAGING=1`` is in the environment, or when a request comes to
    another host than that of the public address in the settings. A script has no request.
    """
    if os.environ.get("CLICK2SELL_STAGING") == "1":
        return True
    public, here = public_address(), webaddress.host(get().absolute_url())
    return bool(public) and here != _NO_HOST and here != webaddress.host(public)


#: The host of a request that nobody made: that of a script.
_NO_HOST = ("nohost", None)

#: Hosts that requests to this process came to, by the physical paths of the sites; only hosts
#: that are the public ones of their sites.
_reached: dict[tuple[str, ...], tuple[str, int | None] | None] = {}


def note_reached(event: Any) -> None:
    """Note that a request has come to the public address of a site (IPubAfterTraversal)."""
    site = getSite()
    if not ISiteRoot.providedBy(site):
        return
    path, here = site.getPhysicalPath(), webaddress.host(site.absolute_url())
    if _reached.get(path) != here and webaddress.host(public_address()) == here:
        _reached[path] = here


def is_reached() -> bool:
    """Whether a request to this process has come to the site's public address.

    Before, nobody knows whether this is the site: a copy of its database knows the same
    address, and must neither mail nor ask providers by itself.
    """
    public = webaddress.host(public_address())
    return public is not None and _reached.get(get().getPhysicalPath()) == public
