"""The behavior *Paywall* of content types, and the pages that it guards."""

from Acquisition import aq_base
from Acquisition import aq_chain
from Acquisition import aq_inner
from collections.abc import Collection
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.member import group
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import effective
from plone.autoform.directives import write_permission
from plone.autoform.interfaces import IFormFieldProvider
from plone.dexterity.interfaces import IDexterityContent
from plone.supermodel import model
from Products.CMFCore.interfaces import ISiteRoot
from typing import Any
from zope import schema
from zope.interface import provider
from zope.schema.interfaces import IVocabularyFactory
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary


@provider(IFormFieldProvider)
class IPaywall(model.Schema):
    """A page that only members of some groups read, and everything in it."""

    model.fieldset("paywall", label=_("Paywall"), fields=["access_groups"])
    write_permission(access_groups="niteoweb.click2sell.SetPaywall")
    access_groups = schema.List(
        title=_("Groups that may read this"),
        description=_(
            "All others see the title, the description, the lead image and where to get "
            "access. The contents of a folder follow it, unless they have groups of their "
            "own. Without a group the page follows its folder."
        ),
        value_type=schema.Choice(vocabulary="niteoweb.click2sell.groups"),
        required=False,
    )


@provider(IVocabularyFactory)
def groups(context: Any) -> SimpleVocabulary:
    """The groups that products give, and those that the page has already."""
    names = [line.group_id for line in effective.mapping()]
    names += filter(None, (plone_site.settings().buyers_group,))
    if IDexterityContent.providedBy(context):
        names += access_groups(context)
    return SimpleVocabulary(
        [SimpleTerm(name, name, group.title(name)) for name in dict.fromkeys(names)]
    )


def access_groups(page: Any) -> Collection[str]:
    """The ids of the groups of a page, without those of its folder."""
    return (aq_base(page).access_groups or ()) if IPaywall.providedBy(page) else ()


def guarded(content: Any) -> Any | None:
    """The page whose paywall a content object is behind: itself or the nearest folder."""
    for page in aq_chain(aq_inner(content)):
        if ISiteRoot.providedBy(page):
            return None
        if IDexterityContent.providedBy(page) and _has_paywall(page):
            return page
    return None


def _has_paywall(page: Any) -> bool:
    return bool(access_groups(page)) or any(
        one.paywall is not None and one.paywall.guards(page) for one in registry.registered()
    )
