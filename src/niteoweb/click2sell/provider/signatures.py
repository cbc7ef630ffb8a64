"""Deliveries of JSON whose signature, an HMAC-SHA256, covers the whole body.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Sequence
from datetime import datetime
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import EmptyBody
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.notification import WrongContentType
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.provider import jsonbody
from typing import Any

import hashlib
import hmac


#: Seconds that a signed time may be away from now: plenigo's last retry comes after a day.
TOLERANCE = 2 * 24 * 60 * 60


class SealedBody:
    """A body whose signature was verified.

    :ivar raw: the bytes.
    :ivar by_previous_key: it was signed with the previous secret key, not the present one.
    :ivar moment: when the provider sent it, if that is signed; else when it arrived.
    :ivar transaction: the id of the subscription, "" when it cannot be read.
    """

    def __init__(
        self, raw: bytes, by_previous_key: bool, moment: datetime, ids: Sequence[str] = ()
    ) -> None:
        """
        :param ids: dotted names under which the id of the subscription may stand.
        """
        self.raw = raw
        self.by_previous_key = by_previous_key
        self.moment = moment
        self._ids = ids

    @property
    def transaction(self) -> str:
        """The provider's id of the subscription, "" when it cannot be read."""
        try:
            body = self.read()
            return next(filter(None, (body.identifier(name) for name in self._ids)), "")
        except ParameterError:
            return ""

    def read(self) -> jsonbody.JsonBody:
        """The values of the body.

        :raises ParameterInvalid: see :func:`niteoweb.click2sell.provider.jsonbody.read`.
        """
        return jsonbody.read(self.raw)

    def payload(self) -> dict[str, str]:
        """All values by dotted names, without secrets; it never fails."""
        return jsonbody.payload_of(self.raw)

    def key(self, provider: str, *parts: str) -> str:
        """The idempotency key of the body, which a repetition has in common.

        :param provider: its name.
        :param parts: tell several notifications of one body apart.
        """
        return idempotency_key(provider, hashlib.sha256(self.raw).hexdigest(), *parts)


def keys(delivery: Delivery, settings: Any) -> tuple[bytes, bytes]:
    """The secret keys, after content type and body were checked.

    :param settings: with ``secretkey`` and ``previous_secretkey``.
    :returns: the present key, and the previous one, b"" for none.
    :raises WrongContentType: the body is not JSON.
    :raises EmptyBody: there is no body.
    :raises SecretKeyNotSet: there is no secret key to verify with.
    """
    media_type = delivery.content_type.partition(";")[0].strip().lower()
    if media_type != jsonbody.CONTENT_TYPE and (media_type or delivery.body):
        raise WrongContentType
    if not delivery.body:
        raise EmptyBody
    if not settings.secretkey:
        raise SecretKeyNotSet
    return settings.secretkey.encode("utf-8"), (settings.previous_secretkey or "").encode(
        "utf-8"
    )


def prove(digests: Sequence[bytes], message: bytes, secret_keys: tuple[bytes, bytes]) -> bool:
    """Prove that one of several signatures is the one of a message.

    All are compared with both keys, so that the time taken tells nothing of which one matched.

    :param digests: the signatures, as bytes.
    :param secret_keys: from :func:`keys`.
    :returns: whether only the previous key proved it.
    :raises WrongSignature: none of them is.
    """
    by_current, by_previous = (
        sum([hmac.compare_digest(digest, sign(key, message)) for digest in digests])
        for key in secret_keys
    )
    # An empty key has signatures, too, which anybody can compute.
    by_previous *= bool(secret_keys[1])
    if not by_current + by_previous:
        raise WrongSignature
    return not by_current


def sign(secret_key: bytes, message: bytes) -> bytes:
    """The HMAC-SHA256 of a message, 32 bytes."""
    return hmac.new(secret_key, message, hashlib.sha256).digest()


def in_time(sent_at: datetime, now: datetime, tolerance: int | None) -> bool:
    """Whether a time that was signed is near enough to now, on either side.

    :param tolerance: seconds; 0 when any age will do, None when nobody has set it.
    """
    if tolerance is None:
        tolerance = TOLERANCE
    return tolerance == 0 or abs((now - sent_at).total_seconds()) <= tolerance
