"""The part of the checklist that only plenigo has: selling on the site, and logging in."""

from collections.abc import Iterator
from niteoweb.click2sell import _
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import login
from niteoweb.click2sell.providers.plenigo import offers
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.setup import Check
from niteoweb.click2sell.setup import Status
from typing import Any
from urllib.parse import urlsplit


#: The rights of a token, as plenigo calls them, each with a question that needs it. No question
#: that changes nothing needs CHECKOUT, the right to sell, or PROCESSES, by which a session
#: replaces another one.
RIGHTS = {
    "CUSTOMERS": ("customers",),
    "APPSTORES": ("subscriptions",),
    "PRODUCTS": ("products", "offers"),
    "ACCESS_RIGHTS": ("accessRights",),
    "VOUCHERS": ("vouchers", "campaigns"),
    "SETTINGS": ("settings", "customerCancellationReasons"),
}
STAGE = "stage"


def items(settings: Any, connect: bool) -> Iterator[Check]:
    """The checks of a site that sells or logs readers in, or is about to.

    :param connect: ask plenigo, which may take some seconds.
    """
    yield from _login(settings)
    if not (settings.offers or settings.company_id):
        return
    yield _company(settings)
    yield from _environment(settings)
    if connect and settings.api_token:
        try:
            with jsonapi.within(jsonapi.SALE):
                api = client.connect(settings)
                yield from [_rights(api), _offers(api, settings.offers or ())]
        except (Unreachable, Refused):
            # The check of the API tells why.
            return


def _login(settings: Any) -> Iterator[Check]:
    """A warning when the chosen login lacks a setting."""
    text = None
    if settings.login == login.ID_SYSTEM and not settings.login_url:
        text = _("The address of the id system is missing: no page can lead readers to it.")
    elif login.is_on_page(settings) and not settings.company_id:
        text = _("The company id is missing: no page can show plenigo's login.")
    if text:
        yield Check("plenigo_login", Status.WARNING, _("Log in with plenigo"), text)


def _company(settings: Any) -> Check:
    title = _("Company id")
    if settings.company_id:
        return Check("plenigo_company", Status.OK, title, _("The company id is set."))
    text = _("Without your company id at plenigo nothing can be bought here.")
    return Check("plenigo_company", Status.TODO, title, text)


def _environment(settings: Any) -> Iterator[Check]:
    """Whether all addresses are of plenigo itself, or all of its stage."""
    apis = (settings.api_url, settings.customer_api_url)
    addresses = (*apis, settings.sdk_url, settings.checkout_url)
    stages = {STAGE in (urlsplit(url).hostname or "") for url in addresses if url}
    title = _("Addresses of plenigo")
    if len(stages) > 1:
        text = _("Some addresses are those of plenigo's stage, and some are not.")
        yield Check("plenigo_addresses", Status.TODO, title, text)
    if settings.debug_mode and stages != {True}:
        text = _("The debug mode of the checkout is on. It is for plenigo's stage only.")
        yield Check("plenigo_debug_mode", Status.WARNING, _("Debug mode of the checkout"), text)


def _rights(api: JsonApi) -> Check:
    """Whether the token has each right; some cannot be tried."""
    missing = []
    for right, path in RIGHTS.items():
        try:
            client.read(api, *path, size=str(client.SMALLEST_PAGE))
        except (jsonapi.TokenRefused, Refused):
            missing.append(right)
    title = _("Rights of the token")
    if not missing:
        text = _(
            "The token has all rights that can be tried. It needs CHECKOUT and PROCESSES, too."
        )
        return Check("plenigo_rights", Status.OK, title, text)
    text = _("The token lacks these rights, or your contract the part of plenigo:")
    return Check("plenigo_rights", Status.TODO, title, text, tuple(missing))


def _offers(api: JsonApi, lines: Any) -> Check:
    title = _("Offers")
    try:
        listed = offers.parse(lines)
    except offers.OfferError as error:
        text = _("Line ${number} cannot be read.", mapping={"number": error.number})
        return Check("plenigo_offers", Status.TODO, title, text)
    if not listed:
        text = _("No offer is sold here yet. Write a line for each under Offers.")
        return Check("plenigo_offers", Status.TODO, title, text)
    unknown = tuple(id_ for id_ in listed if not shop.is_known(api, id_))
    if unknown:
        text = _("plenigo does not know these:")
        return Check("plenigo_offers", Status.TODO, title, text, unknown)
    text = _("plenigo knows all offers: ${number}", mapping={"number": len(listed)})
    return Check("plenigo_offers", Status.OK, title, text)
