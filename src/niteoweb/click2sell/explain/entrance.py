"""The products that open a page to its visitor, and the visitor's standing with each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.explain import products
from niteoweb.click2sell.explain.products import ProductAccess
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import pages
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import effective
from typing import Any


@dataclass(frozen=True)
class Opening:
    """A product that opens a page.

    :ivar standing: the visitor's access to it, None for a visitor who never bought it.
    """

    provider: str
    product_id: str
    standing: ProductAccess | None


def openings(
    site: Any, path: Sequence[str], user_id: str, now: datetime
) -> tuple[Opening, ...]:
    """The products that open the page of a path to its visitor, in the order of the mapping.

    :param path: in Zope, see :func:`niteoweb.click2sell.member.pages.readers`.
    :param user_id: of the visitor, "" for one who is not logged in.
    :param now: in UTC.
    :returns: none when no product does, or the visitor may read the page.
    """
    return openings_for(site, pages.readers(path), user_id, now)


def openings_for(
    site: Any, readers: frozenset[str], user_id: str, now: datetime
) -> tuple[Opening, ...]:
    """The products whose groups are among the readers of a page, in the order of the mapping.

    :param readers: ids of groups and members.
    """
    if not readers:
        return ()
    enabled = {provider.name for provider in registry.enabled()}
    for_all = _opens(plone_site.settings().buyers_group, readers)
    lines = [
        line
        for line in effective.mapping()
        if line.provider in enabled and (for_all or _opens(line.group_id, readers))
    ]
    buyer = buyers.of_user(site, user_id) if lines and user_id else None
    known = products.of(history.outcome(site, buyer, now)) if buyer is not None else ()
    return tuple(
        Opening(
            provider,
            product_id,
            next((one for one in known if line.names(one.product, one.aliases)), None),
        )
        for (provider, product_id), line in {
            (line.provider, line.product_id): line for line in lines
        }.items()
    )


def _opens(group_id: str, readers: frozenset[str]) -> bool:
    return bool(group_id) and not readers.isdisjoint(group.with_ancestors([group_id]))
