"""Secrets in deliveries: none is kept, whatever its name and wherever it stands.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A sender may put its secret key, a password or a token beside the true parameters; the examples
of release 0.4.5 did. Every payload is made here, and the ledger takes what it writes from here.
"""

from collections import Counter
from collections.abc import Collection
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider.undecided import unreadable
from urllib.parse import unquote
from urllib.parse import unquote_plus

import re


#: A name is a secret's when one of its words has a part of these in it, ends with "key", or is
#: one of the others; numbers at the end do not count. ``cp_member`` is the token of our own
#: order links.
_PARTS = re.compile(
    "secret|token|password|passwd|passphrase|signature|checksum|authorization|credential"
    "|keys?$|^(?:auth|digest|hash|hmac|pass|pwd|sig|sign|cpmember)$"
)

#: Names of parameters inside of a text.
_NAMES = re.compile(r"""(?:^|[?&;])([\w.\[\]-]+)=|"([^"]+)"\s*:""")

#: Characters from which on a secret is looked for inside of texts. A shorter one is a word
#: that may stand there for itself.
LONG = 8

#: Fields of a notification that decide nothing, and can do without their text.
_TITLES = ("product_name", "first_name", "last_name", "country", "currency", "affiliate")
#: Fields that decide something.
_IDS = (
    *("transaction", "receipt", "product_id", "email", "customer_id", "in_reply_to"),
    *("external_subscription_id", "undoing", "aliases"),
)


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    """Whether a parameter is named like a secret; each step of a dotted name counts."""
    words = re.findall(r"[^\W_]+", name.lower())
    return any(_PARTS.search(word.rstrip("0123456789")) for word in (*words, "".join(words)))


def payload(
    parameters: Iterable[tuple[str, str]], secrets: Collection[str] = ()
) -> dict[str, str]:
    """Parameters by names, for the record, without secrets.

    A second value of one name is kept under ``name (2)``. A parameter that has the value of a
    secret goes with it, and so does an address, a form or JSON that names one.

    :param parameters: names, dotted where they are nested, and values.
    :param secrets: values that are secret under any name.
    """
    parameters = list(parameters)
    named = {value for name, value in parameters if is_secret(name) and len(value) >= LONG}
    kept: dict[str, str] = {}
    times: Counter[str] = Counter()
    for name, value in parameters:
        if is_secret(name) or _names_secret(value):
            continue
        if any(_holds(text, (*secrets, *named)) for text in (name, value)):
            continue
        times[name] += 1
        kept[name if times[name] == 1 else f"{name} ({times[name]})"] = value
    return kept


def discreet(notification: Notification, secrets: Collection[str]) -> Notification:
    """A notification as it may be kept.

    A title loses its text to a secret in it. With a secret in the place of an id the
    notification cannot be read, and a person has to decide.

    :param secrets: values of the settings that nobody may see.
    """
    kept = payload(notification.payload.items(), secrets)
    long = [secret for secret in secrets if len(secret) >= LONG]

    def leaks(name: str) -> bool:
        return _holds(str(getattr(notification, name)), long)

    for name in filter(leaks, _IDS):
        return unreadable(
            notification.key, notification.provider, "", kept, name, notification.occurred_at
        )
    titles = dict.fromkeys(filter(leaks, (*_TITLES, "attention_subject")), "")
    return replace(notification, payload=kept, **titles)


def _holds(text: str, secrets: Iterable[str]) -> bool:
    """Whether a text is a secret, or has a long one in it, as it stands or as in an address."""
    encoded = "%" in text or "+" in text
    return any(
        read.strip() == secret or (len(secret) >= LONG and secret in read)
        for read in ({text, unquote(text), unquote_plus(text)} if encoded else (text,))
        for secret in secrets
    )


def _names_secret(text: str) -> bool:
    """Whether a text is an address, a form or JSON with a parameter that is named so."""
    text = unquote(text)
    if "=" not in text and '"' not in text:
        return False  # as most values; there is no name in it
    return any(is_secret(name) for pair in _NAMES.findall(text) for name in pair)
