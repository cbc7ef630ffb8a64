"""Stripe's payments: Checkout, invoices, refunds and disputes.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A single payment is known by its payment intent, and so is its refund. A subscription's payment
is known by its invoice, which an item's notifications have as their receipt. A refund that
fails and a dispute that is won name the refunded charge or the dispute that they take back.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.notification import SEVERAL_PIECES
from niteoweb.click2sell.provider import for_several
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.providers.stripe import states
from typing import Any

import re


#: Currencies whose amounts have no, or three, decimal places at Stripe; all others have two.
_PLACES: Mapping[str, int] = {
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"], 0),
    **dict.fromkeys(["PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "JOD", "KWD", "OMR", "TND"], 3),
}

_PAID = ("paid", "no_payment_required")
#: What Stripe writes on an invoice: ``1 × Gold (at €9.90 / month)``.
_DESCRIPTION = re.compile(r"(?:\d+ × )?(.+?)(?: \(at .*\))?")


def amount(body: JsonBody, name: str) -> dict[str, Any]:
    """An amount in the smallest unit of its currency, as fields of a notification."""
    return _money(body.integer(name), body)


def of_session(notification: Notification, session: JsonBody) -> Notification:
    """A notification about a session of Checkout.

    :param notification: a purchase for one that may have been paid, or a failed payment.
    """
    details = session.part("customer_details")
    email = details.address("email")
    notification = replace(
        notification,
        transaction=states.reference(session, "payment_intent") or session.required("id"),
        buyer=email.lower(),
        email=email,
        first_name=details.title("name"),
        country=details.title("address.country") if details.has("address") else "",
        member_token=session.text("client_reference_id"),
    )
    paid = session.text("payment_status") in _PAID
    if notification.kind is not Kind.PURCHASE:
        return notification
    if session.text("mode") != "payment" or not paid:
        return replace(notification, kind=Kind.INFORMATION)
    if not (notification.customer_id or email):
        raise ParameterMissing("customer_details.email")
    return replace(
        notification,
        receipt=notification.transaction,
        product_id=session.identifier("metadata.product"),
        **amount(session, "amount_total"),
    )


def of_lines(
    notification: Notification, event_id: str, lines: Iterable[JsonBody]
) -> tuple[Notification, ...]:
    """The purchases of a session of Checkout: one for each of its lines.

    :param notification: the purchase; the first line has its key.
    """
    told: list[Notification] = []
    for line in lines:
        one = states.of_item(notification, event_id, line.required("id"))
        price = line.part("price")
        price.required("id")
        one = replace(one, **{**states.bought(price), **amount(line, "amount_total")})
        one = replace(
            one,
            key=one.key if told else notification.key,
            transaction=notification.transaction,
            product_name=line.title("description") or one.product_name,
        )
        several = (line.integer("quantity") or 1) > 1
        told.append(for_several(one, SEVERAL_PIECES) if several else one)
    return tuple(told)


def of_invoice(
    notification: Notification, event_id: str, invoice: JsonBody
) -> tuple[Notification, ...]:
    """The notifications of a paid invoice: a renewal of each item that it names.

    What an item pays for is its line with the latest end. Lines that give money back are for
    the accounts only. A period that is over already is a payment of its own: it must not take
    the place of what was paid for since. Along with a subscription something may be bought
    once: each such line is a purchase.
    """
    notification = replace(notification, receipt=invoice.required("id"))
    by_item: dict[str, list[JsonBody]] = {}
    for line in invoice.parts("lines.data"):
        by_item.setdefault(_item(line), []).append(line)
    once = by_item.pop("", []) if subscription_of(invoice) else []
    by_item.pop("", None)
    told: list[Notification] = []
    for item_id, lines in by_item.items():
        charged = [
            line
            for line in lines
            if (line.integer("amount") or 0) >= 0 and line.integer("quantity") != 0
        ]
        if not charged:
            continue
        line = max(charged, key=_end)
        one = states.of_item(notification, event_id, item_id)
        over = _end(line) <= one.occurred_at
        if over:
            one = replace(one, transaction=notification.receipt)
        sum_ = sum(map(_discounted, lines))
        one = replace(
            one,
            kind=Kind.RENEWAL,
            valid_until=_end(line),
            subscription=True,
            snapshot=True,
            **_of_line(line),
            **_money(sum_, invoice),
        )
        # Of what was used in a period that is over, the quantity is no number of users.
        several = (line.integer("quantity") or 1) > 1 and not over
        told.append(for_several(one, SEVERAL_PIECES) if several else one)
    for line in filter(_is_bought, once):
        one = states.of_item(notification, event_id, line.required("id"))
        sum_ = _money(_discounted(line), invoice)
        one = replace(one, kind=Kind.PURCHASE, **_of_line(line), **sum_)
        several = (line.integer("quantity") or 1) > 1
        told.append(for_several(one, SEVERAL_PIECES) if several else one)
    whole = amount(invoice, "amount_paid") if told else {}
    if whole:
        # Tax and the buyer's balance go with the first item.
        rest = sum((one.amount or Decimal()) for one in told[1:])
        told[0] = replace(told[0], amount=whole["amount"] - rest)
    return tuple(told) or (notification,)


def subscription_of(invoice: JsonBody) -> str:
    """The id of the subscription that an invoice is for, "" for none."""
    names = ("parent.subscription_details.subscription", "subscription")
    return next(filter(None, (states.reference(invoice, name) for name in names)), "")


def of_failed_invoice(notification: Notification, invoice: JsonBody) -> Notification:
    """A notification of an invoice that could not be paid."""
    items = list(filter(None, map(_item, invoice.parts("lines.data"))))
    return replace(
        notification,
        transaction=items[0] if items else "",
        receipt=invoice.required("id"),
        **amount(invoice, "amount_due"),
    )


def of_charge(notification: Notification, charge: JsonBody) -> Notification:
    """A notification of a charge that was refunded: in full it is undone, else it is told."""
    notification = replace(notification, **amount(charge, "amount_refunded"))
    notification = with_payer(notification, charge)
    if charge.boolean("refunded"):
        return replace(notification, kind=Kind.REFUND, undoing=charge.required("id"))
    return notification


def of_refund(notification: Notification, refund: JsonBody) -> Notification:
    """A notification of a refund: one that failed takes back the refund of its charge."""
    notification = replace(notification, **_payment(refund), **amount(refund, "amount"))
    if refund.text("status") not in ("failed", "canceled"):
        return notification
    charge = states.reference(refund, "charge")
    if not charge:
        raise ParameterMissing("charge")
    return replace(notification, kind=Kind.REACTIVATION, undoing=charge)


def of_dispute(notification: Notification, dispute: JsonBody) -> Notification:
    """A notification of a dispute.

    :param notification: a chargeback for one that was opened, else a reactivation.
    """
    notification = replace(
        notification,
        **_payment(dispute),
        **amount(dispute, "amount"),
        undoing=dispute.required("id"),
    )
    status = dispute.text("status")
    # A bank that only inquires has not taken the money back.
    inquiry = status.startswith("warning_") and status != "warning_closed"
    if notification.kind is Kind.CHARGEBACK and not inquiry:
        return notification
    if notification.kind is Kind.REACTIVATION and status in ("won", "warning_closed"):
        return notification
    return replace(notification, kind=Kind.INFORMATION, undoing="")


def with_payer(notification: Notification, charge: JsonBody) -> Notification:
    """A notification with the payment and the payer of a charge.

    A guest of Checkout is no customer, and known by the address that was paid under.
    """
    details = charge.part("billing_details")
    customer_id = states.reference(charge, "customer")
    email = "" if customer_id else details.address("email")
    intent = states.reference(charge, "payment_intent")
    return replace(
        notification,
        transaction=intent or charge.required("id"),
        receipt=states.reference(charge, "invoice"),
        customer_id=customer_id,
        buyer=email.lower(),
        email=email,
        first_name=details.title("name"),
    )


def _payment(body: JsonBody) -> dict[str, str]:
    """The payment of a refund or dispute, as fields of a notification."""
    intent = states.reference(body, "payment_intent")
    return {"transaction": intent or states.reference(body, "charge")}


def _item(line: JsonBody) -> str:
    """The id of the subscription's item that a line of an invoice is for, "" for none."""
    parent = line.part("parent")
    for name in ("subscription_item_details", "invoice_item_details"):
        inside = parent.part(name).identifier("subscription_item")
        if inside:
            return inside
    return line.identifier("subscription_item")


def _is_bought(line: JsonBody) -> bool:
    """Whether a line that is for no item is for a price, and no part of a period."""
    details = line.part("parent").part("invoice_item_details")
    proration = line.boolean("proration") or details.boolean("proration")
    price = line.part("pricing").part("price_details").has("price") or line.has("price")
    return price and not proration and (line.integer("amount") or 0) > 0


def _discounted(line: JsonBody) -> int:
    """The amount of a line without its discounts."""
    discounts = line.parts("discount_amounts")
    return (line.integer("amount") or 0) - sum(one.integer("amount") or 0 for one in discounts)


def _end(line: JsonBody) -> datetime:
    end = line.moment("period.end")
    if end is None:
        raise ParameterMissing("period.end")
    return end


def _of_line(line: JsonBody) -> dict[str, Any]:
    details = line.part("pricing").part("price_details")
    named = states.expanded(details, "price")
    price = named if named.has("id") else line.part("price")
    fields = states.bought(price)
    if not fields["product_id"]:
        raise ParameterMissing("pricing.price_details.price")
    product = states.reference(details, "product")
    names = dict.fromkeys(filter(None, (*fields["aliases"], product)))
    match = _DESCRIPTION.fullmatch(line.title("description"))
    name = match[1] if match else ""
    return {**fields, "aliases": tuple(names), "product_name": name or fields["product_name"]}


def _money(minor: int | None, body: JsonBody) -> dict[str, Any]:
    currency = body.text("currency").upper()
    if minor is None or not currency:
        return {}
    amount = Decimal(minor).scaleb(-_PLACES.get(currency, 2))
    return {"amount": amount, "currency": currency}
