"""The teaser of a closed page: its subject, and the ways to get access."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser import membersonly
from niteoweb.click2sell.explain import entrance
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import visitor
from niteoweb.click2sell.paywall import behavior
from niteoweb.click2sell.paywall.decision import Decision
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.storage import trees
from plone import api
from plone.app.contenttypes.behaviors.leadimage import ILeadImage
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zope.i18n import translate

import json


#: Seconds after which to try again where a provider could not be asked.
RETRY_AFTER = 60


def offers(content: Any) -> list[membersonly.Offer]:
    """The ways to get access to a content object, for the visitor."""
    site = plone_site.get()
    page = behavior.guarded(content)
    if page is None or not trees.exists(site):
        return []
    readers = group.with_ancestors(behavior.access_groups(page))
    user_id, now = visitor.member_id(site), timestamps.now()
    openings = entrance.openings_for(site, readers, user_id, now)
    offers = [membersonly.offer(site, opening) for opening in openings]
    for provider in registry.enabled():
        if provider.paywall is not None:
            offers += provider.paywall.offers(page, content)
    return offers


def told(content: Any, request: Any, decision: Decision) -> list[dict[str, str]]:
    """The offers for a program; none while it is not certain that access is missing."""
    return [
        {"title": translate(offer.text, context=request), "url": offer.url}
        for offer in (offers(content) if decision.certain else ())
    ]


class TeaserView(BrowserView):
    """The view of :class:`niteoweb.click2sell.paywall.gate.Paywalled`."""

    template = ViewPageTemplateFile("templates/teaser.pt")

    def __init__(self, error: Any, request: Any) -> None:
        super().__init__(error.content, request)
        self.decision: Decision = error.decision

    def __call__(self) -> str:
        response = self.request.response
        response.setStatus(200 if self.decision.certain else 503, lock=True)
        if not self.decision.certain:
            response.setHeader("Retry-After", str(RETRY_AFTER))
        self.is_anonymous = api.user.is_anonymous()
        certain = self.decision.certain
        self.offers = offers(self.context) if certain else []
        return self.template()

    @property
    def image_tag(self) -> str:
        """The lead image, "" for none."""
        if not (ILeadImage.providedBy(self.context) and self.context.image):
            return ""
        images = self.context.restrictedTraverse("@@images")
        return images.tag("image", scale="large") or ""

    @property
    def structured(self) -> str:
        """The page for search engines: it is there, and not for free."""
        page = {
            "@context": "https://schema.org",
            "@type": "WebPage",
            "name": self.context.Title(),
            "url": self.context.absolute_url(),
            "isAccessibleForFree": False,
        }
        return json.dumps(page).replace("<", "\\u003c")

    @property
    def login_url(self) -> str:
        """The form for logging in, which leads back."""
        return plone_site.login_url(self.context.absolute_url())

    @property
    def contact_url(self) -> str:
        """The link to ask the site's owner."""
        return plone_site.contact_url(plone_site.get())
