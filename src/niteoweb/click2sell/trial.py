"""A test purchase that goes down the whole road and leaves nothing behind.

A notification is built as Click2Sell builds it, signed with the site's own key, verified, read,
written down and planned. That happens in a transaction that is aborted: no member, no entry, no
mail and no event comes of it.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from niteoweb.click2sell import arrival
from niteoweb.click2sell import dryrun
from niteoweb.click2sell import ledger
from niteoweb.click2sell import notify
from niteoweb.click2sell import overview
from niteoweb.click2sell import postman
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import click2sell
from typing import Any
from urllib.parse import urlencode

import secrets
import transaction


#: Whom and what a test purchase names where nothing better is known.
FIRST_NAME, LAST_NAME = "Test", "Buyer"
PRODUCT_NAME = "Test product"
PRICE = "1.00 EUR"


@dataclass(frozen=True)
class Rehearsal:
    """What a genuine delivery would lead to; only good inside of :func:`rehearse`.

    :ivar found: the plan, and what would become of the entry.
    :ivar entry: the entry as it would be recorded.
    :ivar mail: as it would go out, with a word in the place of the password; None for none.
    """

    found: dryrun.DryRun
    entry: ledger.Entry
    mail: EmailMessage | None


def parameters(
    site: Any, kind: str, product_id: str, address: str, now: datetime
) -> dict[str, str]:
    """The parameters of a test purchase as Click2Sell sends them, signed with the site's key.

    :param kind: one of :data:`niteoweb.click2sell.notify.KINDS`.
    :param address: of the buyer.
    :param now: with its time zone.
    :raises KeyError: the kind does not exist.
    """
    local = now.astimezone(plone_site.timezone())
    return dict(
        notify.form_fields(
            plone_site.settings().secretkey or "",
            secrets.token_hex(8),
            product=product_id,
            email=address,
            date=f"{local:%Y-%m-%d}",
            time=f"{local:%H:%M:%S}",
            kind=kind,
            receipt=secrets.token_hex(8),
            name=FIRST_NAME,
            surname=LAST_NAME,
            product_name=overview.product_name(site, product_id) or PRODUCT_NAME,
            price=PRICE,
        )
    )


def read(fields: Mapping[str, str], now: datetime) -> Notification:
    """Verify and read the parameters, just as the callback does.

    :param now: in UTC.
    :raises DeliveryError: they are refused; see :mod:`niteoweb.click2sell.notification`.
    """
    delivery = Delivery(
        urlencode(fields, errors="replace").encode("ascii"), click2sell.CONTENT_TYPE
    )
    form = click2sell.verify(delivery, plone_site.settings(), now)
    (notification,) = click2sell.parse(form, plone_site.timezone())
    return notification


@contextmanager
def rehearse(notification: Notification, now: datetime) -> Iterator[Rehearsal]:
    """Work out what a notification would lead to, without leaving anything.

    What is read of it has to be read inside: when it ends, the transaction is aborted, and with
    it whatever else this thread has changed until then.

    :param now: in UTC.
    """
    transaction.begin()
    try:
        site = plone_site.get()
        entry = arrival.write_down(site, notification, now)
        found = dryrun.replay(site, notification.key, now)
        yield Rehearsal(found, entry, postman.draft(found.plan))
    finally:
        transaction.abort()
        transaction.begin()
