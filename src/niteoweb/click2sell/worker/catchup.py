"""Polling of providers: the sweep asks them which of their subscriptions have changed.

Providers deliver a notification a few times and then give up. Some can be asked afterwards;
their answers are recorded like deliveries, if they are news.
"""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import TELLING_NOTHING
from niteoweb.click2sell.notification import UNDOING
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.worker import breaker
from niteoweb.click2sell.worker.report import SweepReport
from typing import Any

import logging
import transaction


logger = logging.getLogger("niteoweb.click2sell")

#: How far back the first question goes. Earlier subscriptions are no news.
AT_FIRST = timedelta(days=2)
#: The clocks of provider and site may differ by this much.
OVERLAP = timedelta(minutes=10)

_ENDING = UNDOING | {Kind.EXPIRY}


def run(report: SweepReport, now: datetime, pause: timedelta = timedelta()) -> None:
    """Ask all providers that can be asked, and process the news.

    :param report: of the sweep; it counts the missed notifications.
    :param now: in UTC.
    :param pause: providers that were asked since then are left alone.
    """
    for provider in registry.enabled():
        asked = since(plone_site.get(), provider, now)
        if _can_be_asked(provider) and now - asked >= pause:
            try:
                _ask(provider, report, now)
            except (Unreachable, Refused) as error:
                logger.warning("%s cannot be asked what has changed: %s", provider.name, error)
                report.troubled += 1
            except Exception as error:
                report.trouble(provider.name, error)


def poll(report: SweepReport, confirmed: bool) -> None:
    """Poll the providers that send nothing.

    :param report: of the sweep; it gets what they tell of themselves.
    :param confirmed: an owner has confirmed that many members lose access.
    """
    limit = breaker.limit(plone_site.get())
    for provider in registry.enabled():
        if provider.poll is None or report.copy:
            continue
        with report.attempt(provider.name):
            answer = dict(provider.poll(timestamps.now(), limit, confirmed))
            report.busy += answer.pop("busy", 0)
            report.troubled += answer.pop("troubled", 0)
            report.polled.update(answer)


def since(site: Any, provider: IPaymentProvider, now: datetime) -> datetime:
    """The time up to which a provider was asked, in UTC."""
    asked = silence.asked(site, provider.name)
    # By a clock that was ahead it says nothing.
    return now - AT_FIRST if asked is None or asked > now else asked


def _can_be_asked(provider: IPaymentProvider) -> bool:
    changes = getattr(provider.client, "changes", None)
    return changes is not None and bool(registry.settings(provider).api_token)


def _ask(provider: IPaymentProvider, report: SweepReport, now: datetime) -> None:
    start = since(plone_site.get(), provider, now) - OVERLAP
    # Up to the time of asking: the answers of this sweep are older than that.
    for notification in _changes(provider, start, timestamps.now()):
        try:
            pipeline.process(notification)
        except transactions.Busy:
            report.busy += 1
            # Not asked up to now: the next sweep begins where this one did.
            return
        except pipeline.Failed:
            report.troubled += 1
        report.missed += 1
    writer.run(lambda site: silence.note_asked(site, provider.name, now))


def _changes(
    provider: IPaymentProvider, start: datetime, now: datetime
) -> Iterator[Notification]:
    """The answers of the provider that are news."""
    stored = registry.settings(provider)
    # An event is news unless its delivery came; a state may be known by another one.
    are_events = getattr(provider.client, "LISTS_EVENTS", False)
    notifications = list(provider.client.changes(stored, start, now))
    # Notifications that arrived meanwhile have to be seen, too.
    transaction.begin()
    for notification in notifications:
        site = plone_site.get()
        known = ledger.get(site, notification.key) is not None
        if not known and (are_events or not is_known(site, notification)):
            yield notification


def is_known(site: Any, notification: Notification) -> bool:
    """Whether the last known state of a subscription is equal, or was read later.

    One that has ended before anybody knew it counts as known, and so does information.
    """
    if notification.kind is Kind.INFORMATION:
        return True
    buyer = customers.buyer(site, (notification.provider, notification.customer_id))
    if buyer is None:
        return notification.kind in _ENDING
    entries = (ledger.get(site, key) for key in buyer["keys"])
    known = [
        entry
        for entry in entries
        # An entry that needs attention does not count, and is known all the same.
        if (entry["counts"] or entry["attention"])
        and entry["transaction"] == notification.transaction
        and entry["kind"] not in TELLING_NOTHING
    ]
    if not known:
        return notification.kind in _ENDING
    last = history.notification(history.in_order(known)[-1])
    if last.snapshot and last.occurred_at > notification.occurred_at:
        # It changed after this sweep began to ask: the next one gets it again.
        return True
    if last.attention or notification.attention:
        return last.attention == notification.attention
    if last.kind in _ENDING or notification.kind in _ENDING:
        return last.kind in _ENDING and notification.kind in _ENDING
    return _standing(last) == _standing(notification)


def _standing(notification: Notification) -> tuple[object, ...]:
    """The fields of a subscription that access depends on."""
    begins, ends = notification.valid_from, notification.valid_until
    return notification.product_id, begins, ends, notification.subscription
