"""The networks that notifications may come from: addresses, networks, and proxies.

A proxy appends the address that it sees to ``X-Forwarded-For``; the part left of that came with
the request, and anybody can write it. So the header is read from right to left, and only as far
as the proxies are known.

The request's own environment is read, and the proxies are a setting of the site: Zope's
``trusted-proxy`` belongs to the process and takes addresses of hosts, while proxies of a cloud
or a container network are known by their network.
"""

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from ipaddress import ip_interface
from ipaddress import IPv4Address
from ipaddress import IPv4Network
from ipaddress import IPv6Address
from ipaddress import IPv6Network
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from typing import Any
from zope.i18nmessageid import Message

import logging
import re


logger = logging.getLogger("niteoweb.click2sell")

#: The settings that are lists of networks.
SETTINGS = ("allowed_networks", "trusted_proxies")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: IPv4 addresses as IPv6 ones.
_MAPPED = IPv6Network("::ffff:0:0/96")
#: Bits of an IPv6 address that name the customer of a provider; the others are the customer's.
_SUBSCRIBER = 64
#: ``[2001:db8::1]:443``, the port being optional.
_IN_BRACKETS = re.compile(r"\[(?P<address>[^\[\]]*)\](:[0-9]{1,5})?")
#: ``192.0.2.7:443``; without brackets only IPv4 can have a port.
_WITH_PORT = re.compile(r"(?P<address>[0-9.]+):[0-9]{1,5}")


class NetworkError(ValueError):
    """A text names no network.

    :ivar meant: the network that may have been meant, None when there is none.
    """

    def __init__(self, text: str, meant: Network | None = None) -> None:
        super().__init__(text)
        self.meant = meant


def allowed(environ: Mapping[str, Any]) -> bool:
    """Whether a request comes from a network that may send notifications.

    A line that cannot be read allows nobody; a list of nothing else refuses everybody.

    :param environ: of the request, as WSGI has it.
    """
    lines = plone_site.settings().allowed_networks
    if not lines:
        return True
    from_ = _sender(environ)
    return from_ is not None and is_in(from_, _networks(tuple(lines)))


def caller(environ: Mapping[str, Any]) -> str:
    """The address that a request comes from, "" where it cannot be read.

    :param environ: of the request, as WSGI has it.
    """
    return str(_sender(environ) or "")


def _sender(environ: Mapping[str, Any]) -> Address | None:
    return sender(
        environ.get("REMOTE_ADDR") or "",
        environ.get("HTTP_X_FORWARDED_FOR") or "",
        _networks(tuple(plone_site.settings().trusted_proxies or ())),
    )


def problems(name: str, lines: Sequence[str]) -> Iterator[Message]:
    """Problems of one of the settings.

    :param name: one of :data:`SETTINGS`.
    """
    for line in lines:
        try:
            named = network(line)
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
            if name == "trusted_proxies" and not named.prefixlen:
                yield _(
                    '"${line}" covers all addresses: then anybody could pretend to be anybody '
                    "else.",
                    mapping={"line": line},
                )


def network(text: str) -> Network:
    """Read a network, or an address, which is a network of one.

    :param text: such as ``192.0.2.0/24``, ``192.0.2.7``, ``2001:db8::/32``.
    :raises NetworkError: it is none, or has bits beyond its length.
    """
    try:
        written = ip_interface(text.strip())
    except ValueError:
        raise NetworkError(text) from None
    named = written.network
    if "%" in text:
        # A zone has a meaning on one machine only.
        raise NetworkError(text)
    if written.ip != named.network_address:
        raise NetworkError(text, named)
    if isinstance(named, IPv6Network) and named.subnet_of(_MAPPED):
        first = named.network_address.ipv4_mapped
        return IPv4Network((first, named.prefixlen - _MAPPED.prefixlen))
    return named


def address(text: str) -> Address | None:
    """Read an address as servers and proxies write it: with a port, brackets, a zone or none.

    :returns: an IPv4 address also where it is written as an IPv6 one; None when it is no
        address.
    """
    text = text.strip()
    written = _IN_BRACKETS.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        parsed = ip_address(written["address"] if written else text)
    except ValueError:
        return None
    if isinstance(parsed, IPv4Address):
        return None if written and text.startswith("[") else parsed
    # Without its zone, which says nothing here.
    return parsed.ipv4_mapped or IPv6Address(int(parsed))


def subscriber(text: str) -> str:
    """The network of the subscriber who has an address: of IPv6 64 bits, of IPv4 the address.

    :param text: an address; any other text is given back.
    """
    parsed = address(text)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, _SUBSCRIBER), strict=False))
    return str(parsed or text)


def sender(peer: str, forwarded: str, proxies: Collection[Network]) -> Address | None:
    """The address that a request comes from.

    :param peer: the address that is connected to this server.
    :param forwarded: ``X-Forwarded-For``, several ones joined with commas; "" for none.
    :param proxies: the networks of trusted proxies, whose ``X-Forwarded-For`` is believed.
    :returns: the last address that is no known proxy; None when it cannot be read.
    """
    caller = address(peer)
    chain = forwarded.split(",") if forwarded.strip() else []
    while chain and caller is not None and is_in(caller, proxies):
        caller = address(chain.pop())
    return caller


def is_in(caller: Address, networks: Collection[Network]) -> bool:
    """Whether an address belongs to one of these networks."""
    return any(caller.version == one.version and caller in one for one in networks)


@lru_cache(maxsize=16)
def _networks(lines: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks of the lines; a line that cannot be read is logged by its number."""
    readable = []
    for number, line in enumerate(lines, 1):
        try:
            readable.append(network(line))
        except NetworkError:
            logger.error("Line %s of the networks in the settings cannot be read.", number)
    return tuple(readable)
