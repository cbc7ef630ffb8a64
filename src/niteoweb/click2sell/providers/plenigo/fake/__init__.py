"""A plenigo that is not real: what happens there, and the API that tells it."""

from niteoweb.click2sell.providers.plenigo.fake.life import FakePlenigo
from niteoweb.click2sell.providers.plenigo.fake.life import SECRET
from niteoweb.click2sell.providers.plenigo.fake.life import TOKEN


__all__ = ["SECRET", "TOKEN", "FakePlenigo"]
