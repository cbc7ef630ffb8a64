"""The outbox of outgoing hooks: an event for a receiver is kept until it was taken.

It is a persistent mapping of plain values, filed in the commit that it tells of, and deleted
once its receiver has taken it. A receiver is served by one process at a time, by lease, so that
the events of a member reach it in their order. A process that dies may repeat an event, with
the same id.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
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

import json
import secrets
import transaction


WAITING = "waiting"
GIVEN_UP = "given up"

#: An event that is not taken is given up after so long, and deleted some time after that.
GIVE_UP = timedelta(days=3)
KEPT = timedelta(days=30)
#: Events that are posted to a receiver in one go, and how many of members may be put off.
BATCH, PUT_OFF = 50, 20
#: Events of a receiver are counted up to this.
CAPPED = 1000

#: The answers of a receiver to an event, or to the attempt.
TAKEN, REFUSED, AWAY, GONE = "taken", "refused", "away", "gone"

#: What an erased member is called by in events that have to be told all the same.
HASHED = "sha256:"

Event = PersistentMapping


@dataclass(frozen=True)
class Letter:
    """An event as it is posted.

    :ivar member: see :func:`file`.
    """

    id: str
    member: str
    body: bytes


@dataclass(frozen=True)
class Batch:
    """Events for a receiver, in the order in which they are posted.

    :ivar lease: see :func:`niteoweb.click2sell.hooks.receivers.take`.
    """

    receiver: str
    url: str
    secret: str
    lease: str
    letters: tuple[Letter, ...]


@dataclass(frozen=True)
class Answer:
    """The answer to a letter.

    :ivar what: one of :data:`TAKEN`, :data:`REFUSED`, :data:`AWAY` and :data:`GONE`.
    :ivar error: the status, "" for none.
    """

    id: str
    what: str
    error: str = ""


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
    told = trees.tree(site, "remarks")
    after = {name: timestamps.iso(last) for name, last in silent.items()}
    before = told.get(_SILENT, {})
    if after == before:
        return
    told[_SILENT] = after
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
        rows = trees.tree(site, "hook_events_by_member").keys((member, 0), (member, _LAST))
        place = max([place, *(row[1] + 1 for row in rows[-1:])])
    for receiver in to:
        id_ = f"evt_{secrets.token_hex(12)}"
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


def _rows(site: Any, name: str, receiver: str) -> Any:
    return trees.tree(site, name).keys((receiver, 0), (receiver, _LAST))


def _events(site: Any, name: str, receiver: str) -> Iterator[Event]:
    """The events of a receiver in one of the indexes, in their order."""
    filed = trees.tree(site, "hook_events")
    return (filed[id_] for _receiver, _place, id_ in _rows(site, name, receiver))


def waiting(site: Any, receiver: str) -> int:
    """The number of events that a receiver has not taken yet, up to :data:`CAPPED`."""
    return sum(1 for _row in islice(_rows(site, "hook_queue", receiver), CAPPED))


def given_up(site: Any, receiver: str) -> int:
    """The number of events that were given up, up to :data:`CAPPED`."""
    return sum(1 for _row in islice(_rows(site, "hook_given_up", receiver), CAPPED))


def due(site: Any, now: datetime) -> list[str]:
    """Ids of the receivers that may be posted to now and that events wait for."""
    return [
        receiver["id"]
        for receiver in receivers.every(site)
        if receivers.may_be_posted(receiver, now) and waiting(site, receiver["id"])
    ]


def take(site: Any, receiver_id: str, now: datetime) -> Batch | None:
    """Take a receiver and the first of its due events for this process.

    An event of a member waits for the earlier ones of that member.

    :returns: None when nothing is due, or another process is at it.
    """
    receiver = receivers.find(site, receiver_id)
    if receiver is None or not receivers.may_be_posted(receiver, now):
        return None
    letters: list[Letter] = []
    put_off: set[str] = set()
    for event in _events(site, "hook_queue", receiver_id):
        if event["member"] in put_off:
            continue
        if receivers.waits(event["next_at"], now):
            put_off.add(event["member"] or event["id"])
        else:
            letters.append(Letter(event["id"], event["member"], _body(event)))
        if len(letters) == BATCH or len(put_off) > PUT_OFF:
            break
    if not letters:
        return None
    lease = receivers.take(receiver, now)
    return Batch(receiver_id, receiver["url"], receiver["secret"], lease, tuple(letters))


def _body(event: Event) -> bytes:
    value = {"type": event["type"], "timestamp": event["filed_at"], "data": event["data"]}
    return json.dumps(value).encode("ascii")


def note(site: Any, batch: Batch, answers: Iterable[Answer], now: datetime) -> None:
    """Note the answers to a batch, and give the receiver back."""
    receiver, filed = receivers.find(site, batch.receiver), trees.tree(site, "hook_events")
    if receiver is None:
        return
    if receiver["lease"] == batch.lease:
        receiver.update(lease="", leased_at="")
    for answer in answers:
        if answer.what in (AWAY, GONE):
            _failed(site, receiver, answer, now)
            continue
        receiver.update(failures=0, error="", next_at="", failing_since="")
        event = filed.get(answer.id)
        if event is None:
            continue  # erased meanwhile, or delivered by another process
        if answer.what == TAKEN:
            receiver["delivered_at"] = timestamps.iso(now)
            _remove(site, event)
        else:
            event["attempts"] += 1
            event["next_at"] = timestamps.iso(now + receivers.pause(event["attempts"]))
            if _fails_for_long(event, answer, now):
                _move(site, event, GIVEN_UP)


def _failed(site: Any, receiver: receivers.Receiver, answer: Answer, now: datetime) -> None:
    """Note that a receiver takes nothing at the moment, or never again."""
    failures = receiver["failures"] + 1
    next_at = timestamps.iso(now + receivers.pause(failures))
    receiver.update(failures=failures, next_at=next_at)
    fails_for_long = _fails_for_long(receiver, answer, now)
    if answer.what == GONE:
        receiver["switched_off_at"] = timestamps.iso(now)
    elif fails_for_long:
        oldest = islice(_events(site, "hook_queue", receiver["id"]), CAPPED)
        for event in [event for event in oldest if _age(event, now) >= GIVE_UP]:
            event["error"] = answer.error
            _move(site, event, GIVEN_UP)


def _fails_for_long(thing: PersistentMapping, answer: Answer, now: datetime) -> bool:
    """Note the failure of an event or a receiver; whether it fails for long enough by now.

    An event is tried for that long, however long the site itself was down.
    """
    thing["error"] = answer.error
    thing["failing_since"] = thing["failing_since"] or timestamps.iso(now)
    return now - timestamps.from_iso(thing["failing_since"]) >= GIVE_UP


def _age(event: Event, now: datetime) -> timedelta:
    return now - timestamps.from_iso(event["filed_at"])


def try_again(site: Any, receiver: receivers.Receiver) -> None:
    """Have all events of a receiver posted at once, also those that were given up."""
    receivers.hasten(receiver)
    for name in ("hook_given_up", "hook_queue"):
        for event in list(_events(site, name, receiver["id"])):
            if event["state"] == GIVEN_UP or event["next_at"]:
                event["next_at"] = ""
                _move(site, event, WAITING)
    transaction.get().addAfterCommitHook(_wake)


def remove(site: Any, receiver: receivers.Receiver) -> None:
    """Remove a receiver with all that waits for it."""
    for name in ("hook_given_up", "hook_queue"):
        for event in list(_events(site, name, receiver["id"])):
            _remove(site, event)
    del trees.tree(site, "hook_receivers")[receiver["id"]]


def forget(site: Any, now: datetime) -> None:
    """Delete old events that were given up, or wait for a receiver that is switched off."""
    for receiver in receivers.every(site):
        for name in ("hook_given_up", "hook_queue"):
            oldest = islice(_events(site, name, receiver["id"]), CAPPED)
            for event in [event for event in oldest if _age(event, now) >= GIVE_UP + KEPT]:
                if event["state"] == GIVEN_UP or receiver["switched_off_at"]:
                    _remove(site, event)


def about(site: Any, members: Collection[str], addresses: Collection[str]) -> list[Event]:
    """The events about buyers and addresses that were not taken yet.

    :param members: ids of the buyers.
    :param addresses: in lower case.
    """
    filed = trees.tree(site, "hook_events")
    found = {}
    for name, values, key in (
        ("hook_events_by_member", members, lambda one: ((one, 0), (one, _LAST))),
        ("hook_events_by_address", addresses, lambda one: ((one, ""), (one, "~"))),
    ):
        for value in values:
            for row in trees.tree(site, name).keys(*key(value)):
                found[row[-1]] = filed[row[-1]]
    return sorted(found.values(), key=lambda event: (event["place"], event["id"]))


def erase(site: Any, members: Collection[str], addresses: Collection[str]) -> None:
    """Erase a person from the events that were not taken yet.

    The end of access has to be told all the same: a receiver finds the member by the hash of
    the user id. Nothing else is told any more.
    """
    for event in about(site, members, addresses):
        if event["type"] != events.ENDED:
            _remove(site, event)
            continue
        user_id = event["data"]["user_id"]
        if not user_id.startswith(HASHED):
            user_id = f"{HASHED}{sha256(user_id.encode('utf-8')).hexdigest()}"
        event["data"] = {**event["data"], "email": "", "user_id": user_id, "entry": None}
        indexes.mark(site, "hook_events", event)


def _move(site: Any, event: Event, state: str) -> None:
    event["state"] = state
    indexes.mark(site, "hook_events", event)


def _remove(site: Any, event: Event) -> None:
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
