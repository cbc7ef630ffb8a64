"""Pages that plenigo's rights of access open, and plenigo's offers on them."""

from Acquisition import aq_base
from collections.abc import Collection
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser import membersonly
from niteoweb.click2sell.paywall import behavior
from niteoweb.click2sell.paywall import Decision
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.plenigo import accessrights
from niteoweb.click2sell.providers.plenigo import offers as offer_lines
from niteoweb.click2sell.providers.plenigo import protocol
from niteoweb.click2sell.settings import products
from plone.app.layout.viewlets import ViewletBase
from plone.autoform.directives import write_permission
from plone.autoform.interfaces import IFormFieldProvider
from plone.supermodel import model
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from urllib.parse import urlencode
from zope import schema
from zope.interface import provider


#: Rights of a page, at most.
MOST = 20

_PERMISSION = "niteoweb.click2sell.SetPaywall"


@provider(IFormFieldProvider)
class IPlenigoPaywall(model.Schema):
    """A page that plenigo's rights of access open, or that sells plenigo's offers."""

    model.fieldset("paywall", label=_("Paywall"), fields=["access_rights", "plenigo_offers"])
    write_permission(access_rights=_PERMISSION, plenigo_offers=_PERMISSION)

    access_rights = schema.List(
        title=_("Access rights at plenigo"),
        description=_("One per line. Customers of plenigo with one of them may read this."),
        value_type=schema.TextLine(constraint=offer_lines.RIGHT.fullmatch),
        required=False,
        max_length=MOST,
    )

    plenigo_offers = schema.List(
        title=_("Offers of plenigo"),
        description=_("One offer id per line, of those that the settings list."),
        value_type=schema.TextLine(constraint=offer_lines.ID.fullmatch),
        required=False,
        max_length=MOST,
    )


def rights(page: Any) -> Collection[str]:
    """The rights of a page, without those of its folder."""
    return (aq_base(page).access_rights or ()) if IPlenigoPaywall.providedBy(page) else ()


def guards(page: Any) -> bool:
    """Whether a page has rights, so that only who has one of them reads it."""
    return bool(rights(page))


def decide(page: Any, user_id: str) -> Decision:
    """Whether a member may read a page."""
    return accessrights.of_member(plone_site.get(), user_id, rights(page))


def offers(page: Any, content: Any) -> list[membersonly.Offer]:
    """The offers of a page that the site sells. plenigo is not asked for their names.

    :param content: that the visitor wanted to read, the page or something in it.
    """
    stored = registry.settings(registry.get(protocol.NAME))
    if not (IPlenigoPaywall.providedBy(page) and protocol.sells(stored)):
        return []
    try:
        sold = offer_lines.parse(stored.offers or ())
    except offer_lines.OfferError:
        return []
    url = f"{plone_site.get().absolute_url()}/@@plenigo-checkout"
    found = []
    for id_ in aq_base(page).plenigo_offers or ():
        if id_ in sold:
            title = products.title(protocol.NAME, id_)
            text = _("${product} gives you access.", mapping={"product": title})
            query = urlencode({"offer": id_, "came_from": content.absolute_url()})
            found.append(membersonly.Offer(text, f"{url}?{query}", _("Buy")))
    return found


class OfferViewlet(ViewletBase):
    """Shows the offers of a page without a paywall, below it."""

    index = ViewPageTemplateFile("templates/offers.pt")

    def update(self) -> None:
        """Look the offers up."""
        super().update()
        is_free = behavior.guarded(self.context) is None
        enabled = registry.is_enabled(registry.get(protocol.NAME))
        self.offers = offers(self.context, self.context) if is_free and enabled else []
