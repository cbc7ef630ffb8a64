"""Whom a provider delivers a subscription to: it may pass it on to another customer.

A provider that states all of a subscription names whoever has it now, and nobody else. What the
customer before had by it ends then. Those of a shop are another matter, see holder.py.
"""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.storage import trees
from typing import Any


def passed_on(site: Any, entry: ledger.Entry) -> Notification | None:
    """The end of a subscription for whoever had it, if another one has it now.

    Whichever of the two was told later has it, in whatever order they arrive.

    :returns: None where an entry states no subscription, or nobody else has had it.
    """
    if not (entry.get("snapshot") and entry["buyer_id"] and entry["transaction"]):
        return None
    if entry.get("external_subscription_id"):
        return None
    if not history.fact(entry).plausible:
        return None
    delivered = trees.tree(site, "delivered_to")
    number = trees.number(entry["provider"], entry["transaction"])
    present = (entry["occurred_at"], entry["buyer_id"])
    known = delivered.get(number, present)
    (_before, loser), (since, winner) = sorted((known, present))
    if delivered.get(number) != (since, winner):
        delivered[number] = (since, winner)
    buyer = buyers.get(site, loser)
    if loser == winner or buyer is None or pseudonyms.is_erased(buyer):
        return None
    address = buyer["addresses"][-1]
    moment = timestamps.from_iso(since)
    return Notification(
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
        fully_signed=True,
        payload={"passed on by": entry["key"]},
    )
