"""Billing events: accepted entries of the ledger, as far as they matter for access.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from functools import cached_property
from niteoweb.click2sell.notification import GIVING
from niteoweb.click2sell.notification import Kind


#: Stand for "not yet" and "without end" where moments are compared.
NEVER = datetime.min.replace(tzinfo=timezone.utc)
OPEN = datetime.max.replace(tzinfo=timezone.utc)

#: A provider's clock may be this far ahead, because time zones get mixed up.
TOLERANCE = timedelta(hours=24)

#: The order of events at one moment.
_KINDS = (
    *(Kind.PURCHASE, Kind.RENEWAL, Kind.PLAN_CHANGE, Kind.CANCELLATION, Kind.REACTIVATION),
    *(Kind.REFUND, Kind.CHARGEBACK, Kind.PAYMENT_FAILED, Kind.EXPIRY, Kind.PROVISIONAL),
    *(Kind.CORRECTION, Kind.INFORMATION, Kind.UNKNOWN),
)


@dataclass(frozen=True)
class BillingEvent:
    """An accepted entry of the ledger, as far as it matters for access.

    :ivar key: the entry's unique key.
    :ivar product_id: the product; of a plan change, the new one.
    :ivar occurred_at: the provider's time, in UTC.
    :ivar earliest: an earlier moment that may be meant as well, None for no doubt.
    :ivar received_at: time of arrival, in UTC; where the provider had to be asked for the rest,
        the time of its answer.
    :ivar days: days of access by the terms that were written when it was recorded; None when
        they name none, so that access has no end.
    :ivar terms_known: False when the product had no mapping line then; see
        :func:`niteoweb.click2sell.buyers.history.outcome`.
    :ivar exclusive: whether a purchase of the product ends the provider's other products.
    :ivar subscription: whether the provider called it a subscription.
    :ivar valid_until: end of access in UTC, where the provider states one.
    :ivar valid_from: start of access in UTC, where the provider states one.
    :ivar tie: goes before the key in the order, where the key was replaced.
    :ivar by_owner: the site's owner did it, who gives on top of paid access.
    :ivar snapshot: it states all of a subscription as it was at its time.
    :ivar external_subscription_id: the shop's id of the subscription, where the provider passes
        on a purchase from another shop.
    :ivar for_all: it ends all access of the buyer by the provider.
    :ivar customer_suspended: the provider keeps the buyer out, or not any more; None for
        neither.
    :ivar fully_signed: the provider names the subscription in each notification, so that no
        other one is meant.
    :ivar undoing: the refund or dispute that it is about, which a reactivation may take back.
    """

    key: str
    provider: str
    kind: Kind
    transaction: str
    receipt: str
    product_id: str
    occurred_at: datetime
    received_at: datetime
    days: int | None
    terms_known: bool = True
    exclusive: bool = False
    subscription: bool = False
    valid_until: datetime | None = None
    valid_from: datetime | None = None
    earliest: datetime | None = None
    tie: str = ""
    by_owner: bool = False
    snapshot: bool = False
    fully_signed: bool = False
    for_all: bool = False
    customer_suspended: bool | None = None
    external_subscription_id: str = ""
    undoing: str = ""

    @property
    def product(self) -> tuple[str, str]:
        """Provider and product id."""
        return self.provider, self.product_id

    @property
    def sale(self) -> tuple[str, str, str]:
        """Provider, transaction and product id."""
        return self.provider, self.transaction, self.product_id

    @cached_property
    def states(self) -> bool:
        """Whether it states the access that a subscription gives: its product and its end."""
        if self.kind is Kind.CANCELLATION and self.valid_until is None:
            return False
        return self.snapshot and (self.kind in GIVING or self.kind is Kind.CANCELLATION)

    @property
    def changes_product(self) -> bool:
        """Whether a chain goes on with another product; an owner's extension never does so."""
        may = self.kind is Kind.PLAN_CHANGE or self.states
        return may and self.plausible and not self.by_owner

    @cached_property
    def order(self) -> tuple[datetime, int, str]:
        """Its place in a history: provider time, then kind, then key."""
        return self.occurred_at, _KINDS.index(self.kind), self.tie + self.key

    @cached_property
    def begins_at(self) -> datetime:
        """When it takes effect: its time, or a later start that the provider states."""
        return max(self.occurred_at, self.valid_from or self.occurred_at)

    @cached_property
    def known_at(self) -> datetime:
        """The provider's time, or that of arrival where a clock was ahead."""
        return min(self.occurred_at, self.received_at)

    @cached_property
    def plausible(self) -> bool:
        """Whether the provider's time is no more than a day after arrival."""
        return self.occurred_at - self.received_at <= TOLERANCE


def plus(moment: datetime, days: int) -> datetime:
    """A moment some days later; past the end of the calendar there is no end."""
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        return OPEN
