"""Find buyers, and notifications, by words; and buyers by their latest payment.

A buyer is filed under the words of its addresses, its user id, the names that it was called
and the receipts and transactions of its notifications: in lower case, without accents. A search
finds every word that begins with its own, so the beginning of another word of the buyer need
not be filed, nor an address: buyers are filed by that already.

A search reads a bounded part of the index. A result with more buyers than that is cut off and
says so: another word narrows it.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain
from itertools import islice
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.storage import trees
from typing import Any

import re
import unicodedata


#: Words that are looked for at once; more of them narrow nothing.
WORDS = 8
#: Characters of a word that count.
LONGEST = 100
#: Rows of the index that are read for one word.
ROWS = 5000
#: Buyers whose own words are looked at, where the index alone does not tell.
CHECKED = 1000
#: Buyers whose notifications are looked through.
BUYERS = 200

#: Around a word, as people copy it from elsewhere.
_AROUND = "@.,;:!?<>()[]{}\"'"
#: After every character that a word has.
_LAST = "\U0010ffff"


@dataclass(frozen=True)
class Found:
    """The result of a search.

    :ivar ids: buyer ids, or keys of entries.
    :ivar capped: there may be more; only so many were looked at.
    """

    ids: tuple[str, ...]
    capped: bool


def fold(text: str) -> str:
    """A text without accents and in lower case, to compare."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def words(text: str) -> frozenset[str]:
    """The words that a text is filed under: those between spaces, and their parts."""
    if text.startswith(pseudonyms.MARK):
        return frozenset()  # a pseudonym, which nobody may find
    found = set()
    for run in fold(text).split():
        found.add(run.strip(_AROUND))
        found.update(re.split(r"[\W_]+", run))
    # One letter or digit alone finds nobody in particular.
    return frozenset(word[:LONGEST] for word in found if len(word) > 1)


def address_words(address: str) -> frozenset[str]:
    """The words that an address is filed under; not its top-level domain, which says little."""
    if address.startswith(pseudonyms.MARK):
        return frozenset()
    local, _at, domain = fold(address).rpartition("@")
    whole = {part[:LONGEST] for part in (fold(address), domain) if part}
    return words(local) | words(domain.rpartition(".")[0]) | whole


def asked(text: str) -> tuple[str, ...]:
    """The words of a search; all of them have to be found."""
    found = (word.strip(_AROUND)[:LONGEST] for word in fold(text).split())
    return tuple(dict.fromkeys(word for word in found if word))[:WORDS]


def buyers(site: Any, text: str) -> Found:
    """Ids of the buyers whom all words fit, in the order of the most selective word.

    :param text: the words that somebody typed.
    """
    records = trees.tree(site, "buyers")

    def beginning_with(word: str) -> Iterator[tuple[str, str]]:
        filed = _rows(trees.tree(site, "buyer_words"), word)
        return merge(filed, _addresses(trees.tree(site, "buyer_by_address"), word))

    def words_of(buyer_id: str) -> Iterator[str]:
        record = records[buyer_id]
        entries = (ledger.get(site, key) for key in record["keys"])
        of_entries = chain.from_iterable(map(_id_words, entries))
        filed = record.get("filed", {}).get("buyer_words", ())
        return chain(filed, record["addresses"], of_entries)

    return _find(beginning_with, asked(text), words_of)


def entries(site: Any, text: str) -> Found:
    """Keys of the notifications that all words fit, in no order.

    A name or an address finds all notifications of its buyer, a receipt or a transaction only
    its own.

    :param text: the words that somebody typed.
    """
    wanted = asked(text)
    nameless = _find(
        lambda word: _rows(trees.tree(site, "nameless_words"), word),
        wanted,
        lambda key: _id_words(ledger.get(site, key)),
    )
    keys, found = list(nameless.ids), buyers(site, text)
    capped = nameless.capped or found.capped or len(found.ids) > BUYERS
    for buyer_id in found.ids[:BUYERS]:
        if len(keys) >= ledger.CAPPED:
            capped = True
            break
        keys += _entries_of(site, trees.tree(site, "buyers")[buyer_id], wanted)
    return Found(tuple(keys), capped)


def _find(
    beginning_with: Callable[[str], Iterable[tuple[str, str]]],
    wanted: Sequence[str],
    words_of: Callable[[str], Iterable[str]],
) -> Found:
    """Ids that all words fit.

    :param beginning_with: words that begin so, with the ids that are filed under them.
    :param words_of: all words that an id is filed under.
    """
    if not wanted:
        return Found((), False)
    whole, broad = [], []
    for word in wanted:
        rows = [id_ for _word, id_ in islice(beginning_with(word), ROWS + 1)]
        (broad if len(rows) > ROWS else whole).append((word, dict.fromkeys(rows)))
    whole.sort(key=lambda found: len(found[1]))
    (_word, ids), *others = whole or broad
    # A row that was cut off is not known to be absent: the buyer's own words tell.
    unsure = [word for word, _ids in (broad if whole else others)]
    known = [of_other for _word, of_other in (others if whole else ())]
    candidates = [id_ for id_ in ids if all(id_ in other for other in known)]
    capped = not whole
    if unsure:
        capped |= len(candidates) > CHECKED
        candidates = [id_ for id_ in candidates[:CHECKED] if _fits(words_of(id_), unsure)]
    capped |= len(candidates) > ledger.CAPPED
    return Found(tuple(candidates[: ledger.CAPPED]), capped)


def _entries_of(site: Any, buyer: Any, wanted: Sequence[str]) -> Sequence[str]:
    """Keys of a buyer's notifications that all words fit."""
    # Mostly the buyer fits, by a name that stands in each of them: one is enough to tell.
    one = [ledger.get(site, key) for key in islice(buyer["keys"], 1)]
    if _fits(_person_words(buyer, one), wanted):
        return buyer["keys"]
    of_buyer = [ledger.get(site, key) for key in buyer["keys"]]
    person = _person_words(buyer, of_buyer)
    return [e["key"] for e in of_buyer if _fits(person | _id_words(e), wanted)]


def _rows(index: Any, word: str) -> Iterator[tuple[str, str]]:
    """The rows of an index whose word begins so."""
    for row in index.keys(min=word, max=word + _LAST):
        found, _space, id_ = row.rpartition(" ")
        yield found, id_


def _addresses(by_address: Any, word: str) -> Iterator[tuple[str, str]]:
    """Addresses that begin so, with their buyers; none that was erased."""
    last = word + _LAST
    yield from by_address.items(min=word, max=min(last, pseudonyms.MARK))
    yield from by_address.items(min=max(word, pseudonyms.MARK + _LAST), max=last)


def _fits(found: Iterable[str], wanted: Iterable[str]) -> bool:
    missing = set(wanted)
    for word in found:
        missing = {beginning for beginning in missing if not word.startswith(beginning)}
        if not missing:
            break
    return not missing


def _person_words(buyer: Mapping[str, Any], found: Iterable[ledger.Entry]) -> frozenset[str]:
    names = {name for entry in found for name in entry.derived(_names)}
    stated = (address for _customer, address in buyer.get("stated", ()))
    addresses = (*buyer["addresses"], *stated, buyer["user_id"])
    return frozenset().union(*map(address_words, addresses), *map(words, names))


def _names(entry: ledger.Entry) -> tuple[str, str]:
    return entry["first_name"], entry["last_name"]


def _id_words(entry: ledger.Entry) -> frozenset[str]:
    return words(entry["receipt"]) | words(entry["transaction"])


def buyer_words(buyer: Mapping[str, Any], entries: Sequence[ledger.Entry]) -> tuple[str, ...]:
    """The words that a buyer is filed under, beside those of its entries.

    :param entries: the buyer's.
    """
    addresses = {address for address in buyer["addresses"] if fold(address) == address}
    everything = _longest(_person_words(buyer, entries) | addresses)
    return tuple(word for word in everything if word not in addresses)


def entry_words(entry: ledger.Entry) -> list[str]:
    """The rows under which an entry's buyer is found by the entry's receipt and transaction.

    They name the entry, too: another one with the same receipt has rows of its own.
    """
    place, buyer_id = ledger.place(entry), entry["buyer_id"]
    return [f"{word} {place} {buyer_id}" for word in _longest(_id_words(entry)) if buyer_id]


def _longest(found: Iterable[str]) -> list[str]:
    """Words without those that are the beginning of another one."""
    everything = sorted(found, reverse=True)
    # A word comes right behind the words that begin with it.
    pairs = zip(everything, ("", *everything), strict=False)
    return [word for word, before in pairs if not before.startswith(word)]


def nameless_words(entry: ledger.Entry) -> list[str]:
    """The words that an entry is filed under while it belongs to no buyer, with its key."""
    words_ = [] if entry["buyer_id"] else sorted(_id_words(entry))
    return [f"{word} {entry['key']}" for word in words_]
