"""The pages with plenigo's own JavaScript, and what it is told."""

from niteoweb.click2sell import site as plone_site
from plone import api
from typing import Any
from urllib.parse import urljoin
from urllib.parse import urlsplit


def language() -> str:
    """The language of the reader, two letters."""
    return (api.portal.get_current_language() or "en")[:2]


def described(stored: Any) -> dict[str, str]:
    """The script and its settings, for a page that is not Plone's."""
    company_id = stored.company_id or ""
    return {
        "src": (stored.sdk_url or "").replace("{company_id}", company_id),
        "companyId": company_id,
        "lang": language(),
        "baseCheckoutURI": stored.checkout_url or "",
    }


def host() -> str:
    """The host of this site, by which plenigo knows where something began."""
    return urlsplit(plone_site.address()).hostname or ""


def own_address(url: Any) -> str:
    """An address of this site, "" for any other."""
    site = plone_site.get()
    own = isinstance(url, str) and len(url) <= 2000 and site.portal_url.isURLInPortal(url)
    return urljoin(f"{site.absolute_url()}/", url) if own and url else ""
