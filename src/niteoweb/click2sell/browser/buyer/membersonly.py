"""The way to a members' page, for a visitor whom Plone keeps out of it.

Plone leads a visitor without access to its form for logging in, or to a page that says
"Insufficient Privileges". Where a product opens the page, they are told which, and where to get
it. Nothing of the page itself is told, nor whether it is there: the nearest folder decides.
"""

from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.pagetitle import ITitled
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.explain import entrance
from niteoweb.click2sell.member import visitor
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.settings import orderlinks
from niteoweb.click2sell.settings import products
from niteoweb.click2sell.storage import trees
from plone import api
from plone.app.layout.viewlets import ViewletBase
from Products.CMFPlone.browser.login.login import RequireLoginView
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from urllib.parse import urlencode
from zope.i18nmessageid import Message
from zope.interface import implementer


#: Characters of an address that is looked at, at most.
LONGEST = 2000


@dataclass(frozen=True)
class Offer:
    """A product that opens the page.

    :ivar text: the visitor's standing with it.
    :ivar url: where to get it, "" where nobody can.
    :ivar label: of the link.
    """

    text: Message
    url: str
    label: Message


def offers(site: Any, request: Any) -> list[Offer]:
    """The products that open the page which a visitor came from, as Plone's login names it."""
    came_from = request.get("came_from")
    if not isinstance(came_from, str) or not 0 < len(came_from) <= LONGEST:
        return []
    if not trees.exists(site):
        return []
    try:
        path = request.physicalPathFromURL(came_from.partition("?")[0].partition("#")[0])
    except ValueError:
        return []  # another site's
    user_id = visitor.member_id(site)
    openings = entrance.openings(site, path, user_id, timestamps.now())
    return [offer(site, opening) for opening in openings]


def offer(site: Any, opening: entrance.Opening) -> Offer:
    """A product as it is offered to the visitor."""
    standing = opening.standing
    name = standing.name if standing is not None else ""
    if not name:
        name = overview.product_name(site, (opening.provider, opening.product_id))
    title = products.title(opening.provider, opening.product_id, name)
    url = orderlinks.link(opening.provider, opening.product_id)
    quoted: dict[str, Any] = {"product": title}
    if standing is None:
        # An id says nothing to a visitor.
        text = _("You can buy access to this page.")
        if title != opening.product_id:
            text = _("${product} gives you access.", mapping=quoted)
        return Offer(text, url, _("Get access"))
    if standing.access:
        text = _("You have ${product}, but your access does not work yet.", mapping=quoted)
        return Offer(text, "", "")
    if standing.state is State.UPCOMING:
        quoted["day"] = formatting.day(standing.since)
        return Offer(_("Your access to ${product} begins on ${day}.", mapping=quoted), "", "")
    if standing.state is State.SUSPENDED:
        text = _("Your access to ${product} is suspended at the moment.", mapping=quoted)
        return Offer(text, "", "")
    until = standing.end
    if until is None or until > timestamps.now():
        return Offer(_("${product} gives you access.", mapping=quoted), url, _("Get access"))
    quoted["day"] = formatting.day(until)
    if standing.state is State.REFUNDED:
        text = _("Your purchase of ${product} was refunded on ${day}.", mapping=quoted)
        return Offer(text, url, _("Order again"))
    text = _("Your access to ${product} ended on ${day}.", mapping=quoted)
    return Offer(text, url, _("Renew"))


class RequireLogin(RequireLoginView):
    """``require_login``: leads visitors who are logged in to :class:`MembersOnlyView`.

    Plone's own view would lead them to a page that does not know where they wanted to go.
    """

    def __call__(self) -> None:
        site = api.portal.get()
        if api.user.is_anonymous() or not offers(site, self.request):
            super().__call__()
            return
        query = urlencode({"came_from": self.request.get("came_from")})
        self.request.response.redirect(f"{site.absolute_url()}/@@members-only?{query}")


@implementer(ITitled)
class MembersOnlyView(BrowserView):
    """``@@members-only?came_from=ADDRESS``: says which products open a page, and who to ask."""

    title = _("This page is for members")
    template = ViewPageTemplateFile("../templates/membersonly.pt")

    def __call__(self) -> str:
        self.request.response.setHeader("X-Robots-Tag", "noindex")
        self.offers = offers(self.context, self.request)
        self.is_anonymous = api.user.is_anonymous()
        return self.template()

    @property
    def login_url(self) -> str:
        """The form for logging in, which leads back."""
        return plone_site.login_url(str(self.request.get("came_from", "")))

    @property
    def contact_url(self) -> str:
        """The link to ask the site's owner."""
        return plone_site.contact_url(self.context)


class LoginViewlet(ViewletBase):
    """Above the form for logging in: which products open the page that was asked for."""

    index = ViewPageTemplateFile("../templates/loginviewlet.pt")

    def update(self) -> None:
        """Look the page up."""
        super().update()
        self.offers = offers(api.portal.get(), self.request)
