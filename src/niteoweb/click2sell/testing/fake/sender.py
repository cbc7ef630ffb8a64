"""What a provider has to deliver, and the odd ways in which it gets there."""

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

#: A body with its signature in it, of the same.
Seal = Callable[[str, datetime, bytes], bytes]

#: Seconds that a site has to answer.
TIMEOUT = 60


@dataclass
class PendingDelivery:
    """Something that is to be delivered.

    :ivar name: what the provider calls it.
    :ivar written_at: when it happened.
    :ivar due_at: when it is tried next.
    :ivar tries: how often it was tried in vain.
    """

    name: str
    body: bytes
    written_at: datetime
    due_at: datetime
    tries: int = 0


@dataclass(frozen=True)
class Delivered:
    """How a delivery went.

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
    :ivar secret: what they are signed with; set another one for a rotation.
    :ivar retries: how long after a failure the next tries come.
    :ivar content_type: of the bodies.
    :ivar seal: puts the signature into the body, of a provider that signs no header.
    :ivar renews_time: whether a retry is signed with its own time, or with the first one.
    :ivar pending: what is still to be delivered, in the order in which it happened.
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
        """Put something on the pile.

        :param value: goes out as JSON.
        """
        return self.put(name, json.dumps(value, separators=(",", ":")).encode("utf-8"))

    def put(self, name: str, body: bytes) -> PendingDelivery:
        """Put something on the pile as it is to go out."""
        delivery = PendingDelivery(name, body, self.clock.now, self.clock.now)
        self.pending.append(delivery)
        return delivery

    def deliver(
        self,
        url: str,
        order: Callable[[list[PendingDelivery]], Iterable[PendingDelivery]] = list,
        times: int = 1,
    ) -> list[Delivered]:
        """Deliver what is due by the clock, and keep what failed for another try.

        :param url: of the callback.
        :param order: puts the deliveries into another order, ``reversed`` for example.
        :param times: how often each is delivered in a row.
        :returns: how each delivery went.
        """
        due = [delivery for delivery in self.pending if delivery.due_at <= self.clock.now]
        found = []
        for delivery in order(due):
            tried = [self.post(url, delivery) for _ in range(times)]
            found += tried
            if 200 <= tried[-1].status < 300:
                self.pending.remove(delivery)
            else:
                self._put_off(delivery)
        return found

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
