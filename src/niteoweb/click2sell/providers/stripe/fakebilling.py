"""Billing at a Stripe that is not real: prices, subscriptions, their invoices and charges."""

from collections.abc import Callable
from collections.abc import Iterable
from copy import deepcopy
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell.providers.stripe.fakerecord import Record
from niteoweb.click2sell.providers.stripe.fakerecord import Values
from niteoweb.click2sell.testing import Clock
from typing import Any


#: Days of a period.
TERM = 30


class Billing(Record):
    """Customers with subscriptions, which are invoiced, paid and renewed."""

    def __init__(self, clock: Clock, tell: Callable[[Values], None]) -> None:
        super().__init__(clock, tell)
        self._broke: set[str] = set()

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

    def subscribe(
        self,
        customer: str,
        prices: Iterable[str],
        quantity: int = 1,
        trial_days: int = 0,
        once: Iterable[str] = (),
    ) -> Values:
        """A customer subscribes, and pays the first invoice.

        :param once: prices that are not recurring, on the first invoice only.
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
        for price in once:
            self._add_line(invoice, subscription, price)
        self._say("customer.subscription.created", subscription)
        self._pay(invoice)
        return subscription

    def change(self, subscription: Values, **fields: Any) -> None:
        """A subscription changes, its ``status`` or ``pause_collection`` for example."""
        self._change(subscription, fields)

    def change_price(self, subscription: Values, price: str, item: int = 0) -> None:
        """An item goes on at another price; the difference is paid at once, or is not."""
        items = deepcopy(subscription["items"])
        old = items["data"][item]["price"]["unit_amount"]
        items["data"][item]["price"] = self.objects[price]
        invoice = self._invoice(subscription, self.objects[price]["unit_amount"] - old, items)
        self._change(subscription, self._settled(subscription, invoice) | {"items": items})
        self._tell_of(invoice)

    def add_item(self, subscription: Values, price: str, at_once: bool = False) -> None:
        """A subscription gets one more item.

        :param at_once: it is paid by an invoice of its own.
        """
        before = deepcopy(subscription["items"])
        self._add_item(subscription, price, 1, TERM)
        first, *_others, added = subscription["items"]["data"]
        for name in ("current_period_start", "current_period_end"):
            added[name] = first[name]
        invoice = self._invoice(subscription, None, {"data": [added]}) if at_once else None
        self._say("customer.subscription.updated", subscription, {"items": before})
        if invoice:
            self._pay(invoice)

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
        fields = {"status": "active", **self._settled(subscription, invoice), "items": items}
        self._change(subscription, fields)
        self._tell_of(invoice)

    def _settled(self, subscription: Values, invoice: Values) -> Values:
        """The fields of a subscription whose payment for an invoice succeeds, or fails."""
        fails = subscription["customer"] in self._broke
        status = {"status": "past_due"} if fails else {}
        return {"latest_invoice": invoice["id"], **status}

    def _tell_of(self, invoice: Values) -> None:
        if invoice["customer"] in self._broke:
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

    def _add_line(self, invoice: Values, subscription: Values, price: str) -> None:
        """An invoice gets one more line, for a price that is not recurring."""
        cents, product = self.objects[price]["unit_amount"], self.objects[price]["product"]
        line = {
            "id": self._id("il"),
            "amount": cents,
            "quantity": 1,
            "currency": "eur",
            "description": self.objects[product]["name"],
            "period": {"start": self._now(), "end": self._now()},
            "parent": {
                "invoice_item_details": {
                    "invoice_item": self._id("ii"),
                    "proration": False,
                    "subscription": subscription["id"],
                }
            },
            "pricing": {"price_details": {"price": price, "product": product}},
        }
        invoice["lines"]["data"].append(line)
        invoice["amount_due"] += cents

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


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
