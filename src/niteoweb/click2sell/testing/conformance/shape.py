"""The shape of a notification's fields, which holds for every delivery."""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from niteoweb.click2sell.notification import CONFIRMED
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import REFUSED
from niteoweb.click2sell.provider import is_address

import re


#: Characters of a text.
LONGEST = 255

_FIELDS = fields(Notification)
_TEXTS = tuple(field.name for field in _FIELDS if field.type is str)
_FLAGS = tuple(field.name for field in _FIELDS if field.type is bool)
_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)


def mistakes(notification: Notification, provider: str) -> list[str]:
    """The broken promises of the seam, in English, without a value.

    :param provider: the name of the provider.
    """
    return [what for what, is_right in _promises(notification, provider) if not is_right]


def _promises(notification: Notification, provider: str) -> Iterator[tuple[str, bool]]:
    if type(notification) is not Notification:
        yield "parse returns notifications", False
        return
    key = notification.key
    yield "key: as idempotency_key makes it", _is_text(key) and bool(_KEY.fullmatch(key))
    yield "provider: its name", notification.provider == provider
    yield "kind: a member of Kind", type(notification.kind) is Kind
    for name in _TEXTS:
        text = getattr(notification, name)
        yield f"{name}: a text of up to {LONGEST} characters", _is_text(text)
    for name in _FLAGS:
        yield f"{name}: True or False", type(getattr(notification, name)) is bool
    email = notification.email
    yield "email: a mail address, or empty", email == "" or is_address(email)
    yield "buyer: the address in lower case", notification.buyer == email.lower()
    yield "occurred_at: a moment in UTC", _is_moment(notification.occurred_at)
    for name in ("valid_from", "valid_until"):
        moment = getattr(notification, name)
        yield f"{name}: a moment in UTC, or None", moment is None or _is_moment(moment)
    amount = notification.amount
    yield "amount: a number, or None", amount is None or _is_number(amount)
    result = notification.validation_result
    yield "validation_result: one of a validation, or empty", result in ("", CONFIRMED, REFUSED)
    yield "on_behalf_of: left to this add-on", notification.on_behalf_of == ""
    aliases = notification.aliases
    right = type(aliases) is tuple and all(map(_is_text, aliases))
    yield "aliases: a tuple of texts", right
    yield "payload: texts by names", is_payload(notification.payload)


def is_payload(values: object) -> bool:
    """Whether a payload can be stored: texts by names."""
    return isinstance(values, Mapping) and all(
        type(text) is str and _can_be_stored(text) for item in values.items() for text in item
    )


def _is_text(value: object) -> bool:
    return type(value) is str and len(value) <= LONGEST and _can_be_stored(value)


def _is_moment(value: object) -> bool:
    return type(value) is datetime and value.utcoffset() == timedelta(0)


def _is_number(value: object) -> bool:
    return type(value) is Decimal and value.is_finite()


def _can_be_stored(text: str) -> bool:
    """Whether it has no half characters, which neither a page nor a mail can show."""
    return text == text.encode("utf-8", "replace").decode("utf-8")
