"""The buyer and product of each transaction: a signature must not serve another one.

The first entry of a transaction that takes effect ties it to the entry's buyer and product: the
entry is marked, and its place is kept with the transaction. An entry whose signature covers all
of it ties nothing: it may name any buyer and product.

An owner can correct this: the right address of a transaction, or of everything that comes under
an address. A :data:`Source` is the provider and a transaction, or "" and an address.
"""

from collections.abc import Mapping
from niteoweb.click2sell.ledger import entries
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
    """The tie and the number of entries of a transaction.

    It is stored as a plain tuple, without numbers at the end that are the usual ones: most
    transactions have one entry, and a tree writes many of them at once.

    :ivar place: the place of the entry that ties it, once this entry takes effect.
    :ivar kept: its entries.
    :ivar dropped: entries that were only counted.
    :ivar foreign: entries that named another buyer or product.
    """

    place: int
    kept: int = 1
    dropped: int = 0
    foreign: int = 0


def tally(site: Any, source: Source) -> Tally | None:
    """The number of entries of a transaction, None for none."""
    stored = trees.tree(site, "transactions").get(trees.number(*source))
    return None if stored is None else Tally(*stored)


def owner_of(site: Any, source: Source) -> tuple[str, str] | None:
    """Buyer and product that a transaction is tied to, None when it is not tied."""
    return _owner(site, tally(site, pseudonyms.transaction(site, source)))


def bind(site: Any, entry: entries.Entry) -> None:
    """Tie the entry's transaction to its buyer and product, if it is not tied yet."""
    source = _source(site, entry)
    tallied = tally(site, source)
    if not entry["fully_signed"] and _owner(site, tallied) is None:
        _tie(site, source, entry)


def rebind(site: Any, source: Source, entry: entries.Entry) -> None:
    """Tie a transaction to the buyer and product of an entry, because an owner says so."""
    source = pseudonyms.transaction(site, source)
    _tie(site, source, entry)


def rename(site: Any, source: Source, renamed: Source) -> None:
    """File a transaction under another name."""
    transactions = trees.tree(site, "transactions")
    stored = transactions.pop(trees.number(*source), None)
    if stored is not None:
        transactions[trees.number(*renamed)] = stored


def belongs_to_another(site: Any, entry: Mapping[str, Any]) -> bool:
    """Whether the entry's transaction is tied to another buyer or product than it names."""
    return not entry["fully_signed"] and _is_foreign(
        site, _owner(site, tally(site, _source(site, entry))), entry
    )


def is_repeated(site: Any, entry: Mapping[str, Any]) -> bool:
    """Whether the entry's transaction has other entries too."""
    tallied = tally(site, (entry["provider"], entry["transaction"]))
    # One that named another buyer may have been given to this one.
    return tallied is not None and tallied.kept + tallied.foreign > 1


def reserve(site: Any, entry: entries.Entry) -> bool:
    """Count an entry that is about to be recorded.

    :returns: whether its transaction has room for it; otherwise it is only counted.
    """
    if entry["fully_signed"]:
        return True
    source = _source(site, entry)
    tallied = tally(site, source) or Tally(entries.place(entry), kept=0)
    # Entries that will be refused have a limit of their own, so that they cannot use up the
    # buyer's.
    foreign = _is_foreign(site, _owner(site, tallied), entry)
    full = (
        tallied.foreign >= REFUSED_PER_TRANSACTION
        if foreign
        else tallied.kept >= ENTRIES_PER_TRANSACTION
    )
    counted = "dropped" if full else "foreign" if foreign else "kept"
    _set(site, source, tallied._replace(**{counted: getattr(tallied, counted) + 1}))
    return not full


def corrected(site: Any, source: Source, address: str) -> str:
    """The address that a notification gets because an owner corrected its transaction, or the
    address that it names; "" where no owner did.

    :param address: the address that it names, in lower case.
    """
    return correction(site, source) or (correction(site, ("", address)) if address else "")


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
    """The sources whose right address is this one, in lower case; corrections are few."""
    corrected = trees.tree(site, "corrected").items()
    return [source for source, right in corrected if right == address]


def correct(site: Any, source: Source, address: str) -> None:
    """Set the right address of a source, in lower case; "" ends its correction."""
    corrected = trees.tree(site, "corrected")
    corrected.pop(source, None)
    if address:
        corrected[source] = address


def follow(site: Any, wrong: str, right: str) -> None:
    """Correct an address, in lower case, for all later notifications."""
    correct(site, ("", right), "")
    for source in corrected_to(site, wrong):
        correct(site, source, right)
    correct(site, ("", wrong), right)


def _source(site: Any, entry: Mapping[str, Any]) -> Source:
    """The transaction of an entry, as it is filed."""
    return pseudonyms.transaction(site, (entry["provider"], entry["transaction"]))


def _set(site: Any, source: Source, tallied: Tally) -> None:
    usual = Tally(tallied.place)
    length = max(n for n in range(1, 5) if n == 1 or tallied[n - 1] != usual[n - 1])
    trees.tree(site, "transactions")[trees.number(*source)] = tuple(tallied[:length])


def _tie(site: Any, source: Source, entry: entries.Entry) -> None:
    # Mostly it is the transaction's first entry. Then nothing but the entry is written.
    known = tally(site, source)
    if known is None or known.place != entries.place(entry):
        _set(site, source, (known or Tally(0, kept=0))._replace(place=entries.place(entry)))
    entries.change(site, entry, binds=True)


def _owner(site: Any, known: Tally | None) -> tuple[str, str] | None:
    """Buyer and product of the entry that ties a transaction."""
    if known is None or known.place not in trees.tree(site, "entries"):
        return None
    entry = entries.at(site, known.place)
    return (entry["buyer"], entry["product_id"]) if entry["binds"] else None


def _is_foreign(site: Any, owner: tuple[str, str] | None, entry: Mapping[str, Any]) -> bool:
    """Whether an entry names another buyer or product than its transaction is tied to.

    One buyer may have several addresses.
    """
    if owner is None:
        return False
    by_address = trees.tree(site, "buyer_by_address")
    buyer, product = owner
    named = pseudonyms.address(site, entry["buyer"])
    same = buyer in (entry["buyer"], named)
    same = same or by_address.get(named, named) == by_address.get(buyer, buyer)
    follows = entry["kind"] == Kind.PLAN_CHANGE or entry["product_id"] == product
    return not (same and follows)
