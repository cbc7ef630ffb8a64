"""Recurring payments that the store has this site look after, and the orders they came with.

A profile is the store's word for an agreement. The store asks how it stands, and may ask to
cancel. Another provider's notifications say it, else the page that charges.
"""

from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.providers.webtv import course
from niteoweb.click2sell.providers.webtv import questions
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.providers.webtv.standing import of_payment
from niteoweb.click2sell.providers.webtv.standing import Standing
from niteoweb.click2sell.settings import secretkeys
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from typing import Any

import secrets


trees.declare(webtv_profiles=trees.Tree)  # profile id -> record

Profile = dict[str, Any]

#: States of a sale whose recurring payments have begun.
_CHARGED = frozenset({sales.CHARGED, sales.PROCESSED, sales.DONE})


def get(site: Any, id_: str) -> Profile | None:
    """The record of a profile."""
    return trees.tree(site, "webtv_profiles").get(id_)


def take_in(site: Any, question: questions.Question, mark: str, now: datetime) -> sales.Sale:
    """The sale of an order that the store wants paid; it is begun with its profiles.

    Until it is charged, the amount and the items that were asked for last count.

    :param mark: of the key that signed the question, and signs the answer.
    """
    secretkeys.note_use(site, mark, now)
    values = question.values
    gateway, order = values["id_gateway"], values["id_order"]
    sale = sales.found(site, "order", gateway, order)
    if sale is None:
        told = {"origin": "processor", "user": "", "state": sales.PLACED, "gateway": gateway}
        told |= {"order": order, "number": values["order_number"], "paid_by": ""}
        sale = sales.begin(site, now, **told, mark=mark)
        trees.tree(site, "webtv_sales_by")["order", gateway, order] = sale["id"]
    elif not sales.waits_for_charge(sale):
        return sale
    known = {one["sku"]: one["profile"] for one in sale["terms"]}
    terms = [
        {
            "sku": item.sku,
            "amount": item.amount,
            "currency": values["currency_code"],
            "period": item.period,
            "frequency": item.frequency,
            "first": item.first,
            "profile": known.get(item.sku) or secrets.token_hex(16),
            "error": item.error,
            "set": bool(item.error),
            "subscription": "",
            "product": "",
        }
        for item in question.items
    ]
    for one in terms:
        if not one["error"]:
            add(site, sale, one)
    changes = {"terms": terms, "due": values["amount"], "mark": mark, "message": ""}
    return sales.change(site, sale["id"], now, changes, f"asked to charge {values['amount']}")


def add(site: Any, sale: sales.Sale, term: dict[str, Any]) -> None:
    """Add the profile of a sale's terms; one that is known stays as it is."""
    new = {"id": term["profile"], "sale": sale["id"], "status": "", "cancel_asked": ""}
    new |= {"last": 0, "next": int(term["first"]), "charge": ""}
    trees.tree(site, "webtv_profiles").setdefault(term["profile"], new)


def standing(site: Any, profile: Profile) -> Standing:
    """The state of a profile: by the ledger, where another provider charges it.

    Else it is what the page that charges has said last.
    """
    sale = sales.get(site, profile["sale"])
    if profile["status"] != questions.CANCELLED and sale["bound"]:
        known = of_payment(site, sale["bound"], timestamps.now())
        if known is not None and sale["payments"]:
            return known
        if known is not None:
            # The first payment of a trial is none.
            return known._replace(last=0, next=profile["next"])
    charged = sale["state"] in _CHARGED
    status = profile["status"] or (questions.ACTIVE if charged else questions.PENDING)
    return Standing(status, profile["last"], profile["next"])


def tell(id_: str) -> dict[str, Any]:
    """The state of a profile, for the store."""
    site = plone_site.get()
    profile = get(site, id_)
    if profile is None:
        return {"error": "unknown profile"}
    status, last, following = standing(site, profile)
    return {"status": status, "last_payment_date": last, "next_payment_date": following}


def cancel(id_: str) -> dict[str, str]:
    """Ask for the end of a profile; it is cancelled once no more money will be taken."""
    site, now = plone_site.get(), timestamps.now()
    profile = get(site, id_)
    if profile is None:
        return {"error": "unknown profile"}
    if standing(site, profile).status == questions.CANCELLED:
        return {"status": questions.CANCELLED}
    sale = sales.get(site, profile["sale"])
    if sales.waits_for_charge(sale):
        # It was never charged.
        change(id_, status=questions.CANCELLED)
        return {"status": questions.CANCELLED}
    if not profile["cancel_asked"]:
        change(id_, cancel_asked=timestamps.iso(now))
    course.attend(sale, texts.CANCEL_AT_CHARGER)
    return {"error": "cancellation is being arranged"}


def change(id_: str, **changes: Any) -> Profile:
    """Change a profile."""

    def work(site: Any) -> Profile:
        stored = trees.tree(site, "webtv_profiles")
        stored[id_] = {**stored[id_], **changes}
        return stored[id_]

    return writer.run(work)
