"""Tell the rest of the site what happened, after it is committed."""

from collections.abc import Iterable
from datetime import datetime
from niteoweb.click2sell.interfaces import IAccessGrantedEvent
from niteoweb.click2sell.interfaces import IAccessRevokedEvent
from niteoweb.click2sell.interfaces import IMemberCreateEvent
from niteoweb.click2sell.interfaces import IMemberUpdateEvent
from niteoweb.click2sell.member import contentrules
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.provisioning.apply import Applied
from niteoweb.click2sell.provisioning.plan import Plan
from niteoweb.click2sell.storage import log_failure
from typing import Any
from zope.event import notify
from zope.interface import implementer

import logging
import transaction


logger = logging.getLogger("niteoweb.click2sell")


class MemberEvent:
    """A member and the notification that concerns it."""

    def __init__(self, user_id: str, notification: Notification) -> None:
        self.user_id = user_id
        self.notification = notification


@implementer(IMemberCreateEvent)
class MemberCreateEvent(MemberEvent):
    """A new member was made."""


@implementer(IMemberUpdateEvent)
class MemberUpdateEvent(MemberEvent):
    """A purchase was attached to a member that existed before it."""


class AccessEvent:
    """A member and a product that the member gained or lost access to."""

    def __init__(
        self,
        user_id: str,
        provider: str,
        product_id: str,
        groups: tuple[str, ...],
        until: datetime | None,
    ) -> None:
        self.user_id = user_id
        self.provider = provider
        self.product_id = product_id
        self.groups = groups
        self.until = until


@implementer(IAccessGrantedEvent)
class AccessGrantedEvent(AccessEvent):
    """A member has access to a product."""


@implementer(IAccessRevokedEvent)
class AccessRevokedEvent(AccessEvent):
    """A member has no access to a product any more."""


def events(plan: Plan, done: Applied, notification: Notification | None) -> list[object]:
    """What happened, as events.

    :param plan: the plan that was applied.
    :param done: what applying it did.
    :param notification: the notification that led to it and is news, None for none.
    """
    found: list[object] = []
    if done.created:
        found.append(contentrules.UserCreatedRules(done.user_id))
    if done.created and notification is not None:
        found.append(MemberCreateEvent(done.user_id, notification))
    elif done.user_id and notification is not None and notification.kind in PAYMENTS:
        found.append(MemberUpdateEvent(done.user_id, notification))
    for products, event, groups in (
        (plan.gained, AccessGrantedEvent, plan.groups_of),
        (plan.lost, AccessRevokedEvent, plan.revoked_with),
    ):
        found += [
            event(done.user_id, *product, groups(product), plan.ends.get(product))
            for product in products
        ]
    return found


def fire(found: Iterable[Any]) -> None:
    """Fire events, each in a transaction of its own.

    A subscriber that fails loses what it changed itself; the purchase stays as it is.
    """
    for event in found:
        transaction.begin()
        try:
            with contentrules.afresh():
                notify(event)
            transaction.commit()
        except Exception as error:
            transaction.abort()
            log_failure(f"A subscriber of {type(event).__name__} failed", error)
        finally:
            transaction.begin()
