"""Notifications that a person has to decide about, whatever they tell.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import PARAMETER


def unreadable(
    key: str,
    provider: str,
    transaction: str,
    payload: Mapping[str, str],
    parameter: str,
    now: datetime,
) -> Notification:
    """A genuine delivery, or an answer, with a broken field: a person must decide.

    :param key: the same for the same delivery or answer.
    :param parameter: name of the broken field.
    :param now: in UTC.
    """
    return Notification(
        key=key,
        provider=provider,
        kind=Kind.UNKNOWN,
        transaction=transaction,
        receipt="",
        occurred_at=now,
        buyer="",
        email="",
        product_id="",
        attention=PARAMETER,
        attention_subject=parameter,
        payload=payload,
    )


def for_several(notification: Notification, why: str) -> Notification:
    """A notification that does not tell whom it gives access: a person must decide.

    :param why: the code of the reason.
    """
    return replace(
        notification, kind=Kind.UNKNOWN, attention=why, snapshot=False, valid_until=None
    )
