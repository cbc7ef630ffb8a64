"""``@@plenigo-checkout``: what is bought, plenigo's checkout, and the page with thanks."""

from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser import ITitled
from niteoweb.click2sell.browser import visitor
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import offers
from niteoweb.click2sell.providers.plenigo import problems
from niteoweb.click2sell.providers.plenigo import sdk
from plone.protect.authenticator import check
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from urllib.parse import urlencode
from zExceptions import NotFound
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse


#: Parameters of the page that go along with a purchase.
SOURCE = (*offers.UTM, *offers.PASSED_ON, offers.AFFILIATE)
LONGEST = 2000


@implementer(ITitled, IPublishTraverse)
class CheckoutView(BrowserView):
    """Shows what a member is about to buy, and by a POST has plenigo prepare it.

    ``/<id>`` is plenigo's checkout, ``/<id>/done?order=N`` looks after what was bought, and
    ``/<id>/failed`` says that nothing was.
    """

    template = ViewPageTemplateFile("templates/checkout.pt")
    title = _("Checkout")
    problem: problems.Problem | None = None
    begun: checkout.Checkout | None = None
    offer: offers.Offer | None = None
    step = "offer"
    result = ""

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.path: list[str] = []

    def publishTraverse(self, request: Any, name: str) -> "CheckoutView":
        """A step of the address below the page."""
        if len(self.path) == 2:
            raise NotFound
        self.path.append(name)
        return self

    def __call__(self) -> str:
        response = self.request.response
        response.setHeader("Referrer-Policy", "strict-origin-when-cross-origin")
        try:
            self.stored = checkout.settings()
        except checkout.NotSold:
            raise NotFound from None
        self.user_id = visitor.member_id(self.context)
        if not self.user_id:
            return self._login()
        try:
            return self._answer()
        except problems.ERRORS as error:
            self.problem = problems.of(error)
            response.setStatus(self.problem.status, lock=True)
            if self.problem.retry_after:
                response.setHeader("Retry-After", str(self.problem.retry_after))
            return self.template()

    def _answer(self) -> str:
        if self.path:
            return self._of_checkout()
        if self.request.method == "POST":
            # The automatic check sees uncommitted changes only, and the writer commits.
            check(self.request)
            names = ("offer", "bonus")
            wanted = {
                **{name: self._text(name) for name in names},
                "came_from": sdk.own_address(self._text("came_from")),
            }
            begun = checkout.begin(
                self.user_id, self.request.environ, sdk.language(), wanted, self.source
            )
            return self.request.response.redirect(f"{self.url}/{begun.id}", status=303)
        self.offer = checkout.sold(self._text("offer"))
        checkout.ready(writes=False)
        self.texts = checkout.texts(self.stored, self.offer.id, sdk.language())
        return self.template()

    def _of_checkout(self) -> str:
        self.begun = checkout.get(self.user_id, self.path[0])
        self.step = self.path[1] if len(self.path) == 2 else "sdk"
        if self.step == "done":
            order = self._text("order")
            number = int(order) if order.lstrip("-").isdecimal() and len(order) < 19 else 0
            self.result, _found = checkout.done(self.user_id, number)
        elif self.step == "sdk":
            checkout.ready(writes=False)
            if not checkout.is_shown(self.begun, timestamps.now()):
                self.step = "over"
        elif self.step != "failed":
            raise NotFound
        return self.template()

    def _login(self) -> str:
        """Send a visitor to the login form, which leads back here; plenigo hears nothing."""
        parameters = {
            name: value
            for name in ("offer", "came_from", *SOURCE)
            if (value := self._text(name))
        }
        address = "/".join([self.url, *self.path])
        back = f"{address}?{urlencode(parameters)}" if parameters else address
        login = f"{self.context.absolute_url()}/login?{urlencode({'came_from': back})}"
        return self.request.response.redirect(login)

    def _text(self, name: str) -> str:
        value = self.request.form.get(name, "")
        return value.strip() if isinstance(value, str) and len(value) <= LONGEST else ""

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"{self.context.absolute_url()}/@@plenigo-checkout"

    @property
    def source(self) -> dict[str, str]:
        """Parameters about a campaign."""
        return {name: value for name in SOURCE if (value := self._text(name))}

    @property
    def hidden(self) -> dict[str, str]:
        """The fields of the form that nobody sees."""
        came_from = sdk.own_address(self._text("came_from"))
        return {"offer": self.offer.id, "came_from": came_from, **self.source}

    @property
    def again_url(self) -> str:
        """Where to begin again, "" for an offer that is not named."""
        offer = self.begun.offer if self.begun else ""
        return f"{self.url}?{urlencode({'offer': offer})}" if offer else ""

    @property
    def page_url(self) -> str:
        """The address of the page itself, which plenigo sends the buyer back to."""
        return f"{self.url}/{self.begun.id}"

    @property
    def sdk(self) -> dict[str, str]:
        """plenigo's script and its settings."""
        return sdk.described(self.stored)

    @property
    def files_url(self) -> str:
        """The address of the scripts of this site."""
        return f"{self.context.absolute_url()}/++plone++niteoweb.click2sell.plenigo"
