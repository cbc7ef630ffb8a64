"""The clock of the tests: it stands still until a test moves it."""

from datetime import datetime
from freezegun import freeze_time
from typing import Any


#: Modules that count seconds: the database numbers its transactions by the clock, servers and
#: threads wait by it.
REAL = [
    "aiosmtpd",
    "asyncio",
    "BTrees",
    "concurrent",
    "http",
    "niteoweb.click2sell.browser.desk",
    "niteoweb.click2sell.hooks.delivery",
    "niteoweb.click2sell.ledger.rejections",
    "niteoweb.click2sell.owner.reconcile",
    "niteoweb.click2sell.provider.exchange",
    "niteoweb.click2sell.provider.jsonapi",
    "niteoweb.click2sell.storage",
    "niteoweb.click2sell.worker",
    "persistent",
    "playwright",
    "requests",
    "smtplib",
    "socket",
    "transaction",
    "urllib3",
    "waitress",
    "ZEO",
    "ZODB",
    "zope.testrunner",
]


def frozen(moment: datetime) -> Any:
    """A clock that stands at a moment; entered, it gives the methods that move it.

    :returns: a context manager with `start` and `stop`; see freezegun for `move_to` and `tick`.
    """
    return freeze_time(moment, ignore=REAL)
