"""The readable part of a notification that could not be read as a whole."""

from dataclasses import dataclass
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import ledger


@dataclass(frozen=True)
class Sent:
    """The buyer and the product of a notification, "" where they cannot be read.

    :ivar paid: the buyer is known, and nothing tells that money went back.
    """

    address: str
    name: str
    product_id: str
    paid: bool


#: The ends of the names of parameters with these values, in the words of any provider.
_ENDINGS = {
    "address": ("buyer_email", "email", "e-mail", "mail"),
    "product": ("product_id", "productid", "offerid", "offer_id"),
    "first_name": ("buyer_name", "first_name", "firstname", "givenname"),
    "last_name": ("buyer_surname", "last_name", "lastname", "surname"),
    "kind": ("type", "status", "event"),
}
#: Parts of a kind that gives no access.
_NOT_PAID = ("refund", "return", "chargeback", "dispute", "cancel", "fail", "declin", "expir")


def as_sent(entry: ledger.Entry) -> Sent:
    """Read a notification, by its parameters where nothing else is known."""
    values = {
        what: [
            value
            for ending in endings
            for name, value in entry["payload"].items()
            if name.lower().endswith(ending) and value
        ]
        for what, endings in _ENDINGS.items()
    }
    first = {what: next(iter(found), "") for what, found in values.items()}
    address = entry["email"] or first["address"]
    kinds = " ".join(values["kind"]).lower()
    return Sent(
        address,
        history.fullname(entry) or history.fullname(first),
        entry["product_id"] or first["product"],
        bool(address) and not any(part in kinds for part in _NOT_PAID),
    )
