"""The buyers of providers' customers: a provider may know its customers by ids of its own.

The tie outlives a changed address: later notifications of the customer go to that buyer.
"""

from dataclasses import replace
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers.buyers import Buyer
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


def named(site: Any, notification: Notification) -> Notification:
    """A notification with its buyer's address, where only the customer's id is told.

    :returns: unchanged where no buyer is known by that id, or the buyer was erased.
    """
    if notification.buyer or not notification.customer_id:
        return notification
    known = buyer(site, (notification.provider, notification.customer_id))
    if known is None or pseudonyms.is_erased(known):
        return notification
    address = known["addresses"][-1]
    return replace(notification, buyer=address, email=address)


def waiting(site: Any, customer: Customer) -> list[str]:
    """Keys of the entries that wait for a buyer to be known by a customer's id."""
    rows = trees.tree(site, "customers_awaited").keys((*customer, ""), (*customer, "~"))
    return [key for *_customer, key in rows]


def of_entry(site: Any, entry: Any, named: str) -> Buyer | None:
    """The buyer whose history an entry belongs to.

    :param entry: of the ledger, not in a history yet.
    :param named: the address that the notification itself names, in lower case; the entry names
        another one where an owner has corrected it.
    :returns: None while only the customer's id is known, and nobody is tied to it.
    """
    customer, address = (entry["provider"], entry["customer_id"]), entry["buyer"]
    if not customer[1] or address != named:
        return buyers.of_address(site, address) if address else None
    record = buyer(site, customer)
    if record is None:
        if not address:
            return None
        record = buyers.of_address(site, address)
        trees.tree(site, "buyer_by_customer")[customer] = record["id"]
        if customer not in record["customer_ids"]:
            buyers.change(site, record, customer_ids=(*record["customer_ids"], customer))
    elif address:
        _follow(site, record, address)
    return record


def _follow(site: Any, record: Buyer, address: str) -> None:
    """Take in an address that a customer has now, unless it is another buyer's already."""
    by_address = trees.tree(site, "buyer_by_address")
    if not pseudonyms.is_erased(record) and pseudonyms.address(site, address) not in by_address:
        by_address[address] = record["id"]
        buyers.change(site, record, addresses=(*record["addresses"], address))
