"""Sales in the words of their pages: states, next steps, questions and answers."""

from decimal import Decimal
from niteoweb.click2sell import _
from niteoweb.click2sell.browser import formatting
from niteoweb.click2sell.providers.webtv import course
from niteoweb.click2sell.providers.webtv import questions
from niteoweb.click2sell.providers.webtv import saleacts
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import texts
from typing import Any
from zope.i18nmessageid import Message

import re


STATES = {
    sales.BEGUN: _("Begun"),
    sales.CARTED: _("In the cart"),
    sales.PLACING: _("Being ordered"),
    sales.PLACED: _("Waits for payment"),
    sales.CHARGED: _("Paid"),
    sales.PAYING: _("Payment being added"),
    sales.PROCESSING: _("Being processed"),
    sales.PROCESSED: _("Processed"),
    sales.DONE: _("Finished"),
    sales.CANCELLED: _("Cancelled"),
    sales.EXPIRED: _("Expired"),
}

_COLOURS = {
    sales.DONE: "text-bg-success",
    sales.CANCELLED: "text-bg-dark",
    sales.EXPIRED: "text-bg-dark",
}

NEXT = {
    sales.BEGUN: _("Nothing is ordered yet. The cart is filled next."),
    sales.CARTED: _("Nothing is ordered yet. The order is placed next."),
    sales.PLACING: _(
        "The store was asked to place the order and has not answered yet. The site looks "
        "whether it is there before it asks again."
    ),
    sales.PAYING: _(
        "The payment is being added to the order. The site looks whether it is there before it "
        "adds it again."
    ),
    sales.PROCESSING: _("Everything is paid. The store is to process the order next."),
    sales.PROCESSED: _("The store has processed the order. Recurring payments are set next."),
    sales.CHARGED: _(
        "The buyer has paid and goes back to the store, which processes the order. After 15 "
        "minutes the site has it processed instead."
    ),
    sales.DONE: _("The store has processed the order. There is nothing left to do."),
    sales.CANCELLED: _("The order was cancelled. There is nothing left to do."),
    sales.EXPIRED: _("Nobody has paid in time, so the order was cancelled."),
}

ACTS = {
    saleacts.TRY_AGAIN: _("Try again now"),
    saleacts.CANCEL: _("Cancel the order"),
    saleacts.SETTLE: _("Mark as settled"),
}

#: Lines of the log, and their texts; groups fill the placeholder.
_LINES = (
    ("filling the cart", _("Filling the cart")),
    (r"in the cart: (\d+)", _("Products in the cart: ${value}")),
    ("other items", _("Other products were asked for")),
    ("place_order", _("Asking the store to place the order")),
    (r"order (\S*): due .*", _("The order is placed: ${value}")),
    ("not placed", _("The order is not in the store; asking again")),
    (r"paid (\S+)", _("A payment was reported: ${value}")),
    ("pay", _("The caller says that everything is paid")),
    (r"add_payment (\S+)", _("Adding the payment: ${value}")),
    ("payment added|found", _("The payment is in the store")),
    (r"due (\S+)", _("Still to pay: ${value}")),
    ("process_order", _("Asking the store to process the order")),
    ("processed", _("The store has processed the order")),
    ("processed before|processed by the WebTV", _("The order was processed already")),
    (r"recurring payments of (\S+) set", _("Recurring payments set for subscription ${value}")),
    ("not confirmed", _("The order is gone: the store has processed it, or cancelled it")),
    ("done", _("Finished")),
    (r"asked to charge (\S+)", _("The store asks for a payment: ${value}")),
    (r"charged (\S+)", _("The buyer has paid: ${value}")),
    ("failed", _("The payment failed")),
    ("returned", _("The buyer has gone back to the store")),
    ("not returned", _("The buyer has not gone back; the site has the order processed")),
    (r"cancelled ?(\S*)", _("Cancelled")),
    ("order gone", _("The order is no longer in the store")),
    ("cart changed", _("Somebody has changed the cart")),
    (course.TRIED_AGAIN, _("Another try was asked for")),
    (course.CANCEL_ASKED, _("Cancelling was asked for")),
    (course.SETTLED, _("Marked as settled")),
)

#: Periods of recurring payments: each, and several.
_PERIODS = {
    "DAY": (_("Every day"), _("Every ${number} days")),
    "WEEK": (_("Every week"), _("Every ${number} weeks")),
    "MONTH": (_("Every month"), _("Every ${number} months")),
    "YEAR": (_("Every year"), _("Every ${number} years")),
}

_STANDINGS = {
    questions.ACTIVE: _("active"),
    questions.PENDING: _("not begun"),
    questions.CANCELLED: _("cancelled"),
    questions.SUSPENDED: _("payment failed"),
    questions.EXPIRED: _("expired"),
}


def badge(sale: sales.Sale) -> formatting.Badge:
    """The state of a sale; one that needs somebody has the colour of that."""
    css = "text-bg-warning" if sale["attention"] else "text-bg-info"
    state = sale["state"]
    return formatting.Badge(STATES[state], _COLOURS.get(state, css))


def title(sale: sales.Sale) -> str:
    """The order, its products and its buyer."""
    number = {"number": sale["number"]}
    order = _("Order ${number}", mapping=number) if sale["number"] else _("Sale")
    parts = formatting.translated(order), products(sale), sale["email"]
    return ", ".join(filter(None, parts))


def products(sale: sales.Sale) -> str:
    """The titles of the products, as the store names them."""
    titles = [sale["titles"].get(product) or product for product, _number in sale["items"]]
    return ", ".join(titles or [term["sku"] for term in sale["terms"]])


def following(sale: sales.Sale) -> Message:
    """The next step of a sale, or its end."""
    if sale["wanted"]:
        return _("The site asks the store in the background. Load this page again in a minute.")
    if sale["attention"]:
        return texts.REASONS[sale["attention"]]
    if sale["state"] != sales.PLACED:
        return NEXT[sale["state"]]
    if sale["payments"] and not Decimal(sale["due"]):
        return texts.REASONS[texts.WAITS]
    if sales.waits_for_charge(sale):
        return _("The page that charges has to tell of the payment next.")
    if sale["due_at"]:
        time = formatting.moment(sale["due_at"]).text
        return _(
            "The order waits for its payment. If nothing is paid, it is cancelled on ${time}.",
            mapping={"time": time},
        )
    return _("The order waits for its payment.")


def recurring(term: dict[str, Any], status: str) -> str:
    """The period of recurring payments, and how they stand.

    :param status: "" where it is not known yet.
    """
    number = int(term["frequency"])
    one, several = _PERIODS.get(term["period"], ("", ""))
    every = one if number == 1 else Message(several, mapping={"number": number})
    parts = every, _STANDINGS.get(status, "")
    return ", ".join(formatting.translated(part) for part in parts if part)


def line(words: str) -> Any:
    """A line of the log."""
    for pattern, text in _LINES:
        found = re.fullmatch(pattern, words)
        if found is not None:
            value = found[1] if found.re.groups else ""
            return Message(text, mapping={"value": value})
    return texts.REASONS.get(words) or formatting.Code(words)
