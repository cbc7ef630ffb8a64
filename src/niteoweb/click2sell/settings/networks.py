"""Who sent a request: addresses, networks, and what proxies say. Pure.

A proxy appends the address that it sees to ``X-Forwarded-For``; what stands left of that came
with the request, and anybody can write it. So the header is read from right to left, and only
as far as the proxies are known.
"""

from collections.abc import Collection
from collections.abc import Iterable
from ipaddress import ip_address
from ipaddress import ip_network
from ipaddress import IPv4Address
from ipaddress import IPv4Network
from ipaddress import IPv6Address
from ipaddress import IPv6Network

import re


Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: IPv4 addresses as IPv6 ones.
_MAPPED = IPv6Network("::ffff:0:0/96")
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


def network(text: str) -> Network:
    """Read a network, or an address, which is a network of one.

    :param text: such as ``192.0.2.0/24``, ``192.0.2.7``, ``2001:db8::/32``.
    :raises NetworkError: it is none, or has bits beyond its length.
    """
    text = text.strip()
    if "%" in text:
        # A zone has a meaning on one machine only.
        raise NetworkError(text)
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise NetworkError(text) from None
    try:
        found = ip_network(text)
    except ValueError:
        raise NetworkError(text, meant) from None
    if isinstance(found, IPv6Network) and found.subnet_of(_MAPPED):
        first = found.network_address.ipv4_mapped
        return IPv4Network((first, found.prefixlen - _MAPPED.prefixlen))
    return found


def address(text: str) -> Address | None:
    """Read an address as servers and proxies write it: with a port, brackets, a zone or none.

    :returns: an IPv4 address also where it is written as an IPv6 one; None when it is no
        address.
    """
    text = text.strip()
    written = _IN_BRACKETS.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        found = ip_address(written["address"] if written else text)
    except ValueError:
        return None
    if isinstance(found, IPv4Address):
        return None if written and text.startswith("[") else found
    # Without its zone, which says nothing here.
    return found.ipv4_mapped or IPv6Address(int(found))


def sender(peer: str, forwarded: str, proxies: Iterable[Network]) -> Address | None:
    """The address that a request comes from.

    :param peer: who has the connection to this server.
    :param forwarded: ``X-Forwarded-For``, several ones joined with commas; "" for none.
    :param proxies: who is believed about it.
    :returns: the last one that is no known proxy; None when that cannot be read.
    """
    known = tuple(proxies)
    found = address(peer)
    chain = forwarded.split(",") if forwarded.strip() else []
    while chain and found is not None and is_in(found, known):
        found = address(chain.pop())
    return found


def is_in(found: Address, networks: Collection[Network]) -> bool:
    """Whether an address belongs to one of these networks."""
    return any(found.version == one.version and found in one for one in networks)
