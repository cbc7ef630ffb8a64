"""Which buyer and product a transaction belongs to: a signature must not serve another one.

The first entry of a transaction that takes effect ties it to the entry's buyer and product.
What an owner corrects later stands beside it, see :mod:`niteoweb.click2sell.owner.decisions`.
An entry of which the signature covers all is not tied: it may name whom it wants.

Most transactions have one entry. Then the place of this entry is kept and nothing else: what
the transaction is tied to is what the entry names, once the entry says that it ties it.
"""

from collections.abc import Mapping
from niteoweb.click2sell.ledger import correction
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.storage import trees
from typing import Any


#: A captured checksum is good for this many entries; more of its transaction are only counted.
ENTRIES_PER_TRANSACTION = 100

#: The same for those that name another buyer or product than the transaction's.
REFUSED_PER_TRANSACTION = 10

#: Provider and transaction.
Place = tuple[str, str]

#: buyer, product, entries, entries that were only counted, entries of others
Standing = tuple[str, str, int, int, int]
_UNBOUND: Standing = ("", "", 0, 0, 0)


def standing(site: Any, place: Place) -> Standing:
    """Buyer and product that a transaction is tied to, each "" when it is not tied.

    :returns: these, its entries, those that were only counted, and those that named others.
    """
    return _standing(site, trees.tree(site, "transactions").get(trees.number(*place)))


def rename(site: Any, place: Place, known_as: Place, buyer: str) -> None:
    """Keep what is known of a transaction under another name, and with another one's buyer."""
    transactions = trees.tree(site, "transactions")
    found = transactions.pop(trees.number(*place), None)
    if found is not None:
        transactions[trees.number(*known_as)] = (buyer, *_standing(site, found)[1:])


def bind(site: Any, entry: entries.Entry) -> None:
    """Tie the entry's transaction to its buyer and product, if it is not tied yet."""
    if entry.get("sealed"):
        return
    transactions = trees.tree(site, "transactions")
    number = _number(site, (entry["provider"], entry["transaction"]))
    found = transactions.get(number)
    if _standing(site, found)[0]:
        return
    if found == entries.place(entry):
        entry["binds"] = True
    else:
        counts = _standing(site, found)[2:]
        transactions[number] = (entry["buyer"], entry["product_id"], *counts)


def bound(site: Any, place: Place) -> tuple[str, str] | None:
    """Buyer and product that a transaction is tied to, None when it is not tied."""
    found = standing(site, pseudonyms.place(site, place))
    return found[:2] if found[0] else None


def rebind(site: Any, place: Place, buyer: str, product_id: str) -> None:
    """Tie a transaction to another buyer or product, because an owner says so."""
    place = pseudonyms.place(site, place)
    counts = standing(site, place)[2:]
    trees.tree(site, "transactions")[trees.number(*place)] = (buyer, product_id, *counts)


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
    return standing(site, (entry["provider"], entry["transaction"]))[2] > 1


def take_place(site: Any, values: Mapping[str, Any]) -> bool:
    """Count an entry that is about to be made.

    :param values: the entry's fields.
    :returns: whether its transaction has room for it; otherwise it is only counted.
    """
    if values.get("sealed"):
        return True
    transactions = trees.tree(site, "transactions")
    number = _number(site, (values["provider"], values["transaction"]))
    if number not in transactions:
        transactions[number] = entries.place(values)
        return True
    buyer, product, kept, dropped, foreign = _standing(site, transactions[number])
    # What will be refused has places of its own, so that it cannot use up the buyer's.
    refused = bool(buyer) and _names_another(site, (buyer, product), values)
    if foreign >= REFUSED_PER_TRANSACTION if refused else kept >= ENTRIES_PER_TRANSACTION:
        transactions[number] = (buyer, product, kept, dropped + 1, foreign)
        return False
    transactions[number] = (buyer, product, kept + (not refused), dropped, foreign + refused)
    return True


def _number(site: Any, place: Place) -> int:
    """Where a transaction is filed."""
    return trees.number(*pseudonyms.place(site, place))


def _standing(site: Any, found: Standing | int | None) -> Standing:
    """What is kept of a transaction, in full."""
    if isinstance(found, int):
        entry = entries.at(site, found)
        tied = (entry["buyer"], entry["product_id"]) if entry.get("binds") else ("", "")
        return (*tied, 1, 0, 0)
    return found or _UNBOUND


def _names_another(site: Any, tied: tuple[str, str], values: Mapping[str, Any]) -> bool:
    """Whether an entry names another buyer or product than its transaction is tied to.

    One buyer may have several addresses.
    """
    by_address = trees.tree(site, "buyer_by_address")
    buyer, product = tied
    named = pseudonyms.address(site, values["buyer"])
    same = named == buyer or by_address.get(named, named) == by_address.get(buyer, buyer)
    follows = values["kind"] == Kind.PLAN_CHANGE or values["product_id"] == product
    return not (same and follows)
