"""The traffic of a soak: kinds of requests, their senders and the answers."""

from collections import Counter
from collections.abc import Callable
from collections.abc import Mapping
from http.client import HTTPException
from http.client import HTTPResponse
from niteoweb.click2sell.command import notify
from niteoweb.click2sell.providers.click2sell.protocol import CONTENT_TYPE
from threading import Event
from threading import Lock
from threading import Thread
from tools import SITE_ID
from tools.client import Answer
from tools.client import Connection
from tools.demo import settings as demo
from tools.sale import encoded
from tools.sale import form
from tools.sale import new_address

import random
import socket
import time


PARSED = {200: "POST successfully parsed.", 503: "Try again later."}
#: The documented answers to each kind of request: status, and what the text begins with.
DOCUMENTED: Mapping[str, Mapping[int, str]] = {
    "purchase": PARSED,
    "duplicate": PARSED,
    "refund": PARSED,
    "slow": PARSED,
    "forged": {403: "Checksum verification failed."},
    "too large": {413: "POST too large."},
    "wrong type": {415: "POST has the wrong content type."},
    "incomplete": {400: "POST parameter missing: 'buyer_email'"},
    "floor": {405: "No POST request."},
    "page": {200: ""},
}
#: How often each kind comes, of what the clients send.
SHARES = {
    "purchase": 40,
    "duplicate": 20,
    "refund": 10,
    "forged": 15,
    "too large": 5,
    "wrong type": 2,
    "incomplete": 3,
    "floor": 5,
}
#: What an owner looks at.
PAGES = (
    "@@click2sell-notifications",
    "@@click2sell-notifications?outcome=accepted&kind=purchase",
    "@@click2sell-notifications?kind=refund",
    "@@click2sell-members",
    "@@click2sell-overview",
    "@@click2sell-report",
    "@click2sell-notifications",
)
#: Seconds between two requests of one client.
PAUSE = 0.2
#: Connections at once that send their body slowly, and the seconds they take for it.
SLOW = 6
SLOW_SECONDS = 8.0


class Traffic:
    """Clients, slow senders and an owner, each a thread.

    :param port: where the site listens on this machine.
    :param clients: how many buy.
    :ivar times: of each kind of request, when it was sent and the seconds until its answer.
    :ivar wrong: answers other than the documented ones, with how often they came.
    :ivar busy: how often the answer was to try again later.
    :ivar acknowledged: by address, kind and transaction of what was answered with 200.
    :ivar never: transactions that must not be in the ledger: forged, refused, given up.
    """

    def __init__(self, port: int, clients: int) -> None:
        self._port = port
        self._going = Event()
        self._ending = Event()
        self._lock = Lock()
        self._random = random.Random(1)  # noqa: S311 - a mixture, no secret
        self._sold: list[dict[str, str]] = []
        self._refundable: list[dict[str, str]] = []
        self.times: dict[str, list[tuple[float, float]]] = {kind: [] for kind in DOCUMENTED}
        self.wrong: Counter[str] = Counter()
        self.busy = 0
        self.acknowledged: dict[str, list[tuple[str, str]]] = {}
        self.never: list[str] = []
        self._threads = [Thread(target=self._client, daemon=True) for _ in range(clients)]
        self._threads += [Thread(target=self._slow, daemon=True) for _ in range(SLOW)]
        self._threads.append(Thread(target=self._owner, daemon=True))
        self._idle = 0
        for thread in self._threads:
            thread.start()

    def go(self) -> None:
        """Send, from now on."""
        self._going.set()

    def rest(self) -> None:
        """Send nothing more, and wait for the answers that are on their way."""
        self._going.clear()
        while self._idle < len(self._threads):
            time.sleep(0.1)

    def end(self) -> None:
        """Rest, and let the threads go."""
        self.rest()
        self._ending.set()
        self._going.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, turn: Callable[[], None], pause: float) -> None:
        while True:
            if not self._going.is_set():
                with self._lock:
                    self._idle += 1
                self._going.wait()
                if self._ending.is_set():
                    return
                with self._lock:
                    self._idle -= 1
            turn()
            time.sleep(pause)

    def _client(self) -> None:
        connection = Connection(self._port)
        kinds, weights = list(SHARES), list(SHARES.values())

        def turn() -> None:
            with self._lock:
                (kind,) = self._random.choices(kinds, weights)
                kind, values, body, type_ = self._made(kind)
            method = "GET" if kind == "floor" else "POST"
            headers = {"Content-Type": type_} if body is not None else {}
            begin = time.monotonic()
            answer = _asked(lambda: connection.ask(method, notify.VIEW, body, headers))
            self._note(kind, values, begin, answer)

        self._repeat(turn, PAUSE)
        connection.close()

    def _made(self, kind: str) -> tuple[str, dict[str, str], bytes | None, str]:
        """A request: kind, form, body, content type."""
        if kind == "duplicate" and self._sold:
            values = self._random.choice(self._sold[-500:])
            return kind, values, encoded(values), CONTENT_TYPE
        if kind == "refund" and self._refundable:
            place = self._random.randrange(len(self._refundable))
            values = {**self._refundable.pop(place), "transaction_type": "Refund"}
            return kind, values, encoded(values), CONTENT_TYPE
        if kind in ("duplicate", "refund"):
            kind = "purchase"
        values = dict(form(new_address()))
        type_ = CONTENT_TYPE
        if kind == "floor":
            return kind, values, None, ""
        if kind == "forged":
            values["checksum"] = "0" * 32
        elif kind == "too large":
            values["buyer_name"] = "x" * self._random.choice((66_000, 300_000, 900_000))
        elif kind == "wrong type":
            type_ = "application/json"
        elif kind == "incomplete":
            del values["buyer_email"]
        return kind, values, encoded(values), type_

    def _slow(self) -> None:
        """Send a purchase in pieces; every third one is given up in its middle."""
        count = 0

        def turn() -> None:
            nonlocal count
            count += 1
            values = dict(form(new_address()))
            begin = time.monotonic()
            give_up = count % 3 == 0
            answer = _asked(lambda: _slowly(self._port, encoded(values), give_up))
            if answer is None:
                self.never.append(values["acquirer_transaction_id"])
            else:
                self._note("slow", values, begin, answer)

        self._repeat(turn, PAUSE)

    def _owner(self) -> None:
        connection = Connection(self._port, (demo.OWNER, demo.OWNER_PASSWORD))

        def turn() -> None:
            page = random.choice(PAGES)  # noqa: S311 - no secret
            accept = "application/json" if page.startswith("@click") else "text/html"
            begin = time.monotonic()
            answer = _asked(lambda: connection.ask("GET", page, headers={"Accept": accept}))
            self._note("page", {}, begin, answer)

        self._repeat(turn, 2.0)
        connection.close()

    def _note(
        self, kind: str, values: dict[str, str], begin: float, answer: tuple[int, str]
    ) -> None:
        taken = time.monotonic() - begin
        status, text = answer
        with self._lock:
            self.times[kind].append((begin, taken))
            expected = DOCUMENTED[kind].get(status)
            if expected is None or not text.startswith(expected):
                self.wrong[f"{kind}: {status} {text[:60]!r}"] += 1
            self.busy += status == 503
            if DOCUMENTED[kind] is not PARSED:
                if kind in ("forged", "too large", "wrong type"):
                    self.never.append(values["acquirer_transaction_id"])
            elif status == 200:
                done = (values["transaction_type"], values["acquirer_transaction_id"])
                self.acknowledged.setdefault(values["buyer_email"], []).append(done)
                if kind in ("purchase", "slow"):
                    self._sold.append(values)
                    self._refundable.append(values)


def _asked(ask: Callable[[], Answer | None]) -> tuple[int, str] | None:
    """Send a request.

    :returns: status and text, or 0 and the kind of error when there was no answer; None when
        the request was given up.
    """
    try:
        answer = ask()
    except (OSError, HTTPException) as error:
        return 0, type(error).__name__
    return (answer.status, answer.text) if answer is not None else None


def _slowly(port: int, body: bytes, give_up: bool) -> Answer | None:
    """Send a body in pieces, as whoever wants to keep a server busy does.

    :param give_up: close the connection in the middle.
    :returns: the answer; None when it was given up.
    """
    head = (
        f"POST /{SITE_ID}/{notify.VIEW} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    size = max(1, len(body) // 16)
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), 120) as connection:
        connection.sendall(head.encode("ascii"))
        for number, piece in enumerate(pieces):
            if give_up and number > len(pieces) // 2:
                return None
            time.sleep(SLOW_SECONDS / len(pieces))
            connection.sendall(piece)
        answer = HTTPResponse(connection)
        answer.begin()
        return Answer(answer.status, answer.read(), time.perf_counter() - begin)
