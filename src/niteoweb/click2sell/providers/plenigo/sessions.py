"""Sessions of members at plenigo, which open plenigo's self-service for them.

A session is as good as a login: it opens addresses, bank accounts and orders. It is kept for
some hours, since plenigo gives a customer only one or two; it is in no answer, log or export.
"""

from collections.abc import Mapping
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import sdk
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.providers.plenigo import tie
from niteoweb.click2sell.providers.plenigo.shortlived import ShortLived
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from Products.PluggableAuthService.interfaces.events import IUserLoggedOutEvent
from typing import Any
from zope.component import adapter


#: By user id: customer id, session, and lower-cased address.
SESSIONS = ShortLived("plenigo_sessions")
#: How long a session is kept.
KEPT = timedelta(hours=12)


class SessionLimit(Exception):
    """The customer has as many sessions elsewhere as plenigo allows."""


def transfer_token(user_id: str, environ: Mapping[str, Any]) -> str:
    """A token for plenigo's self-service, good for half a minute and one use.

    :param user_id: of the member who is logged in.
    :param environ: of the request: plenigo is told the member's address in the network.
    :raises SessionLimit: the member has to log out elsewhere first.
    :raises niteoweb.click2sell.providers.plenigo.tie.NoCustomer: plenigo does not know the
        member.
    :raises niteoweb.click2sell.providers.plenigo.checkout.NotSetUp: an owner has to see to the
        settings.
    :raises niteoweb.click2sell.provider.Refused: plenigo does not give one.
    :raises niteoweb.click2sell.provider.Unreachable: try again later.
    """
    stored, site = checkout.ready(), plone_site.get()
    customer_id = tie.known(site, user_id)
    session = kept(site, user_id, customer_id)
    with jsonapi.within(jsonapi.SALE):
        api = client.connect(stored)
        if not session or not _is_valid(api, session, customer_id):
            # All sessions are the site's own where members do not log in with plenigo.
            replace = stored.login in (None, "off")
            session = _begin(api, customer_id, environ, replace)
            writer.run(lambda site: keep(site, user_id, customer_id, session))
        return shop.transfer_token(api, session)


def kept(site: Any, user_id: str, customer_id: str) -> str:
    """The session of a member that is kept, "" for none of this customer."""
    whose, session, _address = SESSIONS.get(site, user_id) or ("", "", "")
    return session if whose == customer_id else ""


def keep(site: Any, user_id: str, customer_id: str, session: str) -> None:
    """Keep a session of a member."""
    address = accounts.text(user_id, "email").strip().lower()
    until = timestamps.now() + KEPT
    SESSIONS.add(site, user_id, until, customer_id, session, address)


@adapter(IUserLoggedOutEvent)
def forget_at_logout(event: Any) -> None:
    """Forget the session of a member who logs out."""
    site, user_id = plone_site.get(), event.principal.getId()
    if trees.exists(site) and SESSIONS.get(site, user_id) is not None:
        writer.run(lambda site: SESSIONS.remove(site, user_id))


def _is_valid(api: JsonApi, session: str, customer_id: str) -> bool:
    try:
        return shop.session_customer(api, session) == customer_id
    except Refused:
        return False


def _begin(api: JsonApi, customer_id: str, environ: Mapping[str, Any], replace: bool) -> str:
    """Begin a session.

    :param replace: the oldest one may end for it.
    """
    value = {"source": sdk.host(), "ipAddress": checkout.address(environ)}
    session, removal, oldest = shop.begin_session(api, customer_id, value)
    if session:
        return session
    if not (replace and removal and oldest):
        raise SessionLimit
    return shop.replace_session(api, removal, oldest)
