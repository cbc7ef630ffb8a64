"""``@@webtv-sales``: the sales in the store, and a page for each of them."""

from decimal import Decimal
from functools import cached_property
from itertools import islice
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser import formatting
from niteoweb.click2sell.browser import ListPage
from niteoweb.click2sell.browser import OwnerPage
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.webtv import profiles
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv import saleacts
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import salewords
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import trees
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from types import SimpleNamespace
from typing import Any
from typing import NamedTuple
from zExceptions import NotFound


#: A list goes no further.
CAPPED = 1000


class Line(NamedTuple):
    """A sale in the list.

    :ivar due: what is to pay, "" for nothing.
    """

    link: formatting.Link
    badge: formatting.Badge
    due: str
    last_step: formatting.Moment


class SalesView(ListPage):
    """The list, the newest first; with an id behind it, the page of that sale."""

    template = ViewPageTemplateFile("templates/sales.pt")
    page = texts.PAGE
    title = _("Sales in the store")
    lead = _("The orders that this site places in your store, or has charged for it.")

    def __call__(self) -> Any:
        if self.names:
            return SaleView(self.context, self.request, self.names)()
        listed = trees.tree(self.context, "webtv_sales_newest")
        ids = [id_ for _at, id_ in islice(listed, CAPPED)]
        total = SimpleNamespace(total=len(ids), capped=len(ids) == CAPPED)
        start = self.turn_to_page(total)
        shown = ids[start : start + self.size]
        self.rows = [sales.get(self.context, id_) for id_ in shown]
        return super().__call__()

    @property
    def lines(self) -> list[Line]:
        """A line for each sale on the page."""
        return [
            Line(
                formatting.Link(salewords.title(sale), f"{self.url}/{sale['id']}"),
                salewords.badge(sale),
                amount(sale["due"]),
                formatting.moment(sale["step_at"]),
            )
            for sale in self.rows
        ]


class SaleView(OwnerPage):
    """A sale: its next step, the acts, and the questions and answers so far."""

    template = ViewPageTemplateFile("templates/sale.pt")
    copy_warning = _("This is a copy of the site: it asks the store nothing.")

    def __init__(self, context: Any, request: Any, names: list[str]) -> None:
        super().__init__(context, request)
        self.id = names[0] if len(names) == 1 else ""
        listed = self.url_of(texts.PAGE)
        self.url = f"{listed}/{self.id}"
        self.back = formatting.Link(_("All sales in the store"), listed)

    def __call__(self) -> Any:
        if sales.get(self.context, self.id) is None:
            raise NotFound(self.id)
        return super().__call__()

    @cached_property
    def sale(self) -> sales.Sale:
        """The record."""
        return sales.get(self.context, self.id)

    @property
    def title(self) -> str:
        """The sale in a few words."""
        return salewords.title(self.sale)

    def post(self) -> str:
        """Carry an act out."""
        self.check_post()
        what, note = self.text("act"), self.text("note")
        try:
            if what == saleacts.SETTLE and not note:
                raise NotPossible(_("Say what you did about it."))
            note = note or formatting.translated(salewords.ACTS.get(what, ""))
            saleacts.act(self.id, what, self.by, note)
        except NotPossible as problem:
            self.say(problem.message, "error")
            return self.url
        if what == saleacts.SETTLE:
            self.say(_("The sale was marked as settled."))
        else:
            self.say(_("The site asks the store in the background."))
        return self.way_back() or self.url

    @property
    def acts(self) -> list[tuple[str, Any]]:
        """The buttons: name and label."""
        found = saleacts.possible(self.sale) if self.may_operate else ()
        return [(name, salewords.ACTS[name]) for name in found if name != saleacts.SETTLE]

    @property
    def may_settle(self) -> bool:
        """Whether an owner can say that it is settled."""
        return self.may_operate and saleacts.SETTLE in saleacts.possible(self.sale)

    @property
    def badge(self) -> formatting.Badge:
        """The state."""
        return salewords.badge(self.sale)

    @property
    def following(self) -> Any:
        """The next step."""
        return salewords.following(self.sale)

    @property
    def facts(self) -> formatting.Facts:
        """The sold item, its buyer and the payment."""
        sale = self.sale
        payments = [
            f"{amount(one['amount'])} ({one['transaction']})" for one in sale["payments"]
        ]
        return formatting.facts(
            (_("Products"), [salewords.products(sale)]),
            (_("To pay"), [amount(sale["due"])]),
            (_("Payments"), payments),
            (_("Recurring payments"), [self._term(one) for one in sale["terms"]]),
            (_("Buyer"), [formatting.Address(sale["email"])] if sale["email"] else []),
            (_("User in the store"), [sale["user"]]),
            (_("Order in the store"), [sale["order"]]),
            (_("Reference"), [sale["reference"]]),
            (_("Agreement"), [sale["agreement"]]),
            (_("Begun"), [formatting.moment(sale["at"])]),
        )

    def _term(self, term: dict[str, Any]) -> str:
        profile = profiles.get(self.context, term["profile"])
        known = profile is not None
        status = profiles.standing(self.context, profile).status if known else ""
        return f"{amount(str(term['amount']))}, {salewords.recurring(term, status)}"

    @property
    def log(self) -> formatting.Table:
        """The questions and answers, the newest first."""
        return formatting.Table(
            _("What was asked and answered"),
            (_("Time"), _("Step")),
            [
                (formatting.moment(timestamps.from_iso(at)), salewords.line(words))
                for at, _state, words in reversed(self.sale["log"])
                if words
            ],
            ("text-nowrap", "text-break"),
            captioned=False,
        )


def amount(text: str) -> str:
    """An amount in the currency of the store, "" for none."""
    if not Decimal(text):
        return ""
    return formatting.amount(text, registry.settings(registry.get(protocol.NAME)).currency)
