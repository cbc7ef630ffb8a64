"""Notifications of payment providers, in words that do not depend on the provider.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import hashlib
import json


class Kind(StrEnum):
    """The kinds of events. The values are stored, so they never change."""

    PURCHASE = "purchase"
    RENEWAL = "renewal"
    PLAN_CHANGE = "plan change"
    CANCELLATION = "cancellation"
    REACTIVATION = "reactivation"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    PAYMENT_FAILED = "payment failed"
    EXPIRY = "expiry"
    #: Bought elsewhere, as an app says: access for some minutes until the provider confirms it.
    PROVISIONAL = "provisional"
    #: A purchase turned out to be another buyer's; for the record only, it changes no access.
    CORRECTION = "correction"
    #: Worth knowing, a plan change to come for example; for the record only.
    INFORMATION = "information"
    #: Genuine, but of a kind that the provider's documents do not describe.
    UNKNOWN = "unknown"


#: The provider of purchases that a site brought along from release 0.4.5: it never speaks.
MIGRATION = "migration"

#: The "provider" of what the site's owner does: grant, end, extend, correct.
OWNER = "owner"

#: The "provider" of what an app asks to be validated: its provider has not said anything yet.
VALIDATION = "validation"

#: The results of a validation of a purchase; stored, so they never change.
CONFIRMED, REFUSED = "succeeded", "failed"

#: The kinds that mean: money arrived.
PAYMENTS = frozenset({Kind.PURCHASE, Kind.RENEWAL})

#: The kinds that can give access.
GIVING = PAYMENTS | {Kind.PLAN_CHANGE, Kind.REACTIVATION}

#: The kinds that mean: money went back.
UNDOING = frozenset({Kind.REFUND, Kind.CHARGEBACK})

#: The kinds that mean: money arrived, or went back.
MONEY = PAYMENTS | UNDOING

#: The kinds that change no access.
TELLING_NOTHING = frozenset({Kind.PAYMENT_FAILED, Kind.INFORMATION})

#: Codes for what a person has to decide although the kind has a name; stored, so they never
#: change. It is not said which of several users may have access.
SEVERAL_USERS = "several users"
SEVERAL_PIECES = "several pieces"
#: A field of a delivery cannot be read.
PARAMETER = "parameter"

#: Stands for all fields of a notification, where a signature covers the whole body.
EVERYTHING = frozenset({"*"})


class DeliveryError(Exception):
    """A delivery that is not a usable notification; the message is the answer's text.

    The message never contains a value that was sent, only the name of a parameter.
    """


class EmptyBody(DeliveryError):
    """There is nothing in the body."""

    def __init__(self) -> None:
        super().__init__("No POST request.")


class WrongContentType(DeliveryError):
    """The body is not of the provider's content type."""

    def __init__(self) -> None:
        super().__init__("POST has the wrong content type.")


class SecretKeyNotSet(DeliveryError):
    """Nothing can be verified, so nothing is accepted."""

    def __init__(self) -> None:
        super().__init__("Secret key is not set.")


class WrongSignature(DeliveryError):
    """The delivery was not signed with the secret key."""

    def __init__(self) -> None:
        super().__init__("Checksum verification failed.")


class ParameterError(DeliveryError):
    """A parameter is missing or malformed.

    :ivar parameter: the name of the parameter.
    """

    def __init__(self, message: str, parameter: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class ParameterMissing(ParameterError):
    """A required parameter is absent or empty."""

    def __init__(self, parameter: str) -> None:
        super().__init__(f"POST parameter missing: '{parameter}'", parameter)


class ParameterInvalid(ParameterError):
    """A parameter came twice or has a value that makes no sense."""

    def __init__(self, parameter: str) -> None:
        super().__init__(f"POST parameter invalid: '{parameter}'", parameter)


class WrongMode(ParameterInvalid):
    """It is a test where real purchases are expected, or the other way round."""


@dataclass(frozen=True)
class Delivery:
    """An HTTP request as a provider module sees it.

    :ivar body: the raw bytes of the POST body; the query string does not count.
    :ivar content_type: the Content-Type header, "" when there was none.
    :ivar headers: the other headers, names in lower case.
    """

    body: bytes
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class VerifiedDelivery(Protocol):
    """A delivery whose signature was verified, and which is not parsed yet.

    :ivar by_previous_key: it was signed with the previous secret key, not the present one.
    :ivar transaction: the provider's id of the transaction or subscription, "" when it cannot
        be read.
    """

    by_previous_key: bool
    transaction: str

    def payload(self) -> dict[str, str]:
        """All that was sent, by names, without secrets; it never fails."""
        ...


@dataclass(frozen=True)
class Answer:
    """The answer to a provider over HTTP.

    :ivar text: of the body.
    """

    status: int
    text: str
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Event:
    """An event that a provider tells of, for the table in the documentation.

    :ivar name: as the provider calls it.
    :ivar kind: of its notification.
    :ivar effect: in a few English words.
    """

    name: str
    kind: Kind
    effect: str


@dataclass(frozen=True)
class Notification:
    """A genuine delivery of a provider, parsed.

    :ivar key: idempotency key, which all deliveries of one notification share.
    :ivar provider: name of the provider, for example ``click2sell``.
    :ivar kind: of the event.
    :ivar transaction: the provider's id of the transaction or subscription.
    :ivar receipt: the receipt the buyer has, ``last_purchase_id`` of the member.
    :ivar occurred_at: when it happened by the provider's clock, in UTC.
    :ivar earliest: an earlier moment that the provider may mean as well, where its time names
        no zone and is in the hour that clocks show twice; None for no doubt.
    :ivar buyer: the buyer's address in lower case, "" while only `customer_id` is known.
        Without a `customer_id` it is the address that was paid under; the buyer is known by it.
    :ivar email: the buyer's address as the provider sent it.
    :ivar amount: the price that was paid, or None when the provider did not state it.
    :ivar currency: ISO 4217 code of the amount, or "".
    :ivar valid_until: end of access in UTC, for providers that state one.
    :ivar valid_from: start of access in UTC, for providers that state one: nothing is given
        before it, and access by another payment stays.
    :ivar subscription: the provider said that it belongs to a subscription.
    :ivar on_behalf_of: the provider whose purchases it continues, where that is not `provider`:
        for purchases of release 0.4.5, and for actions of the site's owner.
    :ivar customer_id: the provider's id of the buyer, "" when it has none.
    :ivar member_token: the token of ours that the purchase brings back, "" for none; see
        :mod:`niteoweb.click2sell.settings.membertoken`. It is never stored.
    :ivar member: user id of the member whom it names, once it was proved; no provider sets it.
    :ivar external_subscription_id: the shop's id of the subscription, where the provider passes
        on a purchase from another shop, a TV set's for example.
    :ivar in_reply_to: the provider's id of our question that it answers, "" for none.
    :ivar validation_result: the result of a validation, :data:`CONFIRMED` or :data:`REFUSED`,
        "" where it is about none.
    :ivar undoing: the provider's id of the refund or dispute that it is about: a reactivation
        that names it takes it back, because it failed or was won.
    :ivar aliases: other ids by which a line of the mapping may name what was bought.
    :ivar fully_signed: the signature covers all of it, so that it may name another buyer or
        product than its transaction did.
    :ivar snapshot: it states all of a subscription as it was at `occurred_at`: product and end
        take the place of what was known, and it gives access even where no purchase is known.
    :ivar customer_deleted: the provider has deleted the customer: it is about all that the
        customer has there, and the member is to be looked at for erasure.
    :ivar customer_suspended: the provider keeps the customer out, or not any more, whatever the
        customer has there; None where it says nothing about that.
    :ivar attention: why a person has to decide, a code, where the kind is unknown for a reason
        that can be told.
    :ivar attention_subject: the parameter, for example, that `attention` is about.
    :ivar payload: all parameters as received, without secrets.
    """

    key: str
    provider: str
    kind: Kind
    transaction: str
    receipt: str
    occurred_at: datetime
    buyer: str
    email: str
    product_id: str
    product_name: str = ""
    first_name: str = ""
    last_name: str = ""
    amount: Decimal | None = None
    currency: str = ""
    country: str = ""
    affiliate: str = ""
    valid_until: datetime | None = None
    valid_from: datetime | None = None
    earliest: datetime | None = None
    subscription: bool = False
    on_behalf_of: str = ""
    customer_id: str = ""
    member_token: str = ""
    member: str = ""
    external_subscription_id: str = ""
    in_reply_to: str = ""
    validation_result: str = ""
    undoing: str = ""
    aliases: tuple[str, ...] = ()
    fully_signed: bool = False
    snapshot: bool = False
    customer_deleted: bool = False
    customer_suspended: bool | None = None
    attention: str = ""
    attention_subject: str = ""
    payload: Mapping[str, str] = field(default_factory=dict)

    @property
    def fullname(self) -> str:
        """First and last name, as Plone's full name."""
        return f"{self.first_name} {self.last_name}".strip()


def idempotency_key(*parts: str) -> str:
    """SHA-256 over the parts, as 64 hexadecimal digits; no two lists of parts run together."""
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()
