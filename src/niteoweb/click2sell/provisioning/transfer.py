"""Transfers: a subscription has one buyer at a time, and ends for the buyer who had it before.

A provider that states all of a subscription may pass it on to another customer: it names the
customer who has it now, and nobody else. The buyer of the latest statement has it, in whatever
order the statements arrive.

A provider that passes on purchases of a shop names the shop's subscription, too. That one,
bought again under another address, becomes another buyer's: the provider has a new subscription
for it, and says that the old one ends, but maybe only later. So it is enough that the new one
gives access: the old one ends in the same commit.

* Of the provider's subscriptions for one of the shop the latest to begin has it; a subscription
  that was first heard of at its end never has.
* A late statement of another one gives nothing any more while that one gives access.
* Where that one gives none, the next buyer who is given access has it.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import entries as records
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.notification import GIVING
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.storage import trees
from typing import Any


def passed_on(site: Any, entry: ledger.Entry) -> Iterator[Notification]:
    """The end of a provider's subscription for the buyer who had it, if another has it now."""
    if not (entry["snapshot"] and entry["buyer_id"] and entry["transaction"]):
        return
    if entry["external_subscription_id"] or not history.fact(entry).plausible:
        return
    if ownership.correction(site, (entry["provider"], entry["transaction"])):
        return  # an owner has decided whose it is
    delivered = trees.tree(site, "delivered_to")
    number = trees.number(entry["provider"], entry["transaction"])
    known = delivered.get(number)
    before = entry if known is None else records.at(site, known)
    over, latest = sorted((before, entry), key=_delivered)
    if known != records.place(latest):
        delivered[number] = records.place(latest)
    loser, since = over["buyer_id"], latest["occurred_at"]
    buyer = buyers.get(site, loser)
    if loser == latest["buyer_id"] or pseudonyms.is_erased(buyer):
        return
    if any(_ends(other, over) for other in buyers.entries(site, buyer)):
        return  # this one is replayed, or late
    address, moment = buyers.addresses(buyer)[0], timestamps.from_iso(since)
    if over["occurred_at"] < since:
        # The end goes before the statement: both may turn out to be of one buyer.
        moment -= timestamps.TICK
    known_as = customers.ids(buyer, entry["provider"])
    yield Notification(
        key=idempotency_key(entry["provider"], "passed on", entry["transaction"], loser, since),
        provider=entry["provider"],
        kind=Kind.EXPIRY,
        transaction=entry["transaction"],
        receipt="",
        occurred_at=moment,
        buyer=address,
        email=address,
        product_id=entry["product_id"],
        valid_until=moment,
        customer_id=known_as[0] if known_as else "",
        fully_signed=True,
        payload={"passed on by": entry["key"]},
    )


def holder(site: Any, source: ownership.Source) -> str:
    """Id of the buyer of the latest statement of a provider's subscription, "" for none."""
    place = trees.tree(site, "delivered_to").get(trees.number(*source))
    return "" if place is None else records.at(site, place)["buyer_id"]


def _ends(entry: ledger.Entry, over: ledger.Entry) -> bool:
    """Whether an entry ends a subscription as passed on, at a statement's time or later."""
    same = all(entry[name] == over[name] for name in ("provider", "transaction"))
    later = entry["occurred_at"] >= over["occurred_at"]
    return same and later and "passed on by" in entry["payload"]


def _delivered(entry: ledger.Entry) -> tuple[str, str]:
    """The order of statements of a subscription: the buyer of the last one has it."""
    return entry["occurred_at"], entry["key"]


def taken_over(site: Any, keys: Iterable[str], now: datetime) -> Iterator[Notification]:
    """The ends of subscriptions of a shop that another buyer has now.

    :param keys: of entries that have taken effect in this commit.
    :param now: in UTC.
    """
    known = filter(None, (ledger.get(site, key) for key in keys))
    entries = [entry for entry in known if not pseudonyms.is_erased(entry)]
    # Ends come first: one can have waited for the buyer who is given access now.
    for entry in sorted(entries, key=lambda entry: entry["kind"] != Kind.EXPIRY):
        gives = entry["kind"] in GIVING
        of_shop = entry["external_subscription_id"]
        if not of_shop or not entry["buyer_id"] or entry["on_behalf_of"]:
            continue
        if not gives and entry["kind"] != Kind.EXPIRY:
            continue
        holders = trees.tree(site, "holders")
        number = trees.number(entry["provider"], of_shop)
        before = [records.at(site, place) for place in holders.get(number, ())]
        after, over = (
            _order(site, before, entry, now) if gives else (_first(before, entry), None)
        )
        if after != before:
            holders[number] = tuple(map(records.place, after))
        if over is not None:
            yield _end(site, over, entry, max(entry, after[-1], key=_time))


def _order(
    site: Any, before: Sequence[ledger.Entry], entry: ledger.Entry, now: datetime
) -> tuple[list[ledger.Entry], ledger.Entry | None]:
    """The subscriptions in order, the one that has it now last, and the one that is over."""
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
    """The subscriptions in order; a new one goes first, since it never had the shop's."""
    known = any(_same(other, entry) for other in before)
    return list(before) if known else [entry, *before]


def _same(one: ledger.Entry, other: ledger.Entry) -> bool:
    """Whether two entries are about one subscription of one buyer."""
    return all(one[name] == other[name] for name in ("transaction", "buyer_id"))


def _time(entry: ledger.Entry) -> str:
    return entry["occurred_at"]


def _lives(site: Any, entry: ledger.Entry, now: datetime) -> bool:
    """Whether the subscription that an entry is about gives access."""
    buyer = buyers.get(site, entry["buyer_id"]) if entry["buyer_id"] else None
    if buyer is None or pseudonyms.is_erased(buyer):
        return False
    provider, _product_id = history.product(entry)
    return history.outcome(site, buyer, now).lives(provider, entry["transaction"], now)


def _end(
    site: Any, over: ledger.Entry, because: ledger.Entry, latest: ledger.Entry
) -> Notification:
    """The end of a subscription, which its provider tells later or has told already."""
    occurred_at = timestamps.from_iso(latest["occurred_at"])
    return replace(
        history.notification(over),
        customer_id=customers.named_in(site, over),
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
