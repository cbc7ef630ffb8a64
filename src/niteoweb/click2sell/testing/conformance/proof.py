"""Are only deliveries that the provider signed taken for genuine?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import EVERYTHING
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.testing.conformance.case import changes
from niteoweb.click2sell.testing.conformance.case import for_each_sample
from niteoweb.click2sell.testing.conformance.case import PREVIOUS_KEY
from niteoweb.click2sell.testing.conformance.case import ProviderCase
from niteoweb.click2sell.testing.conformance.case import Sample
from niteoweb.click2sell.testing.conformance.case import SECRET_KEY


#: Fields that name the owner of a notification, beside its address; all have to be signed.
_OF_OTHERS = (
    *("provider", "customer_id", "customer_deleted", "customer_suspended"),
    "on_behalf_of",
    *("external_subscription_id", "in_reply_to", "validation_result", "undoing"),
)

#: Secret keys that are none, as settings have them.
_NONE = (None, "")


class ProofCase(ProviderCase):
    """The signature: its coverage, its keys, its time."""

    @for_each_sample
    def test_genuine_deliveries_are_accepted(self, sample: Sample) -> None:
        genuine = self.provider.verify(self.signed(sample), self.settings(), self.now)
        self.assertIs(genuine.by_previous_key, False)
        notifications = self.provider.parse(genuine, self.zone)
        self.assertIs(type(notifications), tuple)
        self.assertEqual(tuple(one.kind for one in notifications), sample.kinds)

    @for_each_sample
    def test_another_key_is_refused(self, sample: Sample) -> None:
        for key in (PREVIOUS_KEY, SECRET_KEY.upper(), SECRET_KEY + " ", "None", ""):
            delivery = self.signed(sample, key)
            for previous in _NONE:
                with self.subTest(key), self.assertRaises(WrongSignature):
                    self.read(delivery, self.settings(previous_secretkey=previous))

    @for_each_sample
    def test_without_a_key_nothing_is_accepted(self, sample: Sample) -> None:
        for key in (SECRET_KEY, PREVIOUS_KEY, "None", ""):
            delivery = self.signed(sample, key)
            for secretkey in _NONE:
                for previous in (*_NONE, PREVIOUS_KEY):
                    with self.subTest(key), self.assertRaises(SecretKeyNotSet):
                        self.read(delivery, self.settings(secretkey, previous))

    @for_each_sample
    def test_the_previous_key_is_accepted_and_told(self, sample: Sample) -> None:
        settings = self.settings(previous_secretkey=PREVIOUS_KEY)
        for key, by_previous in ((PREVIOUS_KEY, True), (SECRET_KEY, False)):
            delivery = self.signed(sample, key)
            genuine = self.provider.verify(delivery, settings, self.now)
            self.assertIs(genuine.by_previous_key, by_previous)
        both = self.settings(previous_secretkey=SECRET_KEY)
        genuine = self.provider.verify(self.signed(sample), both, self.now)
        self.assertIs(genuine.by_previous_key, False, "the present key proves it, too")
        self.assertEqual(
            self.read(self.signed(sample, PREVIOUS_KEY), settings),
            self.read(self.signed(sample), settings),
        )

    @for_each_sample
    def test_a_key_may_have_any_letters(self, sample: Sample) -> None:
        key = "Schlüssel ključ 鍵"
        self.assertTrue(self.read(self.signed(sample, key), self.settings(key)))

    @for_each_sample
    def test_no_header_can_be_missing(self, sample: Sample) -> None:
        delivery = self.signed_by_headers(sample)
        for name in delivery.headers:
            for headers in (
                {key: value for key, value in delivery.headers.items() if key != name},
                {**delivery.headers, name: ""},
            ):
                with self.subTest(name), self.assertRaises(WrongSignature):
                    self.read(replace(delivery, headers=headers))

    def test_a_signature_serves_no_other_delivery(self) -> None:
        pairs = list(permutations(self.samples(), 2))
        if not pairs:
            self.skipTest("no two samples")
        for one, other in pairs:
            with self.subTest(f"{one.name}, {other.name}"):
                headers = self.signed_by_headers(one).headers
                stolen = replace(self.signed(other), headers=headers)
                self.assertEqual(self.read_if_accepted(stolen), ())

    @for_each_sample
    def test_no_change_of_what_is_signed_is_accepted(self, sample: Sample) -> None:
        signed = self.said("signed")
        original = self.read(self.signed(sample))
        for what, notifications in self._accepted(sample):
            if signed == EVERYTHING:
                self.fail(f"{what}: the signature does not cover it")
            for name in signed:
                self.assertEqual(_values(notifications, name), _values(original, name), what)

    @for_each_sample
    def test_what_is_not_signed_moves_no_purchase(self, sample: Sample) -> None:
        signed = self.said("signed")
        if signed == EVERYTHING:
            self.skipTest("everything is signed")
        self.assertIn("transaction", signed, "nothing ties a purchase to its buyer")
        original = self.read(self.signed(sample))
        for what, notifications in self._accepted(sample):
            # The place that the first delivery tied to its buyer, see ownership.py.
            for name in ("transaction", *_OF_OTHERS):
                self.assertEqual(_values(notifications, name), _values(original, name), what)
            for one, before in zip(notifications, original, strict=True):
                if (one.buyer, one.product_id) != (before.buyer, before.product_id):
                    self.assertNotEqual(one.key, before.key, what)

    @for_each_sample
    def test_sealed_is_only_what_is_signed(self, sample: Sample) -> None:
        whole = self.said("signed") == EVERYTHING
        for one in self.read(self.signed(sample)):
            self.assertFalse(one.fully_signed and not whole, "SIGNED does not name everything")

    @for_each_sample
    def test_a_changed_header_is_refused_or_says_the_same(self, sample: Sample) -> None:
        delivery = self.signed_by_headers(sample)
        original = self.read(delivery)
        for name, value in delivery.headers.items():
            for what, changed in changes(value.encode("latin-1")):
                headers = {**delivery.headers, name: changed.decode("latin-1")}
                notifications = self.read_if_accepted(replace(delivery, headers=headers))
                self.assertIn(notifications, ((), original), f"{name}, {what}")

    @for_each_sample
    def test_old_and_future_deliveries_are_refused(self, sample: Sample) -> None:
        if self.tolerance is None:
            self.skipTest("no time is signed")
        delivery = self.signed(sample)
        for seconds in (self.tolerance - 1, 1 - self.tolerance):
            self.assertTrue(self.read(delivery, now=self.now + timedelta(seconds=seconds)))
        for seconds in (self.tolerance + 1, -1 - self.tolerance, 10**9, -(10**9)):
            with self.subTest(seconds), self.assertRaises(WrongSignature):
                self.read(delivery, now=self.now + timedelta(seconds=seconds))

    def _accepted(self, sample: Sample) -> Iterator[tuple[str, tuple[Notification, ...]]]:
        """Changes of a delivery's body that are accepted, with their notifications.

        All values of each byte take a while: the shortest sample stands for the others.
        """
        delivery: Delivery = self.signed(sample)
        shortest = min(self.samples(), key=lambda one: len(one.body))
        every = self.thorough and sample.name == shortest.name
        for what, body in changes(delivery.body, every):
            notifications = self.read_if_accepted(replace(delivery, body=body))
            if notifications:
                yield what, notifications


def _values(notifications: tuple[Notification, ...], name: str) -> list[object]:
    return [getattr(one, name) for one in notifications]
