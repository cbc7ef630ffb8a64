"""Pages for owners and buyers, and the callback."""

from niteoweb.click2sell.browser.buyer import membersonly
from niteoweb.click2sell.browser.buyer import visitor
from niteoweb.click2sell.browser.callback import Callback
from niteoweb.click2sell.browser.pagetitle import ITitled


__all__ = ["Callback", "ITitled", "membersonly", "visitor"]
