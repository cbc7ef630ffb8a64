"""The indexes and counters of buyers' records."""

from collections.abc import Mapping
from itertools import islice
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import mentions
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.storage import indexes
from typing import Any


Buyer = Mapping[str, Any]


def _due(site: Any, buyer: Buyer) -> list[tuple[str, str]]:
    return [(buyer["next_change"], buyer["id"])] if buyer["next_change"] else []


def _pending(site: Any, buyer: Buyer) -> list[tuple[str, str]]:
    return [(group_id, buyer["id"]) for group_id in buyer["pending"]]


def _words(site: Any, buyer: Buyer) -> tuple[str, ...]:
    return search.buyer_words(buyer, buyers.telling(site, buyer))


def _paid(site: Any, buyer: Buyer) -> list[int]:
    """The place of the latest payment, of those that were processed."""
    payments = (
        ledger.place(entry)
        for entry in reversed(buyers.telling(site, buyer))
        if entry["outcome"] != Outcome.RECEIVED and history.is_payment(entry)
    )
    return list(islice(payments, 1))


def _active(site: Any, buyer: Buyer) -> list[int]:
    return _paid(site, buyer) if buyer["live"] else []


def _ended(site: Any, buyer: Buyer) -> list[int]:
    return [] if buyer["live"] else _paid(site, buyer)


def _figures(site: Any, buyer: Buyer) -> list[tuple[str, str]]:
    rows = counters.of_buyer(buyer, buyers.telling(site, buyer))
    if buyer["live"]:
        rows.append(counters.WITH_ACCESS)
    if _paid(site, buyer):
        rows.append(counters.ACTIVE if buyer["live"] else counters.ENDED)
    return rows


def _access_ends(site: Any, buyer: Buyer) -> list[tuple[str, str]]:
    """The first end of access that no renewal will move."""
    ends = [row[0] for row in buyer.get("ends_ahead", ())]
    return [(min(ends), buyer["id"])] if ends else []


def _ends_on(site: Any, buyer: Buyer) -> list[str]:
    return [end[:10] for end, _id in _access_ends(site, buyer)]


def _accounts_awaited(site: Any, buyer: Buyer) -> list[tuple[str, str]]:
    return [(buyer["account_asked"], buyer["id"])] if buyer["account_asked"] else []


def _logins_awaited(site: Any, buyer: Buyer) -> list[tuple[int, str]]:
    rows = counters.login_awaited(buyer)
    return rows if rows and counters.first_payment(buyers.telling(site, buyer)) else []


indexes.define(
    "buyers",
    lambda buyer: buyer["id"],
    indexes.Index("buyers_due", _due),
    indexes.Index("buyers_pending", _pending),
    indexes.Index("buyer_words", _words, indexes.in_words),
    indexes.Index("buyers_active", _active, indexes.as_key),
    indexes.Index("buyers_ended", _ended, indexes.as_key),
    indexes.Index("access_ends", _access_ends),
    indexes.Index("access_ends_by_day", _ends_on, indexes.counted),
    indexes.Index("products_with_access", lambda _site, b: b["live"], indexes.counted),
    indexes.Index("mentions", lambda _site, buyer: mentions.in_buyer(buyer)),
    indexes.Index("accounts_awaited", _accounts_awaited),
    indexes.Index("logins_awaited", _logins_awaited),
    indexes.Index("ends_ahead", lambda _site, b: b.get("ends_ahead", ())),
    indexes.Index("renewals_awaited", lambda _site, b: b.get("renewals_awaited", ())),
    indexes.Index("figures", _figures, counters.by_day_and_month),
)
