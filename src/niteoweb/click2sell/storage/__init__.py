"""Storage: the add-on's trees in the site, transactions, and the one writer of a process."""

from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import failures
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import moments
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.storage import session
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.storage.failures import log_failure
from niteoweb.click2sell.storage.record import Record
from niteoweb.click2sell.storage.transactions import batched
from niteoweb.click2sell.storage.transactions import NotPossible


__all__ = [
    *["background", "batched", "failures", "indexes", "log_failure", "moments", "schedule"],
    *["session", "steps", "transactions", "trees", "writer", "NotPossible", "Record"],
]
