"""The users of the store that are known here, and the last known states of their items.

No I/O but to the database. ``webtv_users`` has a record for each; it is written whole.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.providers.webtv import states
from niteoweb.click2sell.storage import trees
from typing import Any


trees.declare(
    # user id -> {email, name, surname, asked_at, next, known, erased}
    webtv_users=trees.Tree,
    webtv_users_due=trees.TreeSet,  # (next question as stored, user id)
    webtv_users_held=trees.TreeSet,  # ids of users whose ends wait for an owner
    webtv_users_by_email=trees.TreeSet,  # (lower-cased address, user id)
)

Record = dict[str, Any]

#: A turn of questions is over within this: who was asked about in it waits from then on.
TURN = timedelta(hours=1)

_NEW: Record = {
    **dict.fromkeys(("email", "name", "surname", "asked_at", "next"), ""),
    "known": {},
    "erased": False,
}


def get(site: Any, id_: str) -> Record | None:
    """The record of a user."""
    return trees.tree(site, "webtv_users").get(id_)


def take_in(site: Any, users: Iterable[states.User], now: datetime) -> None:
    """Take in users; a new one is due at once, a changed address is written over."""
    for user in users:
        record = get(site, user.id)
        if record is None:
            _put(site, user.id, {**_NEW, **_named(user), "next": timestamps.iso(now)})
        elif not record["erased"] and record != {**record, **_named(user)}:
            _put(site, user.id, {**record, **_named(user)})


def named(site: Any, id_: str) -> states.User | None:
    """A user who may be asked about."""
    record = get(site, id_)
    if record is None or not record["email"]:
        return None
    return states.User(id_, record["email"], record["name"], record["surname"])


def due(site: Any, now: datetime, pause: timedelta) -> list[str]:
    """Ids of the users who are to be asked about, the longest due first.

    :param now: when the turn began, in UTC.
    :param pause: the longest between two questions. Who waits for longer was put off by a clock
        that was ahead, and is due.
    """
    rows, latest = trees.tree(site, "webtv_users_due"), timestamps.iso(now + pause + TURN)
    wanted = (*rows.keys(max=(timestamps.iso(now), "~")), *rows.keys(min=(latest, "~")))
    return [id_ for _at, id_ in wanted]


def held(site: Any) -> list[str]:
    """Ids of the users whose ends wait for an owner."""
    return list(trees.tree(site, "webtv_users_held"))


def held_addresses(site: Any) -> list[str]:
    """Addresses of these users."""
    return sorted(user.email for id_ in held(site) if (user := named(site, id_)))


def of_address(site: Any, address: str) -> list[str]:
    """Ids of the users with an address.

    :param address: in lower case.
    """
    rows = trees.tree(site, "webtv_users_by_email").keys((address, ""), (address, "~"))
    return [id_ for _address, id_ in rows]


def known(site: Any, id_: str) -> dict[str, states.Known]:
    """The last known states of a user's items.

    A notification that was intended, and is not in the ledger, was not told.
    """
    record, stands = get(site, id_) or _NEW, {}
    for transaction, tellings in record["known"].items():
        for telling in tellings:
            if ledger.get(site, telling[0]) is not None:
                stands[transaction] = telling
                break
    return stands


def intend(
    site: Any, id_: str, told: Sequence[Notification], items: Iterable[states.Item]
) -> None:
    """Note notifications to come; the known states stay beside them until they are recorded."""
    record, stands, items = get(site, id_), known(site, id_), list(items)
    noted = {transaction: (telling,) for transaction, telling in stands.items()}
    for notification in told:
        before = noted.get(notification.transaction, ())
        noted[notification.transaction] = (states.note(notification, items), *before)
    _put(site, id_, {**record, "known": noted})


def put_off(site: Any, id_: str, now: datetime, until: datetime, is_held: bool = False) -> None:
    """Note that a user was asked about, and when to ask again."""
    record = get(site, id_)
    if record is None:
        return
    times = {"asked_at": timestamps.iso(now), "next": timestamps.iso(until)}
    _put(site, id_, {**record, **times})
    waiting = trees.tree(site, "webtv_users_held")
    (waiting.insert if is_held else waiting.discard)(id_)


def erase(site: Any, address: str) -> None:
    """Take address and names out of the users with an address; they are not asked about again.

    :param address: in lower case.
    """
    for id_ in of_address(site, address):
        _put(site, id_, {**_NEW, "known": get(site, id_)["known"], "erased": True})
        trees.tree(site, "webtv_users_held").discard(id_)


def _named(user: states.User) -> Record:
    return {"email": user.email, "name": user.name, "surname": user.surname}


def _put(site: Any, id_: str, record: Record) -> None:
    before, stored = get(site, id_), trees.tree(site, "webtv_users")
    for name, field, of in (
        ("webtv_users_due", "next", str),
        ("webtv_users_by_email", "email", str.lower),
    ):
        rows = trees.tree(site, name)
        if before is not None and before[field]:
            rows.discard((of(before[field]), id_))
        if record[field]:
            rows.insert((of(record[field]), id_))
    stored[id_] = record
