"""An account at a Stripe that is not real: sales, refunds, disputes and customers of a shop."""

from niteoweb.click2sell.providers.stripe.fakebilling import Billing
from niteoweb.click2sell.providers.stripe.fakerecord import DEFAULT_PAGE
from niteoweb.click2sell.providers.stripe.fakerecord import Values


class StripeAccount(Billing):
    """Customers, subscriptions and payments of a shop."""

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
            once = [id_ for id_ in prices if not self.objects[id_]["recurring"]]
            items = [id_ for id_ in prices if id_ not in once]
            subscription = self.subscribe(
                session["customer"], items, quantity, trial_days, once
            )
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
        if not status.startswith("warning_"):
            self._say("charge.dispute.funds_withdrawn", dispute)
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

    def add_endpoint(self, url: str, *types: str, enabled: bool = True) -> Values:
        """A webhook endpoint.

        :param types: of the events that are chosen.
        """
        status = "enabled" if enabled else "disabled"
        return self._add("webhook_endpoint", url=url, status=status, enabled_events=list(types))

    def create_customer(self, email: str) -> str:
        """A customer is created in the Dashboard, and an event tells of it.

        :returns: the customer's id.
        """
        customer = self.add_customer(email)
        self._say("customer.created", self.objects[customer])
        return customer

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
            "entitlements": {
                "object": "list",
                "data": entitlements[:DEFAULT_PAGE],
                "has_more": len(entitlements) > DEFAULT_PAGE,
            },
            "livemode": self.livemode,
        }
        self._say("entitlements.active_entitlement_summary.updated", summary)
