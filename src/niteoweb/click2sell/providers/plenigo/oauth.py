"""The login by OAuth2 of plenigo's API before the present one: an access code is a profile.

Names are those of plenigo's guide for its script and of its PHP SDK of that time. Nothing of it
was tried against plenigo, and two things are assumed, for nothing says them: that this API
stands beside the present one, at plenigo's stage too; and that the id of a profile is that of a
customer of the present API. So whoever is told a profile compares it with that customer.
"""

from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.providers.plenigo import checkout
from typing import Any
from urllib.parse import urlsplit

import logging


logger = logging.getLogger("niteoweb.click2sell")

#: The last part of the address, where the present API has ``v3.0``.
VERSION = "v2"
#: Characters of an access code, and of a token.
LONGEST_CODE = 1000
LONGEST_TOKEN = 4000
#: Errors of OAuth2 that an owner has to see to.
_OWNERS = frozenset({"invalid_client", "unauthorized_client"})


def profile(settings: Any, code: str, redirect_uri: str) -> tuple[str, str]:
    """Exchange an access code, which is good once, for a token, and ask by it whose it is.

    :param settings: with ``api_url``, ``company_id`` and ``client_secret``.
    :param redirect_uri: the page that was told the code, "" to leave that out.
    :returns: the id, and the address in lower case; each "" where the profile has none.
    :raises Refused: it is no such code, or not any more.
    :raises niteoweb.click2sell.providers.plenigo.checkout.NotSetUp: plenigo does not take the
        secret, or the address of its API has no path.
    :raises Unreachable: try again later.
    """
    values = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": settings.company_id,
        "client_secret": settings.client_secret,
        **({"redirect_uri": redirect_uri} if redirect_uri else {}),
    }
    with jsonapi.reading():
        answer = _accepted(_api(settings, "oauth2/verify").form(values))
        token = answer.text("access_token", LONGEST_TOKEN)
        if not token:
            raise Refused("no access token")
        found = _accepted(_api(settings, "user/profile").form({}, token=token))
        id_ = found.identifier("userId") or found.identifier("id")
        return id_, found.text("email").lower()


def _api(settings: Any, path: str) -> JsonApi:
    beside = (settings.api_url or "").rstrip("/").rpartition("/")[0]
    if not urlsplit(beside).hostname:
        # Without a path the version would take the place of the host, which is told the secret.
        raise checkout.NotSetUp
    return JsonApi(f"{beside}/{VERSION}/{path}", {})


def _accepted(answer: JsonBody) -> JsonBody:
    """The answer, unless it tells an error, which it does under any status."""
    if not answer.has("error"):
        return answer
    if answer.title("error") in _OWNERS:
        logger.warning("plenigo does not take the secret of the company.")
        raise checkout.NotSetUp
    raise Refused("access code")
