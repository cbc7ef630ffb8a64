"""Undo: take back an act of an owner, for a day.

Nothing is removed from the ledger: further notifications of the owner restore the end of access
that there would be without the act, and without those that were undone before it. A grant of an
exclusive product gives back the products that it has ended.
"""

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import BillingEvent
from niteoweb.click2sell.entitlement import Chain
from niteoweb.click2sell.entitlement import compute
from niteoweb.click2sell.entitlement import Outcome as Computed
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.entitlement import ProductPeriod
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.owner.action import AffectedBuyer
from niteoweb.click2sell.owner.action import buyer_of
from niteoweb.click2sell.owner.action import NotPossible
from niteoweb.click2sell.owner.grants import Command
from niteoweb.click2sell.owner.grants import event
from niteoweb.click2sell.owner.grants import MOMENT
from niteoweb.click2sell.settings import effective
from typing import Any


#: How long an act can be undone.
PERIOD = timedelta(days=1)

#: The acts that can be undone.
KINDS = frozenset({Kind.PURCHASE, Kind.EXPIRY, Kind.PLAN_CHANGE, Kind.REACTIVATION})


def possible(site: Any, buyer: buyers.Buyer, now: datetime) -> frozenset[str]:
    """Keys of the acts that can be undone.

    :param now: in UTC.
    """
    acts = [entry for entry in buyers.entries(site, buyer) if entry["provider"] == OWNER]
    undone = {entry["payload"].get("undoes") for entry in acts}
    return frozenset(
        entry["key"]
        for entry in acts
        if entry["kind"] in KINDS
        and entry["outcome"] == Outcome.ACCEPTED
        and entry["key"] not in undone
        and not entry["payload"].get("undoes")
        and timestamps.from_iso(entry["received_at"]) + PERIOD > now
    )


@dataclass(frozen=True)
class Undo(Command):
    """Undo an act by hand.

    :ivar key: of its entry.
    """

    form = forms.IUndo
    title = _("Undo")
    success = _("It was undone.")

    buyer_id: str
    key: str
    by: str
    reason: str = ""

    def notifications(self, site: Any, now: datetime) -> Iterator[Notification]:
        buyer = buyer_of(site, self.buyer_id)
        if self.key not in possible(site, buyer, now):
            raise NotPossible(_("This cannot be undone any more."))
        entry = ledger.get(site, self.key)
        product, outcome = history.product(entry), history.outcome(site, buyer, now)
        others = self._others(outcome)
        without = compute(others.values(), effective.policy())
        chains = (timeline.chain for timeline in outcome.timelines)
        about = next((own for own in map(_own, chains) if self.key in own), {})
        if not about:
            raise NotPossible(_("This cannot be undone any more."))
        if about[self.key].exclusive:
            for timeline in outcome.timelines:
                first, name = timeline.chain.first, timeline.chain.product_id
                if first.provider != product[0] or name == product[1]:
                    continue
                own, present = _own(timeline.chain), timeline.periods.get(name)
                before = _period(without, name, own.keys() & others)
                if present and before and max(present.limit, now) < before.limit:
                    yield from self._restored(site, (product[0], name), own, before, now)
        before = _period(without, product[1], about.keys() & others)
        # What only waits for its renewal goes on while its provider is silent.
        waits = entry["kind"] != Kind.EXPIRY and without.renewing(product)
        if before is not None and (waits or before.limit > now):
            yield from self._restored(site, product, about, before, now)
        if entry["kind"] != Kind.EXPIRY:
            # In days of grace the end is over, and they count from it.
            end = now if before is None else min(before.until, now)
            events = list(about.values())
            yield event(site, self, product, Kind.EXPIRY, events, now, end, undoes=self.key)

    def _restored(
        self,
        site: Any,
        product: Product,
        about: Mapping[str, BillingEvent],
        before: ProductPeriod,
        now: datetime,
    ) -> Iterator[Notification]:
        """The notifications that give a chain the end that it had without the act.

        :param about: its events, in order.
        """
        if before.state is State.ENDED:
            return
        events = list(about.values())
        kinds = [Kind.REACTIVATION]
        if before.state is State.CANCELLED:
            kinds.append(Kind.CANCELLATION)
        is_open = any(start <= now < stop for start, stop in before.spans)
        starts = [start for start, _stop in before.spans if start > now]
        begins = None if is_open else min(starts, default=None)
        at = max(now, *(one.occurred_at + MOMENT for one in events))
        for number, kind in enumerate(kinds, start=1):
            later, end = at + number * MOMENT, before.until
            told = event(site, self, product, kind, events, later, end, undoes=self.key)
            yield replace(told, valid_from=begins)

    def write(self, site: Any, now: datetime) -> list[AffectedBuyer]:
        """Record the notifications."""
        affected = super().write(site, now)
        if not affected:
            raise NotPossible(_("Nothing is left to undo: the access before it is over."))
        return affected

    def _others(self, outcome: history.BuyerOutcome) -> dict[str, BillingEvent]:
        """The events without the act, and without those that were undone before, by key."""
        undoing = {
            entry["key"]: entry["payload"]["undoes"]
            for entry in outcome.entries
            if entry["provider"] == OWNER and "undoes" in entry["payload"]
        }
        undone = {self.key, *undoing.values()}
        # What an owner did to a grant since means no other purchase.
        given = {
            one.transaction
            for one in outcome.events
            if one.key in undone and one.kind is Kind.PURCHASE
        }
        return {
            one.key: one
            for one in outcome.events
            if one.key not in undone
            and one.key not in undoing
            and not (one.by_owner and one.transaction in given)
        }


def _period(
    without: Computed, product_id: str, others: Collection[str]
) -> ProductPeriod | None:
    """The time on a product that there would be without an act.

    :param without: the outcome without it.
    :param others: keys of the other events of a chain.
    """
    periods = [
        timeline.periods[product_id]
        for timeline in without.timelines
        if timeline.chain.undone_by is None
        and product_id in timeline.periods
        and not _own(timeline.chain).keys().isdisjoint(others)
    ]
    return max(periods, key=lambda period: period.limit, default=None)


def _own(chain: Chain) -> dict[str, BillingEvent]:
    """The events of a chain by their keys, the first one first."""
    own = {event.key: event for event, elsewhere in chain.events if not elsewhere}
    return {chain.first.key: chain.first, **own}
