"""A test purchase that goes down the whole road and leaves nothing behind.

Deliveries are made up as the provider makes them, signed with the site's own key, verified,
read, written down and planned. That happens in a transaction that is aborted: no member, no
entry, no mail and no event comes of it.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import VerifiedDelivery
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import sample
from niteoweb.click2sell.provisioning import enrichment
from niteoweb.click2sell.provisioning import Plan
from niteoweb.click2sell.provisioning import preview
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.storage import transactions
from typing import Any

import secrets


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

    found: preview.Preview
    entry: ledger.Entry
    mail: EmailMessage | None


def deliveries(
    site: Any,
    provider: IPaymentProvider,
    kind: str,
    product_id: str,
    address: str,
    now: datetime,
) -> tuple[Delivery, ...]:
    """What the provider would deliver, signed with the site's key; the last one is meant.

    :param provider: one that has a module of samples.
    :param kind: one of its kinds, see :mod:`niteoweb.click2sell.provider.sample`.
    :param address: of the buyer.
    :param now: with its time zone.
    :raises KeyError: the kind does not exist.
    """
    request = sample.SampleRequest(
        kind,
        _plain(product_id),
        _plain(address),
        secrets.token_hex(8),
        now.astimezone(plone_site.timezone()),
        receipt=secrets.token_hex(8),
        first_name=FIRST_NAME,
        last_name=LAST_NAME,
        product_name=overview.product_name(site, (provider.name, product_id)) or PRODUCT_NAME,
        price=PRICE,
    )
    return tuple(sample.deliveries(provider.sample, request, registry.settings(provider)))


def verify(provider: IPaymentProvider, delivery: Delivery, now: datetime) -> VerifiedDelivery:
    """Verify a delivery, just as the callback does.

    :param now: in UTC.
    :raises DeliveryError: it is refused; see :mod:`niteoweb.click2sell.notification`.
    """
    return provider.verify(delivery, registry.settings(provider), now)


def read(provider: IPaymentProvider, genuine: VerifiedDelivery) -> tuple[Notification, ...]:
    """Read what was verified, just as the callback does.

    :raises ParameterError: it cannot be read.
    """
    return provider.parse(genuine, plone_site.timezone())


@contextmanager
def rehearse(notifications: Sequence[Notification], now: datetime) -> Iterator[Rehearsal]:
    """Work out what notifications would lead to, without leaving anything.

    What is read of it has to be read inside: when it ends, the transaction is aborted, and with
    it whatever else this thread has changed until then. Their provider is not asked: it does
    not know what is made up.

    :param notifications: in the order in which they come; the plan is that of the last one.
    :param now: in UTC.
    """
    with transactions.rehearsal() as site:
        named: dict[str, Notification] = {}
        for notification in notifications:
            entry = _write_down(site, notification, named, now)
            named.setdefault(notification.customer_id, notification)
        found = preview.replay(site, entry["key"], now)
        yield Rehearsal(found, entry, _draft(found.plan))


def _draft(plan: Plan) -> EmailMessage | None:
    """The mail that a plan owes, as it would go out, for a person to read.

    In the place of the password or the one-time link it says that there will be one.

    :returns: None when no mail is owed.
    """
    if not plan.mail:
        return None
    if plan.create:
        name = plan.properties["fullname"]
        login = accounts.new_login_name(plan.address, name)
    else:
        name, login = accounts.names(plan.user_id)
    values = messages.values(name or plan.address, login, plan.product)
    if plan.mail == outbox.NOTICE:
        return messages.notice(plan.address, "", values)
    if plone_site.settings().welcome_mail == "password":
        credentials = messages.password_line(messages.translated(_("(a new password)")))
    else:
        credentials = messages.link_line(messages.translated(_("(a one-time link)")))
    return messages.welcome(plan.address, "", values, credentials)


def _write_down(
    site: Any, notification: Notification, named: Mapping[str, Notification], now: datetime
) -> ledger.Entry:
    """Write a notification down, as if its provider had been asked.

    :param named: what was told before, by the id of the customer.
    """
    entry = recording.write_down(site, notification, now)
    if enrichment.asks(entry):
        told = named.get(notification.customer_id, notification)
        names = {"first_name": told.first_name, "last_name": told.last_name}
        known = customers.named(site, replace(notification, **names))
        recording.amend(site, entry, known, now)
    return entry


def _plain(text: str) -> str:
    """A text that can be sent: half characters may have been typed."""
    return text.encode("utf-8", "replace").decode("utf-8")
