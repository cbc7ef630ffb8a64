"""Have a purchase validated that was made in another shop, and tell its status.

The provider is asked over the network, outside of locks and transactions.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.notification import REFUSED
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.cleeng import client
from niteoweb.click2sell.providers.cleeng import protocol
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import validation
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")


class NotSetUp(Exception):
    """The provider is switched off, or there is no token to ask it with."""


def submit(email: str, subscription_id: str, offer_id: str, by: str) -> dict[str, Any]:
    """Have a purchase validated.

    :param email: the buyer's address.
    :param subscription_id: the shop's id of the subscription.
    :param offer_id: the provider's id of the bought offer; "" where the app does not name it:
        then there is no access before the provider does.
    :param by: id of the user who asks.
    :returns: as for :func:`status`.
    :raises NotSetUp: an owner has to see to the settings.
    :raises niteoweb.click2sell.provisioning.validation.TooMany: try again in a minute.
    :raises niteoweb.click2sell.provider.Unreachable: try again later; nothing is kept.
    :raises niteoweb.click2sell.provider.Refused: the provider does not take it; nothing
        is kept.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
    """
    settings, now = _settings(), timestamps.now()
    asked = protocol.NAME, subscription_id, by, now
    # Written down first: a notification may be faster than the answer.
    id_ = writer.run(lambda site: validation.begin(site, *asked)["id"])
    try:
        with jsonapi.within(jsonapi.SALE):
            question = client.validate(settings, email, subscription_id, offer_id)
    except (Unreachable, Refused):
        _change(id_, validation.forget)
        raise
    buyer = email.lower() if offer_id else ""
    _change(id_, validation.queue, question, buyer, now)
    process = validation.get(plone_site.get(), id_)
    if process["given"] and process["status"] == validation.PENDING:
        aliases = protocol.aliases(offer_id)
        notification = validation.provisional(process, email, offer_id, aliases, now)
        try:
            pipeline.process(notification)
            # Another process may have been faster, for another buyer.
            _change(id_, validation.note_given, buyer)
            if validation.get(plone_site.get(), id_)["status"] == REFUSED:
                # A notification has said so in the meantime, when there was nothing to end.
                _end(process, now)
        except (transactions.Busy, pipeline.Failed):
            # It is queued; the sweep takes the entry up, if there is one.
            logger.warning("Entry %s has to wait.", notification.key)
    return _status(id_, now)


def status(id_: str, by: str) -> dict[str, Any] | None:
    """The status of a validation; the provider is asked where it has not told it yet.

    :param by: id of the user who asks.
    :returns: its ``id``; its ``status``: pending, succeeded or failed; ``submitted_at``, and
        ``access_until``, the end of access in the meantime, None for none, as ISO dates. None
        when there is no such validation, or it is somebody else's.
    :raises niteoweb.click2sell.provider.jsonapi.NoAnswer: try again later; the background
        thread goes on asking.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
    """
    now = timestamps.now()
    process = validation.get(plone_site.get(), id_)
    if process is None or process["by"] != by:
        return None
    if process["status"] == validation.PENDING:
        _ask(id_, now)
    return _status(id_, now)


def _change(id_: str, change: Callable[..., None], *values: Any) -> None:
    """Have the writer change a validation."""
    writer.run(lambda site: change(site, validation.get(site, id_), *values))


def _ask(id_: str, now: datetime) -> None:
    try:
        _settings()
    except NotSetUp:
        return
    if not writer.run(lambda site: validation.may_ask(validation.get(site, id_), now)):
        return
    try:
        with jsonapi.within(jsonapi.REQUEST):
            _take_verdict(id_)
    except jsonapi.NoAnswer:
        # Its answer may only be slow.
        path = plone_site.get().getPhysicalPath()
        background.leave(background.QUESTIONS, path, partial(_take_verdict, id_))
        raise
    except (Unreachable, Refused) as error:
        logger.warning("%s cannot be asked about a validation: %s", protocol.TITLE, error)


def _take_verdict(id_: str) -> None:
    process = validation.get(plone_site.get(), id_)
    verdict = client.verdict(_settings(), process["question"])
    if verdict == REFUSED:
        # First, so that the next question ends it if this process dies here.
        _end(process, timestamps.now())
    if verdict:
        _change(id_, validation.settle, verdict)


def _end(process: validation.Process, now: datetime) -> None:
    pipeline.process_each(validation.ended(plone_site.get(), process, now))


def _settings() -> Any:
    provider = registry.get(protocol.NAME)
    if not registry.is_enabled(provider):
        raise NotSetUp
    settings = registry.settings(provider)
    if not settings.api_token:
        raise NotSetUp
    return settings


def _status(id_: str, now: datetime) -> dict[str, Any]:
    site = plone_site.get()
    process = validation.get(site, id_)
    until = validation.access_until(site, process, now)
    return {
        "id": id_,
        "status": process["status"],
        "submitted_at": process["submitted_at"],
        "access_until": None if until is None else timestamps.iso(until),
    }
