"""The ways to order a product: its order page, over the site where a token goes along."""

from collections.abc import Collection
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import products
from urllib.parse import urlencode


#: Sends the visitor on, with a token for the member who is logged in.
VIEW = "@@click2sell-order"


def find(provider: str, product_id: str, aliases: Collection[str] = ()) -> str:
    """The address to order a product at, "" where nobody can.

    :returns: a path below the site, which begins with :data:`VIEW`, where the provider can hand
        a member's token back; else the address of the order page.
    """
    seller = registry.get(provider)
    if seller is None or not registry.is_enabled(seller):
        return ""
    for id_ in (product_id, *sorted(aliases)):
        page = products.order_page(provider, id_)
        if page and not seller.member_parameter:
            return page
        if page:
            return path(provider, id_)
    return ""


def path(provider: str, product_id: str) -> str:
    """The path below the site that leads to the order page of a product."""
    named = {} if provider == registry.MAIN else {"provider": provider}
    return f"{VIEW}?{urlencode({'product': product_id, **named})}"


def link(provider: str, product_id: str, aliases: Collection[str] = ()) -> str:
    """The address to order a product at, below that of the request; "" where nobody can."""
    page = find(provider, product_id, aliases)
    return f"{plone_site.get().absolute_url()}/{page}" if page.startswith(VIEW) else page


def absolute(provider: str, product_id: str, aliases: Collection[str] = ()) -> str:
    """The address to order a product at, as it stands in a mail; "" where nobody can.

    :raises niteoweb.click2sell.site.NoAddress: the site has no public address.
    """
    page = find(provider, product_id, aliases)
    return plone_site.link(page) if page.startswith(VIEW) else page
