"""Services of plone.restapi."""

from niteoweb.click2sell.restapi.listing import PathParameters
from niteoweb.click2sell.restapi.protection import Operation


__all__ = ["Operation", "PathParameters"]
