"""Records: mappings of plain values that take little room in the database.

A purchase writes some of them, twice for the most part, and each has the same names of fields
and mostly the same values. In memory a record is a mapping of everything; only what is written
is short.
"""

from collections.abc import Callable
from collections.abc import Mapping
from persistent.mapping import PersistentMapping
from typing import Any


#: The rows of a record in its indexes, by the names of these.
FILED = "filed"

#: Names that are written as their numbers. New ones come at the end: the numbers are stored.
NAMES = (
    *("id", "filed", "kind", "state", "notes", "error", "attempts", "due_at", "tried_at", "by"),
    # buyers
    *("revision", "addresses", "customer_ids", "keys", "user_id", "made", "password_print"),
    *("logged_in", "chosen", "account_asked", "deleted_at", "erased_at", "grants", "taken"),
    *("due", "live", "next_change", "pending", "log", "own_account", "claims", "stated"),
    *("renewals_awaited", "ends_ahead", "ends_told", "summary", "recent", "made_at"),
    *("access_turned", "ended_on", "not_renewed_in"),
    # entries
    *("notification", "buyer", "outcome", "reason", "subject", "failures", "counts"),
    *("buyer_id", "dismissed", "days", "exclusive", "terms_known", "place", "asks", "told_at"),
    *("retry_at", "waits_for", "binds", "tie", "received_at"),
    # notifications
    *("key", "provider", "transaction", "receipt", "occurred_at", "email", "product_id"),
    *("product_name", "first_name", "last_name", "amount", "currency", "country"),
    *("affiliate", "valid_until", "valid_from", "earliest", "subscription"),
    *("on_behalf_of", "customer_id", "member", "external_subscription_id", "in_reply_to"),
    *("validation_result", "undoing", "aliases", "fully_signed", "snapshot"),
    *("customer_deleted", "customer_suspended", "attention", "attention_subject", "payload"),
    # mails
    *("to", "product", "credentials", "message_id", "filed_at", "about"),
    # indexes
    *("facets", "money", "retries", "buyer_words", "nameless_words", "mentions", "figures"),
    *("buyers_due", "buyers_pending", "buyers_active", "buyers_active_count"),
    *("buyers_with_access", "buyers_ended", "access_ends", "access_ends_by_day"),
    *("products_with_access", "accounts_awaited", "logins_awaited", "mails_due"),
    *("mails_by_address", "mails_by_user", "mails_failed", "customers_awaited"),
)

_NUMBERS = {name: number for number, name in enumerate(NAMES)}

#: The values that a record of a kind begins with, by kind.
_BEGINNINGS: dict[str, Callable[[], Mapping[str, Any]]] = {"": dict}


class Record(PersistentMapping):
    """A mapping of plain values: text, numbers, tuples and mappings of these, other records.

    It is stored without the values that it began with, with numbers in the place of names, and
    with each text once.
    """

    def __init__(self, values: Mapping[str, Any], kind: str = "") -> None:
        super().__init__({**_BEGINNINGS[kind](), **values})
        self.kind = kind

    @staticmethod
    def define(kind: str, beginning: Callable[[], Mapping[str, Any]]) -> None:
        """Define a kind of records, when the module that keeps them is imported.

        :param beginning: gives the values that a record begins with. They never change: that
            would change the records that are stored. A new field is one that may be missing.
        """
        _BEGINNINGS[kind] = beginning

    def __getstate__(self) -> tuple[str, dict[Any, Any]]:
        """The kind, and all that is worth writing."""
        began, texts = _BEGINNINGS[self.kind](), dict[Any, Any]()
        return self.kind, {
            _NUMBERS.get(name, name): _numbered(value, texts)
            if name == FILED
            else _shared(value, texts)
            for name, value in self.data.items()
            if name not in began or value != began[name]
        }

    def __setstate__(self, state: tuple[str, dict[Any, Any]]) -> None:
        """Become what was written."""
        kind, stored = state
        values = {**_BEGINNINGS[kind](), **_named(stored)}
        if FILED in values:
            values[FILED] = _named(values[FILED])
        super().__setstate__({"kind": kind, "data": values})


def _numbered(values: Mapping[str, Any], texts: dict[Any, Any]) -> dict[Any, Any]:
    return {_NUMBERS.get(name, name): _shared(value, texts) for name, value in values.items()}


def _named(stored: Mapping[Any, Any]) -> dict[str, Any]:
    return {NAMES[name] if type(name) is int else name: v for name, v in stored.items()}


def _shared(value: Any, texts: dict[Any, Any]) -> Any:
    """A value with one object for equal texts, which is written once."""
    if type(value) is str:
        return texts.setdefault(value, value)
    if type(value) is tuple:
        return tuple(_shared(part, texts) for part in value)
    if type(value) is dict:
        return {_shared(n, texts): _shared(part, texts) for n, part in value.items()}
    return value
