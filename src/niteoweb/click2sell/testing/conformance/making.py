"""Are sample deliveries of a provider taken for the kinds that they have?"""

from collections.abc import Callable
from collections.abc import Iterator
from functools import wraps
from niteoweb.click2sell.notification import DeliveryError
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import deliveries
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.testing.conformance.case import ProviderCase
from niteoweb.click2sell.testing.conformance.case import SECRET_KEY
from types import SimpleNamespace
from typing import Any


_EMAIL = "Jane.Made-Up@example.org"

#: Kinds that have to name a product.
_BOUGHT = (Kind.PURCHASE, Kind.RENEWAL, Kind.PLAN_CHANGE)


def for_each_kind(case: Callable[[Any, str, Kind], None]) -> Callable[[Any], None]:
    """Run a case for each kind that can be made up, in a subtest of its name."""

    @wraps(case)
    def run(self: ProviderCase) -> None:
        if self.maker is None:
            self.skipTest("no maker")
        for name, kind in self.maker.KINDS.items():
            with self.subTest(name):
                case(self, name, kind)

    return run


class MakingCase(ProviderCase):
    """The samples of a provider that has a maker of them."""

    @for_each_kind
    def test_what_is_made_up_is_taken_for_what_it_is_to_be(self, name: str, kind: Kind) -> None:
        notifications = list(self._made(name))
        self.assertIs(notifications[-1].kind, kind)
        self.assertEqual(notifications[-1].transaction, "T-1")
        self.assertIn(_EMAIL.lower(), {one.buyer for one in notifications})
        if kind in _BOUGHT:
            self.assertIn("gold", (notifications[-1].product_id, *notifications[-1].aliases))

    @for_each_kind
    def test_what_is_made_up_has_a_key_of_its_transaction(self, name: str, kind: Kind) -> None:
        one, again, other = (list(self._made(name, id_))[-1].key for id_ in ("1", "1", "2"))
        self.assertEqual(one, again)
        self.assertNotEqual(one, other)

    @for_each_kind
    def test_what_is_made_up_needs_the_key_and_names_its_proof(
        self, name: str, kind: Kind
    ) -> None:
        request = self._request(name)
        with self.assertRaises(DeliveryError):
            for delivery in deliveries(self.maker, request, self._settings("another")):
                self.read(delivery)
        for delivery in deliveries(self.maker, request, self._settings()):
            sent = repr((delivery.body, dict(delivery.headers)))
            self.assertNotIn(SECRET_KEY, sent)
            signatures = self.maker.signatures(delivery)
            self.assertTrue(signatures and all(signatures), "nothing proves it")
            for proof in signatures:
                self.assertIn(proof, sent)

    def _settings(self, secret_key: str = SECRET_KEY) -> Any:
        settings = {**self.maker.SETTINGS, **vars(self.settings(secret_key))}
        return SimpleNamespace(**settings)

    def _request(self, name: str, transaction: str = "T-1") -> SampleRequest:
        now = self.now.astimezone(self.zone)
        names = {"first_name": "Jane", "last_name": "Made-Up", "product_name": "Gold"}
        return SampleRequest(name, "gold", _EMAIL, transaction, now, receipt="R-1", **names)

    def _made(self, name: str, transaction: str = "T-1") -> Iterator[Notification]:
        settings = self._settings()
        for delivery in deliveries(self.maker, self._request(name, transaction), settings):
            yield from self.read(delivery, settings)
