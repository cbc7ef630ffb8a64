"""A member's own page: the purchases, and the products with access."""

from AccessControl import getSecurityManager
from AccessControl import Unauthorized
from Acquisition import aq_base
from Acquisition import aq_inner
from Acquisition import aq_parent
from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.pagetitle import ITitled
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words import products
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.storage import trees
from plone import api
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
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


def member_id(site: Any) -> str:
    """The member of the site who is logged in, "" for nobody.

    A user of Zope's root may have the id of a member of the site, and be another person.
    """
    user = getSecurityManager().getUser()
    is_own = aq_base(aq_parent(aq_inner(user))) is aq_base(site.acl_users)
    return user.getId() or "" if is_own and trees.exists(site) else ""


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
        self.products: list[products.ProductLine] = []
        if buyer is not None:
            explained = explanation.explain(self.context, buyer, timestamps.now())
            self.purchases = [self._row(purchase) for purchase in explained.purchases]
            # A product without a line in the mapping has no state that a buyer could use.
            with_terms = [
                standing
                for standing in explained.standings
                if standing.access or standing.until is not None
            ]
            self.products = products.lines(with_terms)
        return self.template()

    def _buyer(self) -> buyers.Buyer | None:
        """The record of the user, None without a purchase."""
        user_id = member_id(self.context)
        return buyers.of_user(self.context, user_id) if user_id else None

    def _row(self, entry: ledger.Entry) -> PaymentLine:
        return PaymentLine(
            date=formatting.day(timestamps.from_iso(entry["occurred_at"])),
            kind=formatting.kind(entry["kind"]),
            product=formatting.product(entry),
            amount=formatting.amount(entry["amount"], entry["currency"]),
            receipt=entry["receipt"],
        )

    @property
    def timezone(self) -> str:
        """The zone of the times on the page."""
        return str(plone_site.timezone())
