"""The commands for the terminal; :mod:`.console` opens the site for them."""

from niteoweb.click2sell.command import console
from niteoweb.click2sell.command import importing


__all__ = ["console", "importing"]
