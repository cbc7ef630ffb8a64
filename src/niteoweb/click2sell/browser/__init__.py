"""Pages for owners and buyers, and the callback."""

from niteoweb.click2sell.browser.buyer import membersonly
from niteoweb.click2sell.browser.callback import Callback
from niteoweb.click2sell.browser.desk import tabs
from niteoweb.click2sell.browser.desk.ownerpage import ListPage
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.pagetitle import ITitled
from niteoweb.click2sell.browser.words import formatting


__all__ = [
    *["Callback", "formatting", "ITitled", "ListPage", "membersonly", "OwnerPage", "tabs"],
]
