"""The titles of our pages in the browser's tab; Plone has that of the site alone."""

from html import escape
from niteoweb.click2sell.browser.words import formatting
from plone.app.layout.viewlets.common import TitleViewlet
from zope.interface import Attribute
from zope.interface import Interface


class ITitled(Interface):
    """A page whose title stands in the browser's tab."""

    title = Attribute("What the page is about, for people.")


class PageTitle(TitleViewlet):
    """The title of the page, then that of the site."""

    def update(self) -> None:
        """Work the title out; the viewlet inserts it as markup."""
        title = getattr(self.view, "title", "") or self.view.label
        # A control panel's label is a method.
        title = title() if callable(title) else title
        names = (formatting.translated(title), self.site_title_setting)
        self.site_title = self.sep.join(escape(name) for name in names)
