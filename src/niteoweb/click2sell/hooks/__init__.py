"""Outgoing hooks: events for other systems, kept until their receivers have taken them."""

from niteoweb.click2sell.hooks import batches
from niteoweb.click2sell.hooks import delivery
from niteoweb.click2sell.hooks import events
from niteoweb.click2sell.hooks import outbox
from niteoweb.click2sell.hooks import receivers


__all__ = ["batches", "delivery", "events", "outbox", "receivers"]
