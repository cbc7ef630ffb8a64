"""Polling of the store: the users to ask about, and the effect of the answers.

Only a well-formed list ends anything. Ends that come early are counted first: more than the
circuit breaker's number in a day are not told before an owner has confirmed them.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner import NotPossible
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv import states
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.providers.webtv import users
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.worker import breaker
from plone import api
from typing import Any
from zope.i18n import translate

import logging
import time
import transaction


logger = logging.getLogger("niteoweb.click2sell")

#: Pages of the users' list in one turn, and how often the list is read from its beginning.
PAGES, LIST_AGAIN = 5, timedelta(hours=1)
#: Seconds of a turn after which no further question is asked.
LONGEST = 60
#: Ends that were held are looked at again after this, and early ends counted for so long.
HELD, COUNTED = timedelta(hours=1), timedelta(hours=24)

_PAGE, _EARLY = "webtv page", "webtv early ends"


@dataclass(frozen=True)
class Reading:
    """The store's answer about a user.

    :ivar read_at: before it was asked.
    """

    user: states.User
    read_at: datetime
    listed: states.Listed


class Turn:
    """A turn of questions: their number, and their results."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.left = settings.sync_calls or 0
        self.until = time.monotonic() + LONGEST
        self.numbers = {"asked": 0, "told": 0, "held": 0, "left": 0}
        self.troubled = 0

    def may_ask(self) -> bool:
        """Whether another question may be asked."""
        return self.left > 0 and not self.troubled and time.monotonic() < self.until

    def count(self) -> None:
        """Count a question."""
        self.left -= 1
        self.numbers["asked"] += 1


def poll(now: datetime, most_ends: int, confirmed: bool) -> dict[str, Any]:
    """Ask the store about new users and about those who are due.

    :param now: in UTC.
    :param most_ends: early ends that are told without an owner's word.
    :param confirmed: an owner has confirmed more of them.
    :returns: ``store``, for the sweep's report, and the number of ``troubled`` questions.
    """
    provider = registry.get(protocol.NAME)
    settings = registry.settings(provider)
    if not (settings.sync_calls and settings.api_token):
        return {}
    turn = Turn(settings)
    try:
        _list_users(turn, now)
        readings = _readings(turn, now, confirmed)
        _tell(turn, readings, most_ends, confirmed)
    except Unreachable as error:
        logger.warning("The store of %s cannot be asked: %s", protocol.TITLE, error)
        turn.troubled += 1
    transaction.begin()
    if confirmed and not users.held(plone_site.get()):
        _dismiss_alerts(plone_site.get())
    turn.numbers["left"] = len(users.due(plone_site.get(), now, _pause(settings)))
    if not (turn.troubled or turn.numbers["left"]):
        writer.run(lambda site: silence.note_asked(site, protocol.NAME, now))
    return {"store": turn.numbers, "troubled": turn.troubled}


def refresh(id_: str) -> bool:
    """Ask the store about one user now.

    :returns: False for one who is not known, or whose ends wait for an owner.
    :raises Unreachable: the store cannot be asked.
    :raises client.StoreError: the store answers with an error.
    """
    settings = registry.settings(registry.get(protocol.NAME))
    user = users.named(plone_site.get(), id_)
    if user is None:
        user = client.user(settings, id_)
        if user is None:
            return False
        writer.run(lambda site: users.take_in(site, [user], timestamps.now()))
    turn = Turn(settings)
    with jsonapi.reading():
        reading = _read(turn, user)
    _tell(turn, [reading], breaker.limit(plone_site.get()), confirmed=False)
    return not turn.numbers["held"]


def _list_users(turn: Turn, now: datetime) -> None:
    """Read some pages of the users' list, from where the last turn has stopped."""
    first, begun = trees.tree(plone_site.get(), "remarks").get(_PAGE, (1, ""))
    if not first:
        if timestamps.is_recent(timestamps.from_iso(begun), now, LIST_AGAIN):
            return
        first = 1
    for page in range(first, first + PAGES):
        if not turn.may_ask():
            break
        turn.count()
        try:
            found, number = client.users(turn.settings, page)
        except Refused as error:
            # Its users are those of sales, and of members who ask for themselves.
            logger.warning("The list of users cannot be had: %s", error)
            found, number = [], 0
        following = 0 if number < client.PAGE else page + 1
        noted = following, timestamps.iso(now)

        def note(site: Any, found: Any = found, noted: Any = noted) -> None:
            users.take_in(site, found, now)
            trees.tree(site, "remarks")[_PAGE] = noted

        writer.run(note)
        if not following:
            break


def _readings(turn: Turn, now: datetime, confirmed: bool) -> list[Reading]:
    site, readings = plone_site.get(), []
    due = users.due(site, now, _pause(turn.settings))
    for id_ in dict.fromkeys((*(users.held(site) if confirmed else ()), *due)):
        user = users.named(site, id_)
        if user is None:
            continue
        if not turn.may_ask():
            break
        try:
            readings.append(_read(turn, user))
        except (Refused, ParameterError) as error:
            # An error ends nothing; what cannot be read may be readable tomorrow.
            logger.warning("A user of the store cannot be asked about: %s", error)
            later = now + _pause(turn.settings)
            writer.run(lambda site, id_=id_, at=later: users.put_off(site, id_, now, at))
        except Unreachable as error:
            logger.warning("The store of %s cannot be asked: %s", protocol.TITLE, error)
            turn.troubled += 1
            break
    return readings


def _read(turn: Turn, user: states.User) -> Reading:
    read_at = timestamps.now()
    turn.count()
    items, unread = client.subscriptions(turn.settings, user.id)
    if any(line.startswith(("clip-", "channel-")) for line in turn.settings.mapping or ()):
        turn.count()
        passes = client.content(turn.settings, user.id)
        items, unread = [*items, *passes.items], [*unread, *passes.unread]
    # The same item of another user is another one.
    unread = [
        replace(
            one,
            key=idempotency_key(one.key, user.id),
            payload={**one.payload, "user": user.id},
        )
        for one in unread
    ]
    return Reading(user, read_at, states.Listed(items, unread))


def _tell(turn: Turn, readings: Sequence[Reading], most_ends: int, confirmed: bool) -> None:
    """Process the news in readings, unless too much would end too early."""
    now = timestamps.now()
    ends = 0
    for reading in readings:
        known = users.known(plone_site.get(), reading.user.id)
        told = states.told(known, reading.listed, reading.user, reading.read_at)
        ends += sum(states.early(one, known) for one in told)
    if ends and not confirmed:
        ends += _early(plone_site.get(), now)[1]
    hold = not confirmed and ends > most_ends
    for reading in readings:
        _tell_one(turn, reading, hold, now)
    if turn.numbers["held"]:
        _alert(turn.numbers["held"], now)
    elif ends:
        writer.run(lambda site: _count(site, ends, now))


def _tell_one(turn: Turn, reading: Reading, hold: bool, now: datetime) -> None:
    user = reading.user

    def intend(site: Any) -> tuple[tuple[Notification, ...], int]:
        known = users.known(site, user.id)
        told = tuple(states.told(known, reading.listed, user, reading.read_at))
        kept = tuple(one for one in told if not (hold and states.early(one, known)))
        if kept:
            users.intend(site, user.id, kept, reading.listed.items)
        unread = (one for one in reading.listed.unread if ledger.get(site, one.key) is None)
        return (*kept, *unread), len(told) - len(kept)

    told, held = writer.run(intend)
    if told:
        try:
            pipeline.process(*told)
        except pipeline.Failed:
            turn.troubled += 1  # they are written down; the sweep takes them up
    turn.numbers["told"] += len(told)
    turn.numbers["held"] += held
    at = states.next_question(reading.listed.items, now, _pause(turn.settings))
    at = min(at, now + HELD) if held else at
    writer.run(lambda site: users.put_off(site, user.id, now, at, bool(held)))


def _pause(settings: Any) -> timedelta:
    return timedelta(hours=settings.check_hours or 24)


def _early(site: Any, now: datetime) -> tuple[str, int]:
    """Since when early ends are counted, and their number."""
    since, number = trees.tree(site, "remarks").get(_EARLY, ("", 0))
    recent = since and timestamps.is_recent(timestamps.from_iso(since), now, COUNTED)
    return (since, number) if recent else (timestamps.iso(now), 0)


def _count(site: Any, ends: int, now: datetime) -> None:
    since, number = _early(site, now)
    trees.tree(site, "remarks")[_EARLY] = since, max(number, ends)


def _alert(held: int, now: datetime) -> None:
    """File a notification that needs attention, once a day."""
    day = f"{now:%Y-%m-%d}"
    pipeline.process(attention(texts.HELD, day, texts.ENDS_HELD, now, {"held": str(held)}))


def _dismiss_alerts(site: Any) -> None:
    """Dismiss the entries about held ends: an owner has confirmed them."""
    waiting = [ledger.get(site, key) for key in ledger.waiting_keys(site)]
    about = (protocol.NAME, texts.ENDS_HELD)
    keys = [one["key"] for one in waiting if (one["provider"], one["attention"]) == about]
    dismiss(keys, texts.CONFIRMED)


def dismiss(keys: Iterable[str], note: str, by: str = protocol.TITLE) -> None:
    """Dismiss entries that need attention; those that were settled stay as they are.

    :param note: the reason, for the owners of the site.
    :param by: who has settled it.
    """
    note = translate(note, target_language=api.portal.get_default_language())
    for key in keys:
        with suppress(NotPossible):
            action.carry_out(decisions.Dismiss(key=key, by=by, note=note))


def attention(
    about: str, id_: str, code: str, now: datetime, payload: dict[str, str], **fields: Any
) -> Notification:
    """A notification that needs attention.

    :param about: what it is about, with its id.
    :param code: of :mod:`.texts`.
    """
    values = {"receipt": "", "buyer": "", "email": "", "product_id": "", **fields}
    values.setdefault("key", idempotency_key(protocol.NAME, about, id_, code))
    return Notification(
        provider=protocol.NAME,
        kind=Kind.UNKNOWN,
        transaction=f"{about} {id_}",
        occurred_at=now,
        attention=code,
        payload=payload,
        **values,
    )
