"""Which buyer and product a transaction belongs to: a signature must not serve another one.

The first entry of a transaction that takes effect ties it to the entry's buyer and product. An
entry whose signature covers all of it ties nothing: it may name any buyer and product.

An owner can correct this: the right address of a transaction, or of everything that comes under
an address. A :data:`Source` is the provider and a transaction, or "" and an address. All
sources that lead to an address are indexed by it, too.
"""

from collections.abc import Mapping
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.storage import trees
from typing import Any
from typing import NamedTuple


#: A captured checksum is good for this many entries; more of its transaction are only counted.
ENTRIES_PER_TRANSACTION = 100

#: The limit for entries that name another buyer or product than the transaction's.
REFUSED_PER_TRANSACTION = 10

#: Provider and transaction, or "" and an address.
Source = tuple[str, str]


class Tally(NamedTuple):
    """The owner of a transaction and the number of its entries; stored as a plain tuple.

    :ivar buyer: address of the buyer that it is tied to, "" when it is not tied.
    :ivar product_id: the product that it is tied to.
    :ivar kept: its entries.
    :ivar dropped: entries that were only counted.
    :ivar foreign: entries that named another buyer or product.
    """

    buyer: str = ""
    product_id: str = ""
    kept: int = 0
    dropped: int = 0
    foreign: int = 0


def tally(site: Any, source: Source) -> Tally:
    """The owner and the number of entries of a transaction."""
    return Tally(*trees.tree(site, "transactions").get(trees.number(*source), ()))


def owner_of(site: Any, source: Source) -> tuple[str, str] | None:
    """Buyer and product that a transaction is tied to, None when it is not tied."""
    known = tally(site, pseudonyms.transaction(site, source))
    return (known.buyer, known.product_id) if known.buyer else None


def bind(site: Any, entry: Mapping[str, Any]) -> None:
    """Tie the entry's transaction to its buyer and product, if it is not tied yet."""
    source = _source(site, entry)
    known = tally(site, source)
    if not entry.get("fully_signed") and not known.buyer:
        _set(site, source, known._replace(buyer=entry["buyer"], product_id=entry["product_id"]))


def rebind(site: Any, source: Source, buyer: str, product_id: str) -> None:
    """Tie a transaction to another buyer or product, because an owner says so."""
    source = pseudonyms.transaction(site, source)
    _set(site, source, tally(site, source)._replace(buyer=buyer, product_id=product_id))


def rename(site: Any, source: Source, renamed: Source, buyer: str) -> None:
    """File a transaction under another name, and tie it to another name of its buyer."""
    stored = trees.tree(site, "transactions").pop(trees.number(*source), None)
    if stored is not None:
        _set(site, renamed, Tally(*stored)._replace(buyer=buyer))


def belongs_to_another(site: Any, entry: Mapping[str, Any]) -> bool:
    """Whether the entry's transaction is tied to another buyer or product than it names."""
    return not entry.get("fully_signed") and _is_foreign(
        site, tally(site, _source(site, entry)), entry
    )


def is_repeated(site: Any, entry: Mapping[str, Any]) -> bool:
    """Whether the entry's transaction has other entries too."""
    return tally(site, (entry["provider"], entry["transaction"])).kept > 1


def reserve(site: Any, values: Mapping[str, Any]) -> bool:
    """Count an entry that is about to be recorded.

    :param values: the entry's fields.
    :returns: whether its transaction has room for it; otherwise it is only counted.
    """
    if values.get("fully_signed"):
        return True
    source = _source(site, values)
    known = tally(site, source)
    # Entries that will be refused have a limit of their own, so that they cannot use up the
    # buyer's.
    foreign = _is_foreign(site, known, values)
    full = (
        known.foreign >= REFUSED_PER_TRANSACTION
        if foreign
        else known.kept >= ENTRIES_PER_TRANSACTION
    )
    counted = "dropped" if full else "foreign" if foreign else "kept"
    _set(site, source, known._replace(**{counted: getattr(known, counted) + 1}))
    return not full


def buyer_of(site: Any, source: Source, address: str) -> str:
    """The address under which a notification is filed: the named one, unless an owner corrected
    its transaction, or that address.

    :param address: the address that it names, in lower case.
    """
    return (
        correction(site, source) or (correction(site, ("", address)) if address else "")
    ) or address


def correction(site: Any, source: Source) -> str:
    """The right address of a source, "" where no owner corrected it."""
    corrected = trees.tree(site, "corrected")
    if source in corrected or not pseudonyms.in_use(site):
        return corrected.get(source, "")
    return corrected.get(pseudonym(site, source), "")


def pseudonym(site: Any, source: Source) -> Source:
    """The pseudonym of a source, for when its buyer is erased."""
    kind = pseudonyms.TRANSACTION if source[0] else pseudonyms.ADDRESS
    return source[0], pseudonyms.alias(site, kind, source[1])


def corrected_to(site: Any, address: str) -> list[Source]:
    """The sources whose right address is this one, in lower case."""
    rows = trees.tree(site, "corrected_to").keys((address,), (address + "\0",))
    return [(provider, name) for _address, provider, name in rows]


def correct(site: Any, source: Source, address: str) -> None:
    """Set the right address of a source, in lower case; "" ends its correction."""
    corrected, index = trees.tree(site, "corrected"), trees.tree(site, "corrected_to")
    before = corrected.pop(source, None)
    if before is not None:
        index.discard((before, *source))
    if address:
        corrected[source] = address
        index.insert((address, *source))


def rebuild(site: Any) -> int:
    """Make the index by right address anew.

    :returns: how many sources it has.
    """
    index = trees.tree(site, "corrected_to")
    index.clear()
    for source, address in trees.tree(site, "corrected").items():
        index.insert((address, *source))
    return len(index)


def _source(site: Any, entry: Mapping[str, Any]) -> Source:
    """The transaction of an entry, as it is filed."""
    return pseudonyms.transaction(site, (entry["provider"], entry["transaction"]))


def _set(site: Any, source: Source, known: Tally) -> None:
    trees.tree(site, "transactions")[trees.number(*source)] = tuple(known)


def _is_foreign(site: Any, known: Tally, entry: Mapping[str, Any]) -> bool:
    """Whether an entry names another buyer or product than its transaction is tied to.

    One buyer may have several addresses.
    """
    if not known.buyer:
        return False
    by_address = trees.tree(site, "buyer_by_address")
    named = pseudonyms.address(site, entry["buyer"])
    same = named == known.buyer or (
        by_address.get(named, named) == by_address.get(known.buyer, known.buyer)
    )
    follows = entry["kind"] == Kind.PLAN_CHANGE or entry["product_id"] == known.product_id
    return not (same and follows)
