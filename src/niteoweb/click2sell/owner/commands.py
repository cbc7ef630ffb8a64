"""Commands of an owner for a buyer: grant, extend and end access, resend the welcome mail.

A command is a value that its schema has validated, see :mod:`niteoweb.click2sell.owner.forms`.
A grant, an extension and an end of access go into the ledger as notifications of the provider
"owner", and so obey the rules of all others: safety rules, replay, order;
:mod:`niteoweb.click2sell.owner.action` previews them and carries them out. The rules, where
there is a choice:

* A grant is a purchase with a transaction of its own. Its end is stated by the owner; without
  one it gets the terms of its product.
* Access is ended by an expiry of each chain that gives it, so a later payment gives it again.
* Access is extended by a new end for the chain that reaches furthest. That access may have
  lapsed, or an owner may have ended it, but it must not be refunded.
* A command is dated after all known events of its chain, also where the provider's clock is
  ahead of ours: the order of a history is that of its times.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import BillingEvent
from niteoweb.click2sell.entitlement import Entitlement
from niteoweb.click2sell.entitlement import OPEN
from niteoweb.click2sell.entitlement import Outcome
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.owner.action import Action
from niteoweb.click2sell.owner.action import AffectedBuyer
from niteoweb.click2sell.owner.action import id_of
from niteoweb.click2sell.owner.action import NotPossible
from niteoweb.click2sell.owner.action import PRIVILEGED
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.storage import writer
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
        """Record the notifications."""
        return [_record(site, one, now) for one in tuple(self.notifications(site, now))]


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
            valid_until=self.until,
            payload={"reason": self.reason, "by": self.by},
        )


@dataclass(frozen=True)
class End(Command):
    """End a buyer's access to a product now, whatever gives it."""

    form = forms.IEnd
    title = _("End access")
    success = _("Access was ended.")

    buyer_id: str
    product: Product
    reason: str
    by: str

    def notifications(self, site: Any, now: datetime) -> Iterator[Notification]:
        buyer = _buyer(site, self.buyer_id)
        outcome = history.outcome(site, buyer, now)
        chains = [
            [event for event, _elsewhere in chain.events]
            for chain in outcome.giving(self.product, now)
        ]
        if not chains and self.product in buyer["live"]:
            # It is over, and goes on because a silent provider cannot tell of the renewal.
            chains = [_entitled(outcome, self.product)[1]]
        if not chains:
            raise NotPossible(_("There is no access to this product that could be ended."))
        for events in chains:
            yield _event(site, self, Kind.EXPIRY, events, now, now)


@dataclass(frozen=True)
class Extend(Command):
    """Extend a buyer's access to a product, from its end or from now, whichever is later."""

    form = forms.IExtend
    title = _("Extend access")
    success = _("Access was extended.")

    buyer_id: str
    product: Product
    days: int
    reason: str
    by: str

    def notifications(self, site: Any, now: datetime) -> Iterator[Notification]:
        outcome = history.outcome(site, _buyer(site, self.buyer_id), now)
        entitlement, events = _entitled(outcome, self.product)
        if entitlement.state is State.REFUNDED:
            raise NotPossible(_("The purchase was undone: grant the product instead."))
        if entitlement.state is State.PROVISIONAL:
            raise NotPossible(_("It is not known to be paid yet: grant the product instead."))
        start = max(entitlement.until or OPEN, now)
        if start > OPEN - timedelta(days=self.days):
            raise NotPossible(_("Access has no end that could be moved."))
        ended = entitlement.state is State.ENDED
        kind = Kind.REACTIVATION if ended else Kind.PLAN_CHANGE
        yield _event(site, self, kind, events, now, start + timedelta(days=self.days))


@dataclass(frozen=True)
class Resend(Command):
    """Mail the welcome mail once more, to the address that the account has now.

    :ivar way: "link", or "password" for a new one: only for accounts that this add-on made.
    """

    form = forms.IResend
    title = _("Mail the welcome mail again")
    success = _("The welcome mail was sent.")

    buyer_id: str
    way: str
    by: str

    def recipient(self, site: Any) -> str:
        """The user id of the member who gets the mail.

        :raises NotPossible: the buyer has no account, it keeps its password, or it may
            administer the site.
        """
        buyer = _buyer(site, self.buyer_id)
        if not accounts.exists(buyer["user_id"]):
            raise NotPossible(_("The buyer has no account."))
        if privilege.member(buyer["user_id"]):
            raise NotPossible(PRIVILEGED)
        if self.way == "password" and not buyer["made"]:
            message = _("The account existed before the purchase: it keeps its password.")
            raise forms.Problems({"way": message})
        return buyer["user_id"]

    def carry_out(self) -> str:
        """File the mail and send it.

        :returns: id of the mail; it stays in the outbox when the mail server refuses it.
        :raises NotPossible: see :meth:`recipient`.
        :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
        """
        mail_id = writer.run(self._file)
        pipeline.send(mail_id)
        return mail_id

    def _file(self, site: Any) -> str:
        user_id, buyer = self.recipient(site), _buyer(site, self.buyer_id)
        payments = history.in_order(filter(history.is_payment, history.entries(site, buyer)))
        return outbox.file(
            site,
            outbox.WELCOME,
            user_id,
            accounts.fields(user_id, ("email",))["email"],
            payments[-1]["product_name"] or payments[-1]["product_id"] if payments else "",
            timestamps.now(),
            plone_site.mail_domain(),
            credentials=self.way,
            by=self.by,
        )["id"]


#: The commands, by their names in addresses.
COMMANDS: dict[str, type[Grant] | type[Extend] | type[End] | type[Resend]] = {
    "grant": Grant,
    "extend": Extend,
    "revoke": End,
    "resend": Resend,
}


def asked_for(
    site: Any, name: str, buyer: buyers.Buyer | None, values: Mapping[str, Any], by: str
) -> Command:
    """The command that a form asks for.

    :param name: of the command, see :data:`COMMANDS`.
    :param buyer: None to grant something to an address.
    :param values: of the form's fields, see :func:`niteoweb.click2sell.owner.forms.read`.
    :param by: user id of the owner.
    :raises niteoweb.click2sell.owner.forms.Problems: fields have values that they cannot have.
    """
    command = COMMANDS[name]
    if command is not Grant:
        return command.asked_for(values, buyer_id=buyer["id"], by=by)
    if buyer is not None:
        entries = [ledger.get(site, key) for key in buyer["keys"]]
        values = {**values, "address": explanation.addresses(buyer, entries)[0]}
    return Grant.asked_for(values, by=by)


def _event(
    site: Any,
    command: End | Extend,
    kind: Kind,
    events: Sequence[BillingEvent],
    now: datetime,
    until: datetime,
) -> Notification:
    """The notification of a command for one chain.

    :param events: of the chain, in order.
    :param until: the end of access that the command states.
    """
    product = command.product
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
        external_subscription_id=first["external_subscription_id"],
        valid_until=until,
        payload={"reason": command.reason, "by": command.by},
    )


def _entitled(outcome: Outcome, product: Product) -> tuple[Entitlement, list[BillingEvent]]:
    """A buyer's entitlement to a product, and the events of the chain that explains it.

    :raises NotPossible: the buyer never had the product.
    """
    by_key = {event.key: event for event in outcome.events}
    for entitlement in outcome.entitlements:
        if entitlement.product == product:
            return entitlement, [by_key[key] for key in entitlement.keys]
    raise NotPossible(_("The buyer never had this product: grant it instead."))


def _record(site: Any, notification: Notification, now: datetime) -> AffectedBuyer:
    """Record a notification, unless it is recorded already."""
    entry = ledger.get(site, notification.key)
    if entry is None:
        entry = recording.write_down(site, notification, now)
    if entry is None:
        raise NotPossible(_("Too much was done to this purchase already."))
    return AffectedBuyer(entry["buyer_id"], entry["key"])


def _buyer(site: Any, buyer_id: str) -> buyers.Buyer:
    buyer = buyers.get(site, buyer_id)
    if buyer is None:
        raise NotPossible(_("There is no such buyer."))
    return buyer
