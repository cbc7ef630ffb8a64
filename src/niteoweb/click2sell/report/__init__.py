"""The report: figures, lists, accounts and files."""

from niteoweb.click2sell.report import accounting
from niteoweb.click2sell.report import buyerlist
from niteoweb.click2sell.report import charts
from niteoweb.click2sell.report import csvfile
from niteoweb.click2sell.report import daily
from niteoweb.click2sell.report import happenings
from niteoweb.click2sell.report import labels
from niteoweb.click2sell.report import memberships
from niteoweb.click2sell.report import notifications
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.report import rows
from niteoweb.click2sell.report import tables


__all__ = [
    *["accounting", "buyerlist", "charts", "csvfile", "daily", "happenings"],
    *["labels", "memberships", "notifications", "overview", "rows", "tables"],
]
