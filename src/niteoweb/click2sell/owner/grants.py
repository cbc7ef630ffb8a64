"""The commands that change access: grant, extend and end.

A command is a value that its schema has validated, see :mod:`niteoweb.click2sell.owner.forms`.
A grant, an extension and an end of access go into the ledger as notifications of the provider
"owner", and so obey the rules of all others: safety rules, replay, order;
:mod:`niteoweb.click2sell.owner.action` previews them and carries them out. The rules, where
there is a choice:

* A grant is a purchase with a transaction of its own. Its end is stated by the owner; without
  one it gets the terms of its product.
* Access is ended by an expiry of each chain that gives it, so a later payment gives it again.
* An act can be undone for a day, by further notifications, which restore the end that there was
  before.
* Access is extended by a new end for the chain that reaches furthest. That access may have
  lapsed, or an owner may have ended it, but it must not be refunded.
* A command is dated after all known events of its chain, also where the provider's clock is
  ahead of ours: the order of a history is that of its times.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import BillingEvent
from niteoweb.click2sell.entitlement import Entitlement
from niteoweb.click2sell.entitlement import OPEN
from niteoweb.click2sell.entitlement import Outcome
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.owner.action import Action
from niteoweb.click2sell.owner.action import AffectedBuyer
from niteoweb.click2sell.owner.action import buyer_of
from niteoweb.click2sell.owner.action import id_of
from niteoweb.click2sell.owner.action import NotPossible
from niteoweb.click2sell.provisioning import Plan
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.report import overview
from typing import Any
from typing import ClassVar
from zope.i18nmessageid import Message


#: A command is dated at least this much after the events that it follows.
MOMENT = timedelta(microseconds=1)


class Command(Action):
    """A command that is carried out by notifications.

    :cvar title: its name for the owner, with `success` when it was carried out.
    :ivar reason: why, for the record.
    :ivar by: user id of the owner.
    """

    title: ClassVar[Message]
    success: ClassVar[Message]

    def notifications(self, site: Any, now: datetime) -> Iterator[Notification]:
        """The notifications of this command.

        :param now: in UTC.
        :raises NotPossible: it cannot be carried out.
        """
        raise NotImplementedError

    def write(self, site: Any, now: datetime) -> list[AffectedBuyer]:
        """Record the notifications; all of them count when the last one is processed."""
        affected = [_record(site, one, now) for one in tuple(self.notifications(site, now))]
        for one in affected[:-1]:
            ledger.change(site, ledger.get(site, one.key), counts=True)
        return affected[-1:]


@dataclass(frozen=True)
class Grant(Command):
    """Give access by hand; a buyer without an account gets one.

    :ivar until: end of access, in UTC; None for the terms of the product.
    :ivar name: of the buyer, for a new account.
    :ivar reference: an id of the owner's own; a grant with an equal reference is carried out
        once, however often it is asked for.
    :ivar mail: whether the buyer is mailed.
    :ivar mail_after: when the buyer is mailed, in UTC; None for at once.
    """

    form = forms.IGrant
    title = _("Give access by hand")
    success = _("Access was given.")

    address: str
    product: Product
    until: datetime | None
    reason: str
    by: str
    name: str = ""
    reference: str = ""
    mail: bool = True
    mail_after: datetime | None = None
    days: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.days is not None and self.until is not None:
            raise forms.Problems({"days": forms.EITHER})

    @property
    def key(self) -> str:
        """Key of the entry of a grant with a reference, whether it exists yet or not."""
        return idempotency_key(OWNER, self._id)

    @property
    def _id(self) -> str:
        end = timestamps.iso(self.until) if self.until else ""
        return idempotency_key("grant", self.reference, self._buyer, *self.product, end)

    @property
    def _buyer(self) -> str:
        return self.address.lower()

    def notifications(self, site: Any, now: datetime) -> Iterator[Notification]:
        provider, product_id = self.product
        id_ = self._id
        if not self.reference:
            id_ = id_of(site, Kind.PURCHASE, self._buyer, *self.product)
        first_name, _space, last_name = " ".join(self.name.split()).rpartition(" ")
        yield Notification(
            key=idempotency_key(OWNER, id_),
            provider=OWNER,
            on_behalf_of=provider,
            kind=Kind.PURCHASE,
            transaction=f"{OWNER}-{id_}",
            receipt=self.reference,
            occurred_at=now,
            buyer=self._buyer,
            email=self.address,
            product_id=product_id,
            product_name=overview.product_name(site, self.product),
            first_name=first_name,
            last_name=last_name,
            valid_until=self.until if self.days is None else now + timedelta(days=self.days),
            payload={"reason": self.reason, "by": self.by},
        )


@dataclass(frozen=True)
class End(Command):
    """End a buyer's access to a product now, whatever gives it.

    :ivar mail: whether the member is mailed that access has ended.
    """

    form = forms.IEnd
    title = _("End access")
    success = _("Access was ended.")

    buyer_id: str
    product: Product
    reason: str
    by: str
    mail: bool = False

    def settled(self, plan: Plan) -> Plan:
        """The plan, in which the member is told as the owner wants, whatever the setting."""
        return replace(plan, told=plan.lost if self.mail else ())

    def notifications(self, site: Any, now: datetime) -> Iterator[Notification]:
        buyer = buyer_of(site, self.buyer_id)
        outcome = history.outcome(site, buyer, now)
        giving = outcome.giving(self.product, now)
        if self.product in buyer["live"]:
            # What is over may go on, because a silent provider cannot tell of the renewal.
            giving += silence.awaited(site, self.product, outcome, now)
        chains = [[event for event, _elsewhere in chain.events] for chain in giving]
        if not chains and self.product in buyer["live"]:
            # It is over, and no run has ended it yet.
            chains = [_entitled(outcome, self.product)[1]]
        if not chains:
            raise NotPossible(_("There is no access to this product that could be ended."))
        for events in chains:
            yield event(site, self, self.product, Kind.EXPIRY, events, now, now)


@dataclass(frozen=True)
class Extend(Command):
    """Extend a buyer's access to a product, from its end or from now, whichever is later."""

    form = forms.IExtend
    title = _("Extend access")
    success = _("Access was extended.")

    buyer_id: str
    product: Product
    days: int | None
    reason: str
    by: str
    until: datetime | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.days is None) == (self.until is None):
            raise forms.Problems({"days": forms.EITHER})

    def notifications(self, site: Any, now: datetime) -> Iterator[Notification]:
        outcome = history.outcome(site, buyer_of(site, self.buyer_id), now)
        entitlement, events = _entitled(outcome, self.product)
        if entitlement.state is State.REFUNDED:
            raise NotPossible(_("The purchase was undone: give access to the product instead."))
        if entitlement.state is State.PROVISIONAL:
            raise NotPossible(
                _("No payment for it is known yet: give access to the product instead.")
            )
        start = max(entitlement.until or OPEN, now)
        if start > OPEN - timedelta(days=self.days or 0) or entitlement.until is None:
            raise NotPossible(_("Access has no end that could be moved."))
        until = self.until or start + timedelta(days=self.days or 0)
        if until <= start:
            raise NotPossible(_("Access already lasts longer than that."))
        ended = entitlement.state is State.ENDED
        kind = Kind.REACTIVATION if ended else Kind.PLAN_CHANGE
        yield event(site, self, self.product, kind, events, now, until)


def event(
    site: Any,
    command: Command,
    product: Product,
    kind: Kind,
    events: Sequence[BillingEvent],
    now: datetime,
    until: datetime | None,
    **payload: str,
) -> Notification:
    """The notification of a command for one chain.

    :param product: that it is about.
    :param events: of the chain, in order.
    :param until: the end of access that the command states.
    """
    first = ledger.get(site, events[0].key)
    return Notification(
        key=idempotency_key(
            OWNER, id_of(site, kind, *product, first["transaction"], first["buyer"])
        ),
        provider=OWNER,
        on_behalf_of=product[0],
        kind=kind,
        transaction=first["transaction"],
        receipt=first["receipt"],
        occurred_at=max(now, *(e.occurred_at + MOMENT for e in events if e.plausible)),
        buyer=first["buyer"],
        email=first["buyer"],
        product_id=product[1],
        product_name=overview.product_name(site, product),
        customer_id=customers.named_in(site, first),
        external_subscription_id=first["external_subscription_id"],
        valid_until=until,
        payload={"reason": command.reason, "by": command.by, **payload},
    )


def _entitled(outcome: Outcome, product: Product) -> tuple[Entitlement, list[BillingEvent]]:
    """A buyer's entitlement to a product, and the events of the chain that explains it.

    :raises NotPossible: the buyer never had the product.
    """
    by_key = {event.key: event for event in outcome.events}
    for entitlement in outcome.entitlements:
        if entitlement.product == product:
            return entitlement, [by_key[key] for key in entitlement.keys]
    raise NotPossible(_("The buyer never had this product: give access to it instead."))


def _record(site: Any, notification: Notification, now: datetime) -> AffectedBuyer:
    """Record a notification, unless it is recorded already."""
    entry = ledger.get(site, notification.key)
    if entry is None:
        entry = recording.write_down(site, notification, now)
    if entry is None:
        raise NotPossible(_("This purchase has already been changed by hand too many times."))
    return AffectedBuyer(entry["buyer_id"], entry["key"])
