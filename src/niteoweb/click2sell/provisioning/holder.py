"""Which buyer has a subscription of a shop: one at a time.

A provider that passes on what was bought in a shop names the shop's subscription, too. The
same one, bought again under another address, becomes another buyer's: the provider has a new
subscription for it, and says that the old one ends, but maybe only later. So it is enough that
the new one gives access: the old one ends in the same commit.

* Of the provider's subscriptions for one of the shop the one that began latest has it; one that
  nothing was known of before its end was told never has.
* What comes late for another one gives nothing any more while that one gives access.
* Where that one gives none, whoever is given access has it.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.notification import GIVING
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.storage import trees
from typing import Any


def follow(site: Any, keys: Iterable[str], now: datetime) -> tuple[str, ...]:
    """Keep in mind who has what, and write down what ends because another buyer has it now.

    :param keys: of entries that have taken effect in this commit.
    :param now: in UTC.
    :returns: keys of more entries that are to be processed.
    """
    found = []
    entries = [entry for key in keys if (entry := ledger.get(site, key)) is not None]
    # What ends first: it can have waited for the one who is given access now.
    for entry in sorted(entries, key=lambda entry: entry["kind"] != Kind.EXPIRY):
        told = _follow(site, entry, now)
        if told is not None and ledger.get(site, told.key) is None:
            recording.write_down(site, told, now)
            found.append(told.key)
    return tuple(found)


def _follow(site: Any, entry: ledger.Entry, now: datetime) -> Notification | None:
    """The end of a subscription that follows from an entry, None for none."""
    gives = entry["kind"] in GIVING
    if (
        not entry.get("external_subscription_id")
        or not entry["buyer_id"]
        or entry["on_behalf_of"]
    ):
        return None
    if not gives and entry["kind"] != Kind.EXPIRY:
        return None
    holders = trees.tree(site, "holders")
    number = trees.number(entry["provider"], entry["external_subscription_id"])
    before = [entries.at(site, place) for place in holders.get(number, ())]
    after, over = _order(site, before, entry, now) if gives else (_first(before, entry), None)
    if after != before:
        holders[number] = tuple(map(entries.place, after))
    return None if over is None else _end(over, entry, max(entry, after[-1], key=_time))


def _order(
    site: Any, before: Sequence[ledger.Entry], entry: ledger.Entry, now: datetime
) -> tuple[list[ledger.Entry], ledger.Entry | None]:
    """The subscriptions in order, whoever has it now last, and the one that is over."""
    others = [other for other in before if not _same(other, entry)]
    known = len(others) < len(before)
    if not others or (known and _same(before[-1], entry)):
        return list(before) or [entry], None
    holder = others[-1]
    if not _lives(site, entry, now):
        return list(before) if known else [entry, *before], None
    if not _lives(site, holder, now) or holder["buyer_id"] == entry["buyer_id"]:
        return [*others, entry], None
    if known or _time(holder) > _time(entry):
        return _first(before, entry), entry
    return [*others, entry], holder


def _first(before: Sequence[ledger.Entry], entry: ledger.Entry) -> list[ledger.Entry]:
    """The subscriptions in order; one that was not known is none that has it."""
    known = any(_same(other, entry) for other in before)
    return list(before) if known else [entry, *before]


def _same(one: ledger.Entry, other: ledger.Entry) -> bool:
    """Whether two entries are about the same subscription of one buyer."""
    names = ("transaction", "buyer_id")
    return all(one[name] == other[name] for name in names)


def _time(entry: ledger.Entry) -> str:
    return entry["occurred_at"]


def _lives(site: Any, entry: ledger.Entry, now: datetime) -> bool:
    """Whether the subscription that an entry is about gives access."""
    buyer = buyers.get(site, entry["buyer_id"]) if entry["buyer_id"] else None
    if buyer is None or pseudonyms.is_erased(buyer):
        return False
    provider, _product_id = history.product(entry)
    return history.outcome(site, buyer, now).lives(provider, entry["transaction"], now)


def _end(over: ledger.Entry, because: ledger.Entry, latest: ledger.Entry) -> Notification:
    """The end of a subscription, which its provider tells later or has told already."""
    occurred_at = timestamps.from_iso(latest["occurred_at"])
    return replace(
        history.notification(over),
        key=idempotency_key(because["key"], over["transaction"], str(Kind.EXPIRY)),
        kind=Kind.EXPIRY,
        receipt="",
        amount=None,
        occurred_at=occurred_at,
        valid_until=occurred_at,
        snapshot=False,
        in_reply_to="",
        validation_result="",
        payload={"because of": because["key"]},
    )
