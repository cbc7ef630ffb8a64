"""The payment provider: posts notifications over real HTTP and notes how long answers take."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timezone
from http.client import HTTPConnection
from niteoweb.click2sell import notify
from niteoweb.click2sell.provider.click2sell import CONTENT_TYPE
from niteoweb.click2sell.sample.click2sell import form_fields
from threading import Thread
from tools.demo import settings as demo
from urllib.parse import urlencode

import secrets
import time


PARSED = "POST successfully parsed."
#: The callback, on the site with the add-on and on what it is compared with.
CALLBACK = notify.VIEW


class WrongAnswer(Exception):
    """The site did not answer as documented."""


def form(address: str) -> Mapping[str, str]:
    """A signed sale, of now."""
    now = datetime.now(timezone.utc)
    transaction = secrets.token_hex(8)
    return form_fields(
        demo.SECRET_KEY,
        transaction,
        product=demo.PRODUCT,
        email=address,
        date=f"{now:%Y-%m-%d}",
        time=f"{now:%H:%M:%S}",
        receipt=transaction,
        name=demo.BUYER_NAME,
        surname=demo.BUYER_SURNAME,
        product_name=demo.PRODUCT_NAME,
        price="9.90 EUR",
    )


def new_address() -> str:
    """Of a buyer whom nobody knows yet."""
    return f"{secrets.token_hex(8)}@example.com"


def encoded(values: Mapping[str, str]) -> bytes:
    """A form as it is posted."""
    return urlencode(values).encode("ascii")


@dataclass(frozen=True)
class Sale:
    """A purchase by a new buyer.

    :ivar body: the signed notification of it.
    """

    address: str
    receipt: str
    body: bytes


def new_sale() -> Sale:
    """A purchase by somebody whom nobody knows yet."""
    values = form(address := new_address())
    return Sale(address, values["c2s_transaction_id"], encoded(values))


def forged() -> bytes:
    """A sale with a wrong checksum."""
    return encoded({**form(new_address()), "checksum": "0" * 32})


class Caller:
    """One connection that is kept open.

    :param port: where the site listens on this machine.
    :param view: that is called.
    """

    def __init__(self, port: int, view: str = CALLBACK) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self._path = f"/{demo.SITE_ID}/{view}"

    def call(self, method: str, body: bytes | None, status: int, text: str) -> float:
        """Send a request and wait for the whole answer.

        :returns: seconds.
        :raises WrongAnswer: it is another one than was expected.
        """
        headers = {"Content-Type": CONTENT_TYPE} if body is not None else {}
        begin = time.perf_counter()
        self._connection.request(method, self._path, body, headers)
        answer = self._connection.getresponse()
        said = answer.read()
        taken = time.perf_counter() - begin
        if answer.status != status or not said.startswith(text.encode("ascii")):
            raise WrongAnswer(f"{answer.status} {said[:80]!r}, not {status} {text}")
        return taken

    def sell(self, body: bytes) -> float:
        """Post a genuine notification."""
        return self.call("POST", body, 200, PARSED)

    def forge(self) -> float:
        """Post a forged one."""
        return self.call("POST", forged(), 403, "Checksum verification failed.")

    def floor(self) -> float:
        """The cheapest request that reaches the add-on: one that is not a POST."""
        return self.call("GET", None, 405, "No POST request.")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@dataclass
class Rush:
    """What came of clients that bought at once.

    :ivar seconds: of all of it, from the first request to the last answer.
    :ivar times: seconds of each purchase.
    :ivar sold: what was acknowledged.
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
            except (WrongAnswer, OSError) as error:
                found.failures.append(str(error))
                caller.close()
        caller.close()

    threads = [Thread(target=work) for _ in range(clients)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.seconds = time.perf_counter() - begin
    return found
