"""What has arrived is written into the ledger and its buyer's history, before anything else."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from itertools import chain
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provisioning import enrichment
from niteoweb.click2sell.provisioning import handover
from niteoweb.click2sell.provisioning import validation
from niteoweb.click2sell.settings import effective
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")

#: Writes something down: called with the site and the time; None when there was no room.
Recorder = Callable[[Any, datetime], ledger.Entry | None]


def write_down(site: Any, notification: Notification, now: datetime) -> ledger.Entry | None:
    """Write a notification into the ledger and its buyer's history, with today's terms.

    A later mapping does not rewrite the past.

    :returns: None when its transaction has too many entries; then it is only counted.
    """
    notification = customers.named(site, notification)
    entry = ledger.record(site, notification, now)
    if entry is None:
        return None
    if enrichment.is_wanted(notification):
        ledger.change(site, entry, asks=True)
    else:
        _file(site, entry, notification)
    return entry


def amend(site: Any, entry: ledger.Entry, notification: Notification, now: datetime) -> None:
    """Write down what its provider has told of an entry since it arrived.

    :param notification: the entry's, with what was not known.
    :param now: in UTC.
    """
    entry.pop("asks", None)
    # By the provider's clock it may be of now, days after it arrived.
    ledger.change(site, entry, told_at=timestamps.iso(now))
    ledger.amend(site, entry, notification)
    _file(site, entry, notification)


def take_up(site: Any, keys: Iterable[str], now: datetime) -> tuple[str, ...]:
    """Take up what entries are the answer to.

    That is what has waited for somebody to be known by the id of their customer, the
    validations whose result they tell, and what ends for whoever had a subscription before.

    :param now: in UTC.
    :returns: keys of more entries that are to be processed.
    """
    found: list[str] = []
    # What is found may lead to more.
    for entry in map(partial(ledger.get, site), chain(keys, found)):
        if entry is None:
            continue
        told = [*validation.told(site, entry, now), handover.passed_on(site, entry)]
        for notification in filter(None, told):
            if ledger.get(site, notification.key) is None:
                write_down(site, notification, now)
                found.append(notification.key)
        if not entry["buyer_id"] or not entry.get("customer_id"):
            continue
        for key in customers.take_waiting(site, (entry["provider"], entry["customer_id"])):
            waiting = ledger.get(site, key)
            if waiting["buyer_id"] or waiting["dismissed"] is not None:
                continue
            told = customers.named(site, history.notification(waiting))
            if enrichment.asks(waiting) and enrichment.is_wanted(told):
                continue  # its provider has to be asked all the same
            ledger.finish(site, waiting, ledger.RECEIVED)
            amend(site, waiting, told, now)
            found.append(key)
    return tuple(found)


def _file(site: Any, entry: ledger.Entry, notification: Notification) -> None:
    terms = history.terms(entry, effective.mapping())
    if terms is not None:
        ledger.change(site, entry, days=terms.days, exclusive=terms.exclusive, terms_known=True)
    buyer = customers.of_entry(site, entry, notification.buyer)
    if buyer is None:
        customers.wait_for(site, entry)
    else:
        buyers.add_entry(site, buyer, entry)


def recorder(notification: Notification) -> Recorder:
    """What writes a notification down."""
    return lambda site, now: write_down(site, notification, now)


def broken_recorder(
    key: str, provider: str, transaction_id: str, payload: Mapping[str, str], parameter: str
) -> Recorder:
    """What writes a delivery down that has a valid signature and a broken field.

    :param key: hash of the body.
    :param parameter: name of the broken field.
    """

    def record(site: Any, now: datetime) -> ledger.Entry | None:
        entry = ledger.record_broken(site, key, provider, transaction_id, payload, now)
        if entry is not None:
            logger.warning("Entry %s needs attention: %s is broken.", key, parameter)
            ledger.finish(site, entry, ledger.ATTENTION, "parameter", parameter)
        return entry

    return record
