"""The visitor's own purchases, for the page and the service *My purchases*."""

from collections.abc import Collection
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.explain.products import ProductAccess
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.member import pages
from niteoweb.click2sell.member import visitor
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.notification import UNDOING
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import orderlinks
from plone import api
from typing import Any
from urllib.parse import urljoin
from zope.i18nmessageid import Message


@dataclass(frozen=True)
class OwnProduct:
    """A product of the member, and the ways to keep it or to get it back.

    :ivar renews: it renews by itself.
    :ivar order_url: where to buy it again, "" where that cannot be done or makes no sense.
    :ivar manage_url: where to change or cancel it at its provider, "" for no such page.
    """

    standing: ProductAccess
    renews: bool
    order_url: str
    manage_url: str

    @property
    def refunded(self) -> bool:
        """Whether its purchase was undone."""
        return self.standing.state is State.REFUNDED


@dataclass(frozen=True)
class OwnLink:
    """A page for the member: one that was bought, or one on which a provider lets them act."""

    title: Message | str
    url: str


@dataclass(frozen=True)
class OwnPurchases:
    """Everything that a member may read about the own purchases.

    It has no reason, no group, and of the provider's data only that of the receipt.

    :ivar products: those with access first.
    :ivar payments: entries of payments and refunds, newest first.
    :ivar pages: the pages that a group opens which was bought.
    :ivar links: the pages on which providers let their buyers act.
    :ivar contact_url: where to ask the site's owner, "" for nowhere.
    """

    products: tuple[OwnProduct, ...]
    payments: tuple[ledger.Entry, ...]
    pages: tuple[OwnLink, ...]
    links: tuple[OwnLink, ...]
    contact_url: str


def of_visitor(site: Any, now: datetime) -> OwnPurchases:
    """The purchases of the member who is logged in; empty for anybody else.

    :param now: in UTC.
    """
    buyer, contact_url = buyer_of_visitor(site), plone_site.contact_url(site)
    links = tuple(_links(site, buyer))
    if buyer is None:
        return OwnPurchases((), (), (), links, contact_url)
    explained = explanation.explain(site, buyer, now, with_timeline=False)
    # A product without a line in the mapping has no state that a buyer could use.
    with_terms = [
        standing for standing in explained.standings if standing.state is not State.UNMAPPED
    ]
    held = set(api.user.get_current().getGroups())
    return OwnPurchases(
        products=tuple(
            _product(site, standing, buyer)
            for standing in sorted(with_terms, key=lambda standing: not standing.access)
        ),
        payments=tuple(_payments(explained.purchases)),
        pages=tuple(
            OwnLink(page.title, f"{site.absolute_url()}/{page.path}")
            for page in pages.shared_with(held.intersection(buyer["grants"]))
        ),
        links=links,
        contact_url=contact_url,
    )


def buyer_of_visitor(site: Any) -> buyers.Buyer | None:
    """The record of the member who is logged in, None without a purchase."""
    user_id = visitor.member_id(site)
    return buyers.of_user(site, user_id) if user_id else None


def _payments(purchases: Collection[ledger.Entry]) -> Iterator[ledger.Entry]:
    """The payments and refunds, and the first statement of a subscription without a payment.

    A provider that states a subscription does so again when it is cancelled, for example, and
    does not say what was paid.

    :param purchases: newest first.
    """
    paid = {_sale(entry) for entry in purchases if entry["kind"] in PAYMENTS}
    first = {_sale(entry): entry["key"] for entry in purchases}
    for entry in purchases:
        is_first = first[_sale(entry)] == entry["key"] and _sale(entry) not in paid
        if is_first or entry["kind"] in PAYMENTS | UNDOING:
            yield entry


def _sale(entry: ledger.Entry) -> tuple[str, str]:
    return entry["provider"], entry["transaction"]


def _product(site: Any, standing: ProductAccess, buyer: buyers.Buyer) -> OwnProduct:
    provider, product_id = standing.product
    renews = standing.renewable and standing.state in (State.ACTIVE, State.GRACE)
    ends = standing.until is not None and not renews
    seller = registry.get(provider)
    ids = customers.ids(buyer, provider)
    manage = seller.manage(registry.settings(seller), ids) if seller is not None else None
    return OwnProduct(
        standing=standing,
        renews=renews and standing.access,
        order_url=orderlinks.link(provider, product_id, standing.aliases)
        if (ends and standing.access) or standing.is_over
        else "",
        # A provider names a page of the site by its path.
        manage_url=urljoin(f"{site.absolute_url()}/", manage) if manage else "",
    )


def _links(site: Any, buyer: buyers.Buyer | None) -> Iterator[OwnLink]:
    for one in registry.enabled():
        for name, title in one.links(registry.settings(one), customers.ids(buyer, one.name)):
            yield OwnLink(title, f"{site.absolute_url()}/{name}")
