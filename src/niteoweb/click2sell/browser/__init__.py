"""Pages for owners and buyers, and the callback."""

from niteoweb.click2sell.browser.buyer import visitor
from niteoweb.click2sell.browser.callback import Callback


__all__ = ["Callback", "visitor"]
