"""Pages of the add-on; their face is for the pages of providers."""

from niteoweb.click2sell.browser.buyer import visitor
from niteoweb.click2sell.browser.pagetitle import ITitled


__all__ = ["ITitled", "visitor"]
