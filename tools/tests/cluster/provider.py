"""A payment provider that delivers again what was not acknowledged."""

from collections import Counter
from niteoweb.click2sell.tests.proof.onsite import in_threads
from niteoweb.click2sell.tests.proof.onsite import post
from threading import Barrier
from threading import Lock
from threading import Thread

import time


#: Seconds for which a delivery is repeated, and between two attempts.
PATIENCE = 600
PAUSE = 0.3


class Provider:
    """Clients that deliver through the balancer, and two that deliver past it.

    :param port: of the balancer.
    :param direct: of the Zope processes.
    :ivar acknowledged: how often each delivery was answered with 200.
    :ivar answers: how often each status came; 0 for no answer.
    """

    def __init__(self, port: int, direct: list[int]) -> None:
        self._port = port
        self._direct = direct
        self._lock = Lock()
        self.acknowledged: Counter[str] = Counter()
        self.answers: Counter[int] = Counter()

    def deliver(self, told: dict[str, bytes], clients: int, every: int) -> Thread:
        """Deliver everything, and some of it to both processes at the same moment, too.

        :param told: bodies by buyer.
        :param every: which buyers are told to both processes: every so many.
        :returns: a thread that ends when everything was acknowledged, or patience has ended.
        """
        twice = list(told)[::every]

        def work() -> None:
            both = Thread(target=self._to_both, args=({name: told[name] for name in twice},))
            both.start()
            in_threads(clients, lambda name: self._until(self._port, name, told[name]), told)
            both.join()

        thread = Thread(target=work)
        thread.start()
        return thread

    def wait_for(self, number: int) -> None:
        """Wait until so many buyers' deliveries were acknowledged.

        :raises AssertionError: they are not.
        """
        deadline = time.monotonic() + PATIENCE
        while len(self.acknowledged) < number:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(self.acknowledged)} of {number} acknowledged")
            time.sleep(0.1)

    def _to_both(self, told: dict[str, bytes]) -> None:
        for name, body in told.items():
            together = Barrier(len(self._direct))

            def one(port: int, name=name, body=body, together=together) -> None:
                together.wait()
                self._until(port, name, body)

            in_threads(len(self._direct), one, self._direct)

    def _until(self, port: int, name: str, body: bytes) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status, _text = post(port, body)
            with self._lock:
                self.answers[status] += 1
                if status == 200:
                    self.acknowledged[name] += 1
                    return
            time.sleep(PAUSE)
