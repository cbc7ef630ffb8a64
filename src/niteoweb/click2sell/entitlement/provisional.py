"""Access for some minutes, until a provider has confirmed what was bought in a shop elsewhere.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

* It lasts no longer than :data:`AT_MOST` after the moment that it is dated, and after its
  arrival, whatever end it states.
* It is given once for each subscription of the shop: the first one counts.
* As soon as anything is known that happened to that subscription, whenever it happened, that
  takes its place. Worth knowing only, or a payment that failed, is not such a thing.
* An exclusive purchase of another product of the same provider ends it, and a provider that has
  deleted the customer.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.notification import GIVING
from niteoweb.click2sell.notification import Kind


AT_MOST = timedelta(minutes=15)

#: What takes the place of what was given in the meantime.
_REAL = GIVING | {Kind.CANCELLATION, Kind.REFUND, Kind.CHARGEBACK, Kind.EXPIRY}


@dataclass(frozen=True)
class Bridge:
    """Access that bridges the time until a provider has spoken.

    :ivar fact: what gives it.
    :ivar start: in UTC.
    :ivar stop: the moment at which it is over.
    """

    fact: BillingEvent
    start: datetime
    stop: datetime

    @property
    def product(self) -> tuple[str, str]:
        """Provider and product id."""
        return self.fact.provider, self.fact.product_id


def bridges(facts: Sequence[BillingEvent]) -> Iterator[Bridge]:
    """The access that is given in the meantime.

    :param facts: all accepted entries of one buyer, in order, each once.
    """
    first: dict[tuple[str, str], BillingEvent] = {}
    for fact in facts:
        if fact.kind is Kind.PROVISIONAL and fact.external_subscription_id:
            first.setdefault((fact.provider, fact.external_subscription_id), fact)
    if not first:
        return
    confirmed = {
        (fact.provider, fact.external_subscription_id) for fact in facts if fact.kind in _REAL
    }
    ending = [fact for fact in facts if fact.for_all or _ends_others(fact)]
    for subscription, fact in first.items():
        if subscription in confirmed or not fact.plausible:
            continue
        stop = min(fact.occurred_at, fact.received_at) + AT_MOST
        ends = [other.occurred_at for other in ending if _ends(other, fact)]
        stop = min([stop, fact.valid_until or stop, *ends])
        if fact.occurred_at < stop:
            yield Bridge(fact, fact.occurred_at, stop)


def _ends_others(fact: BillingEvent) -> bool:
    return fact.kind is Kind.PURCHASE and fact.exclusive and fact.plausible


def _ends(other: BillingEvent, fact: BillingEvent) -> bool:
    """Whether something ends what was given before it."""
    if other.provider != fact.provider or other.occurred_at < fact.occurred_at:
        return False
    return other.for_all or other.product_id != fact.product_id
