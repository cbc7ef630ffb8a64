"""The Plone site: the add-on's settings in it, its time zone, its sender, its address."""

from DateTime import DateTime
from datetime import date
from datetime import datetime
from DateTime.interfaces import DateTimeError
from DateTime.interfaces import IDateTime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell import webaddress
from niteoweb.click2sell.interfaces import IClick2SellSettings
from persistent.mapping import PersistentMapping
from plone import api
from plone.base.i18nl10n import ulocalized_time
from plone.base.interfaces import IMailSchema
from plone.base.interfaces import ISiteSchema
from plone.registry.interfaces import IRegistry
from Products.CMFCore.interfaces import ISiteRoot
from typing import Any
from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo
from zope.annotation.interfaces import IAnnotations
from zope.component import getUtility
from zope.component.hooks import getSite
from zope.interface import implementer

import os
import secrets


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
    """A moment as a member property keeps it: on the site's clock, where Zope can read that."""
    try:
        local = DateTime(timestamps.in_zone(moment, timezone()).isoformat())
    except DateTimeError:
        local = None
    # Zope loses the offset of a time that is beyond the last day of the year 9999 in UTC.
    if local is None or local.micros() != timestamps.microseconds(moment):
        return DateTime(moment.isoformat())
    return local


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


def contact_url(site: Any) -> str:
    """Plone's contact form, which mails the site's own address; "" for a site without one.

    For pages: a mail has links of :func:`link` alone.
    """
    return f"{site.absolute_url()}/contact-info" if sender()[1] else ""


def login_url(back: str) -> str:
    """The form for logging in, for a page; it leads back to an address."""
    return f"{get().absolute_url()}/login?{urlencode({'came_from': back})}"


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


class Place(NamedTuple):
    """The place where a site is, as far as the database and visitors can tell.

    :ivar path: in Zope.
    :ivar address: the public one, "" before there is one.
    """

    path: str
    address: str


def place() -> Place:
    """The place of the current site."""
    return Place("/".join(get().getPhysicalPath()), public_address())


def noted_place() -> Place | None:
    """The place at which the current site is the site, and no copy.

    :returns: None when nobody has said so in this database.
    """
    noted = _root().get(_PLACES, {}).get(IAnnotations(get()).get(_ID))
    return None if noted is None else Place(*noted)


def settle() -> None:
    """Note that this is the site, at the place where it is now.

    A site that shares its id at another place is a copy from now on. One with another path and
    another address than the noted ones is no successor: it gets an id of its own.
    """
    annotations, here, noted = IAnnotations(get()), place(), noted_place()
    apart = noted and noted.path != here.path and noted.address != here.address
    if apart or _ID not in annotations:
        annotations[_ID] = secrets.token_hex(16)
    root = _root()
    if _PLACES not in root:
        root[_PLACES] = PersistentMapping()
    root[_PLACES][annotations[_ID]] = tuple(here)


def install() -> None:
    """Give a new site its id; a site that has one stays the site, or a copy."""
    if _ID not in IAnnotations(get()):
        settle()


def uninstall() -> None:
    """Remove the id of the site, and its place unless that is the place of another one."""
    noted, annotations = noted_place(), IAnnotations(get())
    if noted and noted.path == place().path:
        del _root()[_PLACES][annotations[_ID]]
    annotations.pop(_ID, None)


def note_address() -> None:
    """Note the first public address, after an owner has saved settings; a copy notes none."""
    noted, here = noted_place(), place()
    if noted == (here.path, "") and here.address:
        settle()


def is_elsewhere() -> bool:
    """Whether the site was copied or moved, or its host changed, since it was noted.

    An address that was removed is no other one: mails wait then in any case.
    """
    noted, here = noted_place(), place()
    if noted is None or noted.path != here.path:
        return True
    hosts = webaddress.host(noted.address), webaddress.host(here.address)
    return None not in hosts and hosts[0] != hosts[1]


def is_copy() -> bool:
    """Whether this is a copy of the site, which must not act as the site.

    That is so when ``CLICK2SELL_STAGING=1`` is in the environment, when the site is not where
    it was noted to be, or when a request comes to another host than that of the public address.
    A script has no request.
    """
    if os.environ.get("CLICK2SELL_STAGING") == "1" or is_elsewhere():
        return True
    public, here = public_address(), webaddress.host(get().absolute_url())
    return bool(public) and here != _NO_HOST and here != webaddress.host(public)


#: Of the annotation that holds the id of a site. A copy has the id of the site that it is of.
_ID = "niteoweb.click2sell.id"
#: Of the places of all sites by their ids, at the root of the database: they are not copied
#: along with a site.
_PLACES = "niteoweb.click2sell"


def _root() -> Any:
    return get().getPhysicalRoot()._p_jar.root()


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
