"""Recording: notifications go into the ledger and their buyer's history, before all else."""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.buyers import rule
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.ledger import retryqueue
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import secrecy
from niteoweb.click2sell.provisioning import enrichment
from niteoweb.click2sell.provisioning import transfer
from niteoweb.click2sell.provisioning import validation
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.settings import membertoken
from typing import Any


def write_down(site: Any, notification: Notification, now: datetime) -> ledger.Entry | None:
    """Write a notification into the ledger and its buyer's history, with today's terms.

    A later mapping does not rewrite the past.

    :returns: None when its transaction has too many entries; then it is only counted.
    """
    notification = _proved(site, customers.named(site, notification), now)
    entry = ledger.record(site, notification, now)
    if entry is None:
        return None
    if enrichment.is_wanted(notification):
        await_details(site, entry, now)
    else:
        _file(site, entry, notification)
    return entry


def await_details(site: Any, entry: ledger.Entry, now: datetime) -> None:
    """Let an entry wait until its provider was asked for the details."""
    ledger.change(site, entry, asks=True)
    ledger.set_outcome(site, entry, Outcome.RECEIVED)
    retryqueue.await_provider(site, entry, now)


def amend(site: Any, entry: ledger.Entry, notification: Notification, now: datetime) -> None:
    """Write down the details that its provider has told of an entry since it arrived.

    :param notification: the entry's, complete.
    :param now: in UTC.
    """
    notification = _proved(site, notification, now)
    ledger.amend(site, entry, notification, now)
    _file(site, entry, notification)


def write_new(
    site: Any, notifications: Iterable[Notification], now: datetime
) -> tuple[str, ...]:
    """Write notifications down unless they are there.

    :returns: the keys of the entries that are new.
    """
    keys = []
    for notification in notifications:
        if ledger.get(site, notification.key) is None:
            write_down(site, notification, now)
            keys.append(notification.key)
    return tuple(keys)


def take_replies(
    site: Any, keys: Iterable[str], replies: Mapping[str, enrichment.Reply], now: datetime
) -> tuple[str, ...]:
    """Write down the answers of providers.

    :returns: keys of the entries to go on with: those of before, and others that were told of.
    """
    following = list(keys)
    for key, reply in replies.items():
        entry = ledger.get(site, key)
        if not enrichment.asks(entry):
            continue  # another process was faster
        if not reply.told:
            enrichment.put_off(site, entry, reply, now)
            continue
        amend(site, entry, reply.told[0], now)
        following += write_new(site, reply.told[1:], now)
    return tuple(following)


def take_up(site: Any, keys: Iterable[str], now: datetime) -> tuple[str, ...]:
    """Take up the matters that entries settle.

    These are entries that have waited for their customer's buyer to be known, validations whose
    result is told, and subscriptions that end for the buyer who had them before.

    :param now: in UTC.
    :returns: keys of more entries that are to be processed.
    """
    following: list[str] = []
    # Entries that follow may lead to more.
    for entry in map(partial(ledger.get, site), chain(keys, following)):
        if entry is None or pseudonyms.is_erased(entry):
            continue
        following += write_new(site, validation.told(site, entry, now), now)
        following += write_new(site, transfer.passed_on(site, entry), now)
        if not entry["buyer_id"] or not entry["customer_id"]:
            continue
        for key in customers.waiting(site, (entry["provider"], entry["customer_id"])):
            waiting = ledger.get(site, key)
            notification = customers.named(site, history.notification(waiting))
            if enrichment.asks(waiting) and enrichment.is_wanted(notification):
                continue  # its provider still has to be asked
            ledger.set_outcome(site, waiting, Outcome.RECEIVED)
            amend(site, waiting, notification, now)
            following.append(key)
    return tuple(following)


def _proved(site: Any, notification: Notification, now: datetime) -> Notification:
    """A notification with the member whom its token names, and without the token."""
    if not notification.member_token:
        return notification
    member = membertoken.member(site, notification.member_token, now)
    payload = secrecy.payload(notification.payload.items(), (notification.member_token,))
    return replace(notification, member_token="", member=member, payload=payload)


def _file(site: Any, entry: ledger.Entry, notification: Notification) -> None:
    terms = history.terms(entry, effective.mapping())
    if terms is not None:
        ledger.set_terms(site, entry, terms)
    buyer = rule.buyer_of(site, entry, notification.buyer)
    if buyer is None:
        return
    buyers.add_entry(site, buyer, entry)
    source = history.product(entry)[0], entry["transaction"]
    corrected = notification.buyer not in ("", entry["buyer"])
    if corrected and entry["transaction"] and entry["customer_id"]:
        # Later ones of the transaction may name the customer by the id alone.
        ownership.correct(site, source, entry["buyer"])
