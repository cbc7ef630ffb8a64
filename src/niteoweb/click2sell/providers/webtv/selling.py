"""The course of a sale: what is intended is committed, then the store is asked, then noted.

Whoever takes a sale up after a process that died, or a question without an answer, looks first
(``get_cart``), and then decides. Amounts are the store's, compared as numbers.
"""

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
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from typing import Any

import logging
import secrets


logger = logging.getLogger("niteoweb.click2sell")

#: What errors of the store mean to a caller.
CONFLICTS = {
    "ERROR_ORDER_ALREADY_PLACED": (409, "OrderExists"),
    "CART_ACTION_ERROR": (409, "OrderExists"),
    "ERROR_EMPTY_CART": (409, "CartEmpty"),
    "ERROR_MIN_PURCHASE": (422, "MinimumPurchase"),
    "ERROR_CANT_SUBTRACT": (409, "NoCredit"),
}


class Course:
    """A sale that is taken for as long as the ``with`` block lasts.

    :raises sales.Conflict: somebody else has it.
    """

    def __init__(self, settings: Any, id_: str) -> None:
        self.settings, self.id, self._holder = settings, id_, secrets.token_hex(8)
        #: What this process has just seen, so that it need not look again.
        self._ready = self._due_is_zero = False

    def __enter__(self) -> "Course":
        now = timestamps.now()
        self.sale = writer.run(lambda site: sales.take(site, self.id, now, self._holder))
        return self

    def __exit__(self, kind: Any, error: Any, _traceback: Any) -> None:
        # A question without an answer may be under way: nobody asks before the lease ends.
        if kind is None or isinstance(error, (sales.Conflict, client.StoreError)):
            self.note(lease="")

    def note(self, words: str = "", **changes: Any) -> None:
        """Commit changes of the sale."""
        now = timestamps.now()
        self.sale = writer.run(
            lambda site: sales.change(site, self.id, now, dict(changes), words)
        )

    def advance(self, place: bool = True) -> None:
        """Go on until the sale has to wait for somebody.

        :param place: also place the order.
        """
        steps = {
            sales.BEGUN: self._fill,
            sales.PLACING: self._look_for_order,
            sales.PAYING: self._pay,
            sales.PROCESSING: self._process,
            sales.PROCESSED: self._finish,
        }
        while not self.sale["attention"]:
            state = self.sale["state"]
            if state == sales.CARTED and place:
                self._place()
            elif state in steps:
                steps[state]()
            else:
                return

    def cancel(self, state: str = sales.CANCELLED) -> None:
        """Cancel the order, or empty the cart.

        :raises sales.Conflict: something was paid.
        """
        if self.sale["state"] in sales.CLOSED:
            return
        self.note(attention="")
        order = self.order()
        if self.sale["payments"] and (order.id != self.sale["order"] or order.paid):
            raise sales.Conflict(409, "Paid", "Something was paid already.")
        if order.id and order.id == self.sale["order"]:
            if order.paid:
                raise sales.Conflict(409, "Paid", "Something was paid already.")
            carts.cancel(self.settings, self.sale["user"])
        elif not order.id and order.lines and order.holds_only(self.sale["items"]):
            carts.change_cart(self.settings, self.sale["user"], "empty")
        self.note(f"cancelled {order.id}".strip(), state=state)

    def order(self) -> orders.Order:
        """The order or cart of the user, as it is now."""
        return carts.order(self.settings, self.sale["user"])

    def attend(self, code: str) -> None:
        """Mark the sale, and file a notification that needs attention."""
        self.note(code, attention=code)
        attend(self.sale, code)

    def rescue(self) -> None:
        """Finish a charged order whose buyer has not gone back to the WebTV."""
        email = self.sale["email"]
        user = client.user_id(self.settings, email) if email else ""
        if not user:
            if self.sale.get("returned"):
                self.note("returned", state=sales.DONE)
            else:
                self.attend(texts.NOT_RETURNED)
            return
        self.note(user=user)
        order = self.order()
        if order.id != self.sale["order"] or not (order.due or order.trial):
            self.note("processed by the WebTV", state=sales.DONE)
            return
        products = {line.sku: line.product for line in order.lines}
        terms = [{**one, "product": products.get(one["sku"], "")} for one in self.sale["terms"]]
        self.note("not returned", state=sales.PAYING, terms=terms)
        self.advance()

    # The steps

    def _fill(self) -> None:
        user, items = self.sale["user"], self.sale["items"]
        order = self.order()
        if order.id:
            raise sales.Conflict(409, "OrderExists", "The user has an order of another's.")
        ours = self.sale["filled"] and order.holds_only(items)
        if order.lines and not ours and not self.sale.get("empty_cart"):
            raise sales.Conflict(409, "CartNotEmpty", "There are other things in the cart.")
        self.note("filling the cart", filled=True)
        if order.lines:
            carts.change_cart(self.settings, user, "empty")
        try:
            for product, number in items:
                carts.change_cart(self.settings, user, "add", product, number)
            order = self.order()
            terms = self._check(order)
        except client.StoreError as error:
            if error.code == "CART_ACTION_ERROR" and len(items) > 1:
                self._refuse("TrialAlone", "A trial has to be alone in a cart.")
            self._refuse("Refused", f"The store refuses it: {error.text or error.code}.")
        self.note(
            f"in the cart: {len(order.lines)}",
            state=sales.CARTED,
            terms=terms,
            types={line.product: line.type for line in order.lines},
            titles={line.product: line.title for line in order.lines},
        )
        self._ready = True

    def _check(self, order: orders.Order) -> list[dict[str, Any]]:
        """The terms of what is in the cart, if it may be sold.

        :raises sales.Conflict: it may not; the cart is empty then.
        """
        if order.trial and len(self.sale["items"]) > 1:
            self._refuse("TrialAlone", "A trial has to be alone in a cart.")
        if order.trial and order.requires_recurring and not self.sale["recurring"]:
            self._refuse("RecurringRequired", "This trial needs recurring payments.")
        if not order.enough:
            self._refuse("MinimumPurchase", "The order is too small for the store.")
        if not order.holds(self.sale["items"]):
            raise sales.Conflict(409, "CartChanged", "Somebody else changes the cart.")
        if not (order.subscription and self.sale["recurring"]):
            return []
        known = {one["product"]: one["profile"] for one in self.sale["terms"]}
        terms = []
        for line in order.lines:
            if line.type and line.type not in orders.SUBSCRIPTIONS:
                continue
            told = carts.terms(self.settings, self.sale["user"], line.product)
            if told.currency != self.settings.currency:
                self._refuse("Currency", "The store's currency is another one.")
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

    def _refuse(self, kind: str, message: str) -> None:
        carts.change_cart(self.settings, self.sale["user"], "empty")
        # Its reference is free again: a caller may put it right.
        self.note(kind, state=sales.CANCELLED, refused=kind)
        raise sales.Conflict(422, kind, message)

    def _place(self) -> None:
        sale = self.sale
        if not self._ready and not self._is_cart(self.order()):
            self.note("cart changed", state=sales.BEGUN)
            raise sales.Conflict(409, "CartChanged", "Somebody has changed the cart.")
        self._ready = False
        self.note("place_order", state=sales.PLACING)
        try:
            carts.place(self.settings, sale["user"], sale["notify"])
        except client.StoreError as error:
            self.note(error.code, state=sales.CARTED)
            status, kind = CONFLICTS.get(error.code, (422, "Refused"))
            raise sales.Conflict(status, kind, "The store does not place the order.") from None
        self._adopt(self.order())

    def _look_for_order(self) -> None:
        order = self.order()
        if order.id and order.holds(self.sale["items"]):
            self._adopt(order)
        elif self._is_cart(order):
            self.note("not placed", state=sales.CARTED)
            self._ready = True
        else:
            self.attend(texts.ORDER_NOT_FOUND)

    def _adopt(self, order: orders.Order) -> None:
        if not order.id:
            self.attend(texts.ORDER_NOT_FOUND)
        elif not order.holds(self.sale["items"]):
            carts.cancel(self.settings, self.sale["user"])
            self.note("cart changed", state=sales.BEGUN)
            raise sales.Conflict(409, "CartChanged", "Somebody has changed the cart.")
        else:
            used = None if order.total is None else order.due < order.total
            self.note(
                f"order {order.id}: due {orders.money(order.due)}",
                state=sales.PLACED,
                order=order.id,
                number=order.number,
                due=orders.money(order.due),
                paid=orders.money(order.paid),
                credit_used=used,
                hours=self.settings.order_hours or 24,
            )

    def _pay(self) -> None:
        for position, payment in enumerate(self.sale["payments"]):
            if payment["state"] == "added":
                continue
            order = self._own_order()
            if order is None:
                return
            amount = Decimal(payment["amount"])
            if payment["state"] == "adding":
                before = Decimal(payment["before"])
                if order.paid not in (before, before + amount):
                    self.attend(texts.PAID_CHANGED)
                    return
                if order.paid == before + amount:
                    self._mark(position, "added", "found")
                    continue
            before = orders.money(order.paid)
            self._mark(position, "adding", f"add_payment {payment['amount']}", before=before)
            values = (amount, payment["transaction"], payment["method"])
            try:
                carts.add_payment(self.settings, self.sale["user"], *values)
            except client.StoreError as error:
                self._mark(position, "noted", error.code)
                self.note(error.code, state=sales.PLACED)
                self.attend(texts.CHARGE_DIFFERS)
                return
            self._mark(position, "added")
        order = self._own_order()
        if order is None:
            return
        told = {"due": orders.money(order.due), "paid": orders.money(order.paid)}
        following = sales.PLACED if order.due else sales.PROCESSING
        self.note(f"due {told['due']}", state=following, **told)
        self._due_is_zero = not order.due

    def _mark(self, position: int, state: str, words: str = "", **changes: Any) -> None:
        payments = [dict(payment) for payment in self.sale["payments"]]
        payments[position].update(state=state, **changes)
        self.note(words or f"payment {state}", payments=payments)

    def _own_order(self) -> orders.Order | None:
        """Our order; None where it is gone, which is noted."""
        order = self.order()
        if order.id == self.sale["order"]:
            return order
        if self.sale["payments"]:
            self.attend(texts.CHARGE_WITHOUT_ORDER)
        else:
            self.note("order gone", state=sales.CANCELLED)
        return None

    def _process(self) -> None:
        if not self._due_is_zero:
            order = self.order()
            if order.id != self.sale["order"]:
                # By the call whose answer was lost.
                self.note("processed before", state=sales.PROCESSED)
                return
            if order.due:
                due = orders.money(order.due)
                self.note(f"due {due}", state=sales.PLACED, due=due)
                raise sales.Conflict(409, "AmountDue", "Something is due.")
        self._due_is_zero = False
        self.note("process_order", state=sales.PROCESSING)
        try:
            carts.process(self.settings, self.sale["user"])
        except client.StoreError as error:
            self.note(error.code, state=sales.PLACED)
            raise
        self.note("processed", state=sales.PROCESSED, due="0.00")

    def _finish(self) -> None:
        user, method = self.sale["user"], "external"
        for payment in self.sale["payments"]:
            method = payment["method"]
        for position, term in enumerate(self.sale["terms"]):
            if term["set"]:
                continue
            told = carts.terms(self.settings, user, term["product"])
            if not told.subscription:
                self.attend(texts.RECURRING_NOT_SET)
                break
            values = (told.subscription, term["profile"], method, told.first)
            try:
                carts.set_recurring(self.settings, user, *values)
            except client.StoreError:
                self.attend(texts.RECURRING_NOT_SET)
                break
            terms = [dict(one) for one in self.sale["terms"]]
            terms[position].update(set=True, subscription=told.subscription, first=told.first)
            self.note(f"recurring payments of {told.subscription} set", terms=terms)
        restricted = carts.restrictions(self.settings, user)
        try:
            sync.refresh(user)
        except (Unreachable, client.StoreError):
            logger.warning("The sweep asks about the user of sale %s.", self.id)
        self.note("done", state=sales.DONE, restricted=restricted)

    def _is_cart(self, order: orders.Order) -> bool:
        return not order.id and order.holds(self.sale["items"])


def attend(sale: sales.Sale, code: str) -> None:
    """File a notification that a sale needs attention."""
    logger.warning("Sale %s needs attention: %s", sale["id"], code)
    payload = {name: str(sale[name]) for name in ("id", "order", "user", "state", "number")}
    try:
        pipeline.process(
            sync.attention(
                *("sale", sale["id"], code, timestamps.now(), payload),
                receipt=sale["number"],
                buyer=sale["email"].lower(),
                email=sale["email"],
            )
        )
    except (pipeline.Failed, transactions.Busy):
        logger.warning("Sale %s is not filed.", sale["id"])


def resume(settings: Any, numbers: dict[str, int]) -> None:
    """Take up the sales whose process died or had no answer, and cancel what is too old.

    :param numbers: of the report.
    :raises Unreachable: the store cannot be asked.
    """
    for id_ in sales.due(plone_site.get(), timestamps.now()):
        numbers["taken_up"] += 1
        try:
            with Course(settings, id_) as course:
                if course.sale["state"] == sales.CHARGED:
                    course.rescue()
                elif course.sale["state"] in (sales.BEGUN, sales.CARTED, sales.PLACED):
                    course.cancel(sales.EXPIRED)
                else:
                    course.advance()
                numbers["done"] += course.sale["state"] == sales.DONE
        except sales.Conflict as conflict:
            logger.warning("Sale %s has to wait: %s", id_, conflict.kind)
            _put_off(id_, conflict.kind)
        except client.StoreError as error:
            logger.warning("Sale %s has to wait: %s", id_, error)
            _put_off(id_, error.code)


def _put_off(id_: str, words: str) -> None:
    now = timestamps.now()
    writer.run(lambda site: sales.change(site, id_, now, {}, words))


def pay(
    settings: Any, id_: str, payment: dict[str, Any] | None, agreement: str = ""
) -> sales.Sale:
    """Take in a payment of a sale, and go on with it.

    :param payment: None for none; one whose transaction is known is not taken in again.
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
            now, who = timestamps.now(), payment["by"]

            def take_in(site: Any) -> None:
                sales.charge(site, id_, who, payment["transaction"])
                paid = {"payments": [*sale["payments"], payment], "state": sales.PAYING}
                sales.change(site, id_, now, paid, f"paid {payment['amount']}")

            writer.run(take_in)
            course.note(**({"agreement": agreement} if agreement else {}))
        elif sale["state"] == sales.PLACED and not payment:
            course.note("pay", state=sales.PAYING)
        course.advance()
        return course.sale


def charge(id_: str, payment: dict[str, Any], email: str, agreement: str) -> sales.Sale:
    """Note that an order of the WebTV's own was charged; the WebTV adds the payment itself.

    :param payment: with the amount that is due; of a trial with the amount 0.
    :raises sales.Conflict: it was charged before by another payment, or the amount differs.
    """
    now = timestamps.now()

    def note(site: Any) -> sales.Sale:
        sale = sales.get(site, id_)
        told = {one["transaction"] for one in sale["payments"]}
        if payment["transaction"] in told:
            return sale
        if sale["state"] != sales.PLACED:
            raise sales.Conflict(409, "Paid", "All was paid already.")
        if Decimal(payment["amount"]) != Decimal(sale["due"]):
            raise sales.Conflict(422, "TooMuch", "Another amount is due.")
        sales.charge(site, id_, payment["by"], payment["transaction"])
        changes = {"payments": [payment] if Decimal(payment["amount"]) else []}
        changes |= {"paid_by": payment["transaction"], "state": sales.CHARGED}
        changes |= {"agreement": agreement, "email": email or sale["email"], "message": ""}
        return sales.change(site, id_, now, changes, f"charged {payment['amount']}")

    return writer.run(note)
