"""The base of the cases: a provider, its sample deliveries, and its signatures."""

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

#: Changes of a byte: its lowest bit, its letter case, its highest bit.
_FLIPS = (0x01, 0x20, 0x80)


@dataclass(frozen=True)
class Sample:
    """A body that the provider could have sent, without its signature.

    :ivar name: names the sample where a case fails.
    :ivar kinds: the kinds of its notifications, in order.
    """

    name: str
    body: bytes
    kinds: tuple[Kind, ...]


class ProviderCase(unittest.TestCase):
    """The hooks for a provider, and the methods that the cases share.

    :cvar provider: its module, or the :class:`PaymentProvider` made of it.
    :cvar now: when the samples are delivered, in UTC.
    :cvar zone: the site's, for times that name none.
    :cvar tolerance: seconds that a time which the provider signs may be away from now, as the
        setting ``tolerance``; None for a provider that signs none.
    :cvar dated: whether its deliveries say when something happened or was sent; False where the
        time of arrival has to do.
    :cvar options: further settings that ``verify`` reads, by name.
    :cvar thorough: whether all 256 values of each byte are tried, which takes a minute; False
        tries a sample of them.
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
        """The signatures of a delivery, which must not be kept: by default, all headers."""
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
        """Skip a case that has no provider."""
        if self.provider is None:
            self.skipTest("no provider")
        super().setUp()

    # Shared by the cases

    def said(self, name: str) -> Any:
        """A statement of the provider: its ``name``, ``title``, ``signed`` or ``events``."""
        return getattr(self.provider, name.upper() if hasattr(self.provider, "NAME") else name)

    def signed(self, sample: Sample, secret_key: str = SECRET_KEY) -> Delivery:
        """A sample as it is delivered."""
        return self.deliver(sample.body, secret_key, self.now)

    def signed_by_headers(self, sample: Sample) -> Delivery:
        """A sample as it is delivered; the case is skipped where the body holds the proof."""
        delivery = self.signed(sample)
        if not delivery.headers:
            self.skipTest("no header is signed")
        return delivery

    def read(
        self, delivery: Delivery, settings: Any = None, now: datetime | None = None
    ) -> tuple[Notification, ...]:
        """The notifications of a delivery, once it is verified.

        :raises DeliveryError: it is refused.
        """
        used = settings or self.settings()
        genuine = self.provider.verify(delivery, used, now or self.now)
        return self.provider.parse(genuine, self.zone)

    def read_if_accepted(self, delivery: Delivery) -> tuple[Notification, ...]:
        """The notifications of a delivery, () when it is refused."""
        try:
            return self.read(delivery)
        except DeliveryError:
            return ()


def for_each_sample(case: Callable[[Any, Sample], None]) -> Callable[[Any], None]:
    """Run a case for each sample of the provider, in a subtest of its name."""

    @wraps(case)
    def run(self: ProviderCase) -> None:
        samples = self.samples()
        if not samples:
            self.skipTest("no samples")
        for sample in samples:
            with self.subTest(sample.name):
                case(self, sample)

    return run


def changes(raw: bytes, every: bool = False, step: int = 1) -> Iterator[tuple[str, bytes]]:
    """All changes of one byte that are tried: bits flipped, left out, and twice.

    :param every: also all other values of each byte.
    :param step: 5 changes every fifth byte only.
    :returns: the change, for messages, and the changed bytes.
    """
    flips = range(1, 256) if every else _FLIPS
    for index in range(0, len(raw), step):
        value = raw[index]
        before, after = raw[:index], raw[index + 1 :]
        for flip in flips:
            yield f"byte {index} ^ {flip}", before + bytes([value ^ flip]) + after
        yield f"byte {index} left out", before + after
        yield f"byte {index} twice", before + bytes([value, value]) + after
