"""The page that leads a member to Stripe's Customer Portal, to change a subscription."""

from AccessControl import Unauthorized
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser import ITitled
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.member import visitor
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.stripe.account import Account
from niteoweb.click2sell.providers.stripe.provider import PROVIDER
from plone import api
from plone.protect.authenticator import check
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message
from zope.interface import implementer


@implementer(ITitled)
class PortalView(BrowserView):
    """``@@stripe-portal``: opens a session of the Customer Portal by a POST.

    A session is made at that moment, for a customer that the member is; it ends by itself.
    """

    template = ViewPageTemplateFile("portal.pt")
    title = _("Manage my subscription")
    message: Message | None = None

    def __call__(self) -> str:
        if api.user.is_anonymous():
            raise Unauthorized("Log in to manage your subscription.")
        self.customers = self._customers()
        if self.request.method == "POST":
            check(self.request)
            return self._lead_on(str(self.request.form.get("customer", "")))
        return self.template()

    def _lead_on(self, customer_id: str) -> str:
        response = self.request.response
        if customer_id not in self.customers or not self.is_possible:
            response.setStatus(400)
            return self.template()
        url = self._open(customer_id)
        if url:
            response.setHeader("Referrer-Policy", "no-referrer")
            response.redirect(url, status=303)
            return ""
        response.setStatus(503)
        response.setHeader("Retry-After", "60")
        self.message = _("Stripe cannot be asked at the moment. Try again later.")
        return self.template()

    @property
    def is_possible(self) -> bool:
        """Whether a session can be made."""
        has_key = registry.is_enabled(PROVIDER) and registry.settings(PROVIDER).api_token
        return bool(has_key and self.customers) and not plone_site.is_copy()

    def _customers(self) -> dict[str, str]:
        """The addresses of the customers that the member is at Stripe, by their ids."""
        user_id = visitor.member_id(self.context)
        buyer = buyers.of_user(self.context, user_id) if user_id else None
        if buyer is None:
            return {}
        stated, name = dict(buyer.get("stated", ())), PROVIDER.name
        return {id_: stated.get((name, id_), "") for id_ in customers.ids(buyer, name)}

    def _open(self, customer_id: str) -> str:
        """The address of a new session, "" where none can be made."""
        back = f"{plone_site.address()}/@@my-purchases"
        try:
            with jsonapi.within(jsonapi.SALE):
                account = Account(registry.settings(PROVIDER))
                url = account.open_portal(customer_id, back)
        except (Unreachable, Refused, ParameterError):
            return ""
        return url if jsonapi.allowed(url.partition("?")[0]) else ""
