"""An account at a Stripe that is not real: what happens there, and the events that tell of it.

Fields are those of Stripe's API version 2025-03-31.basil, as far as anybody reads them. With
``old_shape`` events are of the versions before: the period stands on the subscription, and a
charge names its invoice.
"""

from collections.abc import Callable
from collections.abc import Iterable
from copy import deepcopy
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell.testing import Clock
from typing import Any


#: Days of a period.
TERM = 30

OLD, NEW = "2024-06-20", "2025-03-31.basil"

Values = dict[str, Any]


class StripeAccount:
    """Customers, subscriptions and payments of a shop.

    :ivar objects: all of them by id, as the API shows them.
    :ivar events: all that happened, the oldest first.
    :ivar livemode: of all of them; False for those of the test mode.
    :ivar old_shape: whether events have the fields of older versions of the API.
    """

    def __init__(self, clock: Clock, tell: Callable[[Values], None]) -> None:
        """
        :param tell: gets each event.
        """
        self.clock = clock
        self.objects: dict[str, Values] = {}
        self.events: list[Values] = []
        self.livemode, self.old_shape = True, False
        self._tell = tell
        self._broke: set[str] = set()
        self._number = 0

    def add_price(
        self,
        id_: str,
        product: str = "",
        cents: int = 990,
        name: str = "",
        lookup_key: str | None = None,
        recurring: bool = True,
    ) -> str:
        """A price of a product.

        :param product: id of the product.
        :returns: the price's id.
        """
        product = product or f"prod_{id_}"
        self._add("product", product, name=name or product)
        recurring_ = {"interval": "month", "interval_count": 1} if recurring else None
        price = {"product": product, "lookup_key": lookup_key, "unit_amount": cents}
        self._add("price", id_, **price, currency="eur", recurring=recurring_, nickname=None)
        return id_

    def add_customer(self, email: str, name: str = "") -> str:
        """A customer; no event tells of it that anybody reads.

        :returns: the customer's id.
        """
        return self._add("customer", email=email, name=name or None)["id"]

    def checkout(
        self,
        *prices: str,
        email: str,
        name: str = "",
        client_reference_id: str | None = None,
        quantity: int = 1,
        paid: bool = True,
        metadata: Values | None = None,
        trial_days: int = 0,
    ) -> Values:
        """Somebody buys by a Payment Link.

        :param paid: False for a payment that comes later, see :meth:`pay_later`.
        :returns: the session of Checkout.
        """
        lines = [{"price": self.objects[id_], "quantity": quantity} for id_ in prices]
        details = {"email": email, "name": name or None, "address": {"country": "SI"}}
        total = sum(line["price"]["unit_amount"] * quantity for line in lines)
        recurring = any(line["price"]["recurring"] for line in lines)
        session = self._add(
            "checkout.session",
            mode="subscription" if recurring else "payment",
            client_reference_id=client_reference_id,
            customer=None,
            customer_details=details,
            amount_total=total,
            currency="eur",
            metadata=metadata or {},
            payment_status="paid" if paid else "unpaid",
            payment_intent=None,
            subscription=None,
            invoice=None,
            status="complete",
        )
        self.objects[f"{session['id']} lines"] = {
            "data": [
                {
                    "id": self._id("li"),
                    "object": "item",
                    "price": line["price"],
                    "quantity": quantity,
                    "amount_total": line["price"]["unit_amount"] * quantity,
                    "currency": "eur",
                    "description": self.objects[line["price"]["product"]]["name"],
                }
                for line in lines
            ]
        }
        if recurring:
            session["customer"] = self.add_customer(email, name)
            subscription = self.subscribe(session["customer"], prices, quantity, trial_days)
            session |= {
                "subscription": subscription["id"],
                "invoice": subscription["latest_invoice"],
            }
        else:
            session["payment_intent"] = self._id("pi")
            if paid:
                self._charge(total, session["payment_intent"], None, None, email)
        self._say("checkout.session.completed", session)
        return session

    def pay_later(self, session: Values, succeeds: bool = True) -> None:
        """A payment that takes days arrives, or does not."""
        if succeeds:
            session["payment_status"] = "paid"
            email = session["customer_details"]["email"]
            total = session["amount_total"]
            self._charge(total, session["payment_intent"], None, None, email)
        word = "succeeded" if succeeds else "failed"
        self._say(f"checkout.session.async_payment_{word}", session)

    def subscribe(
        self, customer: str, prices: Iterable[str], quantity: int = 1, trial_days: int = 0
    ) -> Values:
        """A customer subscribes, and pays the first invoice.

        :returns: the subscription.
        """
        subscription = self._add(
            "subscription",
            customer=customer,
            status="trialing" if trial_days else "active",
            cancel_at=None,
            cancel_at_period_end=False,
            canceled_at=None,
            ended_at=None,
            pause_collection=None,
            latest_invoice=None,
            items={"object": "list", "has_more": False, "data": []},
        )
        for price in prices:
            self._add_item(subscription, price, quantity, trial_days or TERM)
        invoice = self._invoice(subscription, 0 if trial_days else None)
        self._say("customer.subscription.created", subscription)
        self._pay(invoice)
        return subscription

    def change(self, subscription: Values, **fields: Any) -> None:
        """A subscription changes, its ``status`` or ``pause_collection`` for example."""
        self._change(subscription, fields)

    def change_price(self, subscription: Values, price: str, item: int = 0) -> None:
        """An item goes on at another price; the difference is paid at once."""
        items = deepcopy(subscription["items"])
        old = items["data"][item]["price"]["unit_amount"]
        items["data"][item]["price"] = self.objects[price]
        invoice = self._invoice(subscription, self.objects[price]["unit_amount"] - old, items)
        self._change(subscription, {"items": items, "latest_invoice": invoice["id"]})
        self._pay(invoice)

    def add_item(self, subscription: Values, price: str) -> None:
        """A subscription gets one more item."""
        before = deepcopy(subscription["items"])
        self._add_item(subscription, price, 1, TERM)
        first, *_others, added = subscription["items"]["data"]
        for name in ("current_period_start", "current_period_end"):
            added[name] = first[name]
        self._say("customer.subscription.updated", subscription, {"items": before})

    def remove_item(self, subscription: Values, item: int) -> None:
        """A subscription loses an item."""
        items = deepcopy(subscription["items"])
        del items["data"][item]
        self._change(subscription, {"items": items})

    def end(self, subscription: Values) -> None:
        """A subscription is cancelled at once."""
        now = self._now()
        subscription |= {"status": "canceled", "ended_at": now, "canceled_at": now}
        self._say("customer.subscription.deleted", subscription)

    def let_payments_fail(self, customer: str, fail: bool = True) -> None:
        """The payments of a customer fail from now on, or no longer."""
        (self._broke.add if fail else self._broke.discard)(customer)

    def recover(self, subscription: Values) -> None:
        """The open invoice of a subscription is paid after all."""
        self.let_payments_fail(subscription["customer"], False)
        self._pay(self.objects[subscription["latest_invoice"]])
        self._change(subscription, {"status": "active"})

    def let_pass(self, **by: float) -> None:
        """Move the clock; subscriptions that are due are renewed, or end.

        :param by: arguments of :class:`datetime.timedelta`: ``days=30``.
        """
        until = self.clock.now + timedelta(**by)
        while due := self._next_due(until):
            moment, subscription = due
            self.clock.now = max(self.clock.now, moment)
            if subscription["cancel_at_period_end"]:
                self.end(subscription)
            else:
                self._renew(subscription)
        self.clock.now = until

    def refund(self, payment: Values, cents: int | None = None) -> Values:
        """A charge is refunded, in full or in part.

        :param payment: of :meth:`payment`.
        :returns: the refund.
        """
        cents = payment["amount"] - payment["amount_refunded"] if cents is None else cents
        payment["amount_refunded"] += cents
        payment["refunded"] = payment["amount_refunded"] >= payment["amount"]
        refund = self._add(
            "refund",
            charge=payment["id"],
            payment_intent=payment["payment_intent"],
            amount=cents,
            currency="eur",
            status="succeeded",
        )
        self._say("refund.created", refund)
        self._say("charge.refunded", payment)
        return refund

    def fail_refund(self, refund: Values) -> None:
        """The bank does not take a refund."""
        payment = self.objects[refund["charge"]]
        payment["amount_refunded"] -= refund["amount"]
        payment["refunded"] = False
        refund["status"] = "failed"
        self._say("refund.updated", refund, {"status": "succeeded"})

    def dispute(self, payment: Values, status: str = "needs_response") -> Values:
        """A buyer disputes a charge.

        :returns: the dispute.
        """
        about = {"charge": payment["id"], "payment_intent": payment["payment_intent"]}
        dispute = self._add(
            "dispute", **about, amount=payment["amount"], currency="eur", status=status
        )
        self._say("charge.dispute.created", dispute)
        return dispute

    def close_dispute(self, dispute: Values, status: str = "won") -> None:
        """A dispute is won or lost."""
        dispute["status"] = status
        self._say("charge.dispute.closed", dispute)

    def payment(self, of: Values) -> Values:
        """The latest charge of a subscription, or of a session of Checkout."""
        names = {
            "invoice": of.get("latest_invoice"),
            "payment_intent": of.get("payment_intent"),
        }
        return next(
            one
            for one in reversed(list(self.objects.values()))
            if one.get("object") == "charge"
            and any(value and one[name] == value for name, value in names.items())
        )

    def change_address(self, customer: str, email: str) -> None:
        """A customer has another mail address from now on."""
        record = self.objects[customer]
        before, record["email"] = {"email": record["email"]}, email
        self._say("customer.updated", record, before)

    def delete_customer(self, customer: str) -> None:
        """A customer is deleted, and all subscriptions with it."""
        for one in list(self.objects.values()):
            live = one.get("object") == "subscription" and one["status"] != "canceled"
            if live and one["customer"] == customer:
                self.end(one)
        record = self.objects[customer]
        self.objects[customer] = {"id": customer, "object": "customer", "deleted": True}
        self._say("customer.deleted", record)

    def set_features(self, customer: str, *lookup_keys: str) -> None:
        """A customer has these features from now on."""
        entitlements = [
            {"id": self._id("ent"), "lookup_key": key, "livemode": self.livemode}
            for key in lookup_keys
        ]
        self.objects[f"{customer} features"] = {"data": entitlements}
        summary = {
            "object": "entitlements.active_entitlement_summary",
            "customer": customer,
            "entitlements": {"object": "list", "data": entitlements, "has_more": False},
            "livemode": self.livemode,
        }
        self._say("entitlements.active_entitlement_summary.updated", summary)

    def _next_due(self, until: datetime) -> tuple[datetime, Values] | None:
        due = [
            (_moment(item["current_period_end"]), one["id"])
            for one in self.objects.values()
            if one.get("object") == "subscription" and one["status"] in ("active", "trialing")
            for item in one["items"]["data"]
        ]
        moment, id_ = min((one for one in due if one[0] <= until), default=(until, ""))
        return (moment, self.objects[id_]) if id_ else None

    def _renew(self, subscription: Values) -> None:
        items = deepcopy(subscription["items"])
        for item in items["data"]:
            item["current_period_start"] = item["current_period_end"]
            item["current_period_end"] += TERM * 86400
        if (subscription["pause_collection"] or {}).get("behavior") == "void":
            # Its invoice is void: nobody pays it.
            self._change(subscription, {"items": items})
            return
        invoice = self._invoice(subscription, None, items)
        fields = {"items": items, "latest_invoice": invoice["id"], "status": "active"}
        fails = subscription["customer"] in self._broke
        if fails:
            fields["status"] = "past_due"
        self._change(subscription, fields)
        if fails:
            self._say("invoice.payment_failed", invoice)
        else:
            self._pay(invoice)

    def _add_item(self, subscription: Values, price: str, quantity: int, days: int) -> None:
        item = self._add(
            "subscription_item",
            price=self.objects[price],
            quantity=quantity,
            current_period_start=self._now(),
            current_period_end=self._now() + days * 86400,
        )
        subscription["items"]["data"].append(item)

    def _invoice(
        self, subscription: Values, cents: int | None = None, items: Values | None = None
    ) -> Values:
        """An open invoice of the items of a subscription, at their prices or for an amount."""
        lines = []
        for item in (items or subscription["items"])["data"]:
            price = item["price"]
            details = {"price": price["id"], "product": price["product"]}
            full = price["unit_amount"] * item["quantity"]
            inside = {"subscription_item": item["id"], "subscription": subscription["id"]}
            lines.append(
                {
                    "id": self._id("il"),
                    "amount": full if cents is None else cents,
                    "quantity": item["quantity"],
                    "currency": "eur",
                    "description": f"1 × {self.objects[price['product']]['name']} "
                    "(at €9.90 / month)",
                    "period": {
                        "start": item["current_period_start"],
                        "end": item["current_period_end"],
                    },
                    "parent": {"subscription_item_details": inside},
                    "pricing": {"price_details": details},
                }
            )
        total = sum(line["amount"] for line in lines)
        invoice = self._add(
            "invoice",
            customer=subscription["customer"],
            amount_due=total,
            amount_paid=0,
            currency="eur",
            status="open",
            parent={"subscription_details": {"subscription": subscription["id"]}},
            lines={"object": "list", "data": lines, "has_more": False},
        )
        subscription["latest_invoice"] = invoice["id"]
        return invoice

    def _pay(self, invoice: Values) -> None:
        total = invoice["amount_due"]
        invoice |= {"status": "paid", "amount_paid": total}
        if total > 0:
            self._charge(total, self._id("pi"), invoice["id"], invoice["customer"], None)
        self._say("invoice.paid", invoice)

    def _charge(
        self,
        cents: int,
        intent: str,
        invoice: str | None,
        customer: str | None,
        email: str | None,
    ) -> None:
        charge = self._add(
            "charge",
            amount=cents,
            amount_refunded=0,
            refunded=False,
            currency="eur",
            customer=customer,
            payment_intent=intent,
            invoice=invoice,
            billing_details={"email": email, "name": None},
        )
        if invoice:
            paid = {"type": "payment_intent", "payment_intent": intent}
            self._add("invoice_payment", invoice=invoice, payment=paid, status="paid")
        self._say("charge.succeeded", charge)

    def _change(self, subscription: Values, fields: Values) -> None:
        before = {name: deepcopy(subscription[name]) for name in fields}
        subscription |= fields
        self._say("customer.subscription.updated", subscription, before)

    def _add(self, type_: str, id_: str = "", **fields: Any) -> Values:
        prefix = {"subscription": "sub", "subscription_item": "si", "checkout.session": "cs"}
        id_ = id_ or self._id(prefix.get(type_, type_[:2]))
        made = {"id": id_, "object": type_, "livemode": self.livemode, "created": self._now()}
        self.objects[id_] = made | fields
        return self.objects[id_]

    def _id(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}_{self._number:08}"

    def _now(self) -> int:
        return int(self.clock.now.timestamp())

    def _say(self, type_: str, about: Values, before: Values | None = None) -> None:
        data = {"object": shown(about, self.old_shape)}
        if before is not None:
            data["previous_attributes"] = deepcopy(before)
        event = {
            "id": self._id("evt"),
            "object": "event",
            "api_version": OLD if self.old_shape else NEW,
            "created": self._now(),
            "livemode": self.livemode,
            "type": type_,
            "data": data,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
        }
        self.events.append(event)
        self._tell(event)


def shown(about: Values, old: bool = False) -> Values:
    """An object as it goes out.

    :param old: with the fields of the API's older versions.
    """
    one = deepcopy(about)
    type_ = one.get("object")
    if type_ == "charge" and not old:
        del one["invoice"]
    if not old:
        return one
    if type_ == "subscription":
        for item in one["items"]["data"]:
            for name in ("current_period_start", "current_period_end"):
                one[name] = item.pop(name)
    if type_ == "invoice":
        one["subscription"] = one.pop("parent")["subscription_details"]["subscription"]
        for line in one["lines"]["data"]:
            details = line.pop("parent")["subscription_item_details"]
            line["subscription_item"] = details["subscription_item"]
            price = line.pop("pricing")["price_details"]
            line["price"] = {"id": price["price"], "product": price["product"]}
    return one


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
