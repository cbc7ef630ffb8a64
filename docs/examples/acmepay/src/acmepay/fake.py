"""A fake Acme Pay, which signs and delivers webhooks."""

from acmepay import protocol
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import PendingDelivery
from niteoweb.click2sell.testing import Sender
from typing import Any


SECRET = "a secret key for tests of Acme Pay"  # noqa: S105

#: When a webhook that failed is tried again.
RETRIES = (timedelta(minutes=10), timedelta(hours=2), timedelta(hours=24))


class FakeAcmePay:
    """An Acme Pay without an API: it only delivers webhooks.

    :ivar webhooks: sends the pending ones.
    """

    def __init__(self, secret: str = SECRET, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.webhooks = Sender(self.clock, _headers, secret, RETRIES)

    def tell(
        self, event: str, order: str, email: str, item: str, /, **changes: Any
    ) -> PendingDelivery:
        """Add a webhook to the pending ones.

        :param item: its id.
        :param changes: further values of it, and others than the usual ones.
        """
        customer = {"id": f"C-{email}", "email": email, "first_name": "Jane"}
        value = {"event": event, "order": order, "created": self.clock.now.isoformat()}
        value |= {"customer": customer, "item": {"id": item, "series": "print"}}
        return self.webhooks.write(event, {**value, **changes})


def _headers(secret: str, moment: datetime, body: bytes) -> dict[str, str]:
    return {protocol.SIGNATURE: protocol.sign(secret, int(moment.timestamp()), body)}
