"""Receivers of outgoing hooks: an address, its secret, and the events that it wants."""

from base64 import b64decode
from base64 import b64encode
from collections.abc import Iterable
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.hooks import events
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import standardhook
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import trees
from persistent.mapping import PersistentMapping
from typing import Any
from urllib.parse import urlsplit

import binascii
import secrets


#: Receivers of a site, at most.
MOST = 10
#: Bytes of a secret that is made here, and those that the specification allows.
SECRET_BYTES = 32
SHORTEST, LONGEST = 24, 64
#: Characters of an address, at most.
LONGEST_ADDRESS = 2000

#: Pauses after the first and each later failure in a row; the last one repeats.
PAUSES = tuple(timedelta(seconds=s) for s in (30, 60, 120, 300, 900, 3600))
#: A process that delivers takes seconds; one that is at it for longer has died.
LEASE = timedelta(minutes=2)

Receiver = PersistentMapping


def add(site: Any, url: str, secret: str, wanted: Iterable[str], now: datetime) -> Receiver:
    """Add a receiver.

    :param secret: as :func:`new_secret` makes one.
    :param wanted: the events that it is told of.
    :raises NotPossible: there are enough receivers, or a value is not possible.
    """
    receivers, wanted = trees.tree(site, "hook_receivers"), tuple(wanted)
    if len(receivers) >= MOST:
        raise NotPossible(_("There can be ${most} receivers at most.", mapping={"most": MOST}))
    if not is_address(url):
        raise NotPossible(_("This has to be an address that begins with https."))
    if not _is_secret(secret):
        text = _(
            "The secret has to be whsec_ and ${least} to ${most} bytes in base64.",
            mapping={"least": SHORTEST, "most": LONGEST},
        )
        raise NotPossible(text)
    if not wanted or not set(wanted) <= set(events.CHOICES):
        raise NotPossible(_("Choose the events that the receiver is told of."))
    id_ = secrets.token_hex(4)
    receivers[id_] = PersistentMapping(
        {
            "id": id_,
            "url": url,
            "secret": secret,
            "events": wanted,
            "added_at": timestamps.iso(now),
            "delivered_at": "",
            "switched_off_at": "",
            "failures": 0,
            "error": "",
            "next_at": "",
            "failing_since": "",
            "lease": "",
            "leased_at": "",
        }
    )
    return receivers[id_]


def new_secret() -> str:
    """A secret for the signatures of one receiver."""
    encoded = b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")
    return f"{standardhook.PREFIX}{encoded}"


def _is_secret(text: str) -> bool:
    try:
        key = b64decode(text.removeprefix(standardhook.PREFIX), validate=True)
    except (ValueError, binascii.Error):
        return False
    return text.startswith(standardhook.PREFIX) and SHORTEST <= len(key) <= LONGEST


def is_address(url: str) -> bool:
    """Whether events may be posted to an address: as an API's, but that it may have a query."""
    address, _sign, query = url.partition("?")
    harmless = query.isprintable() and query.isascii() and not set(query) & set(' \\"<>#')
    return len(url) <= LONGEST_ADDRESS and jsonapi.allowed(address) and harmless


def host(receiver: Receiver) -> str:
    """The host of a receiver's address: the rest of it may be a secret."""
    return urlsplit(receiver["url"]).netloc


def every(site: Any) -> list[Receiver]:
    """All receivers, the oldest first."""
    return sorted(trees.tree(site, "hook_receivers").values(), key=lambda r: r["added_at"])


def find(site: Any, id_: str) -> Receiver | None:
    """A receiver, None when there is none of that id, or no longer."""
    return trees.tree(site, "hook_receivers").get(id_)


def wanting(site: Any, event: str) -> Iterator[Receiver]:
    """The receivers that are told of an event."""
    for receiver in trees.tree(site, "hook_receivers").values():
        if event in receiver["events"] and not receiver["switched_off_at"]:
            yield receiver


def may_be_posted(receiver: Receiver, now: datetime) -> bool:
    """Whether a receiver is to be posted events now, and no other process is at it."""
    if receiver["switched_off_at"]:
        return False
    # A clock that was put back makes it due at once.
    leased_at = receiver["leased_at"]
    if receiver["lease"] and timestamps.is_recent(timestamps.from_iso(leased_at), now, LEASE):
        return False
    return not waits(receiver["next_at"], now)


def waits(next_at: str, now: datetime) -> bool:
    """Whether a next attempt is not due yet.

    :param next_at: as stored; "" for at once.
    """
    return bool(next_at) and timedelta() < timestamps.from_iso(next_at) - now <= PAUSES[-1]


def pause(failures: int) -> timedelta:
    """The pause after some failures in a row."""
    return PAUSES[min(failures, len(PAUSES)) - 1]


def take(receiver: Receiver, now: datetime) -> str:
    """Take a receiver for this process.

    :returns: the lease, which belongs to whoever took the receiver last.
    """
    receiver["lease"], receiver["leased_at"] = secrets.token_hex(8), timestamps.iso(now)
    return receiver["lease"]


def hasten(receiver: Receiver) -> None:
    """Have a receiver posted to at once, although it failed, or is switched off."""
    receiver.update(switched_off_at="", failures=0, next_at="", failing_since="")
