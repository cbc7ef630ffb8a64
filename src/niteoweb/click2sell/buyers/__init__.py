"""Buyers: their records, their history, their customers at providers, the quota of accounts."""

from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import claims
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.buyers import indexes
from niteoweb.click2sell.buyers import reminders
from niteoweb.click2sell.buyers import rule
from niteoweb.click2sell.buyers import summary
from niteoweb.click2sell.buyers.accountquota import Admission
from niteoweb.click2sell.buyers.history import product


__all__ = [
    *["accountquota", "buyers", "claims", "customers", "history", "indexes", "product"],
    *["reminders", "rule", "summary", "Admission"],
]
