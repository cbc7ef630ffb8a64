"""A provider's two secret keys: the present one, and the previous one while a rotation lasts.

The provider and the site cannot change their keys at one moment. Until notifications
signed with the new key arrive, those signed with the old one are accepted, so that none is
lost.

When each key was used last is remembered under a short keyed hash of it, so that another key
starts anew and nothing that is kept tells the key.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.interfaces import SECRET_KEY_LENGTH
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.storage import moments
from typing import Any
from zope.i18nmessageid import Message

import hmac


#: The previous key can go when it was not used for so long and the present one was.
QUIET = timedelta(days=7)

#: The names of the moments of a key, by its mark.
_KEY = "key "
_USED = _KEY + "{} used"
_RETIRED = _KEY + "{} retired"


@dataclass(frozen=True)
class Notice:
    """A notice to the owner about a key, without a word of the key.

    :ivar level: one of Bootstrap's names for alerts.
    :ivar last_used: when a notification signed with it arrived last, in UTC and exact to an
        hour; None for never, as far as is known.
    :ivar is_set: there is such a key at all.
    """

    level: str
    text: Message
    last_used: datetime | None = None
    is_set: bool = True


def is_set(provider: IPaymentProvider) -> bool:
    """Whether a provider's notifications can be verified at all."""
    return bool(registry.settings(provider).secretkey)


def mark(secret_key: str) -> str:
    """The mark of a key: a short hash that is keyed by it."""
    return hmac.digest(secret_key.encode("utf-8"), b"niteoweb.click2sell", "sha256").hex()[:8]


def mark_of(stored: Any, previous: bool) -> str:
    """The mark of the key that a delivery was signed with.

    :param stored: the settings of its provider.
    :param previous: it was the previous key.
    """
    return mark((stored.previous_secretkey if previous else stored.secretkey) or "")


def note_use(site: Any, mark_: str, now: datetime) -> None:
    """Write down that a genuine notification arrived, in the current transaction.

    :param mark_: of the key that it was signed with.
    :param now: in UTC.
    """
    moments.note(site, _USED.format(mark_), now)


def last_used(site: Any, secret_key: str | None) -> datetime | None:
    """When a notification signed with a key arrived last, in UTC and exact to an hour."""
    return moments.last(site, _USED.format(mark(secret_key))) if secret_key else None


def problems(
    values: Mapping[str, Any], provider: IPaymentProvider
) -> Iterator[tuple[str, Message]]:
    """Contradictions between the keys in settings that are to be saved.

    :param values: as for :func:`niteoweb.click2sell.settings.rules.validate`.
    """
    stored = registry.settings(provider)
    key, clear = values.get("secretkey"), values.get("secretkey_clear")
    previous = values.get("previous_secretkey")
    clear_previous = values.get("previous_secretkey_clear")
    keeps_old = values.get("secretkey_keep_old") and key and stored.secretkey not in (None, key)
    if key and clear:
        message = _("Enter a new secret key or remove the present one, not both.")
        yield "secretkey_clear", message
    if clear_previous and previous:
        message = _("Enter a previous secret key or remove the present one, not both.")
        yield "previous_secretkey_clear", message
    elif clear_previous and keeps_old:
        message = _("Keep accepting the old key or remove the previous one, not both.")
        yield "previous_secretkey_clear", message
    if previous and (clear or not (key or stored.secretkey)):
        message = _("A previous key is of use only beside a secret key.")
        yield "previous_secretkey", message
    elif previous and previous == (key or stored.secretkey):
        yield "previous_secretkey", _("This is the secret key itself.")


def changes(values: Mapping[str, Any], provider: IPaymentProvider) -> dict[str, str | None]:
    """The keys as they have to be stored.

    A blank key keeps the stored one. A new key takes the place of the old one, which becomes
    the previous one if that is asked for; whatever was the previous one is not accepted any
    more. Without a key there is no previous one.

    :param values: settings that :func:`problems` found nothing wrong with.
    """
    stored = registry.settings(provider)
    key, previous = stored.secretkey, stored.previous_secretkey
    entered = values.get("secretkey")
    if values.get("secretkey_clear"):
        key, previous = None, None
    elif entered and entered != key:
        key, previous = entered, key if values.get("secretkey_keep_old") else None
    if values.get("previous_secretkey_clear"):
        previous = None
    return {
        "secretkey": key,
        "previous_secretkey": values.get("previous_secretkey") or previous,
    }


def tidy(site: Any) -> None:
    """After keys were saved: remember since when a previous one is it, forget others."""
    kept = []
    for provider in registry.registered():
        stored = registry.settings(provider)
        keys = filter(None, (stored.secretkey, stored.previous_secretkey))
        kept += [_USED.format(mark(key)) for key in keys]
        if stored.previous_secretkey:
            retired = _RETIRED.format(mark(stored.previous_secretkey))
            kept.append(retired)
            if moments.last(site, retired) is None:
                moments.note(site, retired, timestamps.now())
    moments.forget(site, _KEY, but=tuple(kept))


def notice(site: Any, provider: IPaymentProvider) -> Notice:
    """The notice to the owner about the present key."""
    secret_key = registry.settings(provider).secretkey
    if not secret_key:
        text = _("No secret key is set. No notification is accepted until one is.")
        return Notice("danger", text, is_set=False)
    used = last_used(site, secret_key)
    if len(secret_key) < SECRET_KEY_LENGTH:
        text = _(
            "A secret key is set, but it has fewer than ${length} characters. Whoever sees one "
            "notification can find such a key by trying: choose a longer one, at ${provider} "
            "and here. Leave this field blank to keep the present one.",
            mapping={"length": SECRET_KEY_LENGTH, "provider": provider.title},
        )
        return Notice("warning", text, used)
    return Notice("info", _("A secret key is set. Leave this field blank to keep it."), used)


def previous_notice(site: Any, provider: IPaymentProvider) -> Notice | None:
    """The notice to the owner about the previous key; None when there is none.

    Its level is "success" when nobody seems to need the key any more.
    """
    stored = registry.settings(provider)
    if not (stored.secretkey and stored.previous_secretkey):
        return None
    used, now = last_used(site, stored.previous_secretkey), timestamps.now()
    new_used = last_used(site, stored.secretkey)
    retired = moments.last(site, _RETIRED.format(mark(stored.previous_secretkey)))
    since = max(filter(None, (used, retired)), default=None)
    if new_used and since and new_used > since and now - since >= QUIET:
        text = _(
            "The previous key can go: notifications are signed with the new one, and none was "
            "signed with the previous one for ${days} days.",
            mapping={"days": QUIET.days},
        )
        return Notice("success", text, used)
    if used and now - used < QUIET and (retired is None or used >= retired):
        text = _(
            "The previous key is still used. Enter the new one at ${provider}, too, and keep "
            "the previous one until no notification is signed with it any more.",
            mapping={"provider": provider.title},
        )
        return Notice("warning", text, used)
    text = _("The previous key is accepted, too.")
    if new_used is None:
        text = _(
            "The previous key is accepted, too. No notification was signed with the new one "
            "yet."
        )
    return Notice("info", text, used)
