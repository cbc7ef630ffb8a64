"""The access that a chain gives, followed from event to event.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

After each event it is known until when the chain gives access if nothing else comes; that holds
up to the next event. The rules, where there is a choice:

* A renewal gives its days from the later of its own time and the end so far; a purchase gives
  them from its own time only, so that a sale told twice does not add up. An end that the
  provider states wins, be it earlier or later, and may come with a reactivation or a plan
  change too. An end that an owner states never shortens paid access, which may become known
  only later.
* Access begins at the time of a payment or at its arrival, whichever is earlier, so that a
  provider's clock that is ahead keeps nobody out.
* A start that the provider states in the future gives nothing before it. The access that the
  chain gave until then goes on to its end, and no further: a payment in advance takes nothing
  back, unless it states all of a subscription. A start holds until another one is stated. Days
  count from it.
* A renewal that would put the end more than its days and a week after its time, or after its
  arrival if that is earlier, grants nothing: a signature may have been captured. One that comes
  no more than a week early after the payment before it gives the days that are left up to
  there: days that are longer than the billing period add up with time, and a buyer who pays on
  time must not stay out. When notifications arrive late, that changes nothing. An end that
  is stated is not measured by the days; by so much as it moved the end later renewals may too.
  Access that has no end is not measured anyway.
* A first payment that is told as a renewal, too, gives its days once.
* A payment whose terms are not known grants nothing until they are, except until an end that
  the provider states.
* An event that states all of a subscription sets product and end, and no end means none,
  whatever came before and whatever days the mapping has.
* A cancellation keeps the paid end, or takes an earlier one that it states. It
  says how many days are left where there is no end; where it cannot, the chain's last days
  count. A payment after it shows that the subscription goes on, unless it states an end that
  is no later, and a reactivation takes it back; both bring grace back, and a reactivation the
  end.
* After an expiry only a payment, or a reactivation that states an end, gives access. An
  expiry may state that access has ended before its own time, where the chain has events that a
  provider's clock dated ahead.
* An exclusive purchase ends other products. A later payment of such a product gives access
  and needs attention: the buyer now pays for both.
* Grace is for a subscription with an end: not after a cancellation, an expiry or an exclusive
  purchase, and never for a single sale.
"""

from datetime import timedelta
from niteoweb.click2sell.entitlement.chain import Chain
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.event import NEVER
from niteoweb.click2sell.entitlement.event import OPEN
from niteoweb.click2sell.entitlement.event import plus
from niteoweb.click2sell.entitlement.progress import Progress
from niteoweb.click2sell.entitlement.reason import Reason
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import PAYMENTS


#: A renewal may come this many days before the end it adds to.
EARLY_DAYS = 7


class AccessTimeline(Progress):
    """The access that a chain gives, from event to event, as if it were never undone."""

    def __init__(self, chain: Chain, grace_days: int) -> None:
        super().__init__(chain, grace_days)
        events = chain.events
        if chain.summed_up < len(events):
            self.cut(events[chain.summed_up][0].occurred_at)
        for position, (event, elsewhere) in enumerate(events):
            if position < chain.summed_up:
                continue
            reason, counted = self._stop(event) if elsewhere else self._take(event)
            if reason:
                self.attention[event.key] = reason
            if counted:
                self.keys.append(event.key)
            following = (
                events[position + 1][0].occurred_at if position + 1 < len(events) else OPEN
            )
            self._note(event, following, begins=counted and not elsewhere)

    def _take(self, event: BillingEvent) -> tuple[str, bool]:
        """Take in an event; the reason why it needs attention, and whether it counts."""
        if event.states:
            return self._state(event)
        if event.kind in PAYMENTS:
            return self._pay(event)
        if event.kind is Kind.PLAN_CHANGE:
            return self._change_plan(event)
        if event.kind is Kind.CANCELLATION:
            return self._cancel(event)
        if event.kind is Kind.REACTIVATION:
            return self._reactivate(event)
        return self._stop(event)

    def _pay(self, event: BillingEvent) -> tuple[str, bool]:
        if not event.plausible:
            return Reason.FUTURE, False
        begins_at = event.begins_at
        if event.valid_until is not None:
            paid = end = event.valid_until
        elif not event.terms_known:
            # Counted, because it explains why the product is listed at all.
            return "", True
        elif event.days is None:
            paid = end = OPEN
        elif self._tells_again(event):
            self._subscription = True
            return "", True
        elif event.kind is Kind.PURCHASE:
            paid = max(self.paid, plus(begins_at, event.days))
            end = max(self.end, plus(begins_at, event.days))
        else:
            known_at = max(event.known_at, event.valid_from or event.known_at)
            furthest = plus(known_at, event.days + EARLY_DAYS + self._moved)
            paid = plus(max(self.paid, begins_at), event.days)
            end = paid
            if self.end != self.paid:
                end = plus(max(self.end, begins_at), event.days)
            if furthest < paid != OPEN:
                in_time = plus(self._paid_at, max(event.days - EARLY_DAYS, 1))
                if event.known_at < in_time:
                    return Reason.BEYOND, False
            # Without an end by payments only a cancellation has given it one; that one goes no
            # further either.
            end = max(self.end, min(end, furthest))
            if paid != OPEN:
                paid = max(self.paid, min(paid, furthest))
        displaced = self._stopped == Reason.DISPLACED
        self._begin(event)
        self.paid, self.end = paid, end
        self._paid_at = max(self._paid_at, event.known_at)
        if event.kind is Kind.PURCHASE:
            self._purchase = event
        self._days = event.days if event.terms_known and event.days is not None else self._days
        self._subscription |= event.subscription or event.kind is Kind.RENEWAL
        self._cancelled = False
        self._stopped = ""
        return Reason.DISPLACED if displaced else "", True

    def _tells_again(self, event: BillingEvent) -> bool:
        """Whether a renewal is the purchase before it, told as a second kind."""
        purchase = self._purchase
        if event.kind is not Kind.RENEWAL or purchase is None or event.by_owner:
            return False
        later = event.occurred_at - purchase.occurred_at
        names = {purchase.transaction, purchase.receipt} & {event.transaction, event.receipt}
        # Clocks and time zones differ; no subscription is billed twice in half of its days.
        soon = later < timedelta(days=min(event.days / 2, 1))
        return not later or (soon and bool(names - {""}))

    def _change_plan(self, event: BillingEvent) -> tuple[str, bool]:
        if not event.plausible:
            return Reason.FUTURE, False
        if event.by_owner and event.product_id != self._product_id:
            return Reason.NO_PURCHASE, False
        self._begin(event)
        self._leave_product(event)
        if not self.periods:
            return Reason.NO_PURCHASE, False
        if self._stopped:
            return Reason.ENDED, True
        if event.valid_until is not None:
            self._state_end(event, event.valid_until)
            self.end = max(self.end, event.valid_until) if event.by_owner else event.valid_until
        return "", True

    def _state(self, event: BillingEvent) -> tuple[str, bool]:
        if not event.plausible:
            return Reason.FUTURE, False
        displaced = self._stopped == Reason.DISPLACED
        # Money that arrives late for the rest of a cancelled subscription does not renew it.
        for_the_rest = self._cancelled and event.kind is Kind.RENEWAL
        for_the_rest &= (event.valid_until or OPEN) <= self.end
        self._leave_product(event)
        # What it states takes the place of all that was known.
        self._start, self._earlier = event.valid_from or NEVER, []
        self.paid = self.end = OPEN if event.valid_until is None else event.valid_until
        self._paid_at = max(self._paid_at, event.known_at)
        self._subscription = event.subscription
        self._cancelled = for_the_rest or event.kind is Kind.CANCELLATION
        self._stopped = ""
        return Reason.DISPLACED if displaced else "", True

    def _cancel(self, event: BillingEvent) -> tuple[str, bool]:
        self._cancelled = True
        if event.valid_until is not None:
            self.end = min(self.end, event.valid_until)
        elif self.paid == OPEN:
            days = event.days if event.terms_known and event.days is not None else self._days
            if days is not None:
                self.end = min(self.end, plus(max(event.occurred_at, self._start), days))
            elif self.end == OPEN:
                return Reason.OPEN_END, True
        return "", True

    def _reactivate(self, event: BillingEvent) -> tuple[str, bool]:
        if not event.plausible:
            return Reason.FUTURE, False
        if not self.periods or (event.by_owner and event.product_id != self._product_id):
            return Reason.NO_PURCHASE, False
        if self._stopped and event.valid_until is None:
            return Reason.ENDED, False
        self._begin(event)
        if event.valid_until is not None:
            self._state_end(event, event.valid_until)
            self._stopped = ""
        # Whether a cancellation came before does not matter: one more must not open the end.
        self.end = self.paid
        self._cancelled = False
        return "", True

    def _stop(self, event: BillingEvent) -> tuple[str, bool]:
        """Take in an expiry, or an exclusive purchase of another product."""
        # By payments alone: whether it was cancelled must not decide about later events.
        expiry = event.kind is Kind.EXPIRY
        ended_at = event.occurred_at if expiry else event.begins_at
        over = self.paid == NEVER or plus(self.paid, self._grace_days) <= ended_at
        if not expiry and (over or (self._stopped and self.end <= ended_at)):
            return "", False
        if expiry:
            self._start = NEVER
        if expiry and event.valid_until is not None:
            ended_at = min(ended_at, event.valid_until)
            for period in self.periods.values():
                period.spans = [
                    (start, min(stop, ended_at))
                    for start, stop in period.spans
                    if start < ended_at
                ]
        self.paid = min(self.paid, ended_at)
        self.end = min(self.end, ended_at)
        self._earlier = [(name, a, min(b, self.end)) for name, a, b in self._earlier]
        self._stopped = Reason.ENDED if expiry else Reason.DISPLACED
        return "", True
