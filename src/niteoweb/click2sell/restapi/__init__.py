"""Services of plone.restapi."""

from niteoweb.click2sell.restapi.protection import Operation


__all__ = ["Operation"]
