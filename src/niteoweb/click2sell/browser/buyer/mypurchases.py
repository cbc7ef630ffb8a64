"""A member's own page: the pages that are open, the products with access, the purchases."""

from AccessControl import Unauthorized
from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.buyer import orderlink
from niteoweb.click2sell.browser.buyer import visitor
from niteoweb.click2sell.browser.pagetitle import ITitled
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words import products as words
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.explain import ProductAccess
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.member import pages
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import products
from plone import api
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message
from zope.interface import implementer


@dataclass(frozen=True)
class PaymentLine:
    """A payment or a refund."""

    date: str
    kind: Message | str
    product: str
    amount: str
    receipt: str


@dataclass(frozen=True)
class OwnProduct:
    """A product of the member, and the ways to keep it or to get it back.

    :ivar renews: it renews by itself.
    :ivar refunded: its purchase was undone.
    :ivar order_url: where to buy it again, "" where that cannot be done or makes no sense.
    :ivar manage_url: where to change or cancel it at its provider, "" for no such page.
    """

    title: str
    line: words.ProductLine
    renews: bool
    refunded: bool
    order_url: str
    manage_url: str


@implementer(ITitled)
class MyPurchasesView(BrowserView):
    """``@@my-purchases``: shows a member's own purchases, after login.

    It shows no reason, no group, and of the provider's data only that of the receipt.
    """

    template = ViewPageTemplateFile("../templates/mypurchases.pt")
    shared = ViewPageTemplateFile("../templates/shared.pt")
    title = _("My purchases")
    purchases_label = _("Purchases")
    titles = (_("Date"), _("Kind"), _("Product"), _("Amount"), _("Receipt"))

    def __call__(self) -> str:
        if api.user.is_anonymous():
            raise Unauthorized("Log in to see your purchases.")
        buyer = self._buyer()
        self.purchases: list[PaymentLine] = []
        self.products: list[OwnProduct] = []
        self.pages: list[pages.SharedPage] = []
        if buyer is not None:
            explained = explanation.explain(self.context, buyer, timestamps.now())
            self.purchases = [self._row(purchase) for purchase in explained.purchases]
            # A product without a line in the mapping has no state that a buyer could use.
            with_terms = [
                standing
                for standing in explained.standings
                if standing.access or standing.until is not None
            ]
            self.products = [
                self._product(standing, buyer)
                for standing in sorted(with_terms, key=lambda standing: not standing.access)
            ]
            held = set(api.user.get_current().getGroups())
            self.pages = pages.shared_with(held.intersection(buyer["grants"]))
        return self.template()

    @property
    def links(self) -> list[tuple[str, Message]]:
        """The pages on which providers let their buyers act: addresses and titles."""
        buyer, site_url = self._buyer(), self.context.absolute_url()
        return [
            (f"{site_url}/{name}", title)
            for one in registry.enabled()
            for name, title in one.links(registry.settings(one), _ids(buyer, one.name))
        ]

    def _buyer(self) -> buyers.Buyer | None:
        """The record of the user, None without a purchase."""
        user_id = visitor.member_id(self.context)
        return buyers.of_user(self.context, user_id) if user_id else None

    def is_buyer(self) -> bool:
        """Whether the user has bought something: only then is the page in the user's menu."""
        return self._buyer() is not None

    def _product(self, standing: ProductAccess, buyer: buyers.Buyer) -> OwnProduct:
        provider, product_id = standing.product
        renews = standing.renewable and standing.state in (State.ACTIVE, State.GRACE)
        ends = standing.until is not None and not renews
        seller = registry.get(provider)
        ids = _ids(buyer, provider)
        manage = seller.manage(registry.settings(seller), ids) if seller is not None else None
        return OwnProduct(
            title=products.title(provider, product_id, standing.name, standing.aliases),
            line=words.line(standing),
            renews=renews and standing.access,
            refunded=standing.state is State.REFUNDED,
            order_url=orderlink.link(self.context, provider, product_id, standing.aliases)
            if ends or not standing.access
            else "",
            manage_url=manage or "",
        )

    def _row(self, entry: ledger.Entry) -> PaymentLine:
        return PaymentLine(
            date=formatting.day(timestamps.from_iso(entry["occurred_at"])),
            kind=formatting.kind(entry["kind"]),
            product=products.title(
                entry["provider"],
                entry["product_id"],
                entry["product_name"],
                entry["aliases"],
            ),
            amount=formatting.amount(entry["amount"], entry["currency"]),
            receipt=entry["receipt"],
        )

    @property
    def contact_url(self) -> str:
        """The link to ask the site's owner."""
        return visitor.contact_url(self.context)

    @property
    def timezone(self) -> str:
        """The zone of the times on the page."""
        return str(plone_site.timezone())


def _ids(buyer: buyers.Buyer | None, provider: str) -> tuple[str, ...]:
    """A provider's ids of a buyer."""
    return tuple(
        id_ for name, id_ in (buyer["customer_ids"] if buyer else ()) if name == provider
    )
