"""A buyer's history: the ledger's entries, as the facts that entitlements are computed from."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers.buyers import Buyer
from niteoweb.click2sell.entitlement import BillingEvent
from niteoweb.click2sell.entitlement import giving
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.settings import effective
from typing import Any

import json


def entries(
    site: Any, buyer: Buyer, current: ledger.Entry | None = None
) -> tuple[ledger.Entry, ...]:
    """The buyer's entries that count.

    :param current: an entry that is being processed; it counts too.
    """
    found = [ledger.get(site, key) for key in buyer["keys"]]
    return tuple(
        entry
        for entry in found
        if entry["counts"] or (current is not None and entry["key"] == current["key"])
    )


def is_payment(entry: ledger.Entry) -> bool:
    """Whether money arrived with this entry, or a provider states that it has.

    A subscription that is stated to give access has been paid for, seen or not.
    """
    return Kind(entry["kind"]) in PAYMENTS or fact(entry).states


def in_order(found: Iterable[ledger.Entry]) -> list[ledger.Entry]:
    """Entries in the order of the provider's clock, then kind, then key."""
    return sorted(found, key=lambda entry: fact(entry).order)


def late_terms(
    found: Sequence[ledger.Entry], lines: Sequence[mapping.Line]
) -> dict[str, mapping.Terms]:
    """Terms for the entries that were recorded before their product had a line."""
    later = {}
    for entry in found:
        if not entry["terms_known"]:
            of_product = terms(entry, lines)
            if of_product is not None:
                later[entry["key"]] = of_product
    return later


def terms(entry: ledger.Entry, lines: Sequence[mapping.Line]) -> mapping.Terms | None:
    """What an entry gives by a mapping, None when its product has no line."""
    return mapping.terms(lines, product(entry), entry.get("aliases", ()))


def aliases(
    found: Iterable[ledger.Entry], told: Sequence[BillingEvent], now: datetime
) -> dict[mapping.Product, frozenset[str]]:
    """Other ids of each product, by which a line of the mapping may name it.

    Of a subscription that its provider states in full the last statement counts: what is no
    longer in it gives nothing. A subscription that gives no access does not count.

    :param found: the buyer's entries that count.
    :param told: what they say, as :func:`facts` has it.
    :param now: in UTC.
    """
    known = {entry["key"]: entry for entry in found}
    current = ever_aliases(known.values())
    for name in {product(entry) for entry in known.values() if entry.get("snapshot")}:
        chains = giving(told, effective.policy(), name, now) if name in current else ()
        states = [
            [fact for fact, _elsewhere in chain.events if fact.states and fact.plausible]
            for chain in chains
        ]
        if chains:
            current[name] = frozenset().union(
                *(known[last[-1].key].get("aliases", ()) for last in states if last)
            )
    return current


def ever_aliases(
    found: Iterable[ledger.Entry],
) -> dict[mapping.Product, frozenset[str]]:
    """The ids that each product ever had beside its own."""
    known: dict[mapping.Product, frozenset[str]] = {}
    for entry in found:
        if entry.get("aliases"):
            known[product(entry)] = known.get(product(entry), frozenset()).union(
                entry["aliases"]
            )
    return known


def facts(
    found: Iterable[ledger.Entry], later: Mapping[str, mapping.Terms]
) -> tuple[BillingEvent, ...]:
    """What the entries say, for :func:`niteoweb.click2sell.entitlement.outcome.compute`.

    :param later: as :func:`late_terms` found them.
    """
    found = tuple(found)
    told = tuple(fact(entry, later.get(entry["key"])) for entry in found)
    if any(map(pseudonyms.is_erased, found)):
        return pseudonyms.pseudonymise(plone_site.get(), found, told)
    return told


def fact(entry: ledger.Entry, later: mapping.Terms | None = None) -> BillingEvent:
    """What one entry says.

    :param later: terms that were found after the entry was recorded.
    """
    valid_until = entry["valid_until"]
    return BillingEvent(
        key=entry["key"],
        provider=product(entry)[0],
        kind=Kind(entry["kind"]),
        transaction=entry["transaction"],
        receipt=entry["receipt"],
        product_id=entry["product_id"],
        occurred_at=timestamps.from_iso(entry["occurred_at"]),
        received_at=timestamps.from_iso(entry.get("told_at", entry["received_at"])),
        days=later.days if later else entry["days"],
        exclusive=later.exclusive if later else entry["exclusive"],
        terms_known=bool(later) or entry["terms_known"],
        subscription=entry["subscription"],
        valid_until=timestamps.from_iso(valid_until) if valid_until else None,
        tie=entry.get("tie", ""),
        by_owner=entry["provider"] == OWNER,
        snapshot=entry.get("snapshot", False),
        fully_signed=entry.get("fully_signed", False),
        for_all=entry.get("customer_deleted", False),
        external_subscription_id=entry.get("external_subscription_id", ""),
    )


def product(entry: ledger.Entry) -> tuple[str, str]:
    """Provider and product of an entry, as entitlements name them."""
    return entry["on_behalf_of"] or entry["provider"], entry["product_id"]


def notification(entry: ledger.Entry) -> Notification:
    """The notification that an entry was made from."""
    amount, valid_until = entry["amount"], entry["valid_until"]
    return Notification(
        key=entry["key"],
        provider=entry["provider"],
        kind=Kind(entry["kind"]),
        transaction=entry["transaction"],
        receipt=entry["receipt"],
        occurred_at=timestamps.from_iso(entry["occurred_at"]),
        buyer=entry["buyer"],
        email=entry["email"],
        product_id=entry["product_id"],
        product_name=entry["product_name"],
        first_name=entry["first_name"],
        last_name=entry["last_name"],
        amount=None if amount is None else Decimal(amount),
        currency=entry["currency"],
        country=entry["country"],
        affiliate=entry["affiliate"],
        valid_until=timestamps.from_iso(valid_until) if valid_until else None,
        subscription=entry["subscription"],
        on_behalf_of=entry["on_behalf_of"],
        customer_id=entry.get("customer_id", ""),
        external_subscription_id=entry.get("external_subscription_id", ""),
        in_reply_to=entry.get("in_reply_to", ""),
        validation_result=entry.get("validation_result", ""),
        aliases=entry.get("aliases", ()),
        fully_signed=entry.get("fully_signed", False),
        snapshot=entry.get("snapshot", False),
        customer_deleted=entry.get("customer_deleted", False),
        attention=entry.get("attention", ""),
        payload=json.loads(entry["payload"]),
    )
