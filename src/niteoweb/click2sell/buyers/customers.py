"""The customers of providers, who are known there by ids of the provider's own.

A customer is a buyer of its own until an account joins it with another one. The address that
its provider states for it serves mail to this customer, and names the buyer to owners. Nobody
proved it, so it never leads to the buyer: a customer can state anybody's.
"""

from collections.abc import Iterator
from dataclasses import replace
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers.buyers import Buyer
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import mentions
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.storage import trees
from typing import Any


#: Provider, and its id of the customer.
Customer = tuple[str, str]


def buyer(site: Any, customer: Customer) -> Buyer | None:
    """The buyer that a customer is, as far as known."""
    by_customer = trees.tree(site, "buyer_by_customer")
    buyer_id = by_customer.get(pseudonyms.customer(site, customer))
    return buyers.get(site, buyer_id) if buyer_id else None


def ids(buyer: Buyer | None, provider: str) -> tuple[str, ...]:
    """A provider's ids of a buyer, the latest used last; none for no buyer."""
    return tuple(
        id_ for name, id_ in (buyer["customer_ids"] if buyer else ()) if name == provider
    )


def named(site: Any, notification: Notification) -> Notification:
    """A notification with its buyer's address, where only the customer's id is told.

    :returns: unchanged where no address of that customer is known, or the buyer was erased.
    """
    if notification.buyer or not notification.customer_id:
        return notification
    customer = (notification.provider, notification.customer_id)
    record = buyer(site, customer)
    if record is None or pseudonyms.is_erased(record):
        return notification
    stated = [address for one, address in record.get("stated", ()) if one == customer]
    return replace(notification, buyer=stated[-1], email=stated[-1]) if stated else notification


def named_in(site: Any, entry: ledger.Entry) -> str:
    """The customer's id in an entry, "" where an owner gave the entry to another buyer."""
    provider = entry["on_behalf_of"] or entry["provider"]
    record = buyer(site, (provider, entry["customer_id"]))
    is_buyers = record is not None and record["id"] == entry["buyer_id"]
    return entry["customer_id"] if is_buyers else ""


def waiting(site: Any, customer: Customer) -> list[str]:
    """Keys of the entries that wait for a buyer to be known by a customer's id."""
    rows = trees.tree(site, "customers_awaited").keys((*customer, ""), (*customer, "~"))
    return [key for *_customer, key in rows]


def record(site: Any, customer: Customer, address: str) -> Buyer | None:
    """The record of a customer; the address that its provider states now is noted in it.

    :param address: in lower case, "" where the provider states none.
    :returns: None while the provider has stated no address of the customer.
    """
    record = buyer(site, customer)
    if record is None and address:
        record = buyers.new(site, customer_ids=(customer,))
    if record is not None and address and not pseudonyms.is_erased(record):
        stated = [one for one in record.get("stated", ()) if one != (customer, address)]
        buyers.change(site, record, stated=(*stated, (customer, address)))
    return record


def stating(site: Any, address: str) -> Iterator[Buyer]:
    """The buyers who are one customer each, and for whom an address is stated.

    A buyer of more than that is not found so: the address may be a stranger's, and the rest of
    the purchases none of a stranger's business.

    :param address: in lower case.
    """
    for id_ in mentions.find(site, address):
        record = buyers.get(site, id_)
        if record is None or record["addresses"] or len(record["customer_ids"]) != 1:
            continue
        if address in buyers.addresses(record):
            yield record


def under(site: Any, address: str) -> list[Buyer]:
    """The buyers with entries under an address: who paid under it, and who state it.

    :param address: in lower case.
    :returns: without those who were erased.
    """
    naming = (buyers.get(site, id_) for id_ in mentions.find(site, address))
    known = {one["id"]: one for one in (buyers.find(site, address), *naming) if one is not None}
    return [
        one
        for one in known.values()
        if not pseudonyms.is_erased(one)
        and any(entry["buyer"] == address for entry in buyers.entries(site, one))
    ]
