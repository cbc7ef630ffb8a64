"""Requests of several kinds, or to several servers, in turns, so that all see one machine."""

from collections.abc import Callable
from collections.abc import Sequence
from statistics import median
from tools.bench.server import Server


#: Requests of each kind that are not counted: caches fill, modules are imported.
WARM_UP = 20
#: Requests of a kind in a row. After each change of the server the processor has to fetch code
#: and objects anew: a turn of one request would be mostly that.
TURN = 5


class Ask:
    """A kind of request to one server, and what came of it.

    :param server: that is asked; it has to be served.
    :param send: sends a request and waits for the answer; returns seconds.
    """

    def __init__(self, server: Server, send: Callable[[], float]) -> None:
        self._server = server
        self._send = send
        self._times: list[float] = []
        self._grown = 0

    @property
    def median(self) -> float:
        """Milliseconds."""
        return median(self._times) * 1000

    @property
    def grown(self) -> float:
        """Bytes that the server's database grew by a request."""
        return self._grown / len(self._times)

    def take_turn(self, counted: bool) -> None:
        """Send some requests."""
        before = self._server.database_size
        times = [self._send() for _ in range(TURN)]
        if counted:
            self._grown += self._server.database_size - before
            self._times += times


def take_turns(asks: Sequence[Ask], times: int) -> None:
    """Send so many requests of each kind, and some before that are not counted.

    :param times: is rounded up to whole turns.
    """
    for number in range(-(WARM_UP // TURN), -(-times // TURN)):
        for ask in asks:
            ask.take_turn(number >= 0)
