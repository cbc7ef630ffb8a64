"""Summaries of long histories: a renewal must cost no more the longer the history is.

A buyer with many entries has a summary beside the record: the past of the calculation, see
:mod:`niteoweb.click2sell.entitlement.past`, and the places of the entries that stand for all
that are summed up: the first and the latest payment, one for each name, and so on. The places
of the others, the recent ones, are in the record. So a run reads some dozens of entries.

A summary is only a shortcut. Whatever changes an entry that is summed up removes it, see
:func:`niteoweb.click2sell.ledger.entries.change`, and so does every change of the buyer's
entries but one more. What does not simply go on is computed from the whole history, and then
summed up anew.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.buyers.buyers import Buyer
from niteoweb.click2sell.entitlement import compute
from niteoweb.click2sell.entitlement import GRANTS_NOTHING
from niteoweb.click2sell.entitlement import Outcome
from niteoweb.click2sell.entitlement import past as pasts
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.settings import effective
from persistent.mapping import PersistentMapping
from typing import Any


#: Has to change when the calculation does: all summaries are made anew.
VERSION = 2

#: Entries that are summed up at once; fewer are not worth it.
AT_ONCE = buyers.FEW

#: The latest entries are not summed up: one that comes a little late finds its place.
APART = 5

#: Entries that may stand for the others; an odd history that needs more has no summary.
STANDING = 60


def outcome(
    site: Any,
    buyer: Buyer,
    now: datetime,
    current: ledger.Entry | None = None,
    despite_silence: bool = False,
) -> history.BuyerOutcome | None:
    """The access that a buyer's history gives, by its summary.

    Entries that are summed up and stand for nothing are not among the result's.

    :returns: None when the whole history is needed, see
        :func:`niteoweb.click2sell.buyers.history.outcome`.
    """
    stored = buyer.get("summary")
    if stored is None or stored["rules"] != _rules() or not _is_settled(buyer):
        return None
    if current is not None and ledger.place(current) not in buyer["recent"]:
        return None
    counting = history.counting(buyers.telling(site, buyer), current)
    late = history.late_terms(counting)
    past, tail = _apart(stored, buyer, counting, history.facts(counting, late))
    if past is None or not past.goes_on_with(tail):
        return None
    computed = compute(tail, effective.policy(), past)
    return history.outcome_of(site, buyer, now, counting, late, computed, despite_silence)


def keep_up(site: Any, buyer: Buyer, whole: bool) -> None:
    """Sum a long history up, where that is due after a run.

    :param whole: the run needed the whole history.
    """
    if isinstance(buyer["keys"], tuple) or not _is_settled(buyer):
        return
    if not whole and ("summary" not in buyer or len(buyer["recent"]) < AT_ONCE + APART):
        return
    entries = buyers.entries(site, buyer) if whole else buyers.telling(site, buyer)
    summary = _summary(buyer, entries, None if whole else buyer["summary"])
    if summary is not None:
        buyer["summary"], buyer["recent"] = summary


def _summary(
    buyer: Buyer, known: Sequence[ledger.Entry], stored: Mapping[str, Any] | None
) -> tuple[PersistentMapping, tuple[int, ...]] | None:
    """A summary, and the places of the entries that are not in it; None where there is none."""
    counting = history.counting(known, None)
    if any(entry["erased_at"] for entry in counting):
        return None
    facts = history.facts(counting, {})
    before, events = None, sorted(facts, key=lambda event: event.order)
    if stored is not None:
        before, events = _apart(stored, buyer, counting, facts)
        if before is None:
            return None
        events.sort(key=lambda event: event.order)
    if len(events) < AT_ONCE + APART:
        return None
    since = events[-APART].occurred_at
    first = [event for event in events if event.occurred_at < since]
    if len(first) < AT_ONCE:
        return None
    policy = effective.policy()
    computed = compute(first, policy, before)
    plain = pasts.sum_up(
        first, computed.timelines, computed.attention, computed.waiting, before
    )
    by_key = {event.key: event for event in facts}
    if plain is None or not pasts.read(plain, by_key).goes_on_with(events[len(first) :]):
        return None
    recent = {event.key for event in events[len(first) :]}
    leaving = [entry for entry in known if entry["key"] not in recent]
    keys = pasts.keys(plain) | {one.keys[-1] for one in computed.entitlements if one.keys}
    standing = _standing(leaving, computed, keys)
    if len(standing) > STANDING:
        return None
    keys = {entry["key"] for entry in leaving if ledger.place(entry) in standing}
    plain["attention"] = {k: v for k, v in plain["attention"].items() if k in keys}
    plain["waiting"] = tuple(key for key in plain["waiting"] if key in keys)
    places = (ledger.place(entry) for entry in counting if entry["key"] in recent)
    return (
        PersistentMapping(rules=_rules(), past=plain, standing=tuple(sorted(standing))),
        tuple(places),
    )


def _standing(
    entries: Iterable[ledger.Entry], computed: Outcome, keys: Iterable[str]
) -> set[int]:
    """The places of the entries that stand for all that are summed up.

    :param entries: those, in the order of arrival.
    :param keys: of some that have to.
    """
    entries = list(entries)
    kept: dict[Any, ledger.Entry] = {
        entry["key"]: entry for entry in entries if entry["key"] in set(keys)
    }
    for entry in entries:
        of_product = history.product(entry)
        kept["name", entry["first_name"], entry["last_name"]] = entry
        if history.is_payment(entry):
            kept["latest to arrive"] = entry
        if entry["aliases"]:
            kept["aliases", of_product, entry["aliases"]] = entry
        if entry["snapshot"]:
            kept["stated", of_product] = entry
    payments = [
        entry
        for entry in history.in_order(history.counting(entries, None))
        if history.is_payment(entry)
        and computed.attention.get(entry["key"]) not in GRANTS_NOTHING
    ]
    for entry in payments:
        is_gift = entry["provider"] == OWNER
        kept.setdefault(("first payment", is_gift), entry)
        kept["latest payment", is_gift] = entry
        kept["latest payment", history.product(entry)] = entry
    places = {ledger.place(entry) for entry in kept.values()}
    counted = counters.first_payment(entries)
    return places if counted is None else places | {ledger.place(counted)}


def _apart(
    stored: Mapping[str, Any],
    buyer: Buyer,
    counting: Sequence[ledger.Entry],
    facts: Sequence[Any],
) -> tuple[pasts.Past | None, list[Any]]:
    """The past of a summary, and the events after it."""
    by_key = {event.key: event for event in facts}
    recent = set(buyer["recent"])
    tail = [
        e for entry, e in zip(counting, facts, strict=True) if ledger.place(entry) in recent
    ]
    return pasts.read(stored["past"], by_key), tail


def _is_settled(buyer: Buyer) -> bool:
    """Whether the buyer has an account, and always had: no payment waits for one."""
    return bool(buyer["user_id"]) and not buyer["deleted_at"]


def _rules() -> tuple[Any, ...]:
    """The rules that a summary was made by, beside the entries."""
    return VERSION, *vars(effective.policy()).values()
