"""The deliveries of a provider, and the odd ways in which they arrive."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.testing.fake.server import Clock
from typing import Any

import json
import requests


#: The headers of a body that is sent at a moment, signed with a secret.
Sign = Callable[[str, datetime, bytes], Mapping[str, str]]

#: A body with its signature in it, of a secret, a moment and the body.
Seal = Callable[[str, datetime, bytes], bytes]

#: Seconds that a site has to answer.
TIMEOUT = 60


@dataclass
class PendingDelivery:
    """A delivery that is still to be sent.

    :ivar name: the provider's name of the event.
    :ivar written_at: when it happened.
    :ivar due_at: when it is tried next.
    :ivar tries: the failed ones.
    """

    name: str
    body: bytes
    written_at: datetime
    due_at: datetime
    tries: int = 0


@dataclass(frozen=True)
class Delivered:
    """The result of a delivery.

    :ivar status: of HTTP; 0 when the site could not be reached.
    :ivar text: the first signs of the answer.
    """

    name: str
    status: int
    text: str = ""


@dataclass
class Sender:
    """Delivers to a site.

    :ivar sign: makes the headers.
    :ivar secret: signs them; set another one for a rotation.
    :ivar retries: pauses after a failure, before the next tries.
    :ivar content_type: of the bodies.
    :ivar seal: puts the signature into the body, of a provider that signs no header.
    :ivar renews_time: whether a retry is signed with its own time, or with the first one.
    :ivar pending: deliveries that are still to be sent, in the order of their events.
    """

    clock: Clock
    sign: Sign
    secret: str
    retries: tuple[timedelta, ...] = ()
    renews_time: bool = True
    content_type: str = "application/json"
    seal: Seal | None = None
    pending: list[PendingDelivery] = field(default_factory=list)

    def write(self, name: str, value: Any) -> PendingDelivery:
        """Add a delivery.

        :param value: goes out as JSON.
        """
        return self.put(name, json.dumps(value, separators=(",", ":")).encode("utf-8"))

    def put(self, name: str, body: bytes) -> PendingDelivery:
        """Add a delivery with its body as it is sent."""
        delivery = PendingDelivery(name, body, self.clock.now, self.clock.now)
        self.pending.append(delivery)
        return delivery

    def deliver(
        self,
        url: str,
        order: Callable[[list[PendingDelivery]], Iterable[PendingDelivery]] = list,
        times: int = 1,
    ) -> list[Delivered]:
        """Send the deliveries that are due by the clock, and keep failed ones for another try.

        :param url: of the callback.
        :param order: puts the deliveries into another order, ``reversed`` for example.
        :param times: deliveries of each, in a row.
        :returns: the result of each delivery.
        """
        due = [delivery for delivery in self.pending if delivery.due_at <= self.clock.now]
        results = []
        for delivery in order(due):
            tried = [self.post(url, delivery) for _ in range(times)]
            results += tried
            if 200 <= tried[-1].status < 300:
                self.pending.remove(delivery)
            else:
                self._put_off(delivery)
        return results

    def post(
        self,
        url: str,
        delivery: PendingDelivery,
        secret: str | None = None,
        signed_at: datetime | None = None,
        tamper: Callable[[bytes], bytes] | None = None,
    ) -> Delivered:
        """Send one delivery, whether it is due or not; it stays pending if it was.

        :param secret: another one than the sender's, an old one for example.
        :param signed_at: the time that is signed, where it is not the present one.
        :param tamper: changes the body after it was signed.
        """
        moment = self.clock.now if self.renews_time else delivery.written_at
        signed = secret or self.secret, signed_at or moment, delivery.body
        headers = self.sign(*signed)
        body = self.seal(*signed) if self.seal else delivery.body
        body = tamper(body) if tamper else body
        try:
            with requests.Session() as session:
                # The site is on this machine; a proxy of the environment is not for it.
                session.trust_env = False
                response = session.post(
                    url,
                    data=body,
                    headers={"Content-Type": self.content_type, **headers},
                    timeout=TIMEOUT,
                    allow_redirects=False,
                )
        except requests.RequestException:
            return Delivered(delivery.name, 0)
        return Delivered(delivery.name, response.status_code, response.text[:200])

    def _put_off(self, delivery: PendingDelivery) -> None:
        delivery.tries += 1
        if delivery.tries > len(self.retries):
            self.pending.remove(delivery)
        else:
            delivery.due_at = self.clock.now + self.retries[delivery.tries - 1]
