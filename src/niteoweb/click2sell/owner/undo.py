"""Undo: take back an act of an owner, for a day.

Nothing is removed from the ledger: further notifications of the owner restore the end of access
that there was before the act.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import compute
from niteoweb.click2sell.entitlement import Entitlement
from niteoweb.click2sell.entitlement import OPEN
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
        product, transaction = history.product(entry), entry["transaction"]
        outcome = history.outcome(site, buyer, now)
        events = [one for one in outcome.events if one.transaction == transaction]
        before = self._before(outcome)
        end = before.until or OPEN if before is not None else now
        goes_on = (
            entry["kind"] != Kind.PURCHASE
            and before is not None
            and before.state is not State.ENDED
            and end > now
        )
        if goes_on:
            kinds = [Kind.REACTIVATION]
            if before.state is State.CANCELLED:
                kinds.append(Kind.CANCELLATION)
            starts = [start for start, _stop in before.spans if start > now]
            begins = None if before.gives_access(now) else min(starts, default=None)
            at = max(now, *(one.occurred_at + MOMENT for one in events))
            for number, kind in enumerate(kinds, start=1):
                later = at + number * MOMENT
                told = event(site, self, product, kind, events, later, end, undoes=self.key)
                yield replace(told, valid_from=begins)
        if entry["kind"] != Kind.EXPIRY:
            yield event(site, self, product, Kind.EXPIRY, events, now, now, undoes=self.key)

    def write(self, site: Any, now: datetime) -> list[AffectedBuyer]:
        """Record the notifications."""
        affected = super().write(site, now)
        if not affected:
            raise NotPossible(_("Nothing is left to undo: the access before it is over."))
        return affected

    def _before(self, outcome: history.BuyerOutcome) -> Entitlement | None:
        """The entitlement by the chain of the act, as if the act had not been."""
        entry = next(one for one in outcome.entries if one["key"] == self.key)
        product, transaction = history.product(entry), entry["transaction"]
        events = (
            one
            for one in outcome.events
            if one.transaction == transaction and one.key != self.key
        )
        known = compute(events, effective.policy()).entitlements
        return next((one for one in known if one.product == product), None)
