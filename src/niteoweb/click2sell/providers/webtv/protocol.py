"""WS.WebTV's signatures: of questions to its API, and of those of its store to us.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

The store sends no notifications: it is polled, and :mod:`.states` makes notifications of its
answers. What comes to ``@@webtv`` are requests of the store to its payment processor.
"""

from datetime import datetime
from datetime import tzinfo
from niteoweb.click2sell.notification import Answer
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Event
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.notification import VerifiedDelivery
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.provider import signatures
from typing import Any

import base64


NAME, TITLE = "webtv", "WS.WebTV"

#: The store is asked with them; it signs nothing that is needed.
REQUIRED_SETTINGS = ("api_url", "api_key_id", "api_token")

#: Nothing is delivered: notifications are made of answers.
SIGNED: frozenset[str] = frozenset()
answer = Answer

EVENTS = (
    Event("subscription first seen", Kind.PURCHASE, "access until its end"),
    Event("subscription with a later end", Kind.RENEWAL, "access until that end"),
    Event("subscription changed otherwise", Kind.PLAN_CHANGE, "product and end as stated"),
    Event(
        "subscription cancelled, or not renewable",
        Kind.CANCELLATION,
        "access ends at its end",
    ),
    Event("subscription goes on again", Kind.REACTIVATION, "access until its end"),
    Event("subscription no longer listed", Kind.EXPIRY, "access ends"),
    Event("access pass first seen", Kind.PURCHASE, "access until its end"),
)


def signature(secret: str, salt: str, timestamp: str) -> str:
    """The signature of a question to the API; it covers nothing but salt and time.

    :param secret: the shared secret, as text.
    """
    return signed(secret, f"{salt}{timestamp}")


def signed(secret: str, message: str) -> str:
    """The HMAC-SHA256 of a message, in base64."""
    digest = signatures.sign(secret.encode("utf-8"), message.encode("utf-8"))
    return base64.b64encode(digest).decode("ascii")


def verify(delivery: Delivery, settings: Any, now: datetime) -> VerifiedDelivery:
    """Refuse a delivery: WS.WebTV makes none.

    :raises SecretKeyNotSet: there is no secret key.
    :raises WrongSignature: there is one.
    """
    raise WrongSignature if settings.secretkey else SecretKeyNotSet


def parse(genuine: VerifiedDelivery, timezone_: tzinfo) -> tuple[Notification, ...]:
    """Read a delivery; there is none."""
    return ()
