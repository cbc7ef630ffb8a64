"""Exchanges over HTTP, within limits of time and size: https alone, and no redirect.

Nothing is logged, neither addresses nor answers. An error that urllib3 or requests raise has
the address in its text, so that none of them goes further than those who ask; and what urllib3
says of an answer that is no sound HTTP, or to a log of everything, is dropped.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import closing
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.provider import deadline
from niteoweb.click2sell.provider.answers import NoAnswer
from niteoweb.click2sell.provider.answers import Unreachable
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import logging
import os
import requests
import time
import urllib3


#: Set to 1 it allows http to this machine itself, for tests and the demo.
INSECURE_VARIABLE = "CLICK2SELL_INSECURE_API"

#: Seconds for a connection, and for each piece of an answer.
TIMEOUT = (3, 10)
#: Bytes. A page of 100 subscriptions has about 200 KB.
LARGEST_ANSWER = 4 * 1024 * 1024

_PIECE = 64 * 1024
#: Bytes of an error that are read, for its code.
_LARGEST_ERROR = 64 * 1024

_is_asking: ContextVar[bool] = ContextVar("is_asking", default=False)
for _name in ("urllib3.connection", "urllib3.connectionpool"):
    # An address can hold the session of a customer. Other code's questions are logged as ever.
    logging.getLogger(_name).addFilter(lambda record: not _is_asking.get())

#: The errors of an exchange that came to no answer.
ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


def allowed(url: str) -> bool:
    """Whether an API may be asked at an address: https, no password and no query in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or not url.isprintable() or set(url) & set(' \\"<>'):
        return False
    if "@" in parts.netloc or "?" in url or "#" in url:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http"
        and os.environ.get(INSECURE_VARIABLE) == "1"
        and _is_this_machine(host)
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Let urllib3 log nothing in this thread."""
    token = _is_asking.set(True)
    try:
        yield
    finally:
        _is_asking.reset(token)


def once(
    method: str, url: str, headers: Mapping[str, str], content: Mapping[str, Any], until: float
) -> tuple[int, str, bytes]:
    """Ask once: status, Retry-After and body.

    :param content: arguments of :func:`requests.request`.
    :param until: a moment by the monotonic clock.
    """
    left = until - time.monotonic()
    with deadline.until(until), _quiet():
        response = _session(_origin(url)).request(
            method,
            url,
            **content,
            headers=headers,
            timeout=tuple(max(0.001, min(limit, left)) for limit in TIMEOUT),
            allow_redirects=False,
            stream=True,
        )
        with closing(response):
            retry_after = response.headers.get("Retry-After", "")
            if response.status_code >= 300:
                return response.status_code, retry_after, _error_body(response)
            return response.status_code, "", _body(response)


def aside(
    method: str, url: str, headers: Mapping[str, str], content: Mapping[str, Any], until: float
) -> tuple[int, str, bytes]:
    """Ask once, in a thread of its own: looking up a host knows no limit of time."""
    answer: Future[tuple[int, str, bytes]] = Future()

    def ask() -> None:
        try:
            answer.set_result(once(method, url, headers, content, until))
        except Exception as error:
            answer.set_exception(error)

    Thread(target=ask, name="click2sell question", daemon=True).start()
    return answer.result(max(0, until - time.monotonic()))


def post(
    url: str, body: bytes, headers: Mapping[str, str], seconds: float
) -> tuple[int, timedelta]:
    """Post something that is no question.

    :param seconds: for all of it, but for looking up the host.
    :returns: the status of the answer, and the pause that it asks for.
    :raises NoAnswer: nobody answers in time.
    """
    try:
        with deadline.until(time.monotonic() + seconds), _quiet():
            response = _session(_origin(url)).request(
                "POST",
                url,
                data=body,
                headers=dict(headers),
                timeout=(min(TIMEOUT[0], seconds), seconds),
                allow_redirects=False,
                stream=True,
            )
            response.close()
            return response.status_code, pause(response.headers.get("Retry-After", ""))
    except ERRORS:
        raise NoAnswer from None


def pause(retry_after: str) -> timedelta:
    """The pause that a Retry-After asks for, in seconds or by a date; else none."""
    if retry_after.isascii() and retry_after.isdigit():
        return timedelta(seconds=int(retry_after[:6]))
    try:
        until = parsedate_to_datetime(retry_after)
        return max(timedelta(), until - timestamps.now())
    except (ValueError, TypeError, OverflowError):
        return timedelta()


@cache
def _session(origin: str) -> requests.Session:
    """The connections of this process to a server, which stay open between questions."""
    session = requests.Session()
    # A proxy of this machine's environment is for the world outside.
    session.trust_env = not _is_this_machine(urlsplit(origin).hostname or "")
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount(origin, deadline.Deadline(TIMEOUT[1]))
    return session


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def _body(response: requests.Response) -> bytes:
    body = b""
    while piece := response.raw.read1(_PIECE, decode_content=False):
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise Unreachable("answer too large")
    return body


def _error_body(response: requests.Response) -> bytes:
    """The body of an error, b"" where it is too long or breaks off."""
    body = b""
    try:
        while piece := response.raw.read1(_PIECE, decode_content=False):
            body += piece
            if len(body) > _LARGEST_ERROR:
                return b""
    except (urllib3.exceptions.HTTPError, OSError):
        return b""
    return body


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
