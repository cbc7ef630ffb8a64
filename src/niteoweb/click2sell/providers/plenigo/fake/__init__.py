"""A plenigo that is not real: its customers and purchases, and its API."""

from niteoweb.click2sell.providers.plenigo.fake.life import FakePlenigo
from niteoweb.click2sell.providers.plenigo.fake.life import SECRET
from niteoweb.click2sell.providers.plenigo.fake.life import TOKEN


__all__ = ["SECRET", "TOKEN", "FakePlenigo"]
