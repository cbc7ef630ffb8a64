"""The products as the owner names and sells them: their titles and their order pages.

Pages, mails, services and files name a product by :func:`title`. A product may have a line of
its own, or one for another of its ids (an alias); its own line comes first.
"""

from collections.abc import Collection
from niteoweb.click2sell.entitlement import Line
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import effective


def title(
    provider: str, product_id: str, sent_name: str = "", aliases: Collection[str] = ()
) -> str:
    """The name of a product for people: the owner's title, else the sent name, else the id.

    :param provider: its name.
    :param sent_name: the name that came with a notification, "" for none.
    :param aliases: other ids that the provider has for the product.
    """
    lines = _lines(provider)
    return mapping.title(lines, (provider, product_id), aliases) or sent_name or product_id


def order_page(provider: str, product_id: str, aliases: Collection[str] = ()) -> str:
    """The address where a product is bought, "" for none; see :func:`title`."""
    return mapping.order_page(_lines(provider), (provider, product_id), aliases)


def _lines(name: str) -> tuple[Line, ...]:
    provider = registry.get(name)
    return () if provider is None else effective.lines(provider)
