"""Cures that do no harm: one press on the overview, for all that wait for the same thing."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import islice
from niteoweb.click2sell import _
from niteoweb.click2sell import hooks
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner import NotPossible
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import writer
from plone.protect import createToken
from typing import Any
from zope.i18nmessageid import Message

import time


GROUP, REPLAY, HOOKS = "group", "replay", "hooks"
#: In the place of a key: all that failed.
ALL = "all"

#: Reasons that asking the provider again may settle.
ASK_AGAIN = frozenset({Reason.UNREACHABLE, Reason.NOT_TOLD})

#: Seconds that a press of a button works, and notifications that it takes up.
AT_MOST, MOST = 15, 200


@dataclass(frozen=True)
class Press:
    """A button that posts to the overview.

    :ivar act: :data:`GROUP`, :data:`REPLAY` or :data:`HOOKS`.
    :ivar value: the group, the key of the notification, or the id of the receiver.
    """

    label: Message
    url: str
    act: str
    value: str

    def __html__(self) -> str:
        label, value = escape(formatting.translated(self.label)), escape(self.value)
        return (
            f'<form class="d-inline" action="{escape(self.url)}" method="post">'
            f'<input type="hidden" name="_authenticator" value="{escape(createToken())}" />'
            f'<button class="btn btn-primary btn-sm text-wrap" name="{self.act}" '
            f'value="{value}" type="submit">{label}</button></form>'
        )


def cure(entry: ledger.Entry, url: str) -> Press | None:
    """The button for an entry whose cure does no harm, None for another one.

    :param url: address of the overview.
    """
    if _waits_for_group(entry):
        name = entry["subject"]
        label = _("Create the group ${group}", mapping={"group": name})
        return Press(label, url, GROUP, name)
    if _can_be_retried(entry):
        return Press(_("Try again now"), url, REPLAY, entry["key"])
    return None


def for_all(site: Any, url: str) -> Press | None:
    """The button that tries all again, None if there are not several."""
    retried = filter(_can_be_retried, _waiting(site))
    if len(list(islice(retried, 2))) < 2:
        return None
    return Press(_("Try all failed ones again now"), url, REPLAY, ALL)


def act(site: Any, form: Mapping[str, Any], by: str) -> tuple[Message, str]:
    """Carry out what a button asks for.

    :param by: user id of the owner.
    :returns: the message, and its kind.
    :raises NotPossible: it cannot be done.
    """
    name, key = form.get(GROUP), form.get(REPLAY)
    receiver = form.get(HOOKS)
    if isinstance(receiver, str) and receiver:
        writer.run(lambda site: _post_again(site, receiver))
        return _("The events are sent again."), "info"
    if isinstance(name, str) and name:
        return _create(site, name, by)
    if isinstance(key, str) and key:
        return _retry(site, key)
    raise NotPossible(decisions.GONE)


def _create(site: Any, name: str, by: str) -> tuple[Message, str]:
    """Create a group, and give it to all who wait for it."""
    keys = [
        entry["key"]
        for entry in _waiting(site)
        if _waits_for_group(entry) and entry["subject"] == name
    ]
    if not keys:
        raise NotPossible(decisions.GONE)
    started, settled = time.monotonic(), 0
    for key in keys[:MOST]:
        if time.monotonic() - started > AT_MOST:
            break
        try:
            action.carry_out(decisions.MakeGroup(key=key, by=by))
        except NotPossible as problem:
            # The notification of a buyer may have been settled with an earlier one.
            if not settled or problem.message != decisions.GONE:
                raise
        settled += 1
    text = _(
        "The group ${group} was created. Notifications settled: ${number}",
        mapping={"group": name, "number": settled},
    )
    return text, "info"


def _retry(site: Any, key: str) -> tuple[Message, str]:
    """Process a notification again, or all that failed."""
    keys = [
        entry["key"]
        for entry in _waiting(site)
        if _can_be_retried(entry) and key in (ALL, entry["key"])
    ]
    if not keys:
        raise NotPossible(decisions.GONE)
    started, done, failed = time.monotonic(), 0, 0
    for one in keys[:MOST]:
        if time.monotonic() - started > AT_MOST:
            break
        try:
            pipeline.replay(one)
        except pipeline.Failed:
            failed += 1
        else:
            done += 1
    numbers = {"done": done, "failed": failed}
    text = _("Processed again: ${done}, failed again: ${failed}", mapping=numbers)
    return text, "warning" if failed else "info"


def _post_again(site: Any, receiver_id: str) -> None:
    """Have the events posted at once that wait for a receiver of hooks, or were given up."""
    receiver = hooks.receivers.find(site, receiver_id)
    if receiver is None or receiver["switched_off_at"]:
        raise NotPossible(decisions.GONE)
    hooks.outbox.try_again(site, receiver)


def _waiting(site: Any) -> list[ledger.Entry]:
    return [ledger.get(site, key) for key in ledger.waiting_keys(site)]


def _waits_for_group(entry: ledger.Entry) -> bool:
    return entry["outcome"] == Outcome.ATTENTION and entry["reason"] == Reason.GROUP_MISSING


def _can_be_retried(entry: ledger.Entry) -> bool:
    return entry["outcome"] == Outcome.FAILED or entry["reason"] in ASK_AGAIN
