"""Actions of owners through services: previewed with ``dry_run``, carried out without."""

from collections.abc import Sequence
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.owner import Action
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.provisioning import Plan
from plone.restapi.serializer.converters import json_compatible
from typing import Any


def of(plan: Plan) -> dict[str, Any]:
    """The changes that a plan makes for one buyer, as plain values."""
    return {
        "member": {
            "create": plan.create,
            "attach": plan.attach,
            "user_id": plan.user_id,
        },
        "fields": json_compatible(dict(plan.properties)),
        "groups": {"granted": list(plan.grant), "revoked": list(plan.revoked)},
        "access": {"gained": _products(plan.gained), "lost": _products(plan.lost)},
        "mail": outbox.ENDED if plan.told else plan.mail or "none",
    }


def settle(chosen: Action, dry_run: bool) -> dict[str, Any]:
    """Preview an action, or carry it out.

    :returns: the changes for each buyer; a buyer who loses access comes first.
    :raises niteoweb.click2sell.owner.action.NotPossible: it cannot be done.
    :raises niteoweb.click2sell.storage.transactions.Busy: another process was at the same data.
    """
    plans = action.preview(chosen) if dry_run else action.carry_out(chosen)
    return {"dry_run": dry_run, "buyers": [_of_buyer(plan) for plan in plans]}


def _of_buyer(plan: Plan) -> dict[str, Any]:
    buyer = buyers.get(plone_site.get(), plan.buyer_id)
    ends = [
        {"provider": provider, "product_id": name, "until": plan.ends.get((provider, name))}
        for provider, name in plan.live
    ]
    # After a dry run a new buyer is nowhere.
    address = buyers.addresses(buyer)[0] if buyer is not None else plan.address
    return {"address": address, **of(plan), "live": json_compatible(ends)}


def _products(products: Sequence[Product]) -> list[dict[str, str]]:
    return [{"provider": provider, "product_id": name} for provider, name in products]
