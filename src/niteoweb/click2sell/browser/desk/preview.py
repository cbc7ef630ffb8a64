"""The preview of a replay in words, as the page of the notification shows it."""

from dataclasses import dataclass
from niteoweb.click2sell.browser.words import changes
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.provisioning import preview
from typing import Any
from zope.i18nmessageid import Message


@dataclass(frozen=True)
class Preview:
    """The changes that a replay would make.

    :ivar anything: whether there are changes at all.
    :ivar fingerprint: see :func:`niteoweb.click2sell.browser.words.changes.fingerprint`.
    :ivar terms: the terms of access that would be written down, none when they are already.
    :ivar others: number of other notifications whose outcome or terms would change.
    """

    anything: bool
    fingerprint: str
    changes: changes.Changes
    terms: tuple[Message, ...]
    others: int
    badge: formatting.Badge
    reason: Message | str


def of(site: Any, key: str, replayed: preview.Preview) -> Preview:
    """Put a dry run into words.

    :param key: of the entry that would be replayed.
    """
    plan, verdict = replayed.plan, replayed.verdict
    now, then = changes.present(site, key), changes.told(verdict)
    changed = changes.of(site, plan)
    terms = plan.terms.get(key)
    return Preview(
        anything=changed.anything or now != then,
        fingerprint=changes.fingerprint((changed.told, now, then, terms)),
        changes=changed,
        terms=formatting.terms(terms.days, terms.exclusive) if terms else (),
        others=len(changed.keys - {key}),
        badge=formatting.badge(verdict.outcome),
        reason=reasons.text(verdict.reason, verdict.subject),
    )
