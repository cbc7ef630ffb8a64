"""Single products that pages of the site sell: an issue of an ePaper, for example.

What is sold, and at what price, stands at the page; its offer in the settings names the product
of plenigo's that it overwrites.
"""

from AccessControl import Unauthorized
from Acquisition import aq_base
from contextlib import suppress
from decimal import Decimal
from niteoweb.click2sell import _
from niteoweb.click2sell.providers.plenigo import offers
from plone import api
from plone.autoform.directives import write_permission
from plone.autoform.interfaces import IFormFieldProvider
from plone.supermodel import model
from zope import schema
from zope.interface import provider


class NotSold(Exception):
    """The site does not sell that."""


@provider(IFormFieldProvider)
class IPlenigoProduct(model.Schema):
    """A page that describes the product of an offer with ``product=``."""

    model.fieldset(
        "plenigo_product",
        label=_("Sold by plenigo"),
        fields=["plenigo_price", "plenigo_product_id", "plenigo_access_right"],
    )
    write_permission(
        plenigo_price="niteoweb.click2sell.Configure",
        plenigo_product_id="niteoweb.click2sell.Configure",
        plenigo_access_right="niteoweb.click2sell.Configure",
    )

    plenigo_price = schema.Decimal(
        title=_("Price"),
        description=_("Without it the page is not sold. The currency stands in the offer."),
        required=False,
        min=Decimal(0),
        max=Decimal(100000),
    )

    plenigo_product_id = schema.TextLine(
        title=_("Product id"),
        description=_("Your own, 20 characters at most."),
        required=False,
        max_length=20,
    )

    plenigo_access_right = schema.TextLine(
        title=_("Access right"),
        description=_("The right at plenigo that a purchase gives."),
        required=False,
        constraint=offers.RIGHT.fullmatch,
    )


def of(uid: str, offer: offers.Offer) -> offers.Single | None:
    """The single product of a page.

    :param uid: of a page that the member may see, "" for none.
    :returns: None where the offer itself says what is sold.
    :raises NotSold: the page sells nothing by this offer, or the offer sells only by a page.
    """
    if not uid and offer.own_data is None:
        return None
    page = None
    if uid and offer.own_data is not None:
        with suppress(Unauthorized):
            page = api.content.get(UID=uid)
    if page is None or not IPlenigoProduct.providedBy(page):
        raise NotSold
    stored = aq_base(page)
    product_id, right = stored.plenigo_product_id, stored.plenigo_access_right
    if stored.plenigo_price is None or not (product_id and right):
        raise NotSold
    return offers.Single(product_id, page.Title(), stored.plenigo_price, right)
