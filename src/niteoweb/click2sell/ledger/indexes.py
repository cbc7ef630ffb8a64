"""The indexes and counters of entries."""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import daysums
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import facets
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import mentions
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.ledger.outcomes import Outcome
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import MONEY
from niteoweb.click2sell.storage import indexes
from typing import Any


Entry = entries.Entry


def _facets(site: Any, entry: Entry) -> list[Any]:
    return [facets.groups_of(entry)]


def _counts(site: Any, entry: Entry) -> list[Any]:
    return [facets.groups_of(entry)[0]] if facets.is_counted(entry["outcome"]) else []


def _is_money(entry: Entry) -> bool:
    taken_back = entry["kind"] == Kind.REACTIVATION and entry["undoing"]
    return entry["kind"] in MONEY or bool(taken_back)


def _money(site: Any, entry: Entry) -> list[Any]:
    if not _is_money(entry):
        return []
    return [(timestamps.microseconds(ledger.moved_at(entry)), entries.place(entry))]


def _money_by_day(site: Any, entry: Entry) -> list[Any]:
    return daysums.rows(entry) if _is_money(entry) else []


def _dismissed(site: Any, entry: Entry) -> list[str]:
    """An entry that stays refused although an owner has dismissed it."""
    dismissed = entry["outcome"] == Outcome.REFUSED and entry["dismissed"]
    return [entry["key"]] if dismissed else []


def _retries(site: Any, entry: Entry) -> list[Any]:
    if not entry["retry_at"]:
        return []
    return [(entry["waits_for"], entry["retry_at"], entries.place(entry))]


def _customers_awaited(site: Any, entry: Entry) -> list[tuple[str, str, str]]:
    """An entry that names only the id of a customer for whom no buyer is known."""
    asked = not entry["asks"] or entry["reason"] == Reason.NOT_TOLD
    waits = asked and not entry["buyer_id"] and entry["dismissed"] is None
    customer = entry["provider"], entry["customer_id"]
    return [(*customer, entry["key"])] if waits and entry["customer_id"] else []


def _figures(site: Any, entry: Entry) -> list[Any]:
    return counters.of_entry(entry, entry["outcome"] in outcomes.EFFECTIVE)


indexes.define(
    "entries",
    entries.place,
    indexes.Index("facets", _facets, indexes.in_groups),
    indexes.Index("counts", _counts, indexes.counted),
    indexes.Index("money", _money),
    indexes.Index("money_by_day", _money_by_day, daysums.void),
    indexes.Index("dismissed", _dismissed),
    indexes.Index("retries", _retries),
    indexes.Index("customers_awaited", _customers_awaited),
    indexes.Index("buyer_words", lambda _site, entry: search.entry_words(entry)),
    indexes.Index("nameless_words", lambda _site, entry: search.nameless_words(entry)),
    indexes.Index("mentions", lambda _site, entry: mentions.in_entry(entry)),
    indexes.Index("figures", _figures, counters.by_day_and_month),
    view=entries.Entry,
)
