"""Site Setup: the buyers, those who paid last or those whom a search finds."""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import directory
from niteoweb.click2sell import ledger
from niteoweb.click2sell import order
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser import standings
from niteoweb.click2sell.browser.member import MemberView
from niteoweb.click2sell.browser.memberaction import MemberActionView
from plone import api
from plone.batching import Batch
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zExceptions import NotFound
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse


#: Buyers on a page.
PAGE = 50

#: What the addresses of the other pages keep of this one's.
KEPT = ("search",)


@implementer(IPublishTraverse)
class MembersView(BrowserView):
    """``@@click2sell-members``: the list; with a buyer's id behind it, that buyer's page."""

    template = ViewPageTemplateFile("templates/members.pt")
    kept = KEPT

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.names: list[str] = []

    def publishTraverse(self, request: Any, name: str) -> "MembersView":  # noqa: N802
        self.names.append(name)
        return self

    def __call__(self) -> str:
        self.request.response.setHeader("Cache-Control", "no-store")
        if self.names:
            return self._of_one()
        found = directory.Directory(self.context, self.search)
        start = self._start(found.total)
        now = datetime.now(timezone.utc)
        self.total, self.capped = found.total, found.capped
        self.rows = [
            (row, standings.shown_all(row.standings)) for row in found.rows(start, PAGE, now)
        ]
        # The batch only reckons; it never asks for a buyer.
        self.batch = Batch(range(found.total), PAGE, start, pagerange=5)
        return self.template()

    def _of_one(self) -> str:
        """The page of a buyer, or of what an owner does for one."""
        if len(self.names) > 2:
            raise NotFound(self.names[-1])
        site, request, url = self.context, self.request, self.url
        if self.names == [order.GRANT]:
            return MemberActionView(site, request, url, "", order.GRANT)()
        if len(self.names) == 2:
            return MemberActionView(site, request, url, *self.names)()
        return MemberView(site, request, url, self.names[0])()

    @property
    def may_operate(self) -> bool:
        """Whether the buttons are for this reader."""
        return api.user.has_permission("Click2Sell: Operate purchases", obj=self.context)

    def _start(self, total: int) -> int:
        """Buyers before the page that was asked for; behind the last page there is none."""
        try:
            wanted = int(self.request.form.get("b_start", 0))
        except (TypeError, ValueError):
            wanted = 0
        return min(max(wanted, 0), max(total - 1, 0)) // PAGE * PAGE

    @property
    def search(self) -> str:
        """What is looked for."""
        value = self.request.form.get("search")
        return value.strip() if isinstance(value, str) else ""

    @property
    def url(self) -> str:
        """Address of the list, without a search."""
        return f"{self.context.absolute_url()}/@@click2sell-members"

    @property
    def notifications_url(self) -> str:
        """Address of the list of notifications."""
        return f"{self.context.absolute_url()}/@@click2sell-notifications"

    @property
    def nothing_yet(self) -> bool:
        """Whether no notification ever arrived."""
        return not ledger.count(self.context)

    @property
    def timezone(self) -> str:
        """The zone of the times on the page."""
        return str(plone_site.timezone())

    @property
    def number(self) -> str:
        """How many buyers there are, for people."""
        return f"{self.total:,}"
