"""Site Setup: the buyers, the latest payers or those that a search finds."""

from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.download import WithDownload
from niteoweb.click2sell.browser.desk.member import MemberView
from niteoweb.click2sell.browser.desk.memberaction import MemberActionView
from niteoweb.click2sell.browser.desk.ownerpage import ListPage
from niteoweb.click2sell.browser.words import products
from niteoweb.click2sell.report import buyerlist
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zExceptions import NotFound


class MembersView(ListPage, WithDownload):
    """``@@click2sell-members``: the list; with a buyer's id behind it, that buyer's page."""

    template = ViewPageTemplateFile("../templates/members.pt")
    page = tab = "click2sell-members"
    title = _("Members")
    lead = _("Who has bought, what they have access to, and why.")
    titles = (_("Buyer"), _("Account"), _("Products"))
    kept = ("search",)

    def __call__(self) -> str:
        if self.names:
            return self._of_one()
        listed = buyerlist.BuyerList(self.context, self.search)
        start = self.turn_to_page(listed)
        now = timestamps.now()
        self.rows = [
            (row, products.lines(row.standings)) for row in listed.rows(start, self.size, now)
        ]
        return super().__call__()

    def _of_one(self) -> str:
        """The page of a buyer, or of an action for one."""
        if len(self.names) > 2:
            raise NotFound(self.names[-1])
        site, request, url = self.context, self.request, self.url
        if self.names == ["grant"]:
            return MemberActionView(site, request, url, "", "grant")()
        if len(self.names) == 2:
            return MemberActionView(site, request, url, *self.names)()
        return MemberView(site, request, url, self.names[0])()

    @property
    def search(self) -> str:
        """The text to search for."""
        return self.text("search")
