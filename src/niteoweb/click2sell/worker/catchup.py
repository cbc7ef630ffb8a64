"""What no callback told: the sweep asks providers which of their subscriptions have changed.

Providers deliver a notification a few times and then give up. Some can be asked afterwards;
what they say that is not known yet is recorded as if they had told it.
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
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.worker.report import SweepReport
from typing import Any

import logging
import transaction


logger = logging.getLogger("niteoweb.click2sell")

#: How far back it is asked for the first time. Who subscribed earlier is no news.
AT_FIRST = timedelta(days=2)
#: The clocks of provider and site may differ by this much.
OVERLAP = timedelta(minutes=10)

_ENDING = frozenset({Kind.EXPIRY, Kind.REFUND, Kind.CHARGEBACK})


def run(report: SweepReport, now: datetime) -> None:
    """Ask all providers that can be asked, and process what is new.

    :param report: of the sweep; it is told what was found.
    :param now: in UTC.
    """
    for provider in registry.enabled():
        if _can_be_asked(provider):
            try:
                _ask(provider, report, now)
            except (Unreachable, Refused) as error:
                logger.warning("%s cannot be asked what has changed: %s", provider.name, error)
                report.troubled += 1
            except Exception as error:
                report.trouble(provider.name, error)


def since(site: Any, provider: IPaymentProvider, now: datetime) -> datetime:
    """Up to when a provider was asked, in UTC."""
    found = trees.tree(site, "remarks").get(_name(provider))
    return now - AT_FIRST if found is None else timestamps.from_iso(found)


def _can_be_asked(provider: IPaymentProvider) -> bool:
    changes = getattr(provider.client, "changes", None)
    return changes is not None and bool(registry.settings(provider).api_token)


def _ask(provider: IPaymentProvider, report: SweepReport, now: datetime) -> None:
    start = since(plone_site.get(), provider, now) - OVERLAP
    # By the time of asking: what was read since the sweep began is older than that.
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
    with writer.section():
        transactions.run(lambda site: _note(site, provider, now))


def _changes(
    provider: IPaymentProvider, start: datetime, now: datetime
) -> Iterator[Notification]:
    """What the provider says that is not known yet."""
    stored = registry.settings(provider)
    found = list(provider.client.changes(stored, start, now))
    # What arrived while it was asked for has to be seen, too.
    transaction.begin()
    for notification in found:
        site = plone_site.get()
        known = ledger.get(site, notification.key) is not None
        if not known and not _is_told(site, notification):
            yield notification


def _is_told(site: Any, notification: Notification) -> bool:
    """Whether the last that is known of a subscription is the same, or was read later."""
    if notification.kind is Kind.INFORMATION:
        return True
    buyer = customers.buyer(site, (notification.provider, notification.customer_id))
    if buyer is None:
        return notification.kind in _ENDING
    found = (ledger.get(site, key) for key in buyer["keys"])
    known = [
        entry
        for entry in found
        # What needs a person does not count, and has been told all the same.
        if (entry["counts"] or entry.get("attention"))
        and entry["transaction"] == notification.transaction
        and entry["kind"] not in (Kind.INFORMATION, Kind.PAYMENT_FAILED)
    ]
    if not known:
        return notification.kind in _ENDING
    last = history.notification(history.in_order(known)[-1])
    if last.snapshot and last.occurred_at > notification.occurred_at:
        # The next sweep is told of it again, since it changed after this one began to ask.
        return True
    if last.attention or notification.attention:
        return last.attention == notification.attention
    if last.kind in _ENDING or notification.kind in _ENDING:
        return last.kind in _ENDING and notification.kind in _ENDING
    return (last.product_id, last.valid_until, last.subscription) == (
        notification.product_id,
        notification.valid_until,
        notification.subscription,
    )


def _note(site: Any, provider: IPaymentProvider, now: datetime) -> None:
    trees.tree(site, "remarks")[_name(provider)] = timestamps.iso(now)


def _name(provider: IPaymentProvider) -> str:
    return f"asked {provider.name}"
