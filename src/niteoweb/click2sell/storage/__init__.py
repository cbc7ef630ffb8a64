"""Storage: the add-on's trees in the site, transactions, and the one writer of a process."""

from niteoweb.click2sell.storage import moments
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.storage.transactions import NotPossible
from niteoweb.click2sell.storage.trees import sparing


__all__ = ["moments", "transactions", "trees", "writer", "NotPossible", "sparing"]
