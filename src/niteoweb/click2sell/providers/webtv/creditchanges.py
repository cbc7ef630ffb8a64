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
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from typing import Any


trees.declare(
    webtv_credits=trees.Tree,  # reference -> record
    webtv_credits_asking=trees.Tree,  # user id -> reference of the change under way
)

ASKING, DONE = "asking", "done"


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
    if known is not None and timestamps.from_iso(known["at"]) + sales.LEASE > now:
        return known
    present = carts.credit(settings, user)
    if known is not None:
        before = Decimal(known["before"])
        after = before + amount if action == "add" else before - amount
        if present == after:
            return _done(known, present)
        if present != before:
            raise sales.Conflict(409, "Unclear", "The credit has changed otherwise, too.")
    elif action == "subtract" and present < amount:
        raise sales.Conflict(409, "NoCredit", "The user has less credit than that.")
    record = {**asked, "state": ASKING, "before": str(present), "at": timestamps.iso(now)}
    writer.run(lambda site: _intend(site, record, now))
    try:
        carts.change_credit(settings, user, action, amount, description)
        return _done(record, carts.credit(settings, user))
    except client.StoreError:
        writer.run(lambda site: _forget(site, record))
        raise
    except Unreachable:
        return record


def _intend(site: Any, record: dict[str, Any], now: datetime) -> None:
    asking, stored = (trees.tree(site, f"webtv_credits{n}") for n in ("_asking", ""))
    other = stored.get(asking.get(record["user"], ""))
    mine = stored.get(record["reference"])
    is_other = other is not None and other["reference"] != record["reference"]
    if is_other and other["state"] == ASKING:
        raise sales.Conflict(409, "Busy", "Another change of this credit is under way.")
    if mine is not None and timestamps.from_iso(mine["at"]) + sales.LEASE > now:
        raise sales.Conflict(409, "Busy", "This change is under way.")
    asking[record["user"]] = record["reference"]
    stored[record["reference"]] = record


def _forget(site: Any, record: dict[str, Any]) -> None:
    trees.tree(site, "webtv_credits").pop(record["reference"], None)
    trees.tree(site, "webtv_credits_asking").pop(record["user"], None)


def _done(record: dict[str, Any], after: Decimal) -> dict[str, Any]:
    done = {**record, "state": DONE, "after": orders.money(after)}

    def note(site: Any) -> None:
        trees.tree(site, "webtv_credits")[record["reference"]] = done
        trees.tree(site, "webtv_credits_asking").pop(record["user"], None)

    writer.run(note)
    return done
