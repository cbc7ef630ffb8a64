"""Validations: purchases that an app has asked to be validated, kept for a day.

The provider tells the result of a validation later, in a notification or when it is asked.
Until then the buyer may have access for some minutes, see
:mod:`niteoweb.click2sell.entitlement.provisional`: once for each subscription of the shop,
because the key of the entry that gives it is made of that.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from itertools import islice
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.buyers import rule
from niteoweb.click2sell.entitlement import AT_MOST
from niteoweb.click2sell.entitlement import may_be_given
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import REFUSED
from niteoweb.click2sell.notification import VALIDATION
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import trees
from persistent.mapping import PersistentMapping
from typing import Any

import secrets


PENDING = "pending"

#: How long a validation is kept.
KEPT = timedelta(days=1)
#: Validations that may be asked for in a minute, by everybody together.
A_MINUTE = 60
#: Times that access in the meantime is given in a day, to all buyers together: each is an entry
#: that is kept for ever, and an app may invent buyers.
A_DAY = 1000
#: How long to wait before the provider is asked again for a result.
PAUSE = timedelta(seconds=5)

Process = PersistentMapping


class TooMany(Exception):
    """More validations were asked for in a minute than are allowed."""


def begin(site: Any, provider: str, subscription_id: str, by: str, now: datetime) -> Process:
    """Write down that a purchase is to be validated.

    :param provider: name of the provider that validates it.
    :param subscription_id: the shop's id of the subscription.
    :param by: user id of the person who asks; nobody else is told the result.
    :param now: in UTC.
    :raises TooMany: try again in a minute.
    """
    forget_old(site, now)
    by_time = trees.tree(site, "validations_by_time")
    last_minute = (timestamps.iso(now - timedelta(minutes=1)), ""), (timestamps.iso(now), "~")
    if len(by_time.keys(*last_minute)) >= A_MINUTE:
        raise TooMany
    process = PersistentMapping(
        {
            "id": secrets.token_hex(16),
            "provider": provider,
            "subscription": subscription_id,
            "by": by,
            "submitted_at": timestamps.iso(now),
            "status": PENDING,
            # What the provider calls it, "" as long as it has not said so.
            "question": "",
            # Whether access in the meantime is this buyer's.
            "given": False,
            "asked_at": "",
        }
    )
    trees.tree(site, "validations")[process["id"]] = process
    indexes.mark(site, "validations", process)
    return process


def get(site: Any, id_: str) -> Process | None:
    """The validation of an id, None when it is not known."""
    return trees.tree(site, "validations").get(id_)


def forget(site: Any, process: Process) -> None:
    """Forget a validation."""
    indexes.forget(site, "validations", process)
    trees.tree(site, "validations").pop(process["id"], None)


def forget_old(site: Any, now: datetime) -> None:
    """Forget the validations that were asked for too long ago."""
    until = (timestamps.iso(now - KEPT), "")
    for _time, id_ in list(trees.tree(site, "validations_by_time").keys(max=until)):
        forget(site, get(site, id_))


def queue(site: Any, process: Process, question: str, buyer: str, now: datetime) -> None:
    """Note that the provider has taken a validation in.

    :param question: the provider's id of it, "" where it tells none.
    :param buyer: address of the buyer who is to have access in the meantime, in lower case, ""
        for none.
    :param now: in UTC.
    """
    if question:
        process["question"] = question
        indexes.mark(site, "validations", process)
    if ledger.get(site, key(process)) is not None or _may_be_given(site, process, buyer, now):
        note_given(site, process, buyer)


def _may_be_given(site: Any, process: Process, address: str, now: datetime) -> bool:
    """Whether one more access in the meantime may be given to a buyer."""
    # Not those by a clock that was ahead.
    bounds = now + timedelta(minutes=1), now - timedelta(days=1)
    of_all = ledger.filed(site, provider=VALIDATION).between(
        *(-timestamps.microseconds(moment) for moment in bounds)
    )
    if sum(1 for _place in islice(of_all, A_DAY)) >= A_DAY:
        return False
    buyer = rule.named_by_app(site, process["provider"], address)
    known = () if buyer is None else history.entries(site, buyer)
    return may_be_given(history.facts(known, {}), now)


def note_given(site: Any, process: Process, buyer: str) -> None:
    """Note whether access in the meantime is a buyer's: it is the first one's who is named.

    :param buyer: address in lower case, "" for none.
    """
    known = ledger.get(site, key(process))
    given = bool(buyer) and (known is None or known["buyer"] == buyer)
    if process["given"] != given:
        process["given"] = given


def settle(site: Any, process: Process, verdict: str) -> None:
    """Note the result of a validation.

    :param verdict: :data:`~.notification.CONFIRMED` or :data:`~.notification.REFUSED`.
    """
    if process["status"] == PENDING:
        process["status"] = verdict
        indexes.mark(site, "validations", process)


def told(site: Any, entry: ledger.Entry, now: datetime) -> Iterator[Notification]:
    """Note the results of validations that a notification tells.

    It names the question. Where that is not known yet, because the notification was faster than
    the answer, it names the subscription.

    :param now: in UTC.
    :returns: the notifications that follow, to be written down and processed.
    """
    verdict = entry["validation_result"]
    if not verdict:
        return
    place = (entry["provider"], entry["in_reply_to"])
    asked = trees.tree(site, "validations_asked").get(place)
    for process in [get(site, asked)] if asked else _unanswered(site, entry):
        if process["status"] == PENDING:
            settle(site, process, verdict)
            if verdict == REFUSED:
                yield from ended(site, process, now)


def may_ask(process: Process, now: datetime) -> bool:
    """Note that the provider is asked for a result, unless it just was.

    :param now: in UTC.
    """
    if process["status"] != PENDING or not process["question"]:
        return False
    asked = process["asked_at"]
    if asked and timestamps.is_recent(timestamps.from_iso(asked), now, PAUSE):
        return False
    process["asked_at"] = timestamps.iso(now)
    return True


def key(process: Mapping[str, Any]) -> str:
    """Key of the entry that gives access in the meantime: one for each subscription."""
    return idempotency_key(VALIDATION, process["provider"], process["subscription"])


def provisional(
    process: Mapping[str, Any],
    email: str,
    product_id: str,
    aliases: tuple[str, ...],
    now: datetime,
) -> Notification:
    """The notification that gives access in the meantime.

    :param email: the buyer's address, as the app names it.
    :param product_id: the provider's id of the product.
    :param now: in UTC.
    """
    return Notification(
        key=key(process),
        provider=VALIDATION,
        on_behalf_of=process["provider"],
        kind=Kind.PROVISIONAL,
        transaction=f"{VALIDATION}-{process['subscription']}",
        receipt="",
        occurred_at=now,
        buyer=email.lower(),
        email=email,
        product_id=product_id,
        valid_until=now + AT_MOST,
        external_subscription_id=process["subscription"],
        aliases=aliases,
        fully_signed=True,
        payload={"email": email, "offer_id": product_id, "by": process["by"]},
    )


def ended(site: Any, process: Mapping[str, Any], now: datetime) -> tuple[Notification, ...]:
    """The end of access in the meantime; none where no access was given, or to another buyer.

    :param now: in UTC.
    """
    given = ledger.get(site, key(process)) if process["given"] else None
    if given is None or pseudonyms.is_erased(given):
        return ()
    notification = replace(
        history.notification(given),
        key=idempotency_key(given["key"], REFUSED),
        kind=Kind.EXPIRY,
        occurred_at=now,
        valid_until=None,
        aliases=(),
        payload={},
    )
    return (notification,)


def access_until(site: Any, process: Process, now: datetime) -> datetime | None:
    """Until when there is access in the meantime, None for none.

    :param now: in UTC.
    """
    given = ledger.get(site, key(process)) if process["given"] else None
    if given is None or not given["buyer_id"] or process["status"] != PENDING:
        return None
    outcome = history.outcome(site, buyers.get(site, given["buyer_id"]), now)
    for entitlement in outcome.entitlements:
        provisional = entitlement.state_at(now) is State.PROVISIONAL
        if provisional and given["key"] in entitlement.keys:
            return entitlement.access_until
    return None


def _unanswered(site: Any, entry: ledger.Entry) -> list[Process]:
    """The validations of a subscription that the provider has given no name yet."""
    place = (entry["provider"], entry["external_subscription_id"])
    filed = trees.tree(site, "validations_pending").keys((*place, ""), (*place, "~"))
    processes = (get(site, id_) for *_place, id_ in filed)
    return [process for process in processes if not process["question"]]


def _by_time(site: Any, process: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(process["submitted_at"], process["id"])]


def _pending(site: Any, process: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    place = (process["provider"], process["subscription"], process["id"])
    return [place] if process["status"] == PENDING else []


def _asked(site: Any, process: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(process["provider"], process["question"])] if process["question"] else []


indexes.define(
    "validations",
    lambda process: process["id"],
    indexes.Index("validations_by_time", _by_time),
    indexes.Index("validations_pending", _pending),
    indexes.Index("validations_asked", _asked, indexes.as_key),
)
