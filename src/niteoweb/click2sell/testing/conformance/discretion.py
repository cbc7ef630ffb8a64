"""Do secrets stay secret, and buyers' addresses out of logs and answers?"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import redirect_stderr
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import DeliveryError
from niteoweb.click2sell.testing.conformance.case import changes
from niteoweb.click2sell.testing.conformance.case import for_each_sample
from niteoweb.click2sell.testing.conformance.case import PREVIOUS_KEY
from niteoweb.click2sell.testing.conformance.case import ProviderCase
from niteoweb.click2sell.testing.conformance.case import Sample
from niteoweb.click2sell.testing.conformance.case import SECRET_KEY
from typing import Any

import logging


#: One change in so many is tried: what is said of them differs little.
_EACH = 7


class DiscretionCase(ProviderCase):
    """Secrets and addresses in answers, records and the log."""

    @for_each_sample
    def test_nothing_kept_has_a_secret_in_it(self, sample: Sample) -> None:
        delivery = self.signed(sample)
        genuine = self.provider.verify(delivery, self.settings(), self.now)
        notifications = self.provider.parse(genuine, self.zone)
        kept = (
            genuine.payload(),
            genuine.transaction,
            notifications,
            [one.payload for one in notifications],
        )
        self._assert_none_in(repr(kept), self._secrets(delivery))
        self._assert_none_in(repr(genuine), self._secrets(delivery))

    @for_each_sample
    def test_nothing_told_has_a_secret_or_an_address_in_it(self, sample: Sample) -> None:
        for delivery, unspoken in self._deliveries(sample):
            try:
                self.read(delivery)
            except DeliveryError as error:
                texts = [str(error), repr(error), repr(vars(error)), repr(error.args)]
                texts.append(self.provider.answer(400, str(error)).text)
                self._assert_none_in("\n".join(texts), unspoken)

    @for_each_sample
    def test_nothing_is_logged_or_printed(self, sample: Sample) -> None:
        with _listening() as heard:
            for delivery, _unspoken in self._deliveries(sample):
                self.read_if_accepted(delivery)
                for settings in (self.settings(""), self.settings("x", PREVIOUS_KEY)):
                    try:
                        self.read(delivery, settings)
                    except DeliveryError:
                        continue
        self.assertEqual(heard, [])

    def _secrets(self, delivery: Delivery) -> tuple[str, ...]:
        return SECRET_KEY, PREVIOUS_KEY, *self.bearers(delivery)

    def _deliveries(self, sample: Sample) -> Iterator[tuple[Delivery, tuple[str, ...]]]:
        """Genuine and changed deliveries, each with its secrets and addresses."""
        delivery = self.signed(sample)
        emails = {one.email for one in self.read(delivery) if one.email}
        unspoken = (*self._secrets(delivery), *emails)
        yield delivery, unspoken
        yield self.signed(sample, PREVIOUS_KEY), unspoken
        yield replace(delivery, headers={}), unspoken
        yield replace(delivery, content_type="text/plain"), unspoken
        for place, (_what, body) in enumerate(changes(sample.body)):
            if place % _EACH == 0:
                yield self.deliver(body, SECRET_KEY, self.now), unspoken
                yield replace(delivery, body=body), unspoken

    def _assert_none_in(self, text: str, unspoken: tuple[str, ...]) -> None:
        """Without naming it: the message of a failure is read by others, too."""
        lowered = text.lower()
        for place, word in enumerate(unspoken):
            if word and word.lower() in lowered:
                self.fail(f"secret or address number {place} is in a text")


class _Ear(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(level=1)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(f"a message of the logger {record.name!r}")


@contextmanager
def _listening() -> Iterator[list[Any]]:
    """All that is logged or printed."""
    heard: list[str] = []
    root, ear, printed = logging.getLogger(), _Ear(heard), StringIO()
    level = root.level
    root.addHandler(ear)
    root.setLevel(1)
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield heard
    finally:
        root.removeHandler(ear)
        root.setLevel(level)
    if printed.getvalue():
        heard.append("something printed")
