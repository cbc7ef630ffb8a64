"""The payment provider: posts notifications over real HTTP and notes how long answers take."""

from dataclasses import dataclass
from dataclasses import field
from http.client import HTTPException
from niteoweb.click2sell.command import notify
from niteoweb.click2sell.providers.click2sell.protocol import CONTENT_TYPE
from threading import Thread
from tools.client import Connection
from tools.sale import encoded
from tools.sale import form
from tools.sale import new_address
from tools.sale import new_sale
from tools.sale import Sale

import time


PARSED = "POST successfully parsed."


class WrongAnswer(Exception):
    """The site did not answer as documented."""


class Caller:
    """A connection to the site that is kept open.

    :param port: where the site listens on this machine.
    :param view: that is called.
    """

    def __init__(self, port: int, view: str = notify.VIEW) -> None:
        self._connection = Connection(port)
        self._view = view
        self.close = self._connection.close

    def call(self, method: str, body: bytes | None, status: int, text: str) -> float:
        """Send a request and wait for the whole answer.

        :returns: seconds.
        :raises WrongAnswer: it is another one than was expected.
        """
        headers = {"Content-Type": CONTENT_TYPE} if body is not None else {}
        answer = self._connection.ask(method, self._view, body, headers)
        if answer.status != status or not answer.text.startswith(text):
            said = f"{answer.status} {answer.text[:80]!r}"
            raise WrongAnswer(f"{said}, not {status} {text}")
        return answer.seconds

    def sell(self, body: bytes) -> float:
        """Post a genuine notification."""
        return self.call("POST", body, 200, PARSED)

    def forge(self) -> float:
        """Post a notification with a wrong checksum."""
        forged = encoded({**form(new_address()), "checksum": "0" * 32})
        return self.call("POST", forged, 403, "Checksum verification failed.")

    def floor(self) -> float:
        """The cheapest request that reaches the add-on: one that is not a POST."""
        return self.call("GET", None, 405, "No POST request.")


@dataclass
class Rush:
    """Purchases of clients that bought at once.

    :ivar seconds: from the first request to the last answer.
    :ivar times: seconds of each purchase.
    :ivar sold: the purchases that were acknowledged.
    :ivar failures: the answers and errors of the others.
    """

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    sold: list[Sale] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def rush(port: int, clients: int, purchases: int) -> Rush:
    """Buy with several clients at once; each begins its next purchase after the last answer."""
    found = Rush()
    waiting = iter([new_sale() for _ in range(purchases)])

    def work() -> None:
        caller = Caller(port)
        # Taking the next of a list's iterator is atomic.
        for sale in waiting:
            try:
                found.times.append(caller.sell(sale.body))
                found.sold.append(sale)
            except (WrongAnswer, OSError, HTTPException) as error:
                found.failures.append(str(error))
        caller.close()

    threads = [Thread(target=work) for _ in range(clients)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.seconds = time.perf_counter() - begin
    return found
