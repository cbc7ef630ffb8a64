"""The outbox of outgoing hooks: an event for a receiver is kept until it was taken.

It is a persistent mapping of plain values, filed in the commit that it tells of, and deleted
once its receiver has taken it.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from hashlib import sha256
from itertools import islice
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.hooks import events
from niteoweb.click2sell.hooks import receivers
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import trees
from persistent.mapping import PersistentMapping
from typing import Any

import secrets
import transaction


WAITING = "waiting"
GIVEN_UP = "given up"

#: An event that is not taken is given up after so long, and deleted some time after that.
GIVE_UP = timedelta(days=3)
KEPT = timedelta(days=30)
#: Events of a receiver are counted up to this.
CAPPED = 1000

#: What an erased member is called by in events that have to be told all the same.
HASHED = "sha256:"

Event = PersistentMapping


def file(site: Any, type_: str, member: str, data: Mapping[str, Any], now: datetime) -> None:
    """File an event for all receivers that want it, in the current transaction.

    :param type_: one of :data:`niteoweb.click2sell.hooks.events.CHOICES`.
    :param member: id of the buyer whom it is about, "" for nobody; the events of one are
        delivered in their order.
    :param data: what it tells, in values for JSON.
    """
    wanting = list(receivers.wanting(site, type_))
    if wanting:
        _file(site, wanting, type_, member, data, now)


def file_test(site: Any, receiver: receivers.Receiver, now: datetime) -> None:
    """File a test event for a receiver, due at once."""
    receivers.hasten(receiver)
    _file(site, [receiver], events.TEST, "", {}, now)


def file_silent(site: Any, silent: Mapping[str, datetime], now: datetime) -> None:
    """File the providers that have fallen silent since the last call.

    :param silent: all that are, with their last notification.
    """
    remarks = trees.tree(site, "remarks")
    after = {name: timestamps.iso(last) for name, last in silent.items()}
    before = remarks.get(_SILENT, {})
    if after == before:
        return
    remarks[_SILENT] = after
    for name, last in sorted(after.items()):
        if before.get(name) != last:
            file(site, events.SILENT, "", {"provider": name, "since": last}, now)


_SILENT = "hooks_silent"


def _file(
    site: Any,
    to: Iterable[receivers.Receiver],
    type_: str,
    member: str,
    data: Mapping[str, Any],
    now: datetime,
) -> None:
    place = timestamps.microseconds(now)
    if member:
        # Another process's clock may be behind, and two events of one commit have one time.
        rows = _rows(site, "hook_events_by_member", member)
        place = max([place, *(row[1] + 1 for row in rows[-1:])])
    for receiver in to:
        id_ = f"evt_{timestamps.stamp(now)}{secrets.token_hex(6)}"
        event = trees.tree(site, "hook_events")[id_] = PersistentMapping(
            {
                "id": id_,
                "receiver": receiver["id"],
                "type": type_,
                "member": member,
                "data": dict(data),
                "place": place,
                "filed_at": timestamps.iso(now),
                "state": WAITING,
                "attempts": 0,
                "next_at": "",
                "failing_since": "",
                "error": "",
            }
        )
        indexes.mark(site, "hook_events", event)
    transaction.get().addAfterCommitHook(_wake)


def _wake(committed: bool) -> None:
    if committed:
        background.wake(background.HOOKS)


#: More microseconds than there are.
_LAST = 2**63


def get(site: Any, id_: str) -> Event | None:
    """An event, None when it was taken or erased."""
    return trees.tree(site, "hook_events").get(id_)


def _rows(site: Any, name: str, of: str) -> Any:
    return trees.tree(site, name).keys((of, 0), (of, _LAST))


def events_of(site: Any, name: str, of: str) -> Iterator[Event]:
    """The events of a receiver or a member in one of the indexes, in their order."""
    filed = trees.tree(site, "hook_events")
    return (filed[id_] for _of, _place, id_ in _rows(site, name, of))


def old(site: Any, name: str, receiver: str, until: datetime) -> list[Event]:
    """The oldest events of an index, up to :data:`CAPPED`, that were filed by a moment."""
    oldest = islice(events_of(site, name, receiver), CAPPED)
    return [event for event in oldest if timestamps.from_iso(event["filed_at"]) <= until]


def waiting(site: Any, receiver: str) -> int:
    """The number of events that a receiver has not taken yet, up to :data:`CAPPED`."""
    return sum(1 for _row in islice(_rows(site, "hook_queue", receiver), CAPPED))


def given_up(site: Any, receiver: str) -> int:
    """The number of events that were given up, up to :data:`CAPPED`."""
    return sum(1 for _row in islice(_rows(site, "hook_given_up", receiver), CAPPED))


def try_again(site: Any, receiver: receivers.Receiver) -> None:
    """Have all events of a receiver posted at once, also those that were given up."""
    receivers.hasten(receiver)
    for name in ("hook_given_up", "hook_queue"):
        for event in list(events_of(site, name, receiver["id"])):
            if event["state"] == GIVEN_UP or event["next_at"]:
                event["next_at"] = ""
                move(site, event, WAITING)
    transaction.get().addAfterCommitHook(_wake)


def remove(site: Any, receiver: receivers.Receiver) -> None:
    """Remove a receiver with all that waits for it."""
    for name in ("hook_given_up", "hook_queue"):
        for event in list(events_of(site, name, receiver["id"])):
            discard(site, event)
    del trees.tree(site, "hook_receivers")[receiver["id"]]


def forget(site: Any, now: datetime) -> None:
    """Delete old events that were given up, or wait for a receiver that is switched off."""
    for receiver in receivers.every(site):
        for name in ("hook_given_up", "hook_queue"):
            for event in old(site, name, receiver["id"], now - GIVE_UP - KEPT):
                if event["state"] == GIVEN_UP or receiver["switched_off_at"]:
                    discard(site, event)


def merge(site: Any, member: str, other: str) -> None:
    """Have the events of a buyer be another one's, whose later events then wait for them.

    :param member: the id of the buyer who stays.
    """
    for event in list(events_of(site, "hook_events_by_member", other)):
        event["member"] = member
        indexes.mark(site, "hook_events", event)


def about(site: Any, members: Collection[str], addresses: Collection[str]) -> list[Event]:
    """The events about buyers and addresses that were not taken yet.

    :param members: ids of the buyers.
    :param addresses: in lower case.
    """
    filed = trees.tree(site, "hook_events")
    events = {}
    for name, values, key in (
        ("hook_events_by_member", members, lambda one: ((one, 0), (one, _LAST))),
        ("hook_events_by_address", addresses, lambda one: ((one, ""), (one, "~"))),
    ):
        for value in values:
            for row in trees.tree(site, name).keys(*key(value)):
                events[row[-1]] = filed[row[-1]]
    return sorted(events.values(), key=lambda event: (event["place"], event["id"]))


def erase(site: Any, members: Collection[str], addresses: Collection[str]) -> None:
    """Erase a person from the events that were not taken yet.

    The end of access has to be told all the same: a receiver finds the member by the hash of
    the user id. Nothing else is told any more.
    """
    for event in about(site, members, addresses):
        if event["type"] != events.ENDED:
            discard(site, event)
            continue
        user_id = event["data"]["user_id"]
        if not user_id.startswith(HASHED):
            user_id = f"{HASHED}{sha256(user_id.encode('utf-8')).hexdigest()}"
        event["data"] = {**event["data"], "email": "", "user_id": user_id, "entry": None}
        indexes.mark(site, "hook_events", event)


def move(site: Any, event: Event, state: str) -> None:
    """Have an event wait, or be given up."""
    event["state"] = state
    indexes.mark(site, "hook_events", event)


def discard(site: Any, event: Event) -> None:
    """Delete an event."""
    indexes.forget(site, "hook_events", event)
    del trees.tree(site, "hook_events")[event["id"]]


def _in_state(state: str) -> Any:
    def rows(site: Any, event: Mapping[str, Any]) -> list[tuple[str, int, str]]:
        row = (event["receiver"], event["place"], event["id"])
        return [row] if event["state"] == state else []

    return rows


def _by_member(site: Any, event: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    row = (event["member"], event["place"], event["id"])
    return [row] if event["member"] else []


def _by_address(site: Any, event: Mapping[str, Any]) -> list[tuple[str, str]]:
    address = event["data"].get("email", "")
    return [(address.lower(), event["id"])] if address else []


indexes.define(
    "hook_events",
    lambda event: event["id"],
    indexes.Index("hook_queue", _in_state(WAITING)),
    indexes.Index("hook_given_up", _in_state(GIVEN_UP)),
    indexes.Index("hook_events_by_member", _by_member),
    indexes.Index("hook_events_by_address", _by_address),
)
