"""A member's own purchases as a service of plone.restapi: ``GET /@my-purchases``.

Each member is answered what ``@@my-purchases`` shows them, and nothing of anybody else.
"""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.explain import ownpurchases
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.restapi import members
from plone import api
from plone.restapi.services import Service
from typing import Any
from zExceptions import Unauthorized
from zope.i18n import translate


NAME = "@my-purchases"

#: Fields of a payment that stand in the answer as they are.
PAYMENT = ("kind", "provider", "product_id", "amount", "currency", "receipt")


class MyPurchasesGet(Service):
    """Answers a GET."""

    def reply(self) -> dict[str, Any]:
        """The purchases of the member who is logged in.

        :raises Unauthorized: nobody is logged in.
        """
        if api.user.is_anonymous():
            raise Unauthorized("Log in to see your purchases.")
        own = ownpurchases.of_visitor(self.context, timestamps.now())
        return {
            "@id": f"{self.context.absolute_url()}/{NAME}",
            "products": [
                {
                    **members.standing(product.standing),
                    "renews": product.renews,
                    "order_url": product.order_url,
                    "manage_url": product.manage_url,
                }
                for product in own.products
            ],
            "payments": [_payment(payment) for payment in own.payments],
            "pages": [self._link(page) for page in own.pages],
            "links": [self._link(link) for link in own.links],
            "contact_url": own.contact_url,
        }

    def _link(self, link: ownpurchases.OwnLink) -> dict[str, str]:
        return {"title": translate(link.title, context=self.request), "url": link.url}


def _payment(entry: ledger.Entry) -> dict[str, Any]:
    return {
        "occurred_at": timestamps.from_iso(entry["occurred_at"]).isoformat(),
        **{name: entry[name] for name in PAYMENT},
        "product_name": history.product_title(entry),
    }
