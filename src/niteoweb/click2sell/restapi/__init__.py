"""Services of plone.restapi."""

from niteoweb.click2sell.restapi.listing import PathParameters
from niteoweb.click2sell.restapi.protection import Operation
from niteoweb.click2sell.restapi.protection import refuse_foreign_pages


__all__ = ["Operation", "PathParameters", "refuse_foreign_pages"]
