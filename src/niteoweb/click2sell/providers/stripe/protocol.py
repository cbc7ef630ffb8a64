"""Stripe: signed events about payments, subscriptions and customers.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

The header ``Stripe-Signature`` holds the time and one signature or more, each an HMAC-SHA256
over time and raw body; while a secret is rotated there are two. An event has an id, which every
delivery of it shares. Events come in any order, and more than once.

:mod:`niteoweb.click2sell.providers.stripe.states` reads subscriptions and features, and
:mod:`niteoweb.click2sell.providers.stripe.payments` all that money moves by.
"""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from datetime import tzinfo
from niteoweb.click2sell.notification import Answer
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import EVERYTHING
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.notification import WrongMode
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import signatures
from niteoweb.click2sell.providers.stripe import events
from niteoweb.click2sell.providers.stripe import payments
from niteoweb.click2sell.providers.stripe import states
from typing import Any


NAME = states.NAME
TITLE = "Stripe"
SIGNED = EVERYTHING
EVENTS = events.EVENTS
EVENT_TYPES = tuple(sorted(events.KINDS))
#: Stripe looks at the status alone, and tries again for three days after an error.
answer = Answer
#: The header with time and signatures, in lower case.
SIGNATURE = "stripe-signature"
#: Seconds that a signed time may be away from now, where the setting is not there.
TOLERANCE = 300
#: A Payment Link hands it back with the session of Checkout.
MEMBER_PARAMETER = "client_reference_id"
#: A Payment Link fills the address in, which its reader may change.
EMAIL_PARAMETER = "prefilled_email"
#: The page that opens a session of the Customer Portal.
PORTAL = "@@stripe-portal"


def verify(delivery: Delivery, settings: Any, now: datetime) -> signatures.SealedBody:
    """Prove that a delivery comes from Stripe, see :class:`.IPaymentProvider`.

    :raises WrongSignature: the signature is missing, malformed, too old, in the future, or not
        the one of this body, with either key.
    :raises WrongMode: it is a test and the settings say live, or the other way round.
    """
    secret_keys = signatures.keys(delivery, settings)
    time, digests = signatures.timed(delivery.headers.get(SIGNATURE, ""), "v1")
    message = time.encode("ascii") + b"." + delivery.body
    by_previous_key = signatures.prove(digests, message, secret_keys)
    tolerance = TOLERANCE if settings.tolerance is None else settings.tolerance
    sent_at = signatures.sent_at(time, now, tolerance)
    genuine = signatures.SealedBody(
        delivery.body, by_previous_key, sent_at, ("data.object.id",)
    )
    try:
        live = genuine.read().boolean("livemode")
    except ParameterError:
        # It is genuine: parse names the broken field, and the event is recorded.
        return genuine
    if live is not None and live == bool(settings.test_mode):
        raise WrongMode("livemode")
    return genuine


def parse(genuine: signatures.SealedBody, timezone_: tzinfo) -> tuple[Notification, ...]:
    """Read a genuine event; Stripe's times are Unix seconds."""
    return read(genuine.read())


def read(event: JsonBody) -> tuple[Notification, ...]:
    """The notifications of an event, delivered or listed.

    :raises ParameterMissing: a field is missing.
    :raises ParameterInvalid: a field is malformed.
    """
    event_id, type_ = event.required("id"), event.required("type")
    if event.boolean("livemode") is None:
        raise ParameterMissing("livemode")
    moment = event.moment("created")
    if moment is None:
        raise ParameterMissing("created")
    body = event.part("data.object")
    known = type_ in events.KINDS
    notification = Notification(
        key=idempotency_key(NAME, event_id),
        provider=NAME,
        kind=events.KINDS.get(type_, Kind.INFORMATION),
        transaction="",
        receipt="",
        occurred_at=moment,
        buyer="",
        email="",
        product_id="",
        customer_id=states.reference(body, "customer") if known else "",
        fully_signed=True,
        payload=event.payload(),
    )
    if type_.removeprefix(events.THIN_TYPE) in events.KINDS and not known:
        return (replace(notification, kind=Kind.UNKNOWN, attention=events.THIN),)
    if not known:
        return (notification,)
    if type_.startswith(events.SUBSCRIPTION):
        before = event.part("data.previous_attributes")
        if notification.kind is Kind.PURCHASE:
            # The first invoice is for all items. A later one may be for some of them, and its
            # refund must not end the others: which ones it is for is told when it is paid.
            receipt = states.reference(body, "latest_invoice")
            notification = replace(notification, receipt=receipt)
        return states.of_subscription(notification, event_id, body, before)
    if type_ == events.INVOICE_PAID:
        notification = replace(notification, kind=Kind.INFORMATION)
        return payments.of_invoice(notification, event_id, body)
    if type_.startswith("customer."):
        return (_customer(notification, body),)
    if type_ == events.FEATURES:
        listed = body.part("entitlements")
        keys = [one.text("lookup_key") for one in listed.parts("data")]
        stated = states.of_features(notification, keys)
        if listed.boolean("has_more"):
            # What is not listed must not end; the API tells the rest.
            stated = replace(stated, kind=Kind.UNKNOWN, snapshot=False)
        return (stated,)
    if type_ == "charge.refunded":
        notification = replace(notification, kind=Kind.INFORMATION)
        return (payments.of_charge(notification, body),)
    if type_.startswith(("refund.", "charge.refund.")):
        notification = replace(notification, kind=Kind.INFORMATION)
    return (_OTHERS[type_.rpartition(".")[0]](notification, body),)


def manage(settings: Any, customer_ids: tuple[str, ...]) -> str | None:
    """The page of the site that leads a customer to the Customer Portal."""
    return PORTAL if settings.api_token and customer_ids else None


def sign(secret_key: str, time: int, body: bytes) -> str:
    """The header ``Stripe-Signature`` of a body.

    :param time: Unix seconds.
    """
    message = str(time).encode("ascii") + b"." + body
    return f"t={time},v1={signatures.sign(secret_key.encode('utf-8'), message).hex()}"


def _customer(notification: Notification, customer: JsonBody) -> Notification:
    customer_id = customer.required("id")
    # No payment has such an id, so that nothing else is taken for the same transaction.
    notification = replace(
        notification, customer_id=customer_id, transaction=f"customer {customer_id}"
    )
    if notification.kind is Kind.EXPIRY:
        return replace(notification, customer_deleted=True)
    return states.of_customer(notification, customer)


#: Readers of the events that make one notification each, by the beginning of their type.
_OTHERS: Mapping[str, Callable[[Notification, JsonBody], Notification]] = {
    "checkout.session": payments.of_session,
    "invoice": payments.of_failed_invoice,
    "refund": payments.of_refund,
    "charge.refund": payments.of_refund,
    "charge.dispute": payments.of_dispute,
}
