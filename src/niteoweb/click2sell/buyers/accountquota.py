"""The quota of new accounts in an hour: a leaked key cannot fill the site.

A buyer beyond the quota is written down, needs attention and waits; the sweep makes the account
when there is room, in order of arrival. A buyer who waits has a place, so that no later one is
faster. The cap limits damage and is no exact count: processes that make an account at the same
moment do not see each other's, rather than get in each other's way.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from enum import Enum
from itertools import islice
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.storage import Record
from niteoweb.click2sell.storage import trees
from typing import Any


#: The time in which accounts are counted.
SPAN = timedelta(hours=1)


class Admission(Enum):
    """The way in which a new account gets its place.

    :cvar ARRIVAL: behind those who wait longer, if there is room then.
    :cvar CALLED: its turn has come.
    :cvar OWNER: an owner makes it, or imports it; such accounts do not count.
    """

    ARRIVAL = "arrival"
    CALLED = "called"
    OWNER = "owner"


def cap() -> int:
    """The number of accounts that may be made in an hour; 0 for any number."""
    return plone_site.settings().new_accounts_an_hour or 0


def asked_at(payments: Sequence[ledger.Entry], deleted_at: str) -> str:
    """The time of arrival of the first payment that asks for an account, "" when none does.

    A payment that an owner has dismissed while it waited does not ask any more.

    :param deleted_at: when the buyer's account was deleted, "" for never.
    """
    asking = (
        entry["received_at"]
        for entry in payments
        if entry["received_at"] > deleted_at and entry["dismissed"] != (Reason.TOO_MANY, "")
    )
    return min(asking, default="")


def is_full(site: Any, buyer: Record, asked: str, admission: Admission, now: datetime) -> bool:
    """Whether a buyer has to wait for an account.

    :param asked: when the buyer asked for it, see :func:`asked_at`.
    :param now: in UTC.
    """
    if not asked:
        return True
    most = cap()
    if admission is Admission.OWNER or not most:
        return False
    taken = _made(site, now, most)
    if admission is Admission.ARRIVAL and taken < most:
        place = (asked, buyer["id"])
        ahead = trees.tree(site, "accounts_awaited").keys(max=place, excludemax=True)
        taken += sum(buyer_id != buyer["id"] for _asked, buyer_id in islice(ahead, most))
    return taken >= most


def note(site: Any, buyer: Record, now: datetime) -> None:
    """Count an account that is made, in the current transaction.

    :param now: in UTC.
    """
    if cap():
        trees.tree(site, "accounts_made").insert((timestamps.iso(now), buyer["id"]))


def forget(site: Any, now: datetime) -> None:
    """Forget accounts that are too old to count, in the current transaction."""
    made = trees.tree(site, "accounts_made")
    for place in list(made.keys(max=(timestamps.iso(now - SPAN), ""))):
        made.remove(place)


def waiting(site: Any) -> int:
    """The number of buyers who wait for an account."""
    return len(trees.tree(site, "accounts_awaited"))


def anybody_waits(site: Any) -> bool:
    """Whether a buyer waits for an account."""
    return bool(trees.tree(site, "accounts_awaited"))


def room(site: Any, now: datetime) -> int | None:
    """The number of accounts that can be made at a moment, in UTC; None for any number."""
    most = cap()
    return max(0, most - _made(site, now, most)) if most else None


def called(site: Any) -> Iterator[str]:
    """The buyers who wait, in the order in which they asked."""
    for _asked, buyer_id in list(trees.tree(site, "accounts_awaited")):
        yield buyer_id


def _made(site: Any, now: datetime, most: int) -> int:
    """The number of accounts made in the last hour; it counts no further than the cap."""
    made = trees.tree(site, "accounts_made").keys(
        (timestamps.iso(now - SPAN), "~"), (timestamps.iso(now), "~")
    )
    return sum(1 for _place in islice(made, most))
