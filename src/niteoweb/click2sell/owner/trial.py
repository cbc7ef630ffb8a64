"""A test purchase that goes down the whole road and leaves nothing behind.

Deliveries are made up as the provider makes them, signed with the site's own key, verified,
read, written down and planned. That happens in a transaction that is aborted: no member, no
entry, no mail and no event is left.
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


#: Buyer, product and price of a test purchase, unless better ones are known.
FIRST_NAME, LAST_NAME = "Test", "Buyer"
PRODUCT_NAME = "Test product"
PRICE = "1.00 EUR"


@dataclass(frozen=True)
class Rehearsal:
    """The result of a genuine delivery; only valid inside of :func:`rehearse`.

    :ivar preview: the plan, and the verdict on the entry.
    :ivar entry: as it would be recorded.
    :ivar mail: as it would be sent, with a note in place of the password; None for no mail.
    """

    preview: preview.Preview
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
    """Sample deliveries of a provider, signed with the site's key; the last one is the test.

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


@contextmanager
def rehearse(notifications: Sequence[Notification], now: datetime) -> Iterator[Rehearsal]:
    """Record and plan notifications in a rehearsal, see :func:`transactions.rehearsal`.

    The result has to be read inside. Their provider is not asked: it does not know samples.

    :param notifications: in the order in which they come; the plan is that of the last one.
    :param now: in UTC.
    """
    with transactions.rehearsal() as site:
        named: dict[str, Notification] = {}
        for notification in notifications:
            entry = _write_down(site, notification, named, now)
            named.setdefault(notification.customer_id, notification)
        changes = preview.replay(site, entry["key"], now)
        yield Rehearsal(changes, entry, _draft(changes.plan))


def _draft(plan: Plan) -> EmailMessage | None:
    """The mail of a plan, with a note in place of the password or the one-time link.

    :returns: None when there is no mail.
    """
    if not plan.mail:
        return None
    if plan.mail == outbox.CLAIM:
        link = f"{plone_site.address()}/{messages.CLAIM_PAGE}?token=…"
        return messages.claim(plan.address, "", plan.product, link)
    if plan.create:
        name = plan.properties["fullname"]
        login = accounts.new_login_name(plan.address, name)
    else:
        name, login = accounts.names(plan.user_id)
    login_url = f"{plone_site.address()}/login"
    values = messages.values(name or plan.address, login, plan.product, login_url, plan.grants)
    values["contact"] = values["contact"] or messages.translated(_("(the site's address)"))
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

    :param named: the first notification of each customer, by the customer's id.
    """
    entry = recording.write_down(site, notification, now)
    if enrichment.asks(entry):
        first = named.get(notification.customer_id, notification)
        names = {"first_name": first.first_name, "last_name": first.last_name}
        known = customers.named(site, replace(notification, **names))
        recording.amend(site, entry, known, now)
    return entry


def _plain(text: str) -> str:
    """A text that can be sent: half characters may have been typed."""
    return text.encode("utf-8", "replace").decode("utf-8")
