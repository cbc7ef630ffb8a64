"""Signatures by the specification Standard Webhooks, for hooks that come in and that go out.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

The header ``webhook-signature`` is a list of ``v1,BASE64``: an HMAC-SHA256 over id, time and
body, joined with dots. Source: https://www.standardwebhooks.com, specification 1.0.
"""

from base64 import b64decode
from base64 import b64encode
from niteoweb.click2sell.provider import signatures

import binascii


ID, TIME, SIGNATURE = HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
#: A secret with it is written in base64.
PREFIX = "whsec_"
VERSION = "v1"
#: Seconds that the time of a hook may be away from now.
TOLERANCE = 300


def key(secret: str) -> bytes:
    """The key that a secret stands for: its base64 after ``whsec_``, or its own bytes.

    :returns: b"" for no secret alone.
    """
    if secret.startswith(PREFIX):
        encoded = secret.removeprefix(PREFIX)
        try:
            decoded = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (ValueError, binascii.Error):
            decoded = b""
        if decoded:
            return decoded
    return secret.encode("utf-8")


def message(id_: str, time: int, body: bytes) -> bytes:
    """The message that is signed.

    :param time: Unix seconds.
    """
    return f"{id_}.{time}.".encode("ascii") + body


def sign(secret: str, id_: str, time: int, body: bytes) -> dict[str, str]:
    """The three headers of a hook.

    :param id_: the same at every try.
    :param time: of this try, in Unix seconds.
    """
    digest = signatures.sign(key(secret), message(id_, time, body))
    signature = f"{VERSION},{b64encode(digest).decode('ascii')}"
    return dict(zip(HEADERS, (id_, str(time), signature), strict=True))


def digests(header: str) -> list[bytes]:
    """The digests in a header with signatures; those of other versions count as nothing."""
    decoded = []
    # A sender signs with two keys while it changes them.
    for part in header.split(" ")[:10]:
        version, _, encoded = part.partition(",")
        try:
            digest = b64decode(encoded.encode("ascii"), validate=True)
        except (UnicodeEncodeError, binascii.Error):
            continue
        # The last sign has bits to spare, which must not make a second way of writing it.
        if version == VERSION and b64encode(digest).decode("ascii") == encoded:
            decoded.append(digest)
    return decoded
