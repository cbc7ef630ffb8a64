"""Plone's Site Setup: the number of matters that need the reader."""

from niteoweb.click2sell.browser.desk import tabs
from plone.app.layout.viewlets import ViewletBase
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile


class NeedsViewlet(ViewletBase):
    """A message above the entries of Site Setup, with the way to the overview.

    :ivar number: that of the overview's heading.
    """

    index = ViewPageTemplateFile("../templates/sitesetup.pt")
    title = tabs.Tabbed.tabs_label

    def update(self) -> None:
        """Count."""
        super().update()
        self.number = tabs.Tabbed(self.context, self.request).need_count
        self.url = f"{self.context.absolute_url()}/@@{tabs.OVERVIEW}#needs"

    def render(self) -> str:
        """The message, "" when nothing needs the reader."""
        return super().render() if self.number else ""
