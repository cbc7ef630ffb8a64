"""The events of Stripe, and the effect of each.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Mapping
from niteoweb.click2sell.notification import Event
from niteoweb.click2sell.notification import Kind


SUBSCRIPTION = "customer.subscription."
SESSION = "checkout.session."
INVOICE_PAID = "invoice.paid"
FEATURES = "entitlements.active_entitlement_summary.updated"
DISPUTE = "charge.dispute."
#: The beginning of the types of thin events, which name an object and say nothing of it.
THIN_TYPE = "v1."
#: The code for them, why a person has to decide; it is stored.
THIN = "thin event"

#: The kinds of events, by their type; what they state may make another one of it.
KINDS: Mapping[str, Kind] = {
    f"{SESSION}completed": Kind.PURCHASE,
    f"{SESSION}async_payment_succeeded": Kind.PURCHASE,
    f"{SESSION}async_payment_failed": Kind.PAYMENT_FAILED,
    INVOICE_PAID: Kind.RENEWAL,
    "invoice.payment_failed": Kind.PAYMENT_FAILED,
    f"{SUBSCRIPTION}created": Kind.PURCHASE,
    f"{SUBSCRIPTION}updated": Kind.PLAN_CHANGE,
    f"{SUBSCRIPTION}resumed": Kind.REACTIVATION,
    f"{SUBSCRIPTION}paused": Kind.EXPIRY,
    f"{SUBSCRIPTION}deleted": Kind.EXPIRY,
    "charge.refunded": Kind.REFUND,
    "refund.created": Kind.INFORMATION,
    "refund.updated": Kind.INFORMATION,
    "refund.failed": Kind.REACTIVATION,
    # The only one of a card's refund before API version 2024-10-28.
    "charge.refund.updated": Kind.INFORMATION,
    f"{DISPUTE}created": Kind.CHARGEBACK,
    f"{DISPUTE}funds_withdrawn": Kind.CHARGEBACK,
    f"{DISPUTE}closed": Kind.REACTIVATION,
    "customer.created": Kind.INFORMATION,
    "customer.updated": Kind.INFORMATION,
    "customer.deleted": Kind.EXPIRY,
    FEATURES: Kind.PLAN_CHANGE,
}

_STATED = "product and end become those of Stripe"
_NO_ACCESS = "no access"
_RECORDED = "recorded only"

#: Everything that Stripe tells, as type of event and what it states.
EVENTS = (
    Event(
        "checkout.session.completed, a payment that is paid",
        Kind.PURCHASE,
        "access to each line; days by the mapping",
    ),
    Event("checkout.session.async_payment_succeeded", Kind.PURCHASE, "the same, paid later"),
    Event(
        "checkout.session.completed, a subscription",
        Kind.INFORMATION,
        "the customer's address is remembered, and who was logged in",
    ),
    Event("checkout.session.async_payment_failed", Kind.PAYMENT_FAILED, "nothing changes"),
    Event("invoice.paid", Kind.RENEWAL, "access until the end of the period that was paid"),
    Event(
        "invoice.paid, a line that is bought once along with a subscription",
        Kind.PURCHASE,
        "access; days by the mapping",
    ),
    Event("invoice.paid, without a subscription", Kind.INFORMATION, _RECORDED),
    Event("invoice.payment_failed", Kind.PAYMENT_FAILED, "access stays for the days of grace"),
    Event(
        "customer.subscription.created, active or trialing",
        Kind.PURCHASE,
        "access until the end of the period, for each item",
    ),
    Event(
        "customer.subscription.updated, active or trialing",
        Kind.PLAN_CHANGE,
        f"{_STATED}; an item that is gone ends",
    ),
    Event(
        "customer.subscription.updated, past_due",
        Kind.PLAN_CHANGE,
        "access stays for the days of grace after the period that was paid",
    ),
    Event(
        "customer.subscription.updated, to be cancelled",
        Kind.CANCELLATION,
        "access stays until its end",
    ),
    Event(
        "customer.subscription.updated, cancellation taken back",
        Kind.REACTIVATION,
        _STATED,
    ),
    Event(
        "customer.subscription.updated, incomplete or incomplete_expired",
        Kind.INFORMATION,
        "nothing yet",
    ),
    Event(
        "customer.subscription.updated, unpaid, canceled or paused, or its collection "
        "paused as void",
        Kind.EXPIRY,
        _NO_ACCESS,
    ),
    Event("customer.subscription.resumed", Kind.REACTIVATION, _STATED),
    Event("customer.subscription.paused", Kind.EXPIRY, _NO_ACCESS),
    Event("customer.subscription.deleted", Kind.EXPIRY, "access ends"),
    Event(
        "a subscription's item or a line of Checkout with a quantity above one",
        Kind.UNKNOWN,
        "needs attention: who uses it is not said; nothing is granted",
    ),
    Event("charge.refunded, in full", Kind.REFUND, "access by that payment ends now"),
    Event("charge.refunded, in part", Kind.INFORMATION, "recorded with the amount"),
    Event("refund.created", Kind.INFORMATION, "recorded with the amount"),
    Event(
        "refund.updated or charge.refund.updated", Kind.INFORMATION, "recorded with the amount"
    ),
    Event(
        "refund.updated, refund.failed or charge.refund.updated, failed or canceled",
        Kind.REACTIVATION,
        "as if it had not been refunded",
    ),
    Event("charge.dispute.created", Kind.CHARGEBACK, "access by that payment ends now"),
    Event(
        "charge.dispute.funds_withdrawn",
        Kind.CHARGEBACK,
        "the same, where an inquiry became a dispute",
    ),
    Event("charge.dispute.created, an inquiry only (warning)", Kind.INFORMATION, _RECORDED),
    Event("charge.dispute.closed, won", Kind.REACTIVATION, "as if it had not been disputed"),
    Event("charge.dispute.closed, lost", Kind.INFORMATION, "the chargeback stays"),
    Event("customer.created", Kind.INFORMATION, "the customer's address is remembered"),
    Event("customer.updated", Kind.INFORMATION, "the address tied to the customer follows"),
    Event(
        "customer.deleted",
        Kind.EXPIRY,
        "access by all that the customer has ends; the member is marked for erasure",
    ),
    Event(FEATURES, Kind.PLAN_CHANGE, "access to the features that are stated, and no other"),
    Event(
        "any of these with the payload style Thin",
        Kind.UNKNOWN,
        "needs attention: it says nothing; choose the style Snapshot",
    ),
    Event("anything else", Kind.INFORMATION, _RECORDED),
)
