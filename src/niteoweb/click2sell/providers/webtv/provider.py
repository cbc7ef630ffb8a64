"""WS.WebTV as a registered payment provider."""

from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell.interfaces import IWebTVSettings
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.webtv import charges
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import fulfil
from niteoweb.click2sell.providers.webtv import privacy
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv import selling
from niteoweb.click2sell.providers.webtv import sync
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.providers.webtv import users
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")


def poll(now: datetime, most_ends: int, confirmed: bool) -> Mapping[str, Any]:
    """Ask the store the due questions; see :func:`.sync.poll`.

    :returns: parts of the sweep's report: ``store`` and ``sales``.
    """
    settings = registry.settings(registry.get(protocol.NAME))
    if not settings.api_token:
        return {}
    sold, troubled = {"taken_up": 0, "done": 0}, 0
    selling.tell_of_long_ones(now)
    charges.look(now)
    charges.look_for_refunds(now)
    try:
        selling.resume(settings, sold)
        fulfil.run(settings, now)
    except Unreachable as error:
        logger.warning("Sales have to wait: %s", error)
        troubled = 1
    told = sync.poll(now, most_ends, confirmed)
    return {**told, "sales": sold, "troubled": told.get("troubled", 0) + troubled}


PROVIDER = registry.PaymentProvider(
    *(protocol, IWebTVSettings, client),
    poll=poll,
    privacy=privacy,
    reasons=texts.REASONS,
    page=texts.page,
    pages=texts.PAGES,
    held=users.held_addresses,
)
