"""The gate in front of pages behind the paywall: each request, and each copy, goes through it.

Everything is closed but the services and images of :func:`_is_free`. The request is looked at
and not the browser layer: of two Plone sites in one address only the first sets its layers.
"""

from Acquisition import aq_base
from collections.abc import Iterator
from niteoweb.click2sell.paywall import behavior
from niteoweb.click2sell.paywall import decision
from niteoweb.click2sell.paywall import leaks
from niteoweb.click2sell.paywall.decision import Decision
from plone.app.contenttypes.behaviors.leadimage import ILeadImage
from plone.dexterity.interfaces import IDexterityContainer
from plone.dexterity.interfaces import IDexterityContent
from plone.namedfile.scaling import ImageScale
from plone.rest.interfaces import IAPIRequest
from plone.rest.interfaces import IService
from plone.rest.traverse import RESTWrapper
from plone.restapi.interfaces import ISerializeToJson
from plone.restapi.services.actions.get import ActionsGet
from plone.restapi.services.breadcrumbs.get import BreadcrumbsGet
from plone.restapi.services.content.get import ContentGet
from plone.restapi.services.contextnavigation.get import ContextNavigationGet
from plone.restapi.services.navigation.get import NavigationGet
from plone.restapi.services.navroot.get import NavrootGet
from typing import Any
from zExceptions import Unauthorized
from zope.component import adapter
from zope.component import queryMultiAdapter
from zope.lifecycleevent.interfaces import IObjectCopiedEvent
from ZPublisher.interfaces import IPubAfterTraversal


class FreeService:
    """A service that answers at closed pages, too: it tells nothing of them."""


#: Services that tell nothing of a page beyond its title; a Volto site shows a page with them.
FREE_SERVICES = (
    *(FreeService, ActionsGet, BreadcrumbsGet, ContextNavigationGet),
    *(NavigationGet, NavrootGet),
)
LEAD_IMAGE = "image"


class Paywalled(Exception):
    """The visitor may not read a page; its view is the teaser.

    :ivar content: that was asked for.
    """

    def __init__(self, content: Any, decision: Decision) -> None:
        super().__init__("This page is for members.")
        self.content, self.decision = content, decision


def content_of(request: Any) -> Any | None:
    """The content object that a request is about: the innermost one of its path."""
    published = request.get("PUBLISHED")
    of_method = getattr(published, "__self__", None)
    for one in (published, of_method, *request.get("PARENTS", ())):
        # plone.rest wraps the objects of a service's path.
        one = one.context if isinstance(one, RESTWrapper) else one
        if IDexterityContent.providedBy(one):
            return one
    return None


@adapter(IPubAfterTraversal)
def guard(event: IPubAfterTraversal) -> None:
    """Let the visitor through, or not.

    :raises Paywalled: a page was asked for.
    :raises Unauthorized: something else was, a service for example.
    """
    request = event.request
    content = content_of(request)
    if content is None or behavior.guarded(content) is None or _is_free(request, content):
        return
    decided = decision.decide(content)
    if decided.granted:
        return
    if IAPIRequest.providedBy(request) or request.method not in ("GET", "HEAD", "POST"):
        raise Unauthorized("This page is for members.")
    raise Paywalled(content, decided)


def _is_free(request: Any, content: Any) -> bool:
    """Whether a request is free to everybody, though the page is closed."""
    published = request.get("PUBLISHED")
    view = aq_base(getattr(published, "__self__", published))
    # A browser asks before it asks; plone.rest answers that without asking the service.
    is_preflight = getattr(request, "_rest_cors_preflight", False)
    if (is_preflight and IService.providedBy(published)) or isinstance(view, FREE_SERVICES):
        return True
    if isinstance(view, ContentGet):
        # An add-on may have a serializer of its own, which knows no paywall.
        serializer = queryMultiAdapter((content, request), ISerializeToJson)
        return isinstance(serializer, leaks.Closable)
    is_lead_image = isinstance(view, ImageScale) and ILeadImage.providedBy(content)
    return is_lead_image and getattr(view, "fieldname", "") == LEAD_IMAGE


@adapter(IDexterityContent, IObjectCopiedEvent)
def refuse_copy(copy: Any, event: IObjectCopiedEvent) -> None:
    """Refuse a copy by somebody who may not read the original: the copy would be theirs.

    :raises Unauthorized: the original, or something in it, is closed to them.
    """
    for content in _with_contents(event.original):
        if not decision.decide(content).granted:
            raise Unauthorized("This page is for members.")


def _with_contents(content: Any) -> Iterator[Any]:
    yield content
    if IDexterityContainer.providedBy(content):
        for one in content.objectValues():
            yield from _with_contents(one)


def ignore_in_error_log(site: Any, ignore: bool) -> None:
    """Have Plone's error log leave out visitors at the paywall, or not."""
    log = getattr(aq_base(site), "error_log", None)
    if log is not None:
        names = [name for name in log._ignored_exceptions if name != Paywalled.__name__]
        log._ignored_exceptions = (*names, *([Paywalled.__name__] if ignore else ()))
