"""What the cases start from: a provider, its sample deliveries, and how it signs."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timezone
from datetime import tzinfo
from functools import wraps
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import DeliveryError
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from types import SimpleNamespace
from typing import Any

import unittest


SECRET_KEY = "the present key of the conformance kit"  # noqa: S105
PREVIOUS_KEY = "the key before it, of the conformance kit"

#: What is done to a byte: its lowest bit, its letter case, its highest bit.
_FLIPS = (0x01, 0x20, 0x80)


@dataclass(frozen=True)
class Sample:
    """A body that the provider could have sent, without its signature.

    :ivar name: says which one it is where a case fails.
    :ivar kinds: what it is taken for: a kind for each notification that it makes, in order.
    """

    name: str
    body: bytes
    kinds: tuple[Kind, ...]


class ProviderCase(unittest.TestCase):
    """The hooks for a provider, and what the cases share.

    :cvar provider: its module, or the :class:`PaymentProvider` made of it.
    :cvar now: when the samples are delivered, in UTC.
    :cvar zone: the site's, for times that name none.
    :cvar tolerance: seconds that a time which the provider signs may be away from now, as the
        setting ``tolerance``; None for a provider that signs none.
    :cvar dated: whether its deliveries say when something happened or was sent; False where the
        time of arrival has to do.
    :cvar options: further settings that ``verify`` reads, by name.
    :cvar thorough: whether all 256 values of each byte are tried, which takes a minute; False
        tries five changes of each byte.
    :cvar maker: its module that makes deliveries up, see
        :mod:`niteoweb.click2sell.provider.sample`, if it has one.
    """

    provider: Any = None
    maker: Any = None
    now = datetime(2026, 5, 3, 12, tzinfo=timezone.utc)
    zone: tzinfo = timezone.utc
    tolerance: int | None = None
    dated = True
    thorough = True
    options: Mapping[str, Any] = {}

    def samples(self) -> Sequence[Sample]:
        """Deliveries that the provider could have made: one of each kind that it tells."""
        raise NotImplementedError

    def deliver(self, body: bytes, secret_key: str, moment: datetime) -> Delivery:
        """Sign a body as the provider does; it can be any bytes. By default, the maker does.

        :param moment: when it is signed, for a provider that signs the time.
        """
        if self.maker is None:
            raise NotImplementedError
        return self.maker.sign(body, self.settings(secret_key), moment)

    def bearers(self, delivery: Delivery) -> tuple[str, ...]:
        """What proves a delivery, and must not be kept: all headers, or what the maker says."""
        if self.maker is None:
            return tuple(delivery.headers.values())
        return self.maker.signatures(delivery)

    def settings(
        self, secretkey: str | None = SECRET_KEY, previous_secretkey: str | None = None
    ) -> Any:
        """Settings with these keys; a record that is not there reads as None."""
        values = {} if self.tolerance is None else {"tolerance": self.tolerance}
        return SimpleNamespace(
            secretkey=secretkey,
            previous_secretkey=previous_secretkey,
            **values,
            **self.options,
        )

    def setUp(self) -> None:
        """Skip what is only there to be derived from."""
        if self.provider is None:
            self.skipTest("no provider")
        super().setUp()

    # What the cases share

    def said(self, name: str) -> Any:
        """What the provider says of itself: ``name``, ``title``, ``signed`` or ``events``."""
        return getattr(self.provider, name.upper() if hasattr(self.provider, "NAME") else name)

    def signed(self, sample: Sample, secret_key: str = SECRET_KEY) -> Delivery:
        """A sample as it is delivered."""
        return self.deliver(sample.body, secret_key, self.now)

    def read(
        self, delivery: Delivery, settings: Any = None, now: datetime | None = None
    ) -> tuple[Notification, ...]:
        """What a delivery says, once it is proved.

        :raises DeliveryError: it is refused.
        """
        found = settings or self.settings()
        genuine = self.provider.verify(delivery, found, now or self.now)
        return self.provider.parse(genuine, self.zone)

    def read_if_accepted(self, delivery: Delivery) -> tuple[Notification, ...]:
        """The same, and () when it is refused; nothing but a refusal is expected."""
        try:
            return self.read(delivery)
        except DeliveryError:
            return ()


def for_each_sample(case: Callable[[Any, Sample], None]) -> Callable[[Any], None]:
    """Run a case for each sample of the provider, in a subtest of its name."""

    @wraps(case)
    def run(self: ProviderCase) -> None:
        for sample in self.samples():
            with self.subTest(sample.name):
                case(self, sample)

    return run


def changes(raw: bytes, every: bool = False) -> Iterator[tuple[str, bytes]]:
    """All changes of one byte that are tried: bits flipped, left out, and twice.

    :param every: also all other values of each byte.
    :returns: what was done, for messages, and the changed bytes.
    """
    flips = range(1, 256) if every else _FLIPS
    for place, value in enumerate(raw):
        before, after = raw[:place], raw[place + 1 :]
        for flip in flips:
            yield f"byte {place} ^ {flip}", before + bytes([value ^ flip]) + after
        yield f"byte {place} left out", before + after
        yield f"byte {place} twice", before + bytes([value, value]) + after
