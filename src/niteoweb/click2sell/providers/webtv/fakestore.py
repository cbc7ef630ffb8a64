"""The store of a WS.WebTV that is not real: carts, orders, recurring payments."""

from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from niteoweb.click2sell.providers.webtv.fakeusers import Failure
from niteoweb.click2sell.providers.webtv.fakeusers import FakeUsers
from niteoweb.click2sell.providers.webtv.fakeusers import Form
from typing import Any


_DAYS = {"DAY": 1, "WEEK": 7, "MONTH": 30, "YEAR": 365}
_SUBSCRIPTIONS = ("SUBSCRIPTION", "SUBSCRIPTIONTRIAL", "SUBSCRIPTIONRENEWAL")


class FakeStore(FakeUsers):
    """The store, with its users."""

    def store_get_cart(self, iq: str, _form: Form) -> Any:
        """The current order, else the cart."""
        user = self._user(iq)
        order = user["order"]
        lines = order["lines"] if order else user["cart"]
        types = [self.products[id_]["type_name"] for id_ in lines]
        total = self._total(lines)
        paid = order["paid"] if order else Decimal(0)
        due = order["total"] - order["credit"] - paid if order else total
        rp = any(self.products[id_]["requires_rp"] for id_ in lines)
        return {
            "data": {
                **({"order_id": int(order["id"])} if order else {}),
                **({"order_number": f"WS-{order['id']}"} if order else {}),
                "order_contains_subscription": int(any(t in _SUBSCRIPTIONS for t in types)),
                "order_contains_subscription_trial": int("SUBSCRIPTIONTRIAL" in types),
                "order_trial_requires_rp": int(rp),
                "order_has_credit_product": int("CREDIT" in types),
                "order_num_products": str(len(lines)),
                "order_min_purchase_check": 1,
                "buyer_credit": f"{user['credit']:.2f}",
                "order_total": f"{total:.2f}",
                "order_amount_due": f"{due:.2f}",
                "order_amount_paid": f"{paid:.2f}",
                "products": [
                    {
                        "id_product": id_,
                        "quantity": str(number),
                        "title": f"Product {id_}",
                        "type_name": self.products[id_]["type_name"],
                        "sku": self.products[id_]["sku"],
                    }
                    for id_, number in lines.items()
                ],
            }
        }

    def store_modify_cart(self, iq: str, form: Form) -> Any:
        """Add to the cart, remove from it, or empty it."""
        user, id_ = self._user(iq), form.get("productID", "")
        if user["order"]:
            raise Failure("CART_ACTION_ERROR", "There is a current order")
        action = form.get("cartAction")
        if action == "empty":
            user["cart"].clear()
        elif action not in ("add", "remove"):
            raise Failure("REQUEST_ERROR", "Invalid cart action")
        elif id_ not in self.products:
            raise Failure("REQUEST_ERROR", "Invalid or missing product ID")
        elif action == "remove":
            user["cart"].pop(id_, None)
        else:
            types = {self.products[one]["type_name"] for one in (*user["cart"], id_)}
            if len(user["cart"]) and "SUBSCRIPTIONTRIAL" in types and not self.lenient:
                raise Failure("CART_ACTION_ERROR", "A trial has to be alone")
            user["cart"][id_] = int(form.get("productQty", "1"))
        return {"ok": "Cart action was performed"}

    def store_place_order(self, iq: str, _form: Form) -> Any:
        """Make the cart an order."""
        user = self._user(iq)
        if user["order"]:
            raise Failure("ERROR_ORDER_ALREADY_PLACED", "")
        if not user["cart"]:
            raise Failure("ERROR_EMPTY_CART", "")
        lines, total = dict(user["cart"]), self._total(user["cart"])
        types = {self.products[id_]["type_name"] for id_ in lines}
        credit = Decimal(0) if "CREDIT" in types else min(user["credit"], total)
        self.orders += 1
        user["cart"].clear()
        user["order"] = {
            "id": str(self.orders),
            "lines": lines,
            "total": total,
            "credit": credit,
            "paid": Decimal(0),
        }
        return {"ok": "Order was placed", "id": self.orders}

    def store_cancel_order(self, iq: str, _form: Form) -> Any:
        """Cancel the current order."""
        user = self._user(iq)
        if not user["order"]:
            raise Failure("ERROR_NO_ORDER", "")
        if user["order"]["paid"]:
            raise Failure("ERROR_PAID", "")
        self.cancelled.append(user["order"]["id"])
        user["order"] = None
        return {"ok": "Order was cancelled"}

    def store_add_payment(self, iq: str, form: Form) -> Any:
        """Add a payment to the current order; the same one again is another one."""
        user, amount = self._user(iq), Decimal(form.get("amount", "0"))
        order = user["order"]
        if not order:
            raise Failure("ERROR_NO_ORDER", "")
        if form.get("paymentMethodID") not in ("2", "3") or amount <= 0:
            raise Failure("REQUEST_ERROR", "Invalid amount")
        if order["paid"] + amount > order["total"] - order["credit"]:
            raise Failure("ERROR_TOO_MUCH", "")
        order["paid"] += amount
        self.payments.append((order["id"], form))
        return {"ok": "Payment was added"}

    def store_process_order(self, iq: str, _form: Form) -> Any:
        """Deliver the paid items."""
        user = self._user(iq)
        order = user["order"]
        if not order:
            raise Failure("ERROR_NO_ORDER", "")
        if order["paid"] != order["total"] - order["credit"]:
            raise Failure("ERROR_AMOUNT_DUE", "")
        user["credit"] -= order["credit"]
        user["order"] = None
        self.processed.append(order["id"])
        for id_ in order["lines"]:
            product = self.products[id_]
            if product["type_name"] in _SUBSCRIPTIONS:
                self.subscribe(iq, id_, _DAYS[product["period"]] * product["frequency"])
            elif product["clip"]:
                self.add_pass(iq, product["clip"])
        return {"ok": "Order was processed"}

    def store_get_subscription_pre_rp_info(self, iq: str, form: Form) -> Any:
        """The terms of recurring payments, and the subscription once there is one."""
        self._user(iq)
        product, first = self.products.get(form.get("productID", "")), self.clock.now
        if product is None or product["type_name"] not in _SUBSCRIPTIONS:
            raise Failure("REQUEST_ERROR", "Invalid or missing product ID")
        ids = [
            id_
            for id_, one in self.subscriptions.items()
            if one["user"] == iq and one["product"] == form["productID"]
        ]
        first = first + timedelta(days=_DAYS[product["period"]])
        trial = product["type_name"] == "SUBSCRIPTIONTRIAL"
        return {
            "data": {
                **({"id_subscription": ids[-1]} if ids else {}),
                "amount": f"{product['price'] or Decimal(10):.2f}",
                "currency_code": self.currency,
                "product_sku": product["sku"],
                "date_first_payment": _unix(first),
                "date_first_payment_with_trial": _unix(first + timedelta(7)) if trial else -1,
                "period": product["period"],
                "period_frequency": str(product["frequency"]),
                "id_product": form["productID"],
            }
        }

    def store_set_subscription_rp(self, iq: str, form: Form) -> Any:
        """Set the recurring payments of a subscription."""
        self._user(iq)
        found = self.subscriptions.get(form.get("subscriptionID", ""))
        if found is None or found["user"] != iq:
            raise Failure("REQUEST_ERROR", "Invalid Subscription ID")
        if not form.get("profileID") or form.get("paymentMethodID") not in ("2", "3"):
            raise Failure("REQUEST_ERROR", "Invalid profile")
        found.update(profile=form["profileID"], rp_status=form["rp_status"], rp=form)
        return {"ok": "Recurring payment profile was set"}

    def _total(self, lines: dict[str, int]) -> Decimal:
        prices = (
            self.products[id_]["price"] * number
            for id_, number in lines.items()
            if self.products[id_]["type_name"] != "SUBSCRIPTIONTRIAL"
        )
        return sum(prices, Decimal(0))


def _unix(moment: datetime) -> int:
    return int(moment.timestamp())
