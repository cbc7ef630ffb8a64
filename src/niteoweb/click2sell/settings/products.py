"""Products: the owner's title and order page of each."""

from collections.abc import Collection
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import rules


def title(
    provider: str, product_id: str, sent_name: str = "", aliases: Collection[str] = ()
) -> str:
    """The name of a product: the owner's title, else the name that was sent, else the id."""
    return sent_name or product_id


def order_page(provider: str, product_id: str, aliases: Collection[str] = ()) -> str:
    """The address where a product is bought, "" for none."""
    links = rules.order_links(plone_site.settings().order_links or ())
    return links.get(product_id, "") if provider == registry.MAIN else ""
