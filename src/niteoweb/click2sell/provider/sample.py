"""Sample deliveries, to try a site without a purchase: one module for each provider.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A provider need not have one. Such a module has::

    KINDS: Mapping[str, Kind]
    SETTINGS: Mapping[str, str]
    write(request) -> tuple[bytes, ...]
    sign(body, settings, moment) -> Delivery
    signatures(delivery) -> tuple[str, ...]

A provider whose callback has another name than itself has ``CALLBACK``, too.
``KINDS`` has the samples by name, and the kind that each is taken for. ``SETTINGS`` are the
usual values of the settings that ``sign`` reads beside ``secretkey``. ``write`` makes bodies
that the provider would deliver in order; the last one holds the requested event.
``sign`` signs a body, which can be any bytes. ``signatures`` names the parts of a delivery that
prove it, so that they are not shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell.notification import Delivery
from typing import Any

import hashlib


#: The end of access that is stated, from when it happens.
TERM = timedelta(days=30)


@dataclass(frozen=True)
class SampleRequest:
    """The content of a sample delivery.

    :ivar kind: one of the module's ``KINDS``.
    :ivar product: the provider's id of it.
    :ivar email: of the buyer.
    :ivar transaction: the provider's id of the transaction or subscription.
    :ivar now: with the time zone of the site.
    :ivar price: for example ``9.90 EUR``.
    :ivar date: ``YYYY-MM-DD`` or ``YYYY/MM/DD``, None for today.
    :ivar time: ``HH:MM:SS``, in the time zone of the site, None for now.
    """

    kind: str
    product: str
    email: str
    transaction: str
    now: datetime
    receipt: str = ""
    first_name: str = ""
    last_name: str = ""
    product_name: str = ""
    price: str = ""
    affiliate: str = ""
    date: str | None = None
    time: str | None = None

    @property
    def day(self) -> str:
        """The requested date, or today's."""
        return f"{self.now:%Y-%m-%d}" if self.date is None else self.date

    @property
    def hour(self) -> str:
        """The requested time, or the present one."""
        return f"{self.now:%H:%M:%S}" if self.time is None else self.time

    @property
    def moment(self) -> datetime:
        """When it happened, in UTC.

        :raises ValueError: date or time are none.
        """
        if self.date is None and self.time is None:
            return self.now.astimezone(timezone.utc)
        local = datetime.fromisoformat(f"{self.day.replace('/', '-')}T{self.hour}")
        return local.replace(tzinfo=self.now.tzinfo).astimezone(timezone.utc)

    @property
    def customer_id(self) -> str:
        """The customer's id, made of the address, so that each customer has one."""
        digest = hashlib.sha256(self.email.lower().encode("utf-8", "replace"))
        return f"test-{digest.hexdigest()[:12]}"


def deliveries(maker: Any, request: SampleRequest, settings: Any) -> Iterator[Delivery]:
    """The deliveries of a provider for a sample, signed, in order.

    :param maker: the provider's module of samples.
    :param settings: with ``secretkey`` and the module's ``SETTINGS``.
    :raises KeyError: the kind does not exist.
    :raises ValueError: date or time are none, and the provider needs them.
    """
    for body in maker.write(request):
        yield maker.sign(body, settings, request.now)
