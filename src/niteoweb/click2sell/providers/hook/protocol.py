"""The signed hook: a JSON POST that any shop can sign, by Standard Webhooks.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

What it may say is this project's own form, :data:`SCHEMA`. A hook that comes again has the same
``webhook-id``; another body under an id that was used is another hook, so that no sender who
forgets to count loses a purchase.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo
from niteoweb.click2sell.notification import Answer
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Event
from niteoweb.click2sell.notification import EVERYTHING
from niteoweb.click2sell.notification import GIVING
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.notification import UNDOING
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.provider import signatures
from niteoweb.click2sell.provider import standardhook
from typing import Any

import re


NAME = "hook"
TITLE = "Signed hook"
#: The page that it is posted to.
CALLBACK = "purchase-hook"
SIGNED = EVERYTHING
#: A sender looks at the status alone.
answer = Answer

TYPES: Mapping[str, Kind] = {
    "purchase": Kind.PURCHASE,
    "renewal": Kind.RENEWAL,
    "cancellation": Kind.CANCELLATION,
    "reactivation": Kind.REACTIVATION,
    "refund": Kind.REFUND,
    "chargeback": Kind.CHARGEBACK,
    "expiry": Kind.EXPIRY,
}
_EFFECTS = {
    Kind.PURCHASE: "access until the end that is stated, or for the days of the mapping",
    Kind.RENEWAL: "access until the new end",
    Kind.CANCELLATION: "access stays until its end",
    Kind.REACTIVATION: "access again",
    Kind.REFUND: "access by this transaction ends now",
    Kind.CHARGEBACK: "access by this transaction ends now",
    Kind.EXPIRY: "access ends",
}
EVENTS = tuple(Event(name, kind, _EFFECTS[kind]) for name, kind in TYPES.items())
#: Events of a subscription, whose renewal is waited for.
_RECURRING = frozenset({Kind.RENEWAL, Kind.CANCELLATION, Kind.REACTIVATION, Kind.EXPIRY})

#: An id is told from the time by the dot after it.
_ID = re.compile(r"[^\x00-\x20.\x7f-\U0010ffff]{1,100}")
_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)


def _text(description: str, longest: int = jsonbody.LONGEST_TEXT) -> dict[str, Any]:
    return {"type": "string", "maxLength": longest, "description": description}


def _moment(description: str) -> dict[str, Any]:
    return {"type": "string", "format": "date-time", "description": description}


#: The JSON Schema of a hook, which the page serves and the documentation shows.
SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A purchase, or what became of one",
    "type": "object",
    "required": ["type", "timestamp", "data"],
    "if": {"properties": {"type": {"enum": [n for n, k in TYPES.items() if k in GIVING]}}},
    "then": {"properties": {"data": {"required": ["product"]}}},
    "properties": {
        "type": {"enum": list(TYPES)},
        "timestamp": _moment("When it happened, with the time zone."),
        "data": {
            "type": "object",
            "required": ["transaction"],
            "anyOf": [{"required": ["email"]}, {"required": ["customer"]}],
            "properties": {
                "transaction": _text("Names the purchase in all that is told about it.", 100),
                "email": _text("The address that was paid under.", jsonbody.LONGEST_ADDRESS),
                "customer": _text(
                    "Your id of the customer; then the address serves mail only.", 100
                ),
                "name": _text("The buyer's name."),
                "product": _text("Its id; a purchase, renewal or reactivation needs one.", 100),
                "product_name": _text("Its title."),
                "receipt": _text("The number on the buyer's receipt.", 100),
                "amount": {
                    "type": ["number", "string"],
                    "description": 'What was paid, or paid back: 9.90 or "9.90".',
                },
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
                "valid_until": _moment("End of access. Without it the mapping's days count."),
                "subscription": {
                    "type": "boolean",
                    "description": "A renewal will follow: grace is given while it is late.",
                },
                "affiliate": _text("Who brought the buyer."),
            },
        },
    },
}


@dataclass(repr=False)
class VerifiedHook(signatures.SealedBody):
    """A hook whose signature was verified.

    :ivar id: its ``webhook-id``.
    """

    id: str = ""

    def key(self, provider: str, *parts: str) -> str:
        """The idempotency key, made of id and body."""
        return super().key(provider, self.id, *parts)


def verify(delivery: Delivery, settings: Any, now: datetime) -> VerifiedHook:
    """Prove that a hook comes from who knows the secret, see :class:`.IPaymentProvider`.

    :raises WrongSignature: a header is missing or malformed, no signature is the one of this
        hook with either key, or it is too old or from the future.
    """
    secrets = signatures.keys(delivery, settings)
    id_, time = (delivery.headers.get(name, "") for name in standardhook.HEADERS[:2])
    if not _ID.fullmatch(id_) or not _TIME.fullmatch(time) or str(int(time)) != time:
        raise WrongSignature
    present, previous = (standardhook.key(secret.decode("utf-8")) for secret in secrets)
    by_previous_key = signatures.prove(
        standardhook.digests(delivery.headers.get(standardhook.SIGNATURE, "")),
        standardhook.message(id_, int(time), delivery.body),
        (present, previous),
    )
    sent_at = signatures.sent_at(time, now, settings.tolerance)
    ids = ("data.transaction",)
    return VerifiedHook(delivery.body, by_previous_key, sent_at, ids, id=id_)


def parse(genuine: VerifiedHook, timezone_: tzinfo) -> tuple[Notification, ...]:
    """Read a genuine hook; its times name their zone."""
    body = genuine.read()
    data = body.part("data")
    kind = TYPES[body.choice("type", TYPES) or _missing("type")]
    occurred_at = body.moment("timestamp") or _missing("timestamp")
    transaction = data.required("transaction")
    if kind in GIVING:
        data.required("product")
    email, customer_id = data.address("email"), data.identifier("customer")
    if not (email or customer_id):
        raise ParameterMissing("data.email")
    currency = data.text("currency", 3)
    if currency and not re.fullmatch(r"[A-Z]{3}", currency, re.ASCII):
        raise ParameterInvalid("data.currency")
    until = data.moment("valid_until")
    if kind is Kind.EXPIRY:
        until = min(until or occurred_at, occurred_at)
    elif kind in UNDOING:
        until = None
    first_name, _, last_name = data.title("name").rpartition(" ")
    notification = Notification(
        key=genuine.key(NAME),
        provider=NAME,
        kind=kind,
        transaction=transaction,
        receipt=data.identifier("receipt"),
        occurred_at=occurred_at,
        buyer=email.lower(),
        email=email,
        product_id=data.identifier("product"),
        product_name=data.title("product_name"),
        first_name=first_name or last_name,
        last_name=last_name if first_name else "",
        amount=data.decimal("amount"),
        currency=currency,
        affiliate=data.title("affiliate"),
        valid_until=until,
        subscription=bool(data.boolean("subscription")) or kind in _RECURRING,
        customer_id=customer_id,
        snapshot=kind is Kind.REACTIVATION and until is not None,
        fully_signed=True,
        payload=body.payload(),
    )
    return (notification,)


def _missing(name: str) -> Any:
    raise ParameterMissing(name)
