"""A WS.WebTV that is not real: users, a store with carts and orders, and the API.

It is strict about what the vendor documents, and lenient where nobody knows. The rules of carts
and orders are in :mod:`.fakestore`.
"""

from collections.abc import Mapping
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv.fakestore import FakeStore
from niteoweb.click2sell.providers.webtv.fakeusers import Failure
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import FakeServer
from niteoweb.click2sell.testing import Request
from niteoweb.click2sell.testing import Response
from typing import Any
from urllib.parse import parse_qsl

import hmac
import re


KEY_ID, SECRET = "0123456789abcdef0123456789abcdef", "a shared secret for tests"


class FakeWebTV(FakeServer):
    """A WebTV on a free port of this machine.

    :ivar store: its users, products, carts, orders and subscriptions.
    :ivar asked: what was asked and accepted, in order: action, id, form.
    :ivar expiry: seconds that a question may be old.
    :ivar error_status: of HTTP, of answers with an error.
    :ivar lost: actions that are done, and then get no answer, once each.
    :ivar refused: actions that are refused, with code and text.
    :ivar closed: sections that the credential has no permission for.
    :ivar garbage: it answers HTML.
    """

    def __init__(self, clock: Clock | None = None, secret: str = SECRET) -> None:
        super().__init__(clock)
        self.secret, self.expiry, self.error_status = secret, 60, 200
        self.store = FakeStore(self.clock)
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.lost: set[str] = set()
        self.refused: dict[str, tuple[str, str]] = {}
        self.closed: set[str] = set()
        self.garbage = False
        self._seen: set[tuple[str, str]] = set()

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"{super().url}/api.php"

    @property
    def actions(self) -> list[str]:
        """The actions that were asked for, in order."""
        return [do for do, _iq, _form in self.asked]

    def answer(self, request: Request) -> Response:
        """The answer to a question."""
        if self.garbage:
            return Response(200, b"<html>", {"Content-Type": "text/html"})
        if request.path != ("api.php",):
            return self.error(404)
        query = request.query
        try:
            self._check(query)
            form = dict(parse_qsl(request.body.decode("utf-8"), keep_blank_values=True))
            do, iq = query.get("do", ""), query.get("iq", "")
            if query.get("go") in self.closed:
                raise Failure("REQUEST_ERROR", "No permission")
            if do in self.refused:
                raise Failure(*self.refused[do])
            function = getattr(self.store, f"{query.get('go')}_{do}", None)
            if function is None:
                raise Failure("REQUEST_ERROR", "Invalid action")
            self.asked.append((do, iq, form))
            told = function(iq, form)
        except Failure as failure:
            value = {"error": failure.code, "error_long": failure.text}
            return Response(self.error_status, value)
        if do in self.lost:
            self.lost.discard(do)
            # Done, and no word of it.
            return self.error(503)
        return Response(200, told)

    def error(self, status: int) -> Response:
        """An error of the server itself."""
        return Response(status, {"error": "SERVER", "error_long": ""})

    def _check(self, query: Mapping[str, Any]) -> None:
        for name in ("key", "timestamp", "salt", "signature"):
            if not query.get(name):
                raise Failure("REQUEST_ERROR", f"Missing {name}")
        salt, moment = query["salt"], query["timestamp"]
        expected = protocol.signature(self.secret, salt, moment)
        fresh = re.fullmatch("[0-9a-f]{16,64}", salt) and re.fullmatch("[0-9]+", moment)
        if query["key"] != KEY_ID or not hmac.compare_digest(expected, query["signature"]):
            raise Failure("REQUEST_ERROR", "Invalid signature")
        if not fresh or abs(int(moment) - self.clock.now.timestamp()) > self.expiry:
            raise Failure("REQUEST_ERROR", "Request expired")
        if (salt, moment) in self._seen:
            raise Failure("REQUEST_ERROR", "Invalid signature")
        self._seen.add((salt, moment))
