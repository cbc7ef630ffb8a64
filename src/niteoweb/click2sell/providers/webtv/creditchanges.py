"""Changes of a user's credit, each carried out once: by the caller's reference."""

from datetime import datetime
from decimal import Decimal
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import orders
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import sync
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from typing import Any


trees.declare(
    webtv_credits=trees.Tree,  # reference -> record
    webtv_credits_asking=trees.Tree,  # user id -> reference of the change under way
)

ASKING, DONE, UNCLEAR = "asking", "done", "unclear"


def change(
    settings: Any, reference: str, user: str, action: str, amount: Decimal, description: str
) -> dict[str, Any]:
    """Change the credit of a user, unless that was done.

    :param action: ``add`` or ``subtract``.
    :returns: the record; its state is ``asking`` where the store has not answered.
    :raises sales.Conflict: it cannot be done, or nobody knows whether it was.
    """
    now = timestamps.now()
    asked = {"reference": reference, "user": user, "action": action, "amount": str(amount)}
    known = trees.tree(plone_site.get(), "webtv_credits").get(reference)
    if known is not None and {name: known[name] for name in asked} != asked:
        raise sales.Conflict(409, "ReferenceUsed", "This reference is another change's.")
    if known is not None and known["state"] == DONE:
        return known
    if known is not None and known["state"] == UNCLEAR:
        raise _unclear()
    if known is not None and not _is_over(known, now):
        return known
    present = carts.credit(settings, user)
    waiting = known or _under_way(plone_site.get(), user)
    if waiting is not None and _is_over(waiting, now):
        settled = _look(waiting, present, now)
        if known is not None and settled["state"] == DONE:
            return settled
        if known is not None and settled["state"] == UNCLEAR:
            raise _unclear()
    if known is None and action == "subtract" and present < amount:
        raise sales.Conflict(409, "NoCredit", "The user has less credit than that.")
    record = {**asked, "state": ASKING, "before": str(present), "at": timestamps.iso(now)}
    writer.run(lambda site: _intend(site, record))
    try:
        carts.change_credit(settings, user, action, amount, description)
    except client.StoreError:
        writer.run(lambda site: _replace(site, record))
        raise
    except Unreachable:
        return record
    try:
        return _close(record, DONE, carts.credit(settings, user))
    except (client.StoreError, Unreachable):
        return _close(record, DONE, _after(record))


def _look(record: dict[str, Any], present: Decimal, now: datetime) -> dict[str, Any]:
    """See whether a change without an answer was carried out; one that was not is forgotten."""
    if present == _after(record):
        return _close(record, DONE, present)
    if present == Decimal(record["before"]):
        writer.run(lambda site: _replace(site, record))
        return record
    payload = {name: str(record[name]) for name in ("user", "action", "amount", "before")}
    about = texts.CREDIT, record["reference"], texts.CREDIT_UNCLEAR
    pipeline.process(sync.attention(*about, now, payload))
    return _close(record, UNCLEAR, present)


def _after(record: dict[str, Any]) -> Decimal:
    """The credit after a change, if nothing else changes it."""
    before, amount = Decimal(record["before"]), Decimal(record["amount"])
    return before + amount if record["action"] == "add" else before - amount


def _is_over(record: dict[str, Any], now: datetime) -> bool:
    """Whether the question about a change is over, whatever became of it."""
    return timestamps.from_iso(record["at"]) + sales.LEASE <= now


def _unclear() -> sales.Conflict:
    return sales.Conflict(409, "Unclear", "The credit has changed otherwise, too.")


def _under_way(site: Any, user: str) -> dict[str, Any] | None:
    """The change of a user's credit that has no answer yet."""
    reference = trees.tree(site, "webtv_credits_asking").get(user, "")
    return trees.tree(site, "webtv_credits").get(reference)


def _intend(site: Any, record: dict[str, Any]) -> None:
    asking, stored = (trees.tree(site, f"webtv_credits{n}") for n in ("_asking", ""))
    if _under_way(site, record["user"]) is not None:
        raise sales.Conflict(409, "Busy", "A change of this credit is under way.")
    if record["reference"] in stored:
        raise sales.Conflict(409, "Busy", "This change is under way.")
    asking[record["user"]] = record["reference"]
    stored[record["reference"]] = record


def _close(record: dict[str, Any], state: str, after: Decimal) -> dict[str, Any]:
    closed = {**record, "state": state, "after": orders.money(after)}
    writer.run(lambda site: _replace(site, record, closed))
    return closed


def _replace(site: Any, record: dict[str, Any], closed: dict[str, Any] | None = None) -> None:
    """The change is no longer under way.

    :raises sales.Conflict: somebody else has begun it anew.
    """
    stored = trees.tree(site, "webtv_credits")
    if stored.pop(record["reference"], None) != record:
        raise sales.Conflict(409, "Busy", "This change is under way.")
    if closed is not None:
        stored[record["reference"]] = closed
    trees.tree(site, "webtv_credits_asking").pop(record["user"], None)
