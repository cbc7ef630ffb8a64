"""Asking a provider's API over HTTP for JSON, within limits of time and size.

The limits of a question are here, those of one exchange in :mod:`.exchange`. A background
thread is patient; a request asks inside of :func:`within`, so that a provider that hangs holds
up no site.

Nothing is logged: neither addresses nor answers, and no error names them.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
from contextvars import ContextVar
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.provider import exchange
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.provider.answers import Codes
from niteoweb.click2sell.provider.answers import NO_CODES
from niteoweb.click2sell.provider.answers import NoAnswer
from niteoweb.click2sell.provider.answers import NotFound
from niteoweb.click2sell.provider.answers import reading
from niteoweb.click2sell.provider.answers import Refused
from niteoweb.click2sell.provider.answers import Rejected
from niteoweb.click2sell.provider.answers import Reply
from niteoweb.click2sell.provider.answers import SessionInvalid
from niteoweb.click2sell.provider.answers import TokenRefused
from niteoweb.click2sell.provider.answers import Unreachable
from niteoweb.click2sell.provider.exchange import allowed
from niteoweb.click2sell.provider.exchange import INSECURE_VARIABLE
from niteoweb.click2sell.provider.exchange import post
from threading import Lock
from typing import Any
from urllib.parse import quote

import threading
import time


# With the names of those modules that its callers need.
__all__ = ["Codes", "JsonApi", "NoAnswer", "allowed", "post", "reading", "within"]
__all__ += ["INSECURE_VARIABLE"]

#: Seconds after which a question is not tried again, and no more of an answer is read.
PATIENCE = 30
#: Seconds that a request waits for providers in all.
REQUEST = 1
#: The same of a request that sells, or sweeps where no thread does.
SALE = 10
#: Requests that may wait for providers at a time, of a server whose threads nobody knows.
PLACES = 2
#: Seconds before another try. What the provider asks for counts, up to the last of them.
PAUSES = (1, 5)

_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})

#: A mark for each request that waits for providers.
_waiting: set[object] = set()
_lock = Lock()
#: The moment up to which the current request waits, by the monotonic clock.
_limit: ContextVar[float | None] = ContextVar("limit", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let a request ask providers, all of them together for so many seconds.

    :raises NoAnswer: as many requests wait for providers as may.
    """
    request = object()
    with _lock:
        if len(_waiting) >= _places():
            raise NoAnswer
        _waiting.add(request)
    token = _limit.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _limit.reset(token)
        _waiting.remove(request)


def _places() -> int:
    """The number of requests that may wait at a time: half of the server's threads."""
    serving = sum(thread.name.startswith("waitress-") for thread in threading.enumerate())
    return max(PLACES, serving // 2)


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
        codes: Codes = NO_CODES,
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
        query: Mapping[str, str | Sequence[str]] | None = None,
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
        answer = _read(body or (b"" if method == "GET" else b"{}"))
        if status not in yes:
            raise self._error(status, answer, path)
        if answer is None:
            raise Unreachable("answer unreadable")
        return Reply(status, answer)

    def _error(
        self, status: int, answer: jsonbody.JsonBody | None, path: Sequence[str]
    ) -> Unreachable | Rejected:
        """The error of an answer that means no. Of its words none goes further."""
        code = 0
        if answer is not None:
            with suppress(ParameterError):
                code = answer.integer("errorCode") or 0
        if code in self._codes.away:
            return Unreachable(f"code {code}")
        if code in self._codes.session:
            return SessionInvalid(status, code)
        if status == 401:
            return TokenRefused()
        if status in self._codes.lacking:
            return TokenRefused(path[0])
        return NotFound(code) if status == 404 else Rejected(status, code)

    def get(self, *path: str, **parameters: str | Sequence[str]) -> jsonbody.JsonBody:
        """Ask for something; see :meth:`ask`.

        :param parameters: of the query; a list names one several times.
        """
        return self.ask("GET", *path, query=parameters).body

    def post(
        self, value: Mapping[str, Any], *path: str, form: bool = False
    ) -> jsonbody.JsonBody:
        """Ask for an action, once, as it may have been carried out; it raises what ask does.

        :param value: goes out as JSON.
        :param form: it goes out as a form.
        :returns: the answer, empty where it is no JSON.
        """
        content = {"data" if form else "json": value}
        status, body = self._exchange("POST", path, (), **content)
        answer = _read(body)
        if status not in (200, 201, 202):
            raise self._error(status, answer, path)
        return answer or jsonbody.JsonBody({})

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
        with reading():
            return jsonbody.read(body)

    def _exchange(
        self, method: str, path: Sequence[str], pauses: Sequence[float], **content: Any
    ) -> tuple[int, bytes]:
        """Status and body of the first answer that is not an error of theirs."""
        if set(path) & {"", ".", ".."}:
            # It would be another question.
            raise Refused("id")
        url = "/".join([self._base, *(quote(part, safe="") for part in path)])
        limit, until = _limit.get(), time.monotonic() + PATIENCE
        ask = exchange.once
        if limit is not None:
            until, ask = min(limit, until), exchange.aside
        for pause in (*pauses, None):
            status, retry_after = 0, ""
            try:
                if time.monotonic() < until:
                    status, retry_after, body = ask(method, url, self._headers, content, until)
            except exchange.ERRORS:
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


def _read(body: bytes) -> jsonbody.JsonBody | None:
    """An answer, None where it is no JSON: a page of a proxy or of a maintenance, perhaps."""
    try:
        return jsonbody.read(body)
    except ParameterInvalid:
        return None


def _pause(pause: float, retry_after: str) -> float:
    """Seconds to wait: as the provider asks, but no longer than the longest pause."""
    asked = exchange.pause(retry_after).total_seconds()
    return max(pause, min(asked, PAUSES[-1]))
