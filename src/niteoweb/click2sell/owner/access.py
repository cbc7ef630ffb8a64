"""What an owner can do for a buyer: grant, end and extend access, mail the welcome mail again.

What gives or takes access goes into the ledger as a notification of the "provider" owner, and
so obeys the same rules as all others: safety rules, replay, order. Each function checks what
was asked for and returns an :class:`~.action.Action`, which
:mod:`niteoweb.click2sell.owner.action` previews and carries out. The rules, where there is a
choice:

* A grant is a purchase with a transaction of its own. Its end is the one that the owner states;
  without one it gets the terms of its product.
* Access is ended by an expiry of each chain that gives it, so a later payment gives it again.
* Access is extended by a new end for the chain that reaches furthest. It may be an access that
  has lapsed, or that an owner has ended, but none that was refunded.
* What an owner does comes after all that is known of the chain, also where the provider's clock
  is ahead of ours: the order of a history is that of its times.
"""

from collections.abc import Sequence
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
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.owner.action import Action
from niteoweb.click2sell.owner.action import address_of
from niteoweb.click2sell.owner.action import Concern
from niteoweb.click2sell.owner.action import id_of
from niteoweb.click2sell.owner.action import NotPossible
from niteoweb.click2sell.owner.action import PRIVILEGED
from niteoweb.click2sell.owner.action import stated
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from typing import Any


#: What an owner does is dated this much after what it follows, at least.
MOMENT = timedelta(microseconds=1)

#: Days that access is extended by, at most.
MOST_DAYS = 3660


def grant(
    site: Any,
    address: str,
    product: Product,
    until: datetime | None,
    reason: str,
    by: str,
    name: str = "",
    reference: str = "",
    mail: bool = True,
    mail_after: datetime | None = None,
) -> Action:
    """Give access by hand; who has no account yet gets one.

    :param until: end of access, in UTC; None for the terms of the product.
    :param reason: why, for the record.
    :param by: user id of the owner.
    :param name: of the buyer, for a new account.
    :param reference: an id of the owner's own; the same grant with the same reference is done
        once, however often it is asked for.
    :param mail: whether the buyer is mailed.
    :param mail_after: when, in UTC; None for at once.
    :raises NotPossible: the address is none, or the product or the reason is missing.
    """
    buyer, _reason = address_of(address), stated(reason)
    provider, product_id = product
    if not product_id:
        raise NotPossible(_("Choose a product."))
    first_name, _space, last_name = " ".join(name.split()).rpartition(" ")

    def write(site: Any, now: datetime) -> list[Concern]:
        if reference:
            id_ = _grant_id(reference, buyer, product, until)
        else:
            id_ = id_of(site, Kind.PURCHASE, buyer, *product)
        notification = Notification(
            key=idempotency_key(OWNER, id_),
            provider=OWNER,
            on_behalf_of=provider,
            kind=Kind.PURCHASE,
            transaction=f"{OWNER}-{id_}",
            receipt=reference,
            occurred_at=now,
            buyer=buyer,
            email=address.strip(),
            product_id=product_id,
            product_name=overview.product_name(site, product),
            first_name=first_name,
            last_name=last_name,
            valid_until=until,
            payload={"reason": _reason, "by": by},
        )
        return [_written(site, notification, now)]

    return Action(write, mail, mail_after)


def grant_key(reference: str, address: str, product: Product, until: datetime | None) -> str:
    """The key of the entry that a grant with a reference of the owner's is, or will be.

    :param address: in lower case.
    :param until: in UTC.
    """
    return idempotency_key(OWNER, _grant_id(reference, address, product, until))


def end(site: Any, buyer_id: str, product: Product, reason: str, by: str) -> Action:
    """End a buyer's access to a product now, whatever gives it.

    :param reason: why, for the record.
    :param by: user id of the owner.
    :raises NotPossible: there is no such buyer, or the reason is missing; when it is carried
        out, also: there is no access to end.
    """
    _reason = stated(reason)
    _buyer(site, buyer_id)

    def write(site: Any, now: datetime) -> list[Concern]:
        buyer = _buyer(site, buyer_id)
        outcome = history.outcome(site, buyer, now)
        chains = outcome.giving(product, now)
        found = [[event for event, _elsewhere in chain.events] for chain in chains]
        if not found and product in buyer["live"]:
            # It is over, and goes on because a silent provider cannot tell of the renewal.
            found = [_entitled(outcome, product)[1]]
        if not found:
            raise NotPossible(_("There is no access to this product that could be ended."))
        return [
            _written(
                site, _event(site, Kind.EXPIRY, events, product, now, now, _reason, by), now
            )
            for events in found
        ]

    return Action(write)


def extend(
    site: Any, buyer_id: str, product: Product, days: int, reason: str, by: str
) -> Action:
    """Extend a buyer's access to a product, from its end or from now, whichever is later.

    :param days: by how many days.
    :param reason: why, for the record.
    :param by: user id of the owner.
    :raises NotPossible: the number of days is not possible, or the reason is missing; when it
        is carried out, also: there is no access that could be extended.
    """
    _reason = stated(reason)
    _buyer(site, buyer_id)
    if not 1 <= days <= MOST_DAYS:
        raise NotPossible(_("Choose 1 to ${most} days.", mapping={"most": str(MOST_DAYS)}))

    def write(site: Any, now: datetime) -> list[Concern]:
        outcome = history.outcome(site, _buyer(site, buyer_id), now)
        found, events = _entitled(outcome, product)
        if found.state is State.REFUNDED:
            raise NotPossible(_("The purchase was undone: grant the product instead."))
        if found.state is State.PROVISIONAL:
            raise NotPossible(_("It is not known to be paid yet: grant the product instead."))
        start = max(found.until or OPEN, now)
        if start > OPEN - timedelta(days=days):
            raise NotPossible(_("Access has no end that could be moved."))
        kind = Kind.REACTIVATION if found.state is State.ENDED else Kind.PLAN_CHANGE
        until = start + timedelta(days=days)
        event = _event(site, kind, events, product, now, until, _reason, by)
        return [_written(site, event, now)]

    return Action(write)


def resend(user_id: str, way: str, by: str) -> str:
    """Mail the welcome mail once more, to the address that the account has now.

    A new password is only for accounts that this add-on made: others keep theirs.

    :param way: "link" or "password".
    :param by: user id of the owner.
    :returns: id of the mail; it stays in the outbox when the mail server does not take it.
    :raises NotPossible: there is no such buyer's account, or it may administer the site.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
    """

    def work(site: Any) -> str:
        buyer = buyers.of_user(site, user_id)
        if buyer is None or not accounts.exists(user_id):
            raise NotPossible(_("The buyer has no account."))
        if privilege.member(user_id):
            raise NotPossible(PRIVILEGED)
        if way == "password" and not buyer["made"]:
            raise NotPossible(
                _("The account existed before the purchase: it keeps its password.")
            )
        found = history.in_order(
            e for e in history.entries(site, buyer) if history.is_payment(e)
        )
        return outbox.file(
            site,
            outbox.WELCOME,
            user_id,
            accounts.fields(user_id, ("email",))["email"],
            found[-1]["product_name"] or found[-1]["product_id"] if found else "",
            timestamps.now(),
            plone_site.mail_domain(),
            credentials=way,
            by=by,
        )["id"]

    with writer.section():
        mail_id = transactions.run(work)
    pipeline.send(mail_id)
    return mail_id


def _grant_id(reference: str, address: str, product: Product, until: datetime | None) -> str:
    end = timestamps.iso(until) if until else ""
    return idempotency_key("grant", reference, address, *product, end)


def _event(
    site: Any,
    kind: Kind,
    events: Sequence[BillingEvent],
    product: Product,
    now: datetime,
    until: datetime,
    reason: str,
    by: str,
) -> Notification:
    """What an owner does to a chain.

    :param events: those of the chain, in order.
    :param until: the end of access that it states.
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
        external_subscription_id=first.get("external_subscription_id", ""),
        valid_until=until,
        payload={"reason": reason, "by": by},
    )


def _entitled(outcome: Outcome, product: Product) -> tuple[Entitlement, list[BillingEvent]]:
    """What a buyer has of a product, and the events of the chain that explains it.

    :raises NotPossible: nothing.
    """
    by_key = {event.key: event for event in outcome.events}
    for entitlement in outcome.entitlements:
        if entitlement.product == product:
            return entitlement, [by_key[key] for key in entitlement.keys]
    raise NotPossible(_("The buyer never had this product: grant it instead."))


def _written(site: Any, notification: Notification, now: datetime) -> Concern:
    """Write a notification down, unless it is there already."""
    entry = ledger.get(site, notification.key)
    if entry is None:
        entry = recording.write_down(site, notification, now)
    if entry is None:
        raise NotPossible(_("Too much was done to this purchase already."))
    return Concern(entry["buyer_id"], entry["key"])


def _buyer(site: Any, buyer_id: str) -> buyers.Buyer:
    buyer = buyers.get(site, buyer_id)
    if buyer is None:
        raise NotPossible(_("There is no such buyer."))
    return buyer
