"""Payments at other providers that become orders of the store, by the lines of ``fulfil``.

They are found in the ledger, so that a process that died loses none; the key of an entry is the
reference of its sale. A user's own order or cart is neither cancelled nor emptied.
"""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import orders
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import selling
from niteoweb.click2sell.providers.webtv import standing
from niteoweb.click2sell.providers.webtv import sync
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.providers.webtv.course import Course
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import writer
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")

#: Older payments become no orders; a user is waited for so long.
OLDEST, NO_USER_AFTER = timedelta(days=30), timedelta(days=7)
#: An order that the store does not take is tried for so long before an owner is told.
TOLD_AFTER = timedelta(days=1)

_WAITS = frozenset({sales.BEGUN, sales.CARTED, sales.PLACED})


def run(settings: Any, now: datetime) -> None:
    """Make orders of the payments that have none, and go on with those that wait.

    :param now: in UTC.
    :raises niteoweb.click2sell.provider.Unreachable: the store cannot be asked.
    """
    for line in settings.fulfil or ():
        provider, product, stored = (part.strip() for part in line.split("|"))
        refunds = _told(provider, product, now, Kind.REFUND, Kind.CHARGEBACK)
        refunded = {one.transaction for one in refunds}
        for payment in list(_told(provider, product, now, Kind.PURCHASE)):
            if payment.transaction in refunded:
                continue
            try:
                _fulfil(settings, payment, stored, now)
            except (sales.Conflict, client.StoreError) as error:
                logger.warning("Payment %s has to wait: %s", payment.key, error)


def _told(provider: str, product: str, now: datetime, *kinds: Kind) -> Iterator[Notification]:
    """The accepted notifications of a product, without old ones and those of erased buyers."""
    for kind in kinds:
        wanted = {"kind": kind, "provider": provider, "product_id": product}
        for entry in standing.accepted(now - OLDEST, **wanted):
            if not pseudonyms.is_erased(entry):
                yield history.notification(entry)


def _fulfil(settings: Any, payment: Notification, stored: str, now: datetime) -> None:
    sale = sales.found(plone_site.get(), "reference", payment.key)
    if sale is None:
        user = _user(settings, payment.email)
        if not user:
            if now - payment.occurred_at > NO_USER_AFTER:
                _attend(payment, now)
            return
        values = {
            "origin": "fulfil",
            "reference": payment.key,
            "by": payment.provider,
            "user": user,
            "email": payment.email,
            "items": [(stored, 1)],
            "notify": False,
            "recurring": payment.subscription,
            "bound": payment.key,
        }
        sale = writer.run(lambda site: sales.begin(site, now, **values))
    if sale["state"] not in _WAITS or sale["attention"] or sale["payments"]:
        return
    with Course(settings, sale["id"]) as course:
        try:
            selling.advance(course)
        except (sales.Conflict, client.StoreError):
            if timestamps.from_iso(sale["at"]) + TOLD_AFTER < now:
                course.attend(texts.WAITS)
            raise
        sale = course.sale
        if sale["state"] != sales.PLACED:
            return
        due = orders.money(payment.amount) if payment.amount is not None else ""
        if (due, payment.currency) != (sale["due"], settings.currency):
            course.attend(texts.CHARGE_DIFFERS)
            return
    paid = sales.payment(payment.transaction, due, payment.provider)
    # A trial is not paid.
    selling.pay(settings, sale["id"], paid if payment.amount else None)


def _user(settings: Any, email: str) -> str:
    """The id of the buyer's user, who may be made; "" while there is none."""
    try:
        user = client.user_id(settings, email)
        return user or (carts.create_user(settings, email) if settings.make_users else "")
    except client.StoreError as error:
        logger.warning("The store has no user, and creates none: %s", error)
        return ""


def _attend(payment: Notification, now: datetime) -> None:
    payload = {"payment": payment.key}
    attention = ("payment", payment.key[:16], texts.NO_USER, now, payload)
    pipeline.process(sync.attention(*attention, buyer=payment.buyer, email=payment.email))
