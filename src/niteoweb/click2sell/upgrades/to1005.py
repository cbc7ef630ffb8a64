"""Failed notifications are filed by the time of their next attempt; see :mod:`..retryqueue`."""

from Acquisition import aq_parent
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import retryqueue
from niteoweb.click2sell.provisioning import enrichment
from typing import Any


def upgrade(setup_tool: Any) -> None:
    """File those that failed before."""
    site = aq_parent(setup_tool)
    for key in list(ledger.newest_first(site, "outcome", ledger.FAILED)):
        entry = ledger.get(site, key)
        away = entry["reason"] == enrichment.UNREACHABLE
        moment = entry.get("retry_at", entry["received_at"])
        retryqueue.file(site, entry, moment, entry["provider"] if away else "")
