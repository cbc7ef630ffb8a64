"""``@@plenigo-checkout``: the offer, plenigo's checkout, and the page with thanks."""

from babel import numbers
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import offers
from niteoweb.click2sell.providers.plenigo import protocol
from niteoweb.click2sell.providers.plenigo import sdk
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.providers.plenigo import singles
from niteoweb.click2sell.providers.plenigo.memberview import MemberView
from niteoweb.click2sell.settings import products
from plone.app.layout.globals.interfaces import IBodyClassAdapter
from plone.protect.authenticator import check
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from urllib.parse import urlencode
from zExceptions import NotFound
from zope.interface import implementer

import re


#: The number of an order, or the number by which plenigo's script says that there is none.
_ORDER = re.compile(r"-?[0-9]{1,18}", re.ASCII)

#: Signs that no class of a page has.
_NO_CLASS = re.compile(r"[^0-9A-Za-z_-]+", re.ASCII)


@implementer(IBodyClassAdapter)
class BodyClasses:
    """Adds the classes of :class:`CheckoutView` to the body of its page."""

    def __init__(self, context: Any, request: Any) -> None:
        """Nothing is needed."""

    def get_classes(self, template: Any, view: Any) -> set[str]:
        """The classes, none for any other page."""
        return view.body_classes if isinstance(view, CheckoutView) else set()


class CheckoutView(MemberView):
    """Shows the offer that a member is about to buy; a POST has plenigo prepare it.

    ``/<id>`` is plenigo's checkout, ``/<id>/done?order=N`` looks after what was bought, and
    ``/<id>/failed`` says that nothing was.
    """

    template = ViewPageTemplateFile("templates/checkout.pt")
    title = _("Checkout")
    name = "@@plenigo-checkout"
    steps = 2
    script = "page.js"
    begun: checkout.Checkout | None = None
    offer: offers.Offer | None = None
    single: offers.Single | None = None
    presented = shop.Presentation()
    step = "offer"
    result = ""

    def _answer(self) -> str:
        if self.path:
            return self._of_checkout()
        if self.request.method == "POST":
            # The automatic check sees uncommitted changes only, and the writer commits.
            check(self.request)
            names = ("offer", "bonus", "content")
            wanted = {
                **{name: self.text(name) for name in names},
                "came_from": sdk.own_address(self.text("came_from")),
            }
            begun = checkout.begin(self.user_id, self.request.environ, wanted, self.source)
            return self.request.response.redirect(checkout.page_url(begun.id), status=303)
        self.offer = checkout.sold(self.text("offer"))
        self.single = singles.of(self.text("content"), self.offer)
        checkout.ready(writes=False)
        # Told before the buyer goes on, and to owners, who cannot.
        checkout.page_url(checkout.new_id())
        self.presented, self.bonuses = checkout.presentation(
            self.stored, self.offer.id, self.offer.bonuses
        )
        title = self.presented.title or products.title(protocol.NAME, self.offer.id)
        self.heading = self.single.title if self.single else title
        return self.template()

    @property
    def body_classes(self) -> set[str]:
        """The classes of the page by the offer's product tags, for a theme."""
        names = {_NO_CLASS.sub("-", tag).strip("-") for tag in self.presented.tags}
        return {f"plenigo-tag-{name}" for name in names if name}

    def _of_checkout(self) -> str:
        self.begun = checkout.get(self.user_id, self.path[0])
        self.step = self.path[1] if len(self.path) == 2 else "sdk"
        if self.step == "done":
            order = self.text("order")
            number = int(order) if _ORDER.fullmatch(order) else 0
            self.result, found = checkout.done(self.user_id, self.path[0], number)
            self.bought = found if self.result == checkout.BOUGHT else []
        elif self.step == "sdk":
            checkout.ready(writes=False)
            self.page_url = checkout.page_url(self.begun.id)
            if not checkout.is_shown(self.begun, timestamps.now()):
                self.step = "over"
        elif self.step != "failed":
            raise NotFound
        return self.template()

    @property
    def source(self) -> dict[str, str]:
        """Parameters about a campaign."""
        names = (*offers.UTM, offers.AFFILIATE, *checkout.passed_on_by(self.stored))
        return {name: value for name in names if (value := self.text(name))}

    @property
    def passed_on(self) -> tuple[str, ...]:
        """Parameters that a login does not lose."""
        return ("offer", "content", "came_from", *self.source)

    @property
    def hidden(self) -> dict[str, str]:
        """The fields of the form that nobody sees."""
        came_from = sdk.own_address(self.text("came_from"))
        content = {"content": self.text("content")} if self.single else {}
        return {"offer": self.offer.id, "came_from": came_from, **content, **self.source}

    @property
    def items(self) -> list[tuple[str, str]]:
        """The titles of what was bought, each with the last day, "" where none is set."""
        return [
            (
                checkout.title(one),
                plone_site.shown(one.valid_until, long=False) if one.valid_until else "",
            )
            for one in self.bought
        ]

    @property
    def again_url(self) -> str:
        """Where to begin again, "" for an offer that is not named."""
        if self.begun is None or not self.begun.offer:
            return ""
        parameters = {"offer": self.begun.offer, "content": self.begun.content}
        return f"{self.url}?{urlencode({k: v for k, v in parameters.items() if v})}"

    @property
    def price(self) -> str:
        """The price of a single product, as the reader writes it."""
        currency = self.offer.own_data.currency
        return numbers.format_currency(self.single.price, currency, locale=sdk.language())
