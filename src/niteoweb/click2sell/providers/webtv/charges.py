"""Orders of the WebTV's own that are paid at another provider, which returns the sale's id."""

from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from itertools import takewhile
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.interfaces import IMemberEvent
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.webtv import fulfil
from niteoweb.click2sell.providers.webtv import orders
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import selling
from niteoweb.click2sell.providers.webtv import standing
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.providers.webtv.course import attend
from zope.component import adapter

import logging


logger = logging.getLogger("niteoweb.click2sell")

#: The parameter that a provider returns unchanged, with the id of the sale.
PARAMETER = "cp_webtv"

#: Orders wait so long for a payment that was not announced by an event, and refunds are looked
#: for so long.
OLDEST, REFUNDS = timedelta(days=1), timedelta(days=30)


@adapter(IMemberEvent)
def purchased(event: IMemberEvent) -> None:
    """A purchase was processed: it pays an order of the WebTV, or becomes one, within seconds.

    Where this is lost with its process, the automatic check does it.
    """
    notification, provider = event.notification, registry.get(protocol.NAME)
    if not registry.is_enabled(provider):
        return
    site = plone_site.get()
    if PARAMETER in notification.payload:
        take_in(ledger.get(site, notification.key))
    product = f"{notification.provider}|{notification.product_id}|"
    if any(line.startswith(product) for line in registry.settings(provider).fulfil or ()):
        selling.leave(lambda settings: fulfil.run(settings, timestamps.now()))


def look(now: datetime) -> None:
    """Take in the payments of the orders that wait, where a process died before it did so.

    :param now: in UTC.
    """
    site = plone_site.get()
    since = timestamps.iso(now - OLDEST)
    waiting = [
        sale["at"]
        for sale in takewhile(lambda sale: sale["at"] >= since, sales.newest(site))
        if sales.waits_for_charge(sale)
    ]
    if not waiting:
        return
    for entry in standing.accepted(timestamps.from_iso(min(waiting)), kind=Kind.PURCHASE):
        take_in(entry)


def look_for_refunds(now: datetime) -> None:
    """File the refunds of payments whose orders were processed, each once.

    :param now: in UTC.
    """
    site = plone_site.get()
    for kind in (Kind.REFUND, Kind.CHARGEBACK):
        for entry in standing.accepted(now - REFUNDS, kind=kind):
            sale = sales.found(site, "charge", entry["provider"], entry["transaction"])
            if sale is not None and sale["state"] == sales.DONE:
                attend(sale, texts.REFUNDED, cause=entry["key"])


def take_in(entry: ledger.Entry | None) -> None:
    """Note that the order which a payment names was charged."""
    site = plone_site.get()
    if entry is None or (entry["outcome"], entry["kind"]) != (Outcome.ACCEPTED, Kind.PURCHASE):
        return
    sale = sales.get(site, entry["payload"].get(PARAMETER, ""))
    if entry["provider"] == protocol.NAME or sale is None or sale["origin"] != "processor":
        return
    if entry["transaction"] == sale["paid_by"]:
        return
    amount = orders.money(Decimal(entry["amount"] or 0))
    paid = amount, entry["currency"]
    currency = registry.settings(registry.get(protocol.NAME)).currency
    if not sales.waits_for_charge(sale):
        attend(sale, texts.CHARGE_WITHOUT_ORDER, cause=entry["key"])
    elif paid != (orders.money(Decimal(sale["due"])), currency):
        attend(sale, texts.CHARGE_DIFFERS, cause=entry["key"])
    else:
        payment = sales.payment(entry["transaction"], amount, entry["provider"])
        try:
            selling.charge(sale["id"], payment, entry["buyer"], "", bound=entry["key"])
        except sales.Conflict as conflict:
            logger.warning("Sale %s is not charged: %s", sale["id"], conflict.kind)
