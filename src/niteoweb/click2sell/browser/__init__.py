"""The callback and the pages: of owners, of buyers, and of settings."""

from niteoweb.click2sell.browser.buyer import visitor


__all__ = ["visitor"]
