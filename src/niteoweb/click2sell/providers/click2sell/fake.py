"""A Click2Sell that is not real: it sells, and posts signed notifications.

It has no API to ask, and so it only posts: see
:class:`niteoweb.click2sell.testing.fake.sender.Sender`. Click2Sell does not say whether and
when it tries a delivery again; here it does not.
"""

from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.providers.click2sell import protocol
from niteoweb.click2sell.providers.click2sell import sample
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import PendingDelivery
from niteoweb.click2sell.testing import Sender
from types import SimpleNamespace
from typing import Any

import secrets


SECRET = "a secret key for tests of Click2Sell"  # noqa: S105


class FakeClick2Sell:
    """Notifications of purchases, as Click2Sell sends them.

    :param clock: its time zone is that of the purchase dates: UTC.
    :ivar notifications: sends the pending ones.
    """

    def __init__(self, secret: str = SECRET, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.notifications = Sender(
            self.clock,
            _no_headers,
            secret,
            content_type=protocol.CONTENT_TYPE,
            seal=_with_checksum,
        )

    def tell(
        self, kind: str, email: str, product: str, transaction: str = "", **changes: Any
    ) -> PendingDelivery:
        """Put a notification on the pile.

        :param kind: one of those of :mod:`niteoweb.click2sell.providers.click2sell.sample`.
        :param transaction: of the purchase that it is about; a new one by default.
        :param changes: further fields of the :class:`~.provider.SampleRequest`.
        :raises KeyError: the kind does not exist.
        """
        number = transaction or secrets.token_hex(8)
        values = {"receipt": secrets.token_hex(4), "price": "9.90 EUR", **changes}
        request = SampleRequest(kind, product, email, number, self.clock.now, **values)
        (body,) = sample.write(request)
        return self.notifications.put(kind, body)


def _no_headers(_secret: str, _moment: datetime, _body: bytes) -> Mapping[str, str]:
    return {}


def _with_checksum(secret: str, moment: datetime, body: bytes) -> bytes:
    return sample.sign(body, SimpleNamespace(secretkey=secret), moment).body
