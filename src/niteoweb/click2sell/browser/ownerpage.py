"""What the pages of Site Setup have in common."""

from niteoweb.click2sell import ledger
from niteoweb.click2sell import secretkeys
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.providers import CLICK2SELL
from plone import api
from plone.batching import Batch
from Products.Five.browser import BrowserView


class OwnerPage(BrowserView):
    """A page for people who administer the site."""

    @property
    def may_operate(self) -> bool:
        """Whether the buttons are for this reader."""
        return api.user.has_permission("Click2Sell: Operate purchases", obj=self.context)

    @property
    def is_copy(self) -> bool:
        """Whether this is a copy of the site, where mails wait."""
        return plone_site.is_copy()

    @property
    def timezone(self) -> str:
        """The zone of the times on the page."""
        return str(plone_site.timezone())

    @property
    def nothing_yet(self) -> bool:
        """Whether no notification ever arrived."""
        return not ledger.count(self.context)

    @property
    def secret_key_is_set(self) -> bool:
        """Whether a notification could be accepted."""
        return secretkeys.is_set(CLICK2SELL)

    @property
    def settings_url(self) -> str:
        """Address of the settings, "" for somebody who may not change them."""
        if not api.user.has_permission("Click2Sell: Configure", obj=self.context):
            return ""
        return f"{self.context.absolute_url()}/@@click2sell-settings"


class ListPage(OwnerPage):
    """A list that comes in pages.

    :cvar size: lines on a page.
    :ivar total: how many lines there are.
    :ivar batch: the links to the other pages.
    """

    size = 50
    total = 0
    batch: Batch | None = None

    def turn_to_page(self, total: int) -> int:
        """Turn to the page that was asked for; behind the last page there is none.

        :returns: how many lines stand before it.
        """
        try:
            wanted = int(self.request.form.get("b_start", 0))
        except (TypeError, ValueError):
            wanted = 0
        start = min(max(wanted, 0), max(total - 1, 0)) // self.size * self.size
        self.total = total
        # The batch only reckons; it never asks for a line.
        self.batch = Batch(range(total), self.size, start, pagerange=5)
        return start

    @property
    def number(self) -> str:
        """How many lines there are, for people."""
        return f"{self.total:,}"
