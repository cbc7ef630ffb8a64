"""Plone's users and groups, as the add-on finds, creates and protects them."""

from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import contentrules
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import localroles
from niteoweb.click2sell.member import pages
from niteoweb.click2sell.member import plonepas
from niteoweb.click2sell.member import principal
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.member import visitor


__all__ = [
    *["accounts", "contentrules", "group", "index", "localroles", "pages", "plonepas"],
    *["principal", "privilege", "visitor"],
]
