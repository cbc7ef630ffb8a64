"""Events for the rest of the site, fired after the commit.

Their subscribers and content rules may send mail or ask other systems. No request waits for
them where a thread for events runs.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import hooks
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.interfaces import IAccessEndsSoonEvent
from niteoweb.click2sell.interfaces import IAccessGrantedEvent
from niteoweb.click2sell.interfaces import IAccessRevokedEvent
from niteoweb.click2sell.interfaces import IMemberCreateEvent
from niteoweb.click2sell.interfaces import IMemberUpdateEvent
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import contentrules
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.provisioning.apply import Applied
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import session
from typing import Any
from zope.event import notify
from zope.interface import implementer

import transaction


@dataclass(eq=False)
class MemberEvent:
    """A member and the notification that concerns it."""

    user_id: str
    notification: Notification


@implementer(IMemberCreateEvent)
class MemberCreateEvent(MemberEvent):
    """A new member was made."""


@implementer(IMemberUpdateEvent)
class MemberUpdateEvent(MemberEvent):
    """A purchase was attached to a member that existed before it."""


@dataclass(eq=False)
class AccessEvent:
    """A member and a product that the member gained or lost access to."""

    user_id: str
    provider: str
    product_id: str
    groups: tuple[str, ...]
    until: datetime | None


@implementer(IAccessGrantedEvent)
class AccessGrantedEvent(AccessEvent):
    """A member has access to a product."""


@implementer(IAccessRevokedEvent)
class AccessRevokedEvent(AccessEvent):
    """A member has no access to a product any more."""


@implementer(IAccessEndsSoonEvent)
class AccessEndsSoonEvent(AccessEvent):
    """A member's access to a product ends in some days."""


@dataclass(frozen=True)
class Waiting:
    """Events that wait for the thread that fires them.

    :ivar path: physical path of the site.
    :ivar surroundings: of the request that led to them.
    :ivar events: those that were not fired yet.
    """

    path: tuple[str, ...]
    surroundings: session.Surroundings
    events: list[Any]


#: In the order in which they happened.
waiting: deque[Waiting] = deque()


def events(applied: Applied, notification: Notification | None) -> list[object]:
    """The events of a plan that was applied.

    :param notification: the notification that is news and led to them, None for none.
    """
    plan, happened = applied.plan, list[object]()
    if applied.created:
        happened.append(contentrules.UserCreatedRules(applied.user_id))
    if applied.created and notification is not None:
        happened.append(MemberCreateEvent(applied.user_id, notification))
    elif applied.user_id and notification is not None and notification.kind in PAYMENTS:
        happened.append(MemberUpdateEvent(applied.user_id, notification))
    for products, event, groups in (
        (plan.gained, AccessGrantedEvent, plan.groups_of),
        (plan.lost, AccessRevokedEvent, plan.revoked_with),
    ):
        happened += [
            event(applied.user_id, *product, groups(product), plan.ends.get(product))
            for product in products
        ]
    return happened


def tell_receivers(
    site: Any, applied: Applied, entry: ledger.Entry | None, now: datetime
) -> None:
    """File the events of a plan for the receivers of hooks, in the commit that applies it.

    :param entry: the entry that led to it, None for none.
    """
    if not hooks.receivers.every(site):
        return  # as on most sites: nobody is looked up
    plan, user_id = applied.plan, applied.user_id
    member = {"user_id": user_id, "email": accounts.text(user_id, "email") if user_id else ""}
    cause = {"entry": entry["key"] if entry is not None else None}
    if applied.created:
        hooks.outbox.file(site, hooks.events.CREATED, plan.buyer_id, {**member, **cause}, now)
    for products, event, groups in (
        (plan.gained, hooks.events.GRANTED, plan.groups_of),
        (plan.lost, hooks.events.ENDED, plan.revoked_with),
    ):
        for product in products:
            about = access(product, groups(product), plan.ends.get(product))
            hooks.outbox.file(site, event, plan.buyer_id, {**member, **about, **cause}, now)


def tell_of_end(site: Any, buyer: buyers.Buyer, email: str, now: datetime) -> None:
    """File for the receivers of hooks that a buyer's access has ended with the account."""
    member = {"user_id": buyer["user_id"], "email": email}
    for product in buyer["live"]:
        groups = (name for name, because in buyer["grants"].items() if product in because)
        about = {**member, **access(product, groups, now), "entry": None}
        hooks.outbox.file(site, hooks.events.ENDED, buyer["id"], about, now)


def access(product: Product, groups: Iterable[str], until: datetime | None) -> dict[str, Any]:
    """The access to a product, as receivers of hooks are told of it."""
    return {
        "provider": product[0],
        "product": product[1],
        "groups": sorted(groups),
        "until": timestamps.iso(until) if until is not None else None,
    }


def hand_over(happened: Iterable[Any]) -> None:
    """Leave events to this process's thread for them; without one they are fired here."""
    if background.is_done_here(background.EVENTS):
        site = plone_site.get()
        surroundings = session.Surroundings.of(site.REQUEST)
        waiting.append(Waiting(site.getPhysicalPath(), surroundings, list(happened)))
        background.wake(background.EVENTS)
    else:
        fire(list(happened))


def fire(happened: list[Any]) -> None:
    """Fire events, each in a transaction of its own, and take them off.

    A subscriber that fails loses its own changes; the purchase stays as it is.

    :raises Exception: the database is away. The events that are left were not fired.
    """
    while happened:
        transaction.begin()
        event = happened.pop(0)
        try:
            with contentrules.afresh():
                notify(event)
            transaction.commit()
        except Exception as error:
            transaction.abort()
            log_failure(f"A subscriber of {type(event).__name__} failed", error)
        finally:
            transaction.begin()
