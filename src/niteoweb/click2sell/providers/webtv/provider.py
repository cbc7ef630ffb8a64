"""WS.WebTV as a registered payment provider."""

from niteoweb.click2sell.interfaces import IWebTVSettings
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import polling
from niteoweb.click2sell.providers.webtv import privacy
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.providers.webtv import users


PROVIDER = registry.PaymentProvider(
    *(protocol, IWebTVSettings, client),
    poll=polling.poll,
    privacy=privacy,
    reasons=texts.REASONS,
    page=texts.page,
    pages=texts.PAGES,
    held=users.held_addresses,
)
