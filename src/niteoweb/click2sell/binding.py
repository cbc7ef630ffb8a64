"""Which buyer and product a transaction belongs to: a signature must not serve another one.

The first entry of a transaction that takes effect ties it to the entry's buyer and product.
What an owner corrects later stands beside it, see :mod:`niteoweb.click2sell.decision`. An entry
of which the signature covers all is not tied: it may name whom it wants.
"""

from collections.abc import Mapping
from niteoweb.click2sell import correction
from niteoweb.click2sell import erased
from niteoweb.click2sell import store
from niteoweb.click2sell.notification import Kind
from typing import Any


#: A captured checksum is good for this many entries; more of its transaction are only counted.
ENTRIES_PER_TRANSACTION = 100

#: The same for those that name another buyer or product than the transaction's.
REFUSED_PER_TRANSACTION = 10

#: Provider and transaction.
Place = tuple[str, str]

#: buyer, product, entries, entries that were only counted, entries of others
_UNBOUND = ("", "", 0, 0, 0)


def bind(site: Any, entry: Mapping[str, Any]) -> None:
    """Tie the entry's transaction to its buyer and product, if it is not tied yet."""
    if entry.get("sealed"):
        return
    transactions = store.tree(site, "transactions")
    place = erased.place(site, (entry["provider"], entry["transaction"]))
    buyer, _product, *counts = transactions.get(place, _UNBOUND)
    if not buyer:
        transactions[place] = (entry["buyer"], entry["product_id"], *counts)


def bound(site: Any, place: Place) -> tuple[str, str] | None:
    """Buyer and product that a transaction is tied to, None when it is not tied."""
    found = store.tree(site, "transactions").get(erased.place(site, place), _UNBOUND)
    return found[:2] if found[0] else None


def rebind(site: Any, place: Place, buyer: str, product_id: str) -> None:
    """Tie a transaction to another buyer or product, because an owner says so."""
    transactions = store.tree(site, "transactions")
    place = erased.place(site, place)
    counts = transactions.get(place, _UNBOUND)[2:]
    transactions[place] = (buyer, product_id, *counts)


def rightful(site: Any, place: Place, buyer: str) -> str:
    """The address that a notification is filed under: the one it names, unless an owner has
    found out that its transaction, or all that comes under that address, is another buyer's.

    :param buyer: the address that it names, in lower case.
    """
    of_place = correction.right(site, place)
    return of_place or (correction.right(site, ("", buyer)) if buyer else "") or buyer


def belongs_to_another(site: Any, entry: Mapping[str, Any]) -> bool:
    """Whether the entry's transaction is tied to another buyer or product than it names."""
    if entry.get("sealed"):
        return False
    tied = bound(site, (entry["provider"], entry["transaction"]))
    return tied is not None and _names_another(site, tied, entry)


def is_repeated(site: Any, entry: Mapping[str, Any]) -> bool:
    """Whether the entry's transaction has other entries too."""
    place = (entry["provider"], entry["transaction"])
    return store.tree(site, "transactions").get(place, _UNBOUND)[2] > 1


def take_place(site: Any, values: Mapping[str, Any]) -> bool:
    """Count an entry that is about to be made.

    :param values: the entry's fields.
    :returns: whether its transaction has room for it; otherwise it is only counted.
    """
    if values.get("sealed"):
        return True
    transactions = store.tree(site, "transactions")
    place = erased.place(site, (values["provider"], values["transaction"]))
    buyer, product, kept, dropped, foreign = transactions.get(place, _UNBOUND)
    # What will be refused has places of its own, so that it cannot use up the buyer's.
    refused = bool(buyer) and _names_another(site, (buyer, product), values)
    if foreign >= REFUSED_PER_TRANSACTION if refused else kept >= ENTRIES_PER_TRANSACTION:
        transactions[place] = (buyer, product, kept, dropped + 1, foreign)
        return False
    transactions[place] = (buyer, product, kept + (not refused), dropped, foreign + refused)
    return True


def _names_another(site: Any, tied: tuple[str, str], values: Mapping[str, Any]) -> bool:
    """Whether an entry names another buyer or product than its transaction is tied to.

    One buyer may have several addresses.
    """
    by_address = store.tree(site, "buyer_by_address")
    buyer, product = tied
    named = erased.address(site, values["buyer"])
    same = named == buyer or by_address.get(named, named) == by_address.get(buyer, buyer)
    follows = values["kind"] == Kind.PLAN_CHANGE or values["product_id"] == product
    return not (same and follows)
