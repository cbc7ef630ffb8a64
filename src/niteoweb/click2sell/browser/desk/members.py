"""Site Setup: the buyers, the latest payers, a part of them, or those that a search finds."""

from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.bulkaction import ACTS
from niteoweb.click2sell.browser.desk.bulkaction import BulkActionView
from niteoweb.click2sell.browser.desk.bulkaction import PART
from niteoweb.click2sell.browser.desk.download import WithDownload
from niteoweb.click2sell.browser.desk.member import MemberView
from niteoweb.click2sell.browser.desk.memberaction import MemberActionView
from niteoweb.click2sell.browser.desk.ownerpage import ListPage
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words import products
from niteoweb.click2sell.browser.words.formatting import Link
from niteoweb.click2sell.explain import obstacles
from niteoweb.click2sell.report import buyerlist
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zExceptions import NotFound
from zope.i18nmessageid import Message


#: The parts of the list, as chips.
CHIPS = {
    buyerlist.ALL: _("All"),
    buyerlist.ACTIVE: _("With access"),
    buyerlist.ENDING: _("Ending within 7 days"),
    buyerlist.ENDED: _("Without access"),
    buyerlist.NEVER_LOGGED_IN: _("Never logged in"),
    buyerlist.ATTENTION: _("Buyers who need you"),
}

#: The order of the rows of a part.
ORDERS = {
    buyerlist.ENDING: _("The next end comes first."),
    buyerlist.NEVER_LOGGED_IN: _("The newest account comes first."),
    buyerlist.ATTENTION: _("The newest notification comes first."),
}


@dataclass(frozen=True)
class MemberLine:
    """A buyer in the list.

    :ivar problem: what keeps the buyer out, in a few words.
    """

    id: str
    person: Link
    address: formatting.Address
    products: list[products.ProductLine]
    problem: Message | str
    paid: str


class MembersView(ListPage, WithDownload):
    """``@@click2sell-members``: the list; with a buyer's id behind it, that buyer's page."""

    template = ViewPageTemplateFile("../templates/members.pt")
    page = tab = "click2sell-members"
    title = _("Members")
    lead = _("Your buyers and their access.")
    titles = (_("Buyer"), _("Product"), _("Status"), _("Until"), _("Last payment"))
    kept = ("search", "part")
    acts = ACTS

    def __call__(self) -> str:
        if self.names:
            return self._of_one()
        self.now = timestamps.now()
        listed = buyerlist.BuyerList(self.context, self.search, self.part, now=self.now)
        start = self.turn_to_page(listed)
        if (
            self.search
            and self.total == 1
            and not self.capped
            and "all" not in self.request.form
        ):
            return self.request.response.redirect(f"{self.url}/{listed.ids(0, 1)[0]}") and ""
        self.rows = [self._line(row) for row in listed.rows(start, self.size)]
        return super().__call__()

    def _of_one(self) -> str:
        """The page of a buyer, or of an act for one or several."""
        if len(self.names) > 2:
            raise NotFound(self.names[-1])
        site, request, url = self.context, self.request, self.url
        if self.names == ["grant"]:
            return MemberActionView(site, request, url, "", "grant")()
        if self.names == ["selected"]:
            return BulkActionView(site, request, url)()
        if len(self.names) == 2:
            return MemberActionView(site, request, url, *self.names)()
        return MemberView(site, request, url, self.names[0])()

    @property
    def search(self) -> str:
        """The text to search for."""
        return self.text("search")

    @property
    def part(self) -> str:
        """The part of the list."""
        part = self.text("part")
        return part if part in buyerlist.PARTS else buyerlist.ALL

    @property
    def order(self) -> Message:
        """The order of the rows, in a sentence."""
        return ORDERS.get(self.part, _("The payment that arrived last comes first."))

    @property
    def chips(self) -> list[tuple[Link, str]]:
        """The parts of the list, each with its number."""
        numbers = buyerlist.numbers(self.context, self.now)
        current = None if self.search else self.part
        return [
            (
                Link(
                    title,
                    self.url_of(self.page, part=part) if part else self.url,
                    "page" if part == current else None,
                ),
                formatting.number(numbers[part]),
            )
            for part, title in CHIPS.items()
        ]

    @property
    def all_selected(self) -> bool:
        """Whether the rows of the page are selected at first."""
        return "select" in self.request.form

    @property
    def select_url(self) -> str:
        """Address of the page with all rows selected."""
        query = {"part": self.part, "search": self.search, "select": "1", "all": "1"}
        start = self.text("b_start")
        if start.isdigit():
            query["b_start"] = start
        return self.url_of(self.page, **{name: text for name, text in query.items() if text})

    @property
    def selected_url(self) -> str:
        """Address of the acts for selected buyers, with the part of the list to go back to."""
        query = {name: text for name in PART if (text := self.text(name))}
        return self.url_of(f"{self.page}/selected", **query)

    def _line(self, row: buyerlist.BuyerRow) -> MemberLine:
        explained, url = row.explained, f"{self.url}/{row.buyer_id}"
        person = Link(row.name or row.address, url)
        address = formatting.Address(row.address if row.name else "")
        if explained is None:
            return MemberLine(row.buyer_id, person, address, [], "", "")
        obstacle = explained.obstacle
        return MemberLine(
            id=row.buyer_id,
            person=person,
            address=address,
            products=products.lines(explained.standings, explained.opened),
            problem=obstacles.short(obstacle) if obstacle is not None else "",
            paid=formatting.day(explained.paid_at) if explained.paid_at else "",
        )
