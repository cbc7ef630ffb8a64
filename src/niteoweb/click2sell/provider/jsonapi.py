"""Asking a provider's API over HTTP for JSON, within limits of time and size.

All limits of time are here. A background thread is patient; a request asks inside of
:func:`within`, so that a provider that hangs holds up no site.

Nothing is logged: neither addresses nor answers, and no error names them. An error that urllib3
or requests raise has the address in its text, so that none of them goes further; and what
urllib3 says of an answer that is no sound HTTP, or to a log of everything, is dropped.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.provider import deadline
from niteoweb.click2sell.provider import jsonbody
from threading import BoundedSemaphore
from threading import Thread
from typing import Any
from urllib.parse import quote
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
#: Seconds after which a question is not tried again, and no more of an answer is read.
PATIENCE = 30
#: Seconds that a request waits for providers in all.
REQUEST = 1
#: The same of a request that sells, or sweeps where no thread does.
SALE = 10
#: Requests of a process that wait for providers at a time.
PLACES = 2
#: Seconds before another try. What the provider asks for counts, up to the last of them.
PAUSES = (1, 5)
#: Bytes. A page of 100 subscriptions has about 200 KB.
LARGEST_ANSWER = 4 * 1024 * 1024

#: Statuses that mean yes, by the method.
_DONE = {"GET": frozenset({200}), "POST": frozenset({200, 201, 202})}
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})
_PIECE = 64 * 1024
#: Bytes of an error that are read, for its code.
_LARGEST_ERROR = 64 * 1024

_places = BoundedSemaphore(PLACES)
#: The moment up to which the current request waits, by the monotonic clock.
_limit: ContextVar[float | None] = ContextVar("limit", default=None)
_is_asking: ContextVar[bool] = ContextVar("is_asking", default=False)
for _name in ("urllib3.connection", "urllib3.connectionpool"):
    # An address can hold the session of a customer. Other code's questions are logged as ever.
    logging.getLogger(_name).addFilter(lambda record: not _is_asking.get())


class Unreachable(Exception):
    """The provider cannot be asked at the moment; the question can be asked again later.

    The message says why, without a secret, an address of a person or a part of the answer.
    """


class NoAnswer(Unreachable):
    """The provider has not answered in time."""

    def __init__(self) -> None:
        super().__init__("no answer")


class TokenRefused(Unreachable):
    """The provider does not accept the token, or not for this question."""

    def __init__(self) -> None:
        super().__init__("token not accepted")


class Refused(Exception):
    """The provider does not answer the question, or cannot be asked it: a person has to decide.

    :ivar reason: why, in a few words, without a secret or a part of the answer.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rejected(Refused):
    """The provider says no, and by a code why.

    :ivar status: of HTTP.
    :ivar code: the provider's, 0 for none.
    :ivar fields: the names of the fields that it does not accept.
    """

    def __init__(self, status: int, code: int = 0, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"status {status}, code {code}" if code else f"status {status}")
        self.status, self.code, self.fields = status, code, fields


class NotFound(Rejected):
    """The provider does not know the subject of the question."""

    def __init__(self, code: int = 0) -> None:
        super().__init__(404, code)
        self.reason = "not found"


class SessionInvalid(Rejected):
    """The session of a customer at the provider is over, or none."""


@dataclass(frozen=True)
class Reply:
    """An answer that means yes.

    :ivar status: which yes, where the provider has several.
    """

    status: int
    body: jsonbody.JsonBody


@dataclass(frozen=True)
class Codes:
    """Codes of errors that mean something whatever the question was.

    :ivar away: the provider answers nobody at the moment.
    :ivar session: the session of a customer is not valid.
    """

    away: frozenset[int] = frozenset()
    session: frozenset[int] = frozenset()


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
def within(seconds: float) -> Iterator[None]:
    """Let a request ask providers, all of them together for so many seconds.

    :raises NoAnswer: as many requests wait for providers as may.
    """
    if not _places.acquire(blocking=False):
        raise NoAnswer
    token = _limit.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _limit.reset(token)
        _places.release()


@contextmanager
def _quiet() -> Iterator[None]:
    """Let urllib3 log nothing in this thread."""
    token = _is_asking.set(True)
    try:
        yield
    finally:
        _is_asking.reset(token)


class JsonApi:
    """An API that answers questions with JSON.

    :param base: the address that all paths are below.
    :param headers: of every question, a token for example.
    :param codes: of errors.
    :param sleep: waits some seconds.
    :raises Refused: the address may not be asked.
    :raises Unreachable: a header cannot be sent.
    """

    def __init__(
        self,
        base: str,
        headers: Mapping[str, str],
        sleep: Callable[[float], None] = time.sleep,
        codes: Codes = Codes(),
    ) -> None:
        if not allowed(base):
            raise Refused("address of the API")
        self._base = base.rstrip("/")
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise Unreachable("token not accepted")
        # Nothing compressed: a small answer could become a large one.
        accepted = {"Accept": "application/json", "Accept-Encoding": "identity"}
        self._headers = {**accepted, **headers}
        self._sleep = sleep
        self._codes = codes

    def ask(
        self,
        method: str,
        *path: str,
        value: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        yes: frozenset[int] = frozenset({200}),
        repeat: bool | None = None,
    ) -> Reply:
        """Ask for something, or for an action.

        :param path: its parts, below the API's address.
        :param value: goes out as JSON, with its nulls.
        :param query: parameters of the query.
        :param yes: the statuses that mean yes; the reply tells which one it was.
        :param repeat: whether to try again after an error of theirs or no answer; None for the
            methods for which that does no harm, GET and PUT.
        :raises Unreachable: no answer, an error of theirs, or the token is not accepted.
        :raises SessionInvalid: the session of a customer is not valid.
        :raises NotFound: they do not know the subject.
        :raises Rejected: they say no.
        """
        again = method in ("GET", "PUT") if repeat is None else repeat
        content: dict[str, Any] = {"params": dict(query or {})}
        if value is not None:
            content["json"] = value
        status, body = self._exchange(method, path, PAUSES if again else (), **content)
        try:
            answer = jsonbody.read(body or (b"" if method == "GET" else b"{}"))
        except ParameterInvalid:
            answer = None
        if status not in yes:
            raise self._error(status, answer or jsonbody.JsonBody({}))
        if answer is None:
            raise Unreachable("answer unreadable")
        return Reply(status, answer)

    def _error(self, status: int, answer: jsonbody.JsonBody) -> Unreachable | Rejected:
        """The error of an answer that means no. Of its words none goes further."""
        try:
            code = answer.integer("errorCode") or 0
            fields = tuple(one.text("field") for one in answer.parts("validationErrors"))
        except ParameterError:
            code, fields = 0, ()
        if code in self._codes.away:
            return Unreachable(f"code {code}")
        if code in self._codes.session:
            return SessionInvalid(status, code)
        if status == 401:
            return TokenRefused()
        return NotFound(code) if status == 404 else Rejected(status, code, fields)

    def get(self, *path: str, **parameters: str | Sequence[str]) -> jsonbody.JsonBody:
        """Ask for something.

        :param path: its parts, below the API's address.
        :param parameters: of the query; a list names one several times.
        :raises Unreachable: no answer or an error of theirs, even after some tries; or the
            token is not accepted, which an owner can change.
        :raises NotFound: they do not know it.
        :raises Refused: they do not answer such a question.
        """
        status, body = self._try("GET", path, PAUSES, params=parameters)
        answer = _read(status, body)
        if answer is None:
            # A page of a proxy or of a maintenance, perhaps.
            raise Unreachable("answer unreadable")
        return answer

    def post(
        self, value: Mapping[str, Any], *path: str, form: bool = False
    ) -> jsonbody.JsonBody:
        """Ask for an action; it is tried once, as it may have been carried out.

        :param value: goes out as JSON.
        :param form: it goes out as a form.
        :param path: its parts, below the API's address.
        :returns: the answer, empty where it is no JSON.
        :raises Unreachable: as for :meth:`get`.
        :raises NotFound: they do not know the subject.
        :raises Refused: they do not do it.
        """
        return _read(
            *self._try("POST", path, (), **{"data" if form else "json": value})
        ) or jsonbody.JsonBody({})

    def form(self, values: Mapping[str, str], **parameters: str) -> jsonbody.JsonBody:
        """Ask with a form, of an API that may tell errors with the status 200; tried once.

        :param values: go out as a form; without any it is a GET.
        :param parameters: of the query.
        :raises Unreachable: no answer, an error of theirs, or no JSON.
        """
        content = {"params": parameters, **({"data": values} if values else {})}
        status, body = self._exchange("POST" if values else "GET", (), (), **content)
        if 300 <= status < 400:
            raise Unreachable(f"status {status}")
        try:
            return jsonbody.read(body)
        except ParameterInvalid:
            raise Unreachable("answer unreadable") from None

    def _try(
        self, method: str, path: Sequence[str], pauses: Sequence[float], **content: Any
    ) -> tuple[int, bytes]:
        """Status and body of an answer; a status that means yes is returned as 200."""
        status, body = self._exchange(method, path, pauses, **content)
        return (200, body) if status in _DONE[method] else (status, b"")

    def _exchange(
        self, method: str, path: Sequence[str], pauses: Sequence[float], **content: Any
    ) -> tuple[int, bytes]:
        """Status and body of the first answer that is not an error of theirs."""
        if set(path) & {"", ".", ".."}:
            # It would be another question.
            raise Refused("id")
        url = "/".join([self._base, *(quote(part, safe="") for part in path)])
        limit, until = _limit.get(), time.monotonic() + PATIENCE
        ask = self._ask
        if limit is not None:
            until, ask = min(limit, until), self._ask_aside
        for pause in (*pauses, None):
            status, retry_after = 0, ""
            try:
                if time.monotonic() < until:
                    status, retry_after, body = ask(method, url, content, until)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
                pass
            if status and status not in _TRY_AGAIN:
                return status, body
            if pause is None:
                break
            pause = _pause(pause, retry_after)
            if time.monotonic() + pause >= until:
                break
            self._sleep(pause)
        raise Unreachable(f"status {status}") if status else NoAnswer

    def _ask_aside(self, *question: Any) -> tuple[int, str, bytes]:
        """Try once, in a thread of its own: looking up a host knows no limit of time."""
        answer: Future[tuple[int, str, bytes]] = Future()

        def ask() -> None:
            try:
                answer.set_result(self._ask(*question))
            except Exception as error:
                answer.set_exception(error)

        Thread(target=ask, name="click2sell question", daemon=True).start()
        *_question, until = question
        return answer.result(max(0, until - time.monotonic()))

    def _ask(
        self, method: str, url: str, content: Mapping[str, Any], until: float
    ) -> tuple[int, str, bytes]:
        """Try once: status, Retry-After and body."""
        left = until - time.monotonic()
        with deadline.until(until), _quiet():
            response = _session(_origin(url)).request(
                method,
                url,
                **content,
                headers=self._headers,
                timeout=tuple(max(0.001, min(limit, left)) for limit in TIMEOUT),
                allow_redirects=False,
                stream=True,
            )
            with closing(response):
                retry_after = response.headers.get("Retry-After", "")
                if response.status_code >= 300:
                    return response.status_code, retry_after, _error_body(response)
                return response.status_code, "", _body(response)


def post(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> int:
    """Post something that is no question: only the status of the answer is looked at.

    :param seconds: for all of it, but for looking up the host.
    :raises NoAnswer: nobody answers in time.
    """
    try:
        with deadline.until(time.monotonic() + seconds):
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
            return response.status_code
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
        raise NoAnswer from None


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


def _read(status: int, body: bytes) -> jsonbody.JsonBody | None:
    """An answer, None where it is no JSON."""
    if status == 404:
        raise NotFound
    if status in (401, 403):
        raise TokenRefused
    if status != 200:
        raise Refused(f"status {status}")
    try:
        return jsonbody.read(body)
    except ParameterInvalid:
        return None


def _pause(pause: float, retry_after: str) -> float:
    """Seconds to wait: as the provider asks, but no longer than the longest pause."""
    if retry_after.isascii() and retry_after.isdigit():
        return max(pause, min(int(retry_after[:6]), PAUSES[-1]))
    return pause


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
