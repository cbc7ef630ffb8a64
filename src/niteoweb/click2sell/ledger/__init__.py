"""The ledger: every genuine notification, kept for ever, its outcome and its indexes."""

from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import daysums
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import facets
from niteoweb.click2sell.ledger import indexes
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import mentions
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.ledger import records
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.ledger import retryqueue
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.ledger.outcomes import Outcome


__all__ = [
    *["counters", "daysums", "entries", "facets", "indexes", "ledger", "mentions", "outcomes"],
    *["ownership", "pseudonyms", "reasons", "rejections", "retryqueue", "search", "silence"],
    *["records", "Outcome"],
]
