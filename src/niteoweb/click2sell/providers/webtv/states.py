"""The store's answers about a user, and the notifications that follow from changes.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

The store writes numbers as numbers or as text in one and the same answer; null, "" and -1 mean
none.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.providers.webtv.protocol import NAME
from typing import Any
from typing import NamedTuple

import re


#: Ends that the store states for recurring payments.
ENDED = frozenset({"cancelled", "canceled", "expired"})

#: The store is asked so long after an end, and so often while it still lists what has ended.
AFTER_END, WHILE_OVER = timedelta(minutes=5), timedelta(hours=1)

#: How an item that is gone is known from then on.
GONE = "gone"


class User(NamedTuple):
    """A user of the WebTV."""

    id: str
    email: str
    name: str = ""
    surname: str = ""


@dataclass(frozen=True)
class Item:
    """A subscription of a user, or an access pass, as the store lists it.

    :ivar transaction: the id of the subscription; of a pass, what it is for and whose it is.
    :ivar goes_on: it is renewable, and its recurring payments have not ended.
    :ivar is_pass: a pass ends on its day.
    """

    transaction: str
    product: str
    title: str
    until: datetime
    goes_on: bool
    status: str = ""
    number: str = ""
    is_pass: bool = False
    payload: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> tuple[str, ...]:
        """The known values of an item: others are news."""
        on = "1" if self.goes_on else "0"
        return self.product, timestamps.iso(self.until), on, self.status, self.title


class Listed(NamedTuple):
    """The items in a list of the store.

    :ivar unread: those that cannot be read: as long as there is one, no other item counts as
        gone.
    """

    items: Sequence[Item]
    unread: Sequence[Notification] = ()


#: What was told last of an item: the key of its notification, when it was read, its state.
Known = tuple[str, str, tuple[str, ...]]


def is_id(text: str) -> bool:
    """Whether a text is the id of a user or a product, as the store writes it."""
    return re.fullmatch(r"[1-9]\d{0,9}", text, re.ASCII) is not None


def listed(answer: JsonBody, *names: str) -> list[JsonBody]:
    """The objects of a well-formed list.

    :param names: that the list may have; ``list``, as the vendor documents it, for none.
    :raises ParameterInvalid: the answer has no list; only a list can end anything.
    """
    for name in names or ("list",):
        if isinstance(answer.value(name), list):
            return answer.parts(name)
    raise ParameterInvalid("list")


def readable(
    answer: JsonBody, id_name: str, read: Callable[[JsonBody], Item], read_at: datetime
) -> Listed:
    """The items that can be read: one that cannot must not keep the others out.

    :param id_name: of the field with an item's id, "" where it has none.
    :param read: one of them.
    :param read_at: in UTC.
    :raises ParameterInvalid: the answer has no list.
    """
    items, unread = [], []
    for body in listed(answer):
        try:
            items.append(read(body))
        except ParameterError as error:
            unread.append(body.unreadable(NAME, id_name, error, read_at))
    return Listed(items, unread)


def subscription(body: JsonBody) -> Item:
    """A subscription out of ``list_subscriptions``.

    :raises ParameterMissing: an id or the end is missing.
    :raises ParameterInvalid: a field is malformed.
    """
    status = body.title("rp_status")
    return Item(
        transaction=body.required("id"),
        product=body.required("id_product"),
        title=body.title("content_title"),
        until=moment(body, "date_end"),
        goes_on=body.identifier("renewable") == "1" and status.lower() not in ENDED,
        status=status,
        number=body.identifier("subscription_number"),
        payload=body.payload(),
    )


def access_pass(body: JsonBody, user: str) -> Item:
    """An access pass out of ``list_current_content``.

    :param user: the id of its user.
    """
    for kind in ("clip", "channel"):
        id_ = body.identifier(f"id_{kind}")
        if is_id(id_):
            product = f"{kind}-{id_}"
            return Item(
                transaction=f"{product} of {user}",
                product=product,
                title=body.title("title"),
                until=moment(body, "date_end"),
                goes_on=False,
                is_pass=True,
                payload=body.payload(),
            )
    raise ParameterMissing("id_clip")


def moment(body: JsonBody, name: str) -> datetime:
    """A time in Unix seconds, as a number or as text.

    :raises ParameterMissing: there is none.
    :raises ParameterInvalid: it is something else.
    """
    text = body.identifier(name)
    if text in ("", "-1"):
        raise ParameterMissing(name)
    try:
        return timestamps.parse(int(text))
    except ValueError:
        raise ParameterInvalid(name) from None


def told(
    known: dict[str, Known], found: Listed, user: User, read_at: datetime
) -> Iterator[Notification]:
    """The news in a reading of a user's items.

    The keys are a chain: each is made of the one before it and of the state. So a state that
    comes back is news, and a reading that is repeated or parallel to another one is not.

    :param known: by transaction, what was told last.
    :param found: the items of the user.
    :param read_at: in UTC, before the store was asked.
    """
    items = {item.transaction: item for item in found.items}
    for transaction in dict.fromkeys((*known, *items)):
        key, at, state = known.get(transaction, ("", "", (GONE,)))
        if at and timestamps.from_iso(at) >= read_at:
            continue  # it was read later than this
        item = items.get(transaction)
        if item is None:
            if state[0] != GONE and not found.unread:
                yield _gone(transaction, key, state, user, read_at)
        elif item.state != state:
            yield _changed(item, key, state, user, read_at)


def kind(item: Item, state: tuple[str, ...]) -> Kind:
    """The kind of a change of an item.

    :param state: in which it is known.
    """
    if state[0] == GONE:
        return Kind.PURCHASE
    product, until, went_on, *_rest = state
    if item.product != product:
        return Kind.PLAN_CHANGE
    later = item.until > timestamps.from_iso(until)
    if item.is_pass:
        return Kind.RENEWAL if later else Kind.PLAN_CHANGE
    if not item.goes_on:
        return Kind.CANCELLATION
    if went_on != "1":
        return Kind.REACTIVATION
    return Kind.RENEWAL if later else Kind.PLAN_CHANGE


def early(notification: Notification, known: dict[str, Known]) -> bool:
    """Whether a notification ends access before the end that is known."""
    if notification.kind is not Kind.EXPIRY:
        return False
    _key, _at, state = known[notification.transaction]
    return timestamps.from_iso(state[1]) > notification.occurred_at


def note(notification: Notification, items: Iterable[Item]) -> Known:
    """The state that a notification makes known."""
    found = {item.transaction: item for item in items}
    item = found.get(notification.transaction)
    state = (GONE,) if item is None else item.state
    return notification.key, timestamps.iso(notification.occurred_at), state


def next_question(items: Iterable[Item], now: datetime, pause: timedelta) -> datetime:
    """When to ask about a user again.

    :param pause: the longest.
    """
    times = [now + pause]
    for item in items:
        times.append(item.until + AFTER_END if item.until > now else now + WHILE_OVER)
    return min(times)


def _changed(
    item: Item, key: str, state: tuple[str, ...], user: User, read_at: datetime
) -> Notification:
    return _notification(
        (item.transaction, key, *item.state),
        kind(item, state),
        user,
        read_at,
        transaction=item.transaction,
        receipt=item.number,
        product_id=item.product,
        product_name=item.title,
        valid_until=item.until,
        subscription=item.goes_on,
        snapshot=True,
        payload=item.payload,
    )


def _gone(
    transaction: str, key: str, state: tuple[str, ...], user: User, read_at: datetime
) -> Notification:
    product, until, *_rest, title = state
    return _notification(
        (transaction, key, GONE),
        Kind.EXPIRY,
        user,
        read_at,
        transaction=transaction,
        receipt="",
        product_id=product,
        product_name=title,
        valid_until=min(read_at, timestamps.from_iso(until)),
    )


def _notification(
    parts: tuple[str, ...], kind_: Kind, user: User, read_at: datetime, **fields: Any
) -> Notification:
    return Notification(
        # With the user: a subscription that passes to another one is news.
        key=idempotency_key(NAME, user.id, *parts),
        provider=NAME,
        kind=kind_,
        occurred_at=read_at,
        buyer=user.email.lower(),
        email=user.email,
        first_name=user.name,
        last_name=user.surname,
        customer_id=user.id,
        fully_signed=True,
        **fields,
    )
