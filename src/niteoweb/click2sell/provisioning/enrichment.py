"""Enrichment: providers are asked for the details that a notification of theirs leaves open.

Some providers name a customer by an id, or only tell that a subscription has changed. Their
notification is written down and answered at once, and takes effect when they have been asked:
by a background thread, within seconds, or by the next sweep. While a provider cannot be reached
its entries are failed ones, which the sweep takes up.
"""

from collections.abc import Iterable
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
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import failures
from niteoweb.click2sell.storage import log_failure
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")

#: Asking failed in a way that nobody has thought of; it is no reason that is stored.
BROKEN = "broken"


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


def hand_over(keys: Iterable[str]) -> None:
    """Leave questions to this process's thread for them; without one the sweep asks them.

    :param keys: of the entries, which wait for their provider.
    """
    background.wake(background.QUESTIONS)


def ask(asked: Iterable[Notification]) -> dict[str, Reply]:
    """Ask the providers; this may take many seconds.

    :returns: by the keys of the entries.
    """
    return {notification.key: _ask(notification) for notification in asked}


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


def _ask(notification: Notification) -> Reply:
    provider = registry.get(notification.provider)
    if provider is None or provider.client is None:
        return Reply(reason=Reason.NOT_TOLD, error="There is no such provider any more.")
    if not registry.is_enabled(provider):
        return Reply(reason=Reason.UNREACHABLE, error="It is switched off.")
    key, stored = notification.key, registry.settings(provider)
    try:
        return Reply(provider.client.complete(notification, stored, timestamps.now()))
    except Unreachable as error:
        logger.warning("Entry %s has to wait: %s cannot be reached.", key, provider.name)
        return Reply(reason=Reason.UNREACHABLE, error=str(error))
    except Refused as error:
        logger.warning("Entry %s needs attention: %s", key, error.reason)
        return Reply(reason=Reason.NOT_TOLD, error=error.reason)
    except Exception as error:
        # One that cannot be asked about must not keep the sweep from the others.
        log_failure(f"Entry {key} failed", error)
        return Reply(reason=BROKEN, error=failures.description(error))
