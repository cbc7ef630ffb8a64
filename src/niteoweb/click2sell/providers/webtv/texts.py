"""Why something of the store needs attention: codes that are stored, and their texts."""

from collections.abc import Mapping
from niteoweb.click2sell import _
from niteoweb.click2sell import site
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.webtv import users
from typing import Any


ENDS_HELD = "ends held"
ORDER_NOT_FOUND = "order not found"
PAID_CHANGED = "paid amount changed"
CHARGE_WITHOUT_ORDER = "charge without order"
CHARGE_DIFFERS = "charge differs"
RECURRING_NOT_SET = "recurring not set"
NO_WAY = "no way to pay"
NO_USER = "no user"
REFUNDED = "refunded outside store"
NOT_RETURNED = "paid, not returned"
CANCEL_AT_CHARGER = "cancel at charger"
WAITS = "sale waits"
CREDIT_UNCLEAR = "credit unclear"

#: What an entry is about, in front of the id in its transaction.
SALE, HELD, ORDER, CREDIT = "sale", "held", "order", "credit"

#: Of a notification about ends that an owner has confirmed.
CONFIRMED = _("An automatic check was confirmed, and ended them.")

#: Of a notification that waited for a sale which has gone on.
SETTLED = _("The sale has gone on by itself.")

PAGE = "webtv-sales"
PAGES = (registry.OwnPage(_("Sales in the store"), PAGE),)

REASONS = {
    WAITS: _(
        "A sale in the store does not go on by itself. Its page says what was asked and "
        "answered last, and what you can do."
    ),
    ENDS_HELD: _(
        "Suspiciously many subscriptions are missing from the store's list. Nothing was ended. "
        "Check there whether that is right; then confirm on the page of the automatic check "
        "that they end."
    ),
    ORDER_NOT_FOUND: _(
        "An order was placed, but is not in the store. Check there, under Store, Orders."
    ),
    PAID_CHANGED: _(
        "A payment was reported to the store, which did not answer, and a different amount is "
        "recorded as paid there. Check there, under Store, Orders."
    ),
    CHARGE_WITHOUT_ORDER: _(
        "Something was paid, and its order is no longer open in the store. Check there whether "
        "it was processed; if not, refund the payment."
    ),
    CHARGE_DIFFERS: _(
        "Another amount or currency was paid than the store asks for, or the store does not "
        "take the payment. Cancel the order, or pay what is due."
    ),
    NO_USER: _(
        "A payment at another provider is meant to buy something in the store, but the store "
        "has no user with the buyer's address."
    ),
    REFUNDED: _(
        "The payment of an order of the store was refunded. The site takes no order back: see "
        "in the store whether it was processed."
    ),
    NO_WAY: _(
        "An order of the store cannot be paid: its currency or its terms do not match the "
        "settings. Check it there."
    ),
    NOT_RETURNED: _(
        "The buyer paid and has not gone back to the store, and which user it is is not known. "
        "Process the order there by hand."
    ),
    CANCEL_AT_CHARGER: _(
        "The buyer wants the recurring payments cancelled. Cancel them where they are charged, "
        "and tell the site so."
    ),
    CREDIT_UNCLEAR: _(
        "The store did not answer when a user's credit was changed, and the credit has changed "
        "otherwise since. See in the store what it has to be."
    ),
    RECURRING_NOT_SET: _(
        "The store has no subscription for what was sold, or does not take its recurring "
        "payments. Set them there by hand."
    ),
}


def page(entry: Mapping[str, Any]) -> registry.OwnPage | None:
    """The page of the sale that an entry is about, or the one that shows who is held."""
    about, _space, id_ = entry["transaction"].partition(" ")
    if about == HELD and users.held(site.get()):
        return registry.OwnPage(_("See whose access would end"), "click2sell-check")
    return registry.OwnPage(_("See the sale"), f"{PAGE}/{id_}") if about == SALE else None
