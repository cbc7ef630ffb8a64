"""Have a purchase validated that was made in another shop, and tell its status.

The provider is asked over the network, outside of locks and transactions.
"""

from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.notification import REFUSED
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.cleeng import client
from niteoweb.click2sell.providers.cleeng import protocol
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import validation
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")


class NotSetUp(Exception):
    """The provider is switched off, or there is no token to ask it with."""


@dataclass(frozen=True)
class Purchase:
    """A purchase, as an app states it.

    :ivar email: the buyer's address.
    :ivar subscription_id: the shop's id of the subscription.
    :ivar offer_id: the provider's id of the bought offer; "" where the app does not name it:
        then there is no access before the provider does.
    """

    email: str
    subscription_id: str
    offer_id: str = ""


@dataclass(frozen=True)
class ValidationStatus:
    """The status of a validation.

    :ivar status: pending, succeeded or failed.
    :ivar submitted_at: in UTC.
    :ivar access_until: end of access in the meantime, None for none.
    """

    id: str
    status: str
    submitted_at: datetime
    access_until: datetime | None


def submit(purchase: Purchase, by: str) -> ValidationStatus:
    """Have a purchase validated.

    :param by: id of the user who asks.
    :raises NotSetUp: an owner has to see to the settings.
    :raises niteoweb.click2sell.provisioning.validation.TooMany: try again in a minute.
    :raises niteoweb.click2sell.provider.Unreachable: try again later; nothing is kept.
    :raises niteoweb.click2sell.provider.Refused: the provider does not take it; nothing
        is kept.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
    """
    settings, now = _settings(), timestamps.now()
    given = purchase.subscription_id
    # Written down first: a notification may be faster than the answer.
    id_ = writer.run(lambda site: validation.begin(site, protocol.NAME, given, by, now)["id"])
    try:
        question = client.validate(
            settings, purchase.email, purchase.subscription_id, purchase.offer_id
        )
    except (Unreachable, Refused):
        writer.run(lambda site: validation.forget(site, validation.get(site, id_)))
        raise
    buyer = purchase.email.lower() if purchase.offer_id else ""
    writer.run(lambda site: validation.queue(site, validation.get(site, id_), question, buyer))
    process = validation.get(plone_site.get(), id_)
    if process["given"] and process["status"] == validation.PENDING:
        offer = purchase.offer_id
        notification = validation.provisional(
            process, purchase.email, offer, protocol.aliases(offer), now
        )
        try:
            pipeline.process(notification)
            # Another process may have been faster, for another buyer.
            writer.run(
                lambda site: validation.note_given(site, validation.get(site, id_), buyer)
            )
            if validation.get(plone_site.get(), id_)["status"] == REFUSED:
                # A notification has said so in the meantime, when there was nothing to end.
                _end(process, now)
        except (transactions.Busy, pipeline.Failed):
            # It is queued; the sweep takes the entry up, if there is one.
            logger.warning("Entry %s has to wait.", notification.key)
    return _status(id_, now)


def status(id_: str, by: str) -> ValidationStatus | None:
    """The status of a validation; the provider is asked where it has not told it yet.

    :param by: id of the user who asks.
    :returns: None when there is no such validation, or it is somebody else's.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
    """
    now = timestamps.now()
    process = validation.get(plone_site.get(), id_)
    if process is None or process["by"] != by:
        return None
    if process["status"] == validation.PENDING:
        _ask(id_, now)
    return _status(id_, now)


def _ask(id_: str, now: datetime) -> None:
    try:
        settings = _settings()
    except NotSetUp:
        return
    if not writer.run(lambda site: validation.may_ask(validation.get(site, id_), now)):
        return
    process = validation.get(plone_site.get(), id_)
    try:
        verdict = client.verdict(settings, process["question"])
    except (Unreachable, Refused) as error:
        logger.warning("%s cannot be asked about a validation: %s", protocol.TITLE, error)
        return
    if verdict == REFUSED:
        # First, so that the next question ends it if this process dies here.
        _end(process, now)
    if verdict:
        writer.run(lambda site: validation.settle(site, validation.get(site, id_), verdict))


def _end(process: validation.Process, now: datetime) -> None:
    for notification in validation.ended(plone_site.get(), process, now):
        try:
            pipeline.process(notification)
        except pipeline.Failed:
            # It is written down; the sweep takes it up.
            logger.warning("Entry %s has to wait.", notification.key)


def _settings() -> Any:
    provider = registry.get(protocol.NAME)
    if provider is None or not registry.is_enabled(provider):
        raise NotSetUp
    settings = registry.settings(provider)
    if not settings.api_token:
        raise NotSetUp
    return settings


def _status(id_: str, now: datetime) -> ValidationStatus:
    site = plone_site.get()
    process = validation.get(site, id_)
    return ValidationStatus(
        id=id_,
        status=process["status"],
        submitted_at=timestamps.from_iso(process["submitted_at"]),
        access_until=validation.access_until(site, process, now),
    )
