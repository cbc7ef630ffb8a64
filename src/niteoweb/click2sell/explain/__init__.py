"""Reasons: why a buyer has access or has none, read from the ledger and never changed."""

from niteoweb.click2sell.explain import entrance
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.explain import groups
from niteoweb.click2sell.explain import obstacles
from niteoweb.click2sell.explain import ownpurchases
from niteoweb.click2sell.explain import products
from niteoweb.click2sell.explain import timeline
from niteoweb.click2sell.explain.products import ProductAccess


__all__ = [
    *["entrance", "explanation", "groups", "obstacles", "ownpurchases", "products"],
    *["timeline", "ProductAccess"],
]
