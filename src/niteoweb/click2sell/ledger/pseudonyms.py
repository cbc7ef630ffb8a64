"""Erased buyers: keyed hashes that stand where their names were.

Each address, transaction, receipt and key of an erased buyer is replaced by its HMAC-SHA256
with a random key of the site, which is made at the first erasure. Equal texts have equal
hashes, so all relations stay: a notification that was erased is recognised when it is delivered
again, its transaction stays tied to its buyer, and its chain computes as before. A reader of a
page or an export cannot try addresses against the hashes; a person who has the database has the
key, too.

As long as nobody was erased, all this costs one look whether there is a key. After that a
name is hashed where it is not found as it stands.
"""

from collections.abc import Callable
from collections.abc import Mapping
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.storage import trees
from operator import itemgetter
from typing import Any

import hmac
import json
import secrets


ADDRESS = "address"
TRANSACTION = "transaction"
RECEIPT = "receipt"
CUSTOMER = "customer"
ACCOUNT = "account"
EXTERNAL_SUBSCRIPTION = "external_subscription_id"
UNDOING = "undoing"
_KEY = "key"

#: Fields of a notification that have a pseudonym, with its kind.
FIELDS = {
    "transaction": TRANSACTION,
    "receipt": RECEIPT,
    "external_subscription_id": EXTERNAL_SUBSCRIPTION,
    "customer_id": CUSTOMER,
    "undoing": UNDOING,
}

#: Begins every hash but those of keys. The space keeps it apart from all addresses and
#: transactions that a provider can send.
MARK = "erased "

Source = tuple[str, str]


def in_use(site: Any) -> bool:
    """Whether a buyer was ever erased."""
    return bool(_secret(site))


def begin(site: Any) -> None:
    """Make the site's key, unless there is one."""
    if not in_use(site):
        trees.tree(site, "remarks")["erasure_key"] = secrets.token_hex(32)


def alias(site: Any, kind: str, text: str) -> str:
    """The pseudonym of a text, "" for ""; a pseudonym stays as it is.

    :param kind: the kind of the text, :data:`ADDRESS` for example.
    """
    if not text or text.startswith(MARK):
        return text
    return MARK + _hash(site, kind, text)


def key_alias(site: Any, key: str) -> str:
    """The pseudonym of the key of an entry."""
    return _hash(site, _KEY, key)


def address(site: Any, address_: str) -> str:
    """The name under which the buyer of an address is filed: the address, unless erased."""
    return _known_as(site, "buyer_by_address", ADDRESS, ("", address_), itemgetter(1))[1]


def transaction(site: Any, source: Source) -> Source:
    """The name under which a transaction is filed: its own, unless its buyer was erased.

    :param source: provider and transaction.
    """
    return _known_as(site, "transactions", TRANSACTION, source, lambda s: trees.number(*s))


def customer(site: Any, source: Source) -> Source:
    """The name under which a customer is filed: its own, unless its buyer was erased.

    :param source: provider and its id of the customer.
    """
    return _known_as(site, "buyer_by_customer", CUSTOMER, source)


def entry(site: Any, key: str) -> Any:
    """The redacted entry of a key that is not in the ledger as it stands, None for none."""
    if not in_use(site):
        return None
    return entries.get(site, key_alias(site, key))


def is_erased(record: Mapping[str, Any]) -> bool:
    """Whether an entry, which stays as it is then, or a buyer was erased.

    An owner can take a buyer in again.
    """
    return bool(record.get("erased_at"))


def fields(site: Any, entry: Mapping[str, Any]) -> dict[str, str]:
    """The fields of an entry that identify its buyer's purchases, as pseudonyms."""
    return {name: alias(site, kind, entry[name]) for name, kind in FIELDS.items()}


def _known_as(
    site: Any, name: str, kind: str, source: Source, key_of: Callable[[Source], Any] = tuple
) -> Source:
    """The source as it is filed in a tree: as it stands, or by its pseudonym."""
    filed = trees.tree(site, name)
    if key_of(source) in filed or not in_use(site):
        return source
    known_as = (source[0], alias(site, kind, source[1]))
    return known_as if key_of(known_as) in filed else source


def _secret(site: Any) -> str:
    return trees.tree(site, "remarks").get("erasure_key", "")


def _hash(site: Any, kind: str, text: str) -> str:
    message = json.dumps([kind, text]).encode("ascii")
    return hmac.new(bytes.fromhex(_secret(site)), message, "sha256").hexdigest()
