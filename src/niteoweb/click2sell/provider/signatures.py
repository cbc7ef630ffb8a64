"""Deliveries of JSON whose signature, an HMAC-SHA256, covers the whole body.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timezone
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
import re


#: Seconds that a signed time may be away from now: plenigo's last retry comes after a day.
TOLERANCE = 2 * 24 * 60 * 60
#: In a header. A provider signs with two keys while it changes them.
MOST_SIGNATURES = 8

_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)
_DIGEST = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


@dataclass(repr=False)
class SealedBody:
    """A body whose signature was verified.

    :ivar by_previous_key: it was signed with the previous secret key, not the present one.
    :ivar moment: when the provider sent it, if that is signed; else when it arrived.
    :ivar ids: dotted names under which the id of the subscription may stand.
    """

    raw: bytes
    by_previous_key: bool
    moment: datetime
    ids: Sequence[str] = ()

    @property
    def transaction(self) -> str:
        """The provider's id of the subscription, "" when it cannot be read."""
        try:
            body = self.read()
            return next(filter(None, (body.identifier(name) for name in self.ids)), "")
        except ParameterError:
            return ""

    def read(self) -> jsonbody.JsonBody:
        """The values of the body, see :func:`niteoweb.click2sell.provider.jsonbody.read`."""
        return jsonbody.read(self.raw)

    def payload(self) -> dict[str, str]:
        """All values by dotted names, without secrets; it never fails."""
        return jsonbody.payload_of(self.raw)

    def key(self, provider: str, *parts: str) -> str:
        """The idempotency key of the body; parts tell several notifications of it apart."""
        return idempotency_key(provider, hashlib.sha256(self.raw).hexdigest(), *parts)


def keys(
    delivery: Delivery, settings: Any, content_type: str = jsonbody.CONTENT_TYPE
) -> tuple[bytes, bytes]:
    """The secret keys, after content type and body were checked.

    :param settings: with ``secretkey`` and ``previous_secretkey``.
    :param content_type: that the body has to have.
    :returns: the present key, and the previous one, b"" for none.
    :raises WrongContentType: the body is of another type.
    :raises EmptyBody: there is no body.
    :raises SecretKeyNotSet: there is no secret key to verify with.
    """
    media_type = delivery.content_type.partition(";")[0].strip().lower()
    if media_type != content_type and (media_type or delivery.body):
        raise WrongContentType
    if not delivery.body:
        raise EmptyBody
    if not settings.secretkey:
        raise SecretKeyNotSet
    previous = settings.previous_secretkey or ""
    return settings.secretkey.encode("utf-8"), previous.encode("utf-8")


def sign(secret_key: bytes, message: bytes) -> bytes:
    """The HMAC-SHA256 of a message, 32 bytes."""
    return hmac.new(secret_key, message, hashlib.sha256).digest()


def prove(
    digests: Sequence[bytes],
    message: bytes,
    secret_keys: tuple[bytes, bytes],
    sign: Callable[[bytes, bytes], bytes] = sign,
) -> bool:
    """Prove that one of several signatures is the one of a message.

    All are compared with both keys, so that the time taken tells nothing of which one matched.

    :param digests: the signatures, as bytes.
    :param secret_keys: from :func:`keys`.
    :param sign: makes the signature of a key and a message.
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


def timed(header: str, name: str) -> tuple[str, list[bytes]]:
    """Time and digests of a header such as ``t=UNIX_SECONDS,v1=HEX,v1=HEX``.

    Elements of other names do not count.

    :param name: of the elements with a digest.
    :raises WrongSignature: there is not exactly one time, no digest, too many digests, or one
        that is none.
    """
    times: list[str] = []
    digests: list[str] = []
    for element in header.split(","):
        element_name, _, value = element.strip(" ").partition("=")
        {"t": times, name: digests}.get(element_name, []).append(value)
    if (
        len(times) != 1
        or not _TIME.fullmatch(times[0])
        or not 1 <= len(digests) <= MOST_SIGNATURES
        or not all(_DIGEST.fullmatch(digest) for digest in digests)
    ):
        raise WrongSignature
    return times[0], [bytes.fromhex(digest) for digest in digests]


def sent_at(time: str, now: datetime, tolerance: int | None) -> datetime:
    """The moment of a time that was signed.

    :param time: Unix seconds.
    :param tolerance: see :func:`in_time`.
    :raises WrongSignature: it is too old, in the future, or no moment.
    """
    try:
        moment = datetime.fromtimestamp(int(time), timezone.utc)
    except (ValueError, OverflowError, OSError):
        raise WrongSignature from None
    if not in_time(moment, now, tolerance):
        raise WrongSignature
    return moment


def in_time(sent_at: datetime, now: datetime, tolerance: int | None) -> bool:
    """Whether a time that was signed is near enough to now, on either side.

    :param tolerance: seconds; 0 when any age will do, None when nobody has set it.
    """
    if tolerance is None:
        tolerance = TOLERANCE
    return tolerance == 0 or abs((now - sent_at).total_seconds()) <= tolerance
