"""Whether a caller may send notifications, by the settings about networks.

The request's own environment is read. Zope's and waitress's settings about proxies have other
uses, and an owner of a Plone site need not know them.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from functools import lru_cache
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.settings import networks
from niteoweb.click2sell.settings.networks import Network
from niteoweb.click2sell.settings.networks import NetworkError
from typing import Any
from zope.i18nmessageid import Message

import logging


logger = logging.getLogger("niteoweb.click2sell")

#: The settings that are lists of networks.
SETTINGS = ("allowed_networks", "trusted_proxies")


def allowed(environ: Mapping[str, Any]) -> bool:
    """Whether a request comes from where notifications may come from.

    A line that cannot be read allows nobody; a list of nothing else refuses everybody.

    :param environ: of the request, as WSGI has it.
    """
    settings = plone_site.settings()
    lines = settings.allowed_networks
    if not lines:
        return True
    found = networks.sender(
        environ.get("REMOTE_ADDR") or "",
        environ.get("HTTP_X_FORWARDED_FOR") or "",
        _networks(tuple(settings.trusted_proxies or ())),
    )
    return found is not None and networks.is_in(found, _networks(tuple(lines)))


def problems(name: str, lines: Sequence[str]) -> Iterator[Message]:
    """What is wrong with one of the settings.

    :param name: one of :data:`SETTINGS`.
    """
    for line in lines:
        try:
            found = networks.network(line)
        except NetworkError as error:
            names = {"line": line, "meant": str(error.meant)}
            if error.meant is None:
                yield _(
                    '"${line}" is no address and no network such as 192.0.2.0/24 or '
                    "2001:db8::/32.",
                    mapping=names,
                )
            else:
                yield _(
                    '"${line}" is no network: write ${meant}, or the address alone.',
                    mapping=names,
                )
        else:
            if name == "trusted_proxies" and not found.prefixlen:
                yield _(
                    '"${line}" is everybody: then anybody could claim to be anybody.',
                    mapping={"line": line},
                )


@lru_cache(maxsize=16)
def _networks(lines: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks that lines name; of the others it is logged that they cannot be read."""
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(networks.network(line))
        except NetworkError:
            logger.error("Line %s of the networks in the settings cannot be read.", number)
    return tuple(found)
