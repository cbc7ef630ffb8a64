"""Batches of events: what a receiver is posted in one go, and what becomes of its answers.

A receiver is served by one process at a time, by lease, so that the events of a member reach it
in their order. A process that dies may repeat an event, with the same id.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.hooks import outbox
from niteoweb.click2sell.hooks import receivers
from persistent.mapping import PersistentMapping
from typing import Any

import json


#: Letters of a batch, at most, and events of members that may be put off.
LETTERS, PUT_OFF = 50, 20

#: The answers of a receiver to an event, or to the attempt.
TAKEN, REFUSED, AWAY, GONE = "taken", "refused", "away", "gone"


@dataclass(frozen=True)
class Letter:
    """An event as it is posted.

    :ivar member: see :func:`niteoweb.click2sell.hooks.outbox.file`.
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
    :ivar pause: that the receiver asks for.
    """

    id: str
    what: str
    error: str = ""
    pause: timedelta = timedelta()


def due(site: Any, now: datetime) -> list[str]:
    """Ids of the receivers that may be posted to now and that events wait for."""
    return [
        receiver["id"]
        for receiver in receivers.every(site)
        if receivers.may_be_posted(receiver, now) and outbox.waiting(site, receiver["id"])
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
    for event in outbox.events_of(site, "hook_queue", receiver_id):
        if event["member"] in put_off:
            continue
        if receivers.waits(event["next_at"], now):
            put_off.add(event["member"] or event["id"])
        else:
            letters.append(Letter(event["id"], event["member"], _body(event)))
        if len(letters) == LETTERS or len(put_off) > PUT_OFF:
            break
    if not letters:
        return None
    lease = receivers.take(receiver, now)
    return Batch(receiver_id, receiver["url"], receiver["secret"], lease, tuple(letters))


def _body(event: outbox.Event) -> bytes:
    value = {"type": event["type"], "timestamp": event["filed_at"], "data": event["data"]}
    return json.dumps(value).encode("ascii")


def note(site: Any, batch: Batch, answers: Iterable[Answer], now: datetime) -> None:
    """Note the answers to a batch, and give the receiver back."""
    receiver = receivers.find(site, batch.receiver)
    if receiver is None:
        return
    if receiver["lease"] == batch.lease:
        receiver.update(lease="", leased_at="")
    for answer in answers:
        if answer.what in (AWAY, GONE):
            _failed(site, receiver, answer, now)
            continue
        receiver.update(failures=0, error="", next_at="", failing_since="")
        event = outbox.get(site, answer.id)
        if event is None:
            continue  # erased meanwhile, or delivered by another process
        if answer.what == TAKEN:
            receiver["delivered_at"] = timestamps.iso(now)
            outbox.discard(site, event)
        else:
            event["attempts"] += 1
            event["next_at"] = timestamps.iso(now + receivers.pause(event["attempts"]))
            if _fails_for_long(event, answer, now):
                outbox.move(site, event, outbox.GIVEN_UP)


def _failed(site: Any, receiver: receivers.Receiver, answer: Answer, now: datetime) -> None:
    """Note that a receiver takes nothing at the moment, or never again."""
    failures = receiver["failures"] + 1
    pause = max(receivers.pause(failures), min(answer.pause, receivers.PAUSES[-1]))
    receiver.update(failures=failures, next_at=timestamps.iso(now + pause))
    fails_for_long = _fails_for_long(receiver, answer, now)
    if answer.what == GONE:
        receiver["switched_off_at"] = timestamps.iso(now)
    elif fails_for_long:
        for event in outbox.old(site, "hook_queue", receiver["id"], now - outbox.GIVE_UP):
            event["error"] = answer.error
            outbox.move(site, event, outbox.GIVEN_UP)


def _fails_for_long(thing: PersistentMapping, answer: Answer, now: datetime) -> bool:
    """Note the failure of an event or a receiver; whether it fails for long enough by now.

    An event is tried for that long, however long the site itself was down.
    """
    thing["error"] = answer.error
    thing["failing_since"] = thing["failing_since"] or timestamps.iso(now)
    return now - timestamps.from_iso(thing["failing_since"]) >= outbox.GIVE_UP
