"""Exchanges over real HTTP as text, for the documentation.

A recording is what was sent and what came back, byte by byte, but for five things: the site's
place on the test server is that of a site at https://www.example.org, headers that differ with
each server and second are left out, ``Connection: close`` is not shown, a form is broken before
each ``&`` so that it can be read, and lines of an answer end without spaces.
"""

from collections.abc import Sequence
from http.client import HTTPResponse
from io import BytesIO
from pathlib import Path

import os
import socket


#: Set to 1 to write the recordings instead of comparing with them.
RECORD = "CLICK2SELL_RECORD"
FOLDER = Path(__file__).resolve().parents[5] / "docs" / "http-examples"
HOST = "www.example.org"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
#: How a proxy asks Zope for a page of the site, so that its links carry the public address.
PUBLIC = f"/VirtualHostBase/https/{HOST}:443/plone/VirtualHostRoot"

#: They belong to the server or the moment, not to the answer.
CHANGING = {"connection", "date", "server", "via", "x-powered-by"}


def request_text(
    method: str,
    path: str,
    body: bytes = b"",
    content_type: str = FORM,
    headers: Sequence[str] = (),
) -> str:
    """A request as it goes over the wire, without the header that ends the connection.

    :param headers: further ones, as whole lines.
    """
    head = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", *headers]
    if method != "GET":
        head += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", body.decode("ascii")])


def exchange(address: tuple[str, int], request: str) -> str:
    """Send a request and read the answer.

    :param address: host and port of the test server.
    :returns: the answer, its headers in the order of their names.
    """
    head, body = request.split("\r\n\r\n", 1)
    method, path, version = head.partition("\r\n")[0].split(" ")
    sent = head.replace(f"{method} {path} ", f"{method} {PUBLIC}{path} ", 1)
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(f"{sent}\r\nConnection: close\r\n\r\n{body}".encode("ascii"))
        raw = b"".join(iter(lambda: connection.recv(65536), b""))
    answer = HTTPResponse(_Raw(raw))
    answer.begin()
    headers = sorted(
        f"{name}: {value}"
        for name, value in answer.getheaders()
        if name.lower() not in CHANGING
    )
    status = f"{version} {answer.status} {answer.reason}"
    return "\r\n".join([status, *headers, "", answer.read().decode("utf-8")])


def readable(text: str) -> str:
    """A request or an answer as it is shown."""
    head, body = text.split("\r\n\r\n", 1)
    if FORM in head:
        body = body.replace("&", "\n&")
    shown = [*head.split("\r\n"), "", *(line.rstrip(" ") for line in body.split("\n"))]
    return "\n".join(shown).rstrip("\n") + "\n"


def differences(name: str, shown: str) -> tuple[str, str]:
    """Compare with a recording, or make it.

    :param name: of the file.
    :returns: the recording and what it should be; equal when it was just made.
    """
    path = FOLDER / f"{name}.http"
    if os.environ.get(RECORD) == "1":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    recorded = path.read_text(encoding="utf-8") if path.is_file() else "(not recorded)\n"
    return recorded, shown


class _Raw:
    """The socket that http.client reads an answer from."""

    def __init__(self, raw: bytes) -> None:
        self._file = BytesIO(raw)

    def makefile(self, mode: str) -> BytesIO:
        return self._file
