"""Addresses of sites: the one form in which they are compared, and links are built from."""

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import quote
from urllib.parse import SplitResult
from urllib.parse import unquote_to_bytes
from urllib.parse import urlsplit

import idna
import re


#: The usual ports. A site behind a proxy may see http where visitors see https.
_PORTS = {"http": 80, "https": 443}

#: Labels of a host in ASCII; networks of companies know underscores.
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")

#: The signs that need no percent in a path (RFC 3986, pchar).
_PATH_SIGNS = "!$&'()*+,;=:@-._~"


class Unusable(ValueError):
    """An address that no site can have.

    :ivar part: the wrong part: "form", "host", "port", "user", "query" or "page".
    """

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


@lru_cache(maxsize=256)
def normal(address: str) -> str:
    """An address in its one form.

    The host is in lower case and in ASCII (IDNA 2008, as browsers write it) and has no dot at
    its end, the usual port is left out, and there is no slash at the end.

    :raises Unusable: nobody could open a site there.
    """
    parts, port = _split(address)
    if parts.username is not None or parts.password is not None:
        raise Unusable("user")
    if parts.query or parts.fragment:
        raise Unusable("query")
    names = [unquote_to_bytes(name) for name in parts.path.split("/") if name]
    if any(name in (b".", b"..") or name.startswith(b"@") for name in names):
        raise Unusable("page")
    host = _host(parts.hostname or "")
    path = "".join(f"/{quote(name, _PATH_SIGNS)}" for name in names)
    place = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{place}{path}"


def host(address: str) -> tuple[str, int | None] | None:
    """Host and port of an address, to compare: no port for the usual ones.

    :returns: None for an address that cannot be used.
    """
    try:
        parts = urlsplit(normal(address))
    except Unusable:
        return None
    return parts.hostname or "", None if parts.port in _PORTS.values() else parts.port


def is_local(address: str) -> bool:
    """Whether an address leads to this machine, wherever it is opened."""
    name = (host(address) or ("", None))[0]
    return name == "localhost" or name.endswith(".localhost") or name in ("127.0.0.1", "::1")


def path(address: str) -> str:
    """The path of an address in its one form, "" for the root of the host."""
    return urlsplit(normal(address)).path


def _split(address: str) -> tuple[SplitResult, int | None]:
    try:
        address.encode("utf-8")  # half a surrogate cannot be in one
        parts = urlsplit(address.strip())
        hostname = parts.hostname
    except ValueError:
        raise Unusable("form") from None
    if parts.scheme not in _PORTS or not hostname:
        raise Unusable("form")
    try:
        port = parts.port
    except ValueError:
        raise Unusable("port") from None
    if port == 0:
        raise Unusable("port")
    return parts, port


def _host(name: str) -> str:
    if ":" in name:
        try:
            return f"[{ip_address(name)}]"
        except ValueError:
            raise Unusable("host") from None
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except UnicodeError:  # idna's errors are kinds of it
            raise Unusable("host") from None
    name = name.lower().removesuffix(".")
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise Unusable("host")
    return name
