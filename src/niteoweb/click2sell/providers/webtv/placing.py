"""A sale until its order is placed: the cart is filled and checked, then ordered."""

from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import orders
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.providers.webtv.course import Course
from typing import Any

import secrets


#: What errors of the store mean to a caller.
CONFLICTS = {
    "ERROR_ORDER_ALREADY_PLACED": (409, "OrderExists"),
    "CART_ACTION_ERROR": (409, "OrderExists"),
    "ERROR_EMPTY_CART": (409, "CartEmpty"),
    "ERROR_MIN_PURCHASE": (422, "MinimumPurchase"),
    "ERROR_CANT_SUBTRACT": (409, "NoCredit"),
}


def fill(course: Course) -> None:
    """The cart is filled with the items of the sale, and checked.

    :raises sales.Conflict: the user has an order or a cart of another's, or it may not be sold.
    """
    user, items = course.sale["user"], course.sale["items"]
    order = course.order()
    if order.id:
        raise sales.Conflict(409, "OrderExists", "The user has an order of another's.")
    ours = course.sale["filled"] and order.holds_only(items)
    if order.lines and not ours and not course.sale["empty_cart"]:
        raise sales.Conflict(409, "CartNotEmpty", "There are other things in the cart.")
    course.note("filling the cart", filled=True)
    if order.lines:
        carts.change_cart(course.settings, user, "empty")
    try:
        for product, number in items:
            carts.change_cart(course.settings, user, "add", product, number)
        order = course.order()
        terms = _check(course, order)
    except client.StoreError as error:
        if error.code == "CART_ACTION_ERROR" and len(items) > 1:
            _refuse(course, "TrialAlone", "A trial has to be alone in a cart.")
        _refuse(course, "Refused", f"The store refuses it: {error.text or error.code}.")
    course.note(
        f"in the cart: {len(order.lines)}",
        state=sales.CARTED,
        terms=terms,
        types={line.product: line.type for line in order.lines},
        titles={line.product: line.title for line in order.lines},
    )
    course.is_ready = True


def place(course: Course) -> None:
    """The cart becomes an order.

    :raises sales.Conflict: somebody has changed it, or the store refuses.
    """
    sale = course.sale
    if not course.is_ready and not _is_cart(course, course.order()):
        course.note("cart changed", state=sales.BEGUN)
        raise sales.Conflict(409, "CartChanged", "Somebody has changed the cart.")
    course.is_ready = False
    course.note("place_order", state=sales.PLACING)
    try:
        carts.place(course.settings, sale["user"], sale["notify"], *course.buyer)
    except client.StoreError as error:
        course.note(error.code, state=sales.CARTED)
        status, kind = CONFLICTS.get(error.code, (422, "Refused"))
        raise sales.Conflict(status, kind, "The store does not place the order.") from None
    _adopt(course, course.order())


def look_for_order(course: Course) -> None:
    """An order whose placing had no answer is looked for."""
    order = course.order()
    if order.id and order.holds(course.sale["items"]):
        _adopt(course, order)
    elif _is_cart(course, order):
        course.note("not placed", state=sales.CARTED)
        course.is_ready = True
    else:
        course.attend(texts.ORDER_NOT_FOUND)


def _check(course: Course, order: orders.Order) -> list[dict[str, Any]]:
    """The terms of what is in the cart, if it may be sold.

    :raises sales.Conflict: it may not; the cart is empty then.
    """
    if order.trial and len(course.sale["items"]) > 1:
        _refuse(course, "TrialAlone", "A trial has to be alone in a cart.")
    if order.trial and order.requires_recurring and not course.sale["recurring"]:
        _refuse(course, "RecurringRequired", "This trial needs recurring payments.")
    if not order.enough:
        _refuse(course, "MinimumPurchase", "The order is too small for the store.")
    if not order.holds(course.sale["items"]):
        raise sales.Conflict(409, "CartChanged", "Somebody else changes the cart.")
    if not (order.subscription and course.sale["recurring"]):
        return []
    known = {one["product"]: one["profile"] for one in course.sale["terms"]}
    terms = []
    for line in order.lines:
        if line.type and line.type not in orders.SUBSCRIPTIONS:
            continue
        told = carts.terms(course.settings, course.sale["user"], line.product)
        if told.currency != course.settings.currency:
            _refuse(course, "Currency", "The store's currency is another one.")
        profile = known.get(line.product) or secrets.token_hex(16)
        terms.append(
            {
                "product": line.product,
                "profile": profile,
                "set": False,
                "amount": orders.money(told.amount),
                "currency": told.currency,
                "period": told.period,
                "frequency": told.frequency,
                "first": told.first,
                "sku": told.sku,
                "subscription": "",
            }
        )
    return terms


def _refuse(course: Course, kind: str, message: str) -> None:
    carts.change_cart(course.settings, course.sale["user"], "empty")
    if course.sale["origin"] == "fulfil":
        # It is paid for already: an owner puts it right, and has it tried again.
        course.note(kind, state=sales.BEGUN, filled=False)
        course.attend(texts.WAITS)
    else:
        # Its reference is free again: a caller may put it right.
        course.note(kind, state=sales.CANCELLED, refused=kind)
    raise sales.Conflict(422, kind, message)


def _adopt(course: Course, order: orders.Order) -> None:
    if not order.id:
        course.attend(texts.ORDER_NOT_FOUND)
    elif not order.holds(course.sale["items"]):
        carts.cancel(course.settings, course.sale["user"])
        course.note("cart changed", state=sales.BEGUN)
        raise sales.Conflict(409, "CartChanged", "Somebody has changed the cart.")
    else:
        used = None if order.total is None else order.due < order.total
        course.note(
            f"order {order.id}: due {orders.money(order.due)}",
            state=sales.PLACED,
            order=order.id,
            number=order.number,
            due=orders.money(order.due),
            paid=orders.money(order.paid),
            credit_used=used,
            hours=course.settings.order_hours or 24,
        )


def _is_cart(course: Course, order: orders.Order) -> bool:
    return not order.id and order.holds(course.sale["items"])
