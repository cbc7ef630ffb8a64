"""Requests that come to an address of the public."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit


@contextmanager
def visited(request: Any, host: str = "www.example.org") -> Iterator[None]:
    """Let the request come to an address."""
    before = request["SERVER_URL"]
    request.set("PUBLISHED", None)
    request.setServerURL("https", host)
    try:
        yield
    finally:
        del request.other["PUBLISHED"]
        parts = urlsplit(before)
        request.setServerURL(parts.scheme, parts.hostname, parts.port)
