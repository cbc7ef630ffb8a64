"""Which buyer a provider's customer is: a provider may know its customers by ids of its own.

The tie outlives a changed address: what comes for the customer later goes to the same buyer.
"""

from niteoweb.click2sell import buyer as buyers
from niteoweb.click2sell import erased
from niteoweb.click2sell import store
from niteoweb.click2sell.buyer import Buyer
from typing import Any


#: Provider, and its id of the customer.
Customer = tuple[str, str]


def buyer(site: Any, customer: Customer) -> Buyer | None:
    """The buyer that a customer is, as far as known."""
    by_customer = store.tree(site, "buyer_by_customer")
    buyer_id = by_customer.get(erased.customer(site, customer))
    return buyers.get(site, buyer_id) if buyer_id else None


def of_entry(site: Any, entry: Any, named: str) -> Buyer | None:
    """The buyer whose history an entry belongs to.

    :param entry: of the ledger, not in a history yet.
    :param named: the address that the notification itself names, in lower case; the entry names
        another one where an owner has corrected it.
    :returns: None while only the customer's id is known, and nobody is tied to it.
    """
    customer, address = (entry["provider"], entry.get("customer_id", "")), entry["buyer"]
    if not customer[1] or address != named:
        return buyers.of_address(site, address) if address else None
    record = buyer(site, customer)
    if record is None:
        if not address:
            return None
        record = buyers.of_address(site, address)
        _tie(site, record, customer)
    elif address:
        _follow(site, record, address)
    return record


def _tie(site: Any, record: Buyer, customer: Customer) -> None:
    store.tree(site, "buyer_by_customer")[customer] = record["id"]
    if customer not in record["customer_ids"]:
        buyers.change(record, customer_ids=(*record["customer_ids"], customer))


def _follow(site: Any, record: Buyer, address: str) -> None:
    """Take in an address that a customer has now, unless it is another buyer's already."""
    by_address = store.tree(site, "buyer_by_address")
    if not erased.closed(record) and erased.address(site, address) not in by_address:
        by_address[address] = record["id"]
        buyers.change(record, addresses=(*record["addresses"], address))
