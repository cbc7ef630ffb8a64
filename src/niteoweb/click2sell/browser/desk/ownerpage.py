"""What the pages of Site Setup have in common."""

from dataclasses import dataclass
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.settings import secretkeys
from plone import api
from plone.batching import Batch
from Products.Five.browser import BrowserView


@dataclass(frozen=True)
class Sender:
    """A payment provider, for a site that nothing has come to yet.

    :ivar callback: the address for its notifications.
    :ivar option: of click2sell-notify, "" for none.
    :ivar settings_url: "" for somebody who may not change them.
    """

    title: str
    callback: str
    option: str
    settings_url: str


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
        return any(secretkeys.is_set(one) for one in registry.to_set_up())

    @property
    def senders(self) -> list[Sender]:
        """The payment providers that notifications are to come from."""
        may_configure = api.user.has_permission("Click2Sell: Configure", obj=self.context)
        here = self.context.absolute_url()
        return [
            Sender(
                one.title,
                effective.callback_address(one),
                "" if one.name == registry.MAIN else f"--provider {one.name} ",
                f"{here}/@@{one.name}-settings" if may_configure else "",
            )
            for one in registry.to_set_up()
        ]


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
