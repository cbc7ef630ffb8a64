"""The cures that the overview carries out at once, for all entries with one cause."""

from collections.abc import Mapping
from itertools import islice
from niteoweb.click2sell import _
from niteoweb.click2sell import hooks
from niteoweb.click2sell.browser.desk import cures
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner import NotPossible
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import writer
from typing import Any
from zope.i18nmessageid import Message

import time


#: The name of the button that has events posted to a receiver of hooks.
HOOKS = "hooks"

#: Seconds that a press of a button works, and notifications that it takes up.
AT_MOST, MOST = 15, 200


def for_all(site: Any, url: str) -> cures.Cure | None:
    """The button that tries all again, None if there are not several.

    :param url: address of the overview.
    """
    retried = filter(cures.can_be_retried, _waiting(site))
    if len(list(islice(retried, 2))) < 2:
        return None
    label = _("Try all failed ones again now")
    return cures.Cure(label, url, {cures.REPLAY: cures.ALL})


def act(site: Any, form: Mapping[str, Any], by: str) -> tuple[Message, str]:
    """Carry out the act of a button.

    :param by: user id of the owner.
    :returns: the message, and its kind.
    :raises NotPossible: it cannot be done.
    """
    name, key = form.get(cures.GROUP), form.get(cures.REPLAY)
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
        if cures.waits_for_group(entry) and entry["subject"] == name
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
        if cures.can_be_retried(entry) and key in (cures.ALL, entry["key"])
    ]
    if not keys:
        raise NotPossible(decisions.GONE)
    started, processed, failed = time.monotonic(), 0, 0
    for one in keys[:MOST]:
        if time.monotonic() - started > AT_MOST:
            break
        try:
            pipeline.replay(one)
        except pipeline.Failed:
            failed += 1
        else:
            processed += 1
    numbers = {"done": processed, "failed": failed}
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
