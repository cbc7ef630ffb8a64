"""The course of a sale: each intention is committed before the store is asked.

Whoever takes a sale up after a process that died, or a question without an answer, looks first
(``get_cart``), and then decides. Amounts are the store's, compared as numbers.
"""

from collections.abc import Callable
from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from functools import partial
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import placing
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import settling
from niteoweb.click2sell.providers.webtv import standing
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.providers.webtv.course import attend
from niteoweb.click2sell.providers.webtv.course import Course
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import writer
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")

#: A sale is under way for so long before an owner is told.
LONG = timedelta(hours=1)

_UNDER_WAY = sales.UNDER_WAY | {sales.CHARGED}

_STEPS = {
    sales.BEGUN: placing.fill,
    sales.PLACING: placing.look_for_order,
    sales.PAYING: settling.pay,
    sales.PROCESSING: settling.process,
    sales.PROCESSED: settling.finish,
}


def advance(course: Course, place: bool = True) -> None:
    """Go on until the sale has to wait for somebody.

    :param place: also place the order.
    """
    while not course.sale["attention"]:
        state = course.sale["state"]
        if state == sales.CARTED and place:
            placing.place(course)
        elif state in _STEPS:
            _STEPS[state](course)
        else:
            return


def exchange(course: Course, items: list[tuple[str, int]]) -> None:
    """Fill the cart with other items; an order is not placed.

    :raises sales.Conflict: the order is placed, or others use the cart.
    """
    if course.sale["state"] not in (sales.BEGUN, sales.CARTED):
        raise sales.Conflict(
            409, "OrderPlaced", "An order cannot be changed: cancel it, and begin another sale."
        )
    order = course.order()
    if course.sale["filled"] and order.lines and order.holds_only(course.sale["items"]):
        carts.change_cart(course.settings, course.sale["user"], "empty")
    course.note("other items", state=sales.BEGUN, items=items, terms=[], filled=False)
    advance(course, place=False)


def cancel(course: Course, state: str = sales.CANCELLED) -> None:
    """Cancel the order, or empty the cart.

    :raises sales.Conflict: something was paid, or the WebTV has placed the order.
    """
    if course.sale["state"] in sales.CLOSED:
        return
    sale = course.sale
    if sale["origin"] == "processor":
        raise sales.Conflict(409, "NotOurs", "The WebTV has placed the order: cancel it there.")
    course.note(attention="")
    order = course.order()
    # An order whose placing had no answer has no number here.
    unanswered = sale["state"] == sales.PLACING and order.holds(sale["items"])
    is_ours = order.id != "" and (order.id == sale["order"] or unanswered)
    if (is_ours and order.paid) or (sale["payments"] and not is_ours):
        raise sales.Conflict(409, "Paid", "Something was paid already.")
    if is_ours:
        carts.cancel(course.settings, sale["user"])
    elif not order.id and order.lines and order.holds_only(sale["items"]):
        carts.change_cart(course.settings, sale["user"], "empty")
    course.note(f"cancelled {order.id}".strip(), state=state)


def leave(work: Callable[[Any], None]) -> None:
    """Leave work that asks the store to the thread for questions.

    :param work: of the settings; it is not done while the store may not be asked.
    """
    path = plone_site.get().getPhysicalPath()
    background.leave(background.QUESTIONS, path, partial(_do, work))


def _do(work: Callable[[Any], None]) -> None:
    provider = registry.get(protocol.NAME)
    settings = registry.settings(provider)
    if plone_site.is_copy() or not (registry.is_enabled(provider) and settings.api_token):
        return
    try:
        work(settings)
    except Unreachable as error:
        logger.warning("Sales have to wait: %s", error)


def resume(settings: Any, numbers: dict[str, int]) -> None:
    """Take up the sales whose process died or had no answer, and cancel the old ones.

    :param numbers: of the report.
    :raises Unreachable: the store cannot be asked.
    """
    for id_ in sales.due(plone_site.get(), timestamps.now()):
        numbers["taken_up"] += 1
        try:
            with Course(settings, id_) as course:
                _take_up(course)
                numbers["done"] += course.sale["state"] == sales.DONE
        except sales.Conflict as conflict:
            logger.warning("Sale %s has to wait: %s", id_, conflict.kind)
            if conflict.kind != "Busy":
                _put_off(id_, conflict.kind)
        except client.StoreError as error:
            logger.warning("Sale %s has to wait: %s", id_, error)
            _put_off(id_, error.code)


def _take_up(course: Course) -> None:
    sale, wanted = course.sale, course.sale["wanted"]
    waits = sale["state"] in (sales.BEGUN, sales.CARTED, sales.PLACED)
    # A trial is paid with nothing.
    is_paid = sale["payments"] or sale["paid_by"]
    if wanted == sales.CANCEL:
        cancel(course)
    elif sale["state"] == sales.CHARGED:
        _rescue(course)
    elif not waits or wanted:
        if is_paid and sale["state"] == sales.PLACED:
            course.note(state=sales.PAYING)
        advance(course)
    elif is_paid or sale["origin"] == "fulfil":
        # Somebody has paid: it is not given up.
        course.attend(texts.WAITS)
    else:
        cancel(course, sales.EXPIRED)
    if wanted:
        course.note(wanted="")


def tell_of_long_ones(now: datetime) -> None:
    """File the sales that are under way for too long; they are tried again all the same.

    :param now: in UTC.
    """
    for sale in sales.open_ones(plone_site.get()):
        since = timestamps.from_iso(sale["state_at"])
        if sale["state"] in _UNDER_WAY and now - since > LONG and not _is_filed(sale):
            attend(sale, texts.WAITS)


def _is_filed(sale: sales.Sale) -> bool:
    return any(code == texts.WAITS for code, _key in sale["filed"])


def pay(
    settings: Any, id_: str, payment: dict[str, Any] | None, changes: sales.Sale | None = None
) -> sales.Sale:
    """Take in a payment of a sale, and go on with it.

    :param payment: None for none; one whose transaction is known is not taken in again.
    :param changes: of the sale that come with it.
    :raises sales.Conflict: it is the payment of another sale, or more than is due.
    """
    with Course(settings, id_) as course:
        course.note(attention="")
        sale = course.sale
        told = {one["transaction"] for one in sale["payments"]}
        if payment and payment["transaction"] not in told:
            if sale["state"] != sales.PLACED:
                raise sales.Conflict(409, "Paid", "All was paid already.")
            if Decimal(payment["amount"]) > Decimal(sale["due"]):
                raise sales.Conflict(422, "TooMuch", "Less than that is due.")
            who = payment["by"]

            def take_in(site: Any) -> sales.Sale:
                sales.charge(site, id_, who, payment["transaction"])
                paid = {"payments": [*sale["payments"], payment], "state": sales.PAYING}
                paid |= changes or {}
                return course.change(site, paid, f"paid {payment['amount']}")

            course.sale = writer.run(take_in)
        elif sale["state"] == sales.PLACED and not payment:
            course.note("pay", state=sales.PAYING, **(changes or {}))
        advance(course)
        return course.sale


def charge(
    id_: str, payment: dict[str, Any], email: str, agreement: str, bound: str = ""
) -> sales.Sale:
    """Note that an order of the WebTV's own was charged; the WebTV adds the payment itself.

    :param payment: with the amount that is due; of a trial with the amount 0.
    :param bound: the key of the entry that told of it, and of the recurring payments.
    :raises sales.Conflict: it was charged before by another payment, or the amount differs.
    """
    now = timestamps.now()

    def note(site: Any) -> sales.Sale:
        sale = sales.get(site, id_)
        if payment["transaction"] == sale["paid_by"]:
            return sale
        if not sales.waits_for_charge(sale):
            raise sales.Conflict(409, "Paid", "All was paid already.")
        if Decimal(payment["amount"]) != Decimal(sale["due"]):
            raise sales.Conflict(422, "TooMuch", "Another amount is due.")
        sales.charge(site, id_, payment["by"], payment["transaction"])
        changes = {"payments": [payment] if Decimal(payment["amount"]) else []}
        changes |= {"paid_by": payment["transaction"], "state": sales.CHARGED}
        changes |= {"agreement": agreement, "email": email or sale["email"], "message": ""}
        changes |= {"bound": bound}
        return sales.change(site, id_, now, changes, f"charged {payment['amount']}")

    return writer.run(note)


def _rescue(course: Course) -> None:
    """Finish a charged order whose buyer has not gone back to the WebTV."""
    if standing.is_undone(plone_site.get(), course.sale["bound"], timestamps.now()):
        course.attend(texts.REFUNDED)
        return
    email = course.sale["email"]
    user = client.user_id(course.settings, email) if email else ""
    if not user:
        if course.sale["returned"]:
            course.note("returned", state=sales.DONE)
        else:
            course.attend(texts.NOT_RETURNED)
        return
    order = carts.order(course.settings, user)
    is_gone = order.id != course.sale["order"]
    if is_gone and course.sale["bound"] and not course.sale["returned"]:
        # Nobody has told the WebTV: it is the order of another user, or was cancelled.
        course.attend(texts.NOT_RETURNED)
        return
    if is_gone or not (order.due or order.trial):
        course.note("processed by the WebTV", state=sales.DONE)
        return
    products = {line.sku: line.product for line in order.lines}
    terms = [{**one, "product": products.get(one["sku"], "")} for one in course.sale["terms"]]
    course.note("not returned", state=sales.PAYING, terms=terms, user=user)
    advance(course)


def _put_off(id_: str, words: str) -> None:
    now = timestamps.now()
    writer.run(lambda site: sales.change(site, id_, now, {"wanted": ""}, words))
