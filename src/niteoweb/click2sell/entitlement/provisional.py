"""Access for some minutes, until a provider has confirmed a purchase in another one's shop.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

* It lasts no longer than :data:`AT_MOST` after the moment that it is dated, and after its
  arrival, whatever end it states.
* It is given once for each subscription of the shop: the first one counts. An app may invent
  subscriptions, so a buyer gets it twice a day at most, and no more after a time that ended
  unconfirmed, until that one is confirmed.
* As soon as an event of that subscription is known, whenever it happened, that event takes its
  place. Information, or a payment that failed, is no such event.
* An exclusive purchase of another product of its provider ends it, and so does a provider that
  has deleted the customer.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.notification import GIVING
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import UNDOING


AT_MOST = timedelta(minutes=15)
#: Times that a buyer may get it in a day.
A_DAY = 2

#: Kinds that take the place of access that was given in the meantime.
_REAL = GIVING | UNDOING | {Kind.CANCELLATION, Kind.EXPIRY}


def bridges(events: Sequence[BillingEvent]) -> Iterator[tuple[BillingEvent, datetime]]:
    """The events that give access in the meantime, each with the moment at which it ends.

    :param events: all accepted entries of one buyer, in order, each once.
    """
    first: dict[tuple[str, str], BillingEvent] = {}
    for event in events:
        if event.kind is Kind.PROVISIONAL and event.external_subscription_id:
            first.setdefault((event.provider, event.external_subscription_id), event)
    if not first:
        return
    confirmed = {
        (event.provider, event.external_subscription_id)
        for event in events
        if event.kind in _REAL
    }
    ending = [event for event in events if event.for_all or _ends_others(event)]
    for subscription, event in first.items():
        if subscription in confirmed or not event.plausible:
            continue
        stop = min(event.occurred_at, event.received_at) + AT_MOST
        ends = [other.begins_at for other in ending if _ends(other, event)]
        stop = min([stop, event.valid_until or stop, *ends])
        if event.occurred_at < stop:
            yield event, stop


def may_be_given(events: Sequence[BillingEvent], now: datetime) -> bool:
    """Whether a buyer may get access in the meantime for one more subscription.

    :param events: all accepted entries of the buyer.
    :param now: in UTC.
    """
    given = [event for event in events if event.kind is Kind.PROVISIONAL]
    # A refusal, or an end by the owner, is about the transaction that was made up for it.
    made_up = {event.transaction for event in given}
    ended = {event.transaction for event in events if event.kind is Kind.EXPIRY}
    confirmed = {
        (event.provider, event.external_subscription_id)
        for event in events
        if event.kind in _REAL and event.transaction not in made_up
    }
    unconfirmed = (
        event
        for event in given
        if (event.provider, event.external_subscription_id) not in confirmed
    )
    if any(one.occurred_at + AT_MOST <= now or one.transaction in ended for one in unconfirmed):
        return False
    return sum(now - event.received_at < timedelta(days=1) for event in given) < A_DAY


def _ends_others(event: BillingEvent) -> bool:
    return event.kind is Kind.PURCHASE and event.exclusive and event.plausible


def _ends(other: BillingEvent, event: BillingEvent) -> bool:
    """Whether an event ends the access that another gave before it."""
    if other.provider != event.provider or other.occurred_at < event.occurred_at:
        return False
    return other.for_all or other.product_id != event.product_id
