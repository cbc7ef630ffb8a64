"""Sales: a record for each order that this site makes in the store. No I/O but the database.

States, which are stored and never change their names::

    begun -> carted -> placing -> placed -> paying -> processing -> processed -> done
      +---------+------------------+---> cancelled, expired

``charged`` is a sale whose buyer paid and has to go back to the WebTV, which processes it
itself. An order needs a person where ``attention`` is set: that is a mark, and no state.
"""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.storage import trees
from typing import Any

import secrets


trees.declare(
    webtv_sales=trees.Tree,  # sale id -> record
    # ("reference", text), ("charge", who, transaction), ("order", gateway, order id),
    # ("user", user id) of the open one -> sale id
    webtv_sales_by=trees.Tree,
    webtv_sales_due=trees.TreeSet,  # (time as stored, sale id)
    webtv_sales_newest=trees.TreeSet,  # (minus microseconds of its begin, sale id)
)

Sale = dict[str, Any]

BEGUN, CARTED, PLACING, PLACED = "begun", "carted", "placing", "placed"
PAYING, PROCESSING, PROCESSED, DONE = "paying", "processing", "processed", "done"
CHARGED, CANCELLED, EXPIRED = "charged", "cancelled", "expired"

#: States in which nothing more happens.
CLOSED = frozenset({DONE, CANCELLED, EXPIRED})
#: States in which a process is, or has died.
UNDER_WAY = frozenset({PLACING, PAYING, PROCESSING, PROCESSED})

#: What an owner can want of the background.
GO_ON, CANCEL = "go on", "cancel"

#: A process has a sale to itself for so long. It is longer than any question, and than the
#: expiry of a question: what is under way is over then.
LEASE = timedelta(seconds=120)
#: Lines of a sale's log.
LOG = 50


class Conflict(Exception):
    """A sale cannot be done; nothing was changed, unless the text says so.

    :ivar status: of HTTP.
    :ivar kind: a code for callers.
    """

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


def get(site: Any, id_: str) -> Sale | None:
    """The record of a sale."""
    return trees.tree(site, "webtv_sales").get(id_)


def found(site: Any, *key: str) -> Sale | None:
    """The sale that is filed under a key, see ``webtv_sales_by``."""
    return get(site, trees.tree(site, "webtv_sales_by").get(key, ""))


def newest(site: Any) -> Iterator[Sale]:
    """All sales, the newest first."""
    return (get(site, id_) for _at, id_ in trees.tree(site, "webtv_sales_newest"))


def begin(site: Any, now: datetime, **fields: Any) -> Sale:
    """Begin a sale.

    :raises Conflict: the user has an open one.
    """
    user, reference = fields["user"], fields.get("reference", "")
    if user and found(site, "user", user) is not None:
        raise Conflict(409, "SaleOpen", "The user has an open sale.")
    at, state = timestamps.iso(now), fields.get("state", BEGUN)
    sale = {
        "id": secrets.token_hex(16),
        "state": state,
        "at": at,
        "lease": "",
        "holder": "",
        "origin": "service",
        "reference": "",
        "by": "",
        "user": "",
        "email": "",
        "items": [],
        "order": "",
        "number": "",
        "due": "0",
        "paid": "0",
        "empty_cart": False,
        "filled": False,
        "terms": [],
        "payments": [],
        "recurring": True,
        "notify": True,
        "restricted": None,
        "log": [(at, state, "")],
        "attention": "",
        "due_at": "",
        "credit_used": None,
        "titles": {},
        "types": {},
        "agreement": "",
        "message": "",
        "refused": "",
        "gateway": "",
        "paid_by": "",
        "returned": False,
        "bound": "",
        "wanted": "",
        "filed": (),
        "hours": 24,
        "state_at": at,
        "step_at": at,
        **fields,
    }
    filed = trees.tree(site, "webtv_sales_by")
    if user:
        filed["user", user] = sale["id"]
    if reference:
        filed["reference", reference] = sale["id"]
    trees.tree(site, "webtv_sales_newest").insert((-timestamps.microseconds(now), sale["id"]))
    return _put(site, sale)


def change(site: Any, id_: str, now: datetime, changes: Sale, words: str = "") -> Sale:
    """Change a sale, and note it in its log.

    :param words: what was asked or answered, without an address or a secret.
    """
    before = get(site, id_)
    sale = {**before, **changes}
    if "state" in changes or words:
        line = (timestamps.iso(now), sale["state"], words)
        sale["log"] = [*sale["log"], line][-LOG:]
        sale["step_at"] = timestamps.iso(now)
    if sale["state"] != before["state"]:
        sale["state_at"] = timestamps.iso(now)
    return _put(site, sale)


def take(site: Any, id_: str, now: datetime, holder: str) -> Sale:
    """Take a sale for some steps.

    :param holder: the mark of who takes it.
    :raises Conflict: somebody else has it.
    """
    sale = get(site, id_)
    if sale["lease"] and timestamps.from_iso(sale["lease"]) > now:
        raise Conflict(409, "Busy", "Somebody is at this sale.")
    lease = {"lease": timestamps.iso(now + LEASE), "holder": holder}
    return change(site, id_, now, lease)


def due(site: Any, now: datetime) -> list[str]:
    """Ids of the sales to be looked at."""
    rows = trees.tree(site, "webtv_sales_due").keys(max=(timestamps.iso(now), "~"))
    return [id_ for _at, id_ in rows]


def open_ones(site: Any) -> list[Sale]:
    """The sales that the background looks at, now or later."""
    return [get(site, id_) for _at, id_ in trees.tree(site, "webtv_sales_due")]


def charge(site: Any, id_: str, who: str, transaction: str) -> None:
    """File a charge: one transaction pays one sale.

    :raises Conflict: it pays another one.
    """
    filed, key = trees.tree(site, "webtv_sales_by"), ("charge", who, transaction)
    if filed.setdefault(key, id_) != id_:
        raise Conflict(409, "ChargeUsed", "This charge pays another sale.")


def payment(transaction: str, amount: str, by: str, method: str = "external") -> dict[str, str]:
    """A payment that the store has not been told yet.

    :param by: the provider or the user who says so.
    """
    told = {"transaction": transaction, "amount": amount, "method": method, "by": by}
    return {**told, "state": "noted"}


def waits_for_charge(sale: Sale) -> bool:
    """Whether an order of the WebTV's own is still to be charged."""
    return sale["origin"] == "processor" and sale["state"] == PLACED and not sale["paid_by"]


def erase(site: Any, address: str) -> None:
    """Take an address out of the sales.

    :param address: in lower case.
    """
    for sale in list(of_address(site, address)):
        trees.tree(site, "webtv_sales")[sale["id"]] = {**sale, "email": ""}


def of_address(site: Any, address: str) -> Iterator[Sale]:
    """The sales to an address."""
    return (sale for sale in newest(site) if sale["email"].lower() == address)


def _put(site: Any, sale: Sale) -> Sale:
    """Write a sale, and file it under the time of its next look."""
    id_, rows = sale["id"], trees.tree(site, "webtv_sales_due")
    rows.discard((sale["due_at"], id_))
    sale["due_at"] = _look_at(sale)
    if sale["due_at"]:
        rows.insert((sale["due_at"], id_))
    filed = trees.tree(site, "webtv_sales_by")
    closed = sale["state"] in CLOSED or sale["state"] == CHARGED
    if closed and filed.get(("user", sale["user"])) == id_:
        del filed["user", sale["user"]]
    trees.tree(site, "webtv_sales")[id_] = sale
    return sale


def _look_at(sale: Sale) -> str:
    """When the background has to look at a sale, "" for never."""
    if sale["wanted"]:
        return sale["step_at"]
    if sale["attention"] or sale["state"] in CLOSED:
        return ""
    if sale["state"] in UNDER_WAY:
        return timestamps.iso(timestamps.from_iso(sale["step_at"]) + LEASE)
    if sale["state"] in (BEGUN, CARTED, PLACED) and not waits_for_charge(sale):
        hours = timedelta(hours=sale["hours"])
        return timestamps.iso(timestamps.from_iso(sale["step_at"]) + hours)
    if sale["state"] == CHARGED:
        return timestamps.iso(timestamps.from_iso(sale["step_at"]) + timedelta(minutes=15))
    return ""
