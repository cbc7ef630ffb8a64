"""Enrichment: providers are asked for the details that a notification of theirs leaves open.

Some providers name a customer by an id, or only tell that a subscription has changed. Their
notification is written down at once, and takes effect when they have been asked, over the
network and outside of locks. While a provider cannot be reached its entries are failed ones,
which the sweep takes up.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import retryqueue
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.storage import failures
from niteoweb.click2sell.storage import log_failure
from threading import Lock
from typing import Any

import logging
import time


logger = logging.getLogger("niteoweb.click2sell")

#: Seconds that are left for asking while a notification is being taken in.
HURRY = 6

#: Asking failed in a way that nobody has thought of; it is no reason that is stored.
BROKEN = "broken"


class CircuitBreaker:
    """Providers that could not be reached a moment ago, as far as this process knows.

    Asking a provider that is away takes seconds and yields nothing. While notifications come
    in, one of them in a minute finds out whether the provider is back; the others do not ask.
    """

    #: Seconds that a provider counts as away.
    SECONDS = 60

    def __init__(self) -> None:
        self._lock = Lock()
        self._away: dict[str, tuple[int, float]] = {}

    def allows(self, provider: str, asked_how: Any) -> bool:
        """Whether a provider may be asked now; the first one after a while finds out.

        :param asked_how: address and token: with others a provider may be asked at once.
        """
        with self._lock:
            known, until = self._away.get(provider, (0, 0.0))
            if known != hash(asked_how):
                return True
            if time.monotonic() < until:
                return False
            self._away[provider] = known, time.monotonic() + self.SECONDS
            return True

    def trip(self, provider: str, asked_how: Any) -> None:
        """A provider could not be reached."""
        with self._lock:
            self._away[provider] = hash(asked_how), time.monotonic() + self.SECONDS

    def reset(self, provider: str) -> None:
        """A provider has answered."""
        with self._lock:
            self._away.pop(provider, None)


breaker = CircuitBreaker()


@dataclass(frozen=True)
class Reply:
    """The answer of a provider about an entry.

    :ivar told: the entry's notification, complete, and others that followed from the answer;
        none when it has not answered.
    :ivar reason: why it has not, `Reason.UNREACHABLE`, `Reason.NOT_TOLD` or :data:`BROKEN`.
    :ivar error: the cause in words without addresses and secrets.
    """

    told: tuple[Notification, ...] = ()
    reason: str = ""
    error: str = ""


def is_wanted(notification: Notification) -> bool:
    """Whether the provider has to be asked before a notification can take effect."""
    provider = registry.get(notification.provider)
    return (
        provider is not None
        and notification.attention != Reason.PARAMETER
        and provider.client is not None
        and provider.client.is_wanted(notification, registry.settings(provider))
    )


def questions(site: Any, keys: Iterable[str]) -> tuple[Notification, ...]:
    """The notifications of those entries whose provider has to be asked."""
    entries = (ledger.get(site, key) for key in keys)
    return tuple(
        customers.named(site, history.notification(entry))
        for entry in entries
        if entry is not None and asks(entry)
    )


def asks(entry: ledger.Entry) -> bool:
    """Whether the provider has to be asked about an entry."""
    return bool(entry["asks"])


def ask(asked: Iterable[Notification], hurried: bool = False) -> dict[str, Reply]:
    """Ask the providers; this may take many seconds.

    :param hurried: a provider waits for us to answer, and with it a thread that others need:
        :data:`HURRY` seconds are all there is, and who was away a moment ago is not asked.
    :returns: by the keys of the entries.
    """
    with jsonapi.limited(HURRY) if hurried else nullcontext():
        return {notification.key: _ask(notification, hurried) for notification in asked}


def put_off(site: Any, entry: ledger.Entry, reply: Reply, now: datetime) -> None:
    """Keep an entry that the provider did not answer for.

    :param now: in UTC.
    """
    title = registry.title(entry["provider"])
    ledger.note_failure(site, entry, reply.error, now)
    if reply.reason == Reason.UNREACHABLE:
        retryqueue.await_provider(site, entry, now)
        ledger.set_outcome(site, entry, Outcome.FAILED, Reason.UNREACHABLE, title)
    elif reply.reason == BROKEN:
        retryqueue.schedule(site, entry, now)
        ledger.set_outcome(site, entry, Outcome.FAILED)
    else:
        # Somebody may become known by the customer's id, so that nothing has to be asked.
        ledger.set_outcome(site, entry, Outcome.ATTENTION, Reason.NOT_TOLD, title)


def _ask(notification: Notification, hurried: bool) -> Reply:
    provider = registry.get(notification.provider)
    if provider is None or provider.client is None:
        return Reply(reason=Reason.NOT_TOLD, error="There is no such provider any more.")
    if not registry.is_enabled(provider):
        return Reply(reason=Reason.UNREACHABLE, error="It is switched off.")
    stored = registry.settings(provider)
    asked_how = tuple(str(getattr(stored, name, "")) for name in ("api_url", "api_token"))
    if hurried and not breaker.allows(provider.name, asked_how):
        return Reply(reason=Reason.UNREACHABLE, error="It could not be reached a moment ago.")
    try:
        now = timestamps.now()
        notifications = provider.client.complete(notification, stored, now)
        breaker.reset(provider.name)
        return Reply(notifications)
    except Unreachable as error:
        breaker.trip(provider.name, asked_how)
        key = notification.key
        logger.warning("Entry %s has to wait: %s cannot be reached.", key, provider.name)
        return Reply(reason=Reason.UNREACHABLE, error=str(error))
    except Refused as error:
        logger.warning("Entry %s needs attention: %s", notification.key, error.reason)
        return Reply(reason=Reason.NOT_TOLD, error=error.reason)
    except Exception as error:
        # One that cannot be asked about must not keep the sweep from the others.
        log_failure(f"Entry {notification.key} failed", error)
        return Reply(reason=BROKEN, error=failures.description(error))
