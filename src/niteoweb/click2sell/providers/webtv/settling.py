"""A sale from its payment on: told to the store, processed, its recurring payments set."""

from decimal import Decimal
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import orders
from niteoweb.click2sell.providers.webtv import profiles
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import sync
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.providers.webtv.course import Course
from niteoweb.click2sell.storage import writer
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")


def pay(course: Course) -> None:
    """The payments of the sale are told to the store, each once."""
    for position, payment in enumerate(course.sale["payments"]):
        if payment["state"] == "added":
            continue
        order = _own_order(course)
        if order is None:
            return
        amount = Decimal(payment["amount"])
        if payment["state"] == "adding":
            before = Decimal(payment["before"])
            if order.paid not in (before, before + amount):
                course.attend(texts.PAID_CHANGED)
                return
            if order.paid == before + amount:
                _mark(course, position, "added", "found")
                continue
        if amount > order.due:
            _differs(course)
            return
        before = orders.money(order.paid)
        _mark(course, position, "adding", f"add_payment {payment['amount']}", before=before)
        values = (amount, payment["transaction"], payment["method"])
        try:
            carts.add_payment(course.settings, course.sale["user"], *values)
        except client.StoreError as error:
            _mark(course, position, "noted", error.code)
            _differs(course)
            return
        _mark(course, position, "added")
    order = _own_order(course)
    if order is None:
        return
    told = {"due": orders.money(order.due), "paid": orders.money(order.paid)}
    following = sales.PLACED if order.due else sales.PROCESSING
    course.note(f"due {told['due']}", state=following, **told)
    course.due_is_zero = not order.due


def process(course: Course) -> None:
    """The store processes the order, once nothing is due.

    :raises sales.Conflict: something is due after all.
    :raises client.StoreError: the store refuses.
    """
    if not course.due_is_zero:
        order = course.order()
        if order.id != course.sale["order"]:
            # By the call whose answer was lost. A subscription confirms it, see finish().
            words = "processed before" if course.sale["terms"] else "not confirmed"
            course.note(words, state=sales.PROCESSED)
            return
        if order.due:
            due = orders.money(order.due)
            course.note(f"due {due}", state=sales.PLACED, due=due)
            raise sales.Conflict(409, "AmountDue", "Something is due.")
    course.due_is_zero = False
    course.note("process_order", state=sales.PROCESSING)
    try:
        carts.process(course.settings, course.sale["user"])
    except client.StoreError as error:
        course.note(error.code, state=sales.PLACED)
        raise
    course.note("processed", state=sales.PROCESSED, due="0.00")


def finish(course: Course) -> None:
    """Recurring payments are set, restrictions read, and the user is asked about."""
    user = course.sale["user"]
    for position, term in enumerate(course.sale["terms"]):
        if term["set"]:
            continue
        method = term.get("method", "external")
        told = carts.terms(course.settings, user, term["product"])
        if not told.subscription:
            course.attend(texts.RECURRING_NOT_SET)
            break
        if method == "external":
            # The store asks about it from now on.
            writer.run(lambda site, term=term: profiles.add(site, course.sale, term))
        values = (told.subscription, term["profile"], method, told.first)
        try:
            carts.set_recurring(course.settings, user, *values)
        except client.StoreError:
            course.attend(texts.RECURRING_NOT_SET)
            break
        terms = [dict(one) for one in course.sale["terms"]]
        terms[position].update(set=True, subscription=told.subscription, first=told.first)
        course.note(f"recurring payments of {told.subscription} set", terms=terms)
    restricted = carts.restrictions(course.settings, user)
    try:
        sync.refresh(user)
    except (Unreachable, client.StoreError):
        logger.warning("The sweep asks about the user of sale %s.", course.id)
    course.note("done", state=sales.DONE, restricted=restricted)


def _mark(course: Course, position: int, state: str, words: str = "", **changes: Any) -> None:
    payments = [dict(payment) for payment in course.sale["payments"]]
    payments[position].update(state=state, **changes)
    course.note(words or f"payment {state}", payments=payments)


def _differs(course: Course) -> None:
    """The store does not take a payment, or less is due by now: an owner has to look."""
    course.note(state=sales.PLACED)
    course.attend(texts.CHARGE_DIFFERS)


def _own_order(course: Course) -> orders.Order | None:
    """Our order; None where it is gone, which is noted."""
    order = course.order()
    if order.id == course.sale["order"]:
        return order
    if course.sale["payments"]:
        course.attend(texts.CHARGE_WITHOUT_ORDER)
    else:
        course.note("order gone", state=sales.CANCELLED)
    return None
