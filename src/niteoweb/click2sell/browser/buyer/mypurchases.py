"""A member's own page: the pages that are open, the products with access, the purchases."""

from AccessControl import Unauthorized
from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.pagetitle import ITitled
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words import products as words
from niteoweb.click2sell.explain import ownpurchases
from niteoweb.click2sell.explain import ProductAccess
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.notification import UNDOING
from plone import api
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.interface import implementer


@dataclass(frozen=True)
class PaymentLine:
    """A payment or a refund."""

    date: str
    kind: str
    product: str
    receipt: str
    amount: str


@implementer(ITitled)
class MyPurchasesView(BrowserView):
    """``@@my-purchases``: shows a member's own purchases, after login."""

    template = ViewPageTemplateFile("../templates/mypurchases.pt")
    shared = ViewPageTemplateFile("../templates/shared.pt")
    title = _("My purchases")
    purchases_label = _("Purchases")
    titles = (_("Date"), _("Kind"), _("Product"), _("Receipt"), _("Amount"))

    def __call__(self) -> str:
        if api.user.is_anonymous():
            raise Unauthorized("Log in to see your purchases.")
        self.own = ownpurchases.of_visitor(self.context, timestamps.now())
        self.purchases = [self._row(payment) for payment in self.own.payments]
        return self.template()

    def is_buyer(self) -> bool:
        """Whether the user has bought something: only then is the page in the user's menu."""
        return ownpurchases.buyer_of_visitor(self.context) is not None

    def line(self, standing: ProductAccess) -> words.ProductLine:
        """A product in words."""
        return words.line(standing)

    def _row(self, entry: ledger.Entry) -> PaymentLine:
        return PaymentLine(
            date=formatting.day(timestamps.from_iso(entry["occurred_at"])),
            kind=_kind(entry["kind"]),
            product=formatting.product(entry),
            receipt=entry["receipt"],
            amount=formatting.amount(entry["amount"], entry["currency"]),
        )

    @property
    def timezone(self) -> str:
        """The zone of the times on the page."""
        return str(plone_site.timezone())


def _kind(stored: str) -> str:
    """A kind in a buyer's words: any statement of a subscription is one."""
    is_money = stored in PAYMENTS | UNDOING
    return formatting.capitalized(formatting.kind(stored) if is_money else _("subscription"))
