"""Notifications of every provider: kinds, errors, keys."""

from datetime import datetime
from datetime import timezone
from hypothesis import given
from hypothesis import strategies as st
from niteoweb.click2sell import notification
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification

import dataclasses
import unittest


def sale(**changes) -> Notification:
    values = {
        "key": "k",
        "provider": "click2sell",
        "kind": Kind.PURCHASE,
        "transaction": "T-1",
        "receipt": "R-1",
        "occurred_at": datetime(2026, 5, 3, tzinfo=timezone.utc),
        "buyer": "john@example.org",
        "email": "John@example.org",
        "product_id": "1",
    }
    return Notification(**{**values, **changes})


class TestNotification(unittest.TestCase):
    def test_fullname(self):
        for first, last, full in (
            ("John", "Smith", "John Smith"),
            ("John", "", "John"),
            ("", "Smith", "Smith"),
            ("", "", ""),
        ):
            with self.subTest(full):
                self.assertEqual(sale(first_name=first, last_name=last).fullname, full)

    def test_it_cannot_be_changed(self):
        with self.assertRaises(dataclasses.FrozenInstanceError):
            sale().buyer = "jane@example.org"

    def test_two_do_not_share_a_payload(self):
        self.assertIsNot(sale().payload, sale().payload)

    def test_kinds_are_stored_by_these_words(self):
        self.assertEqual(
            [str(kind) for kind in Kind],
            [
                "purchase",
                "renewal",
                "plan change",
                "cancellation",
                "reactivation",
                "refund",
                "chargeback",
                "payment failed",
                "expiry",
                "provisional",
                "correction",
                "information",
                "unknown",
            ],
        )
        self.assertEqual({Kind.PURCHASE, Kind.RENEWAL}, notification.PAYMENTS)


class TestErrors(unittest.TestCase):
    def test_the_text_is_the_answer(self):
        for error, text in (
            (notification.EmptyBody(), "No POST request."),
            (notification.WrongContentType(), "POST has the wrong content type."),
            (notification.SecretKeyNotSet(), "Secret key is not set."),
            (notification.WrongSignature(), "Checksum verification failed."),
            (
                notification.ParameterMissing("buyer_email"),
                "POST parameter missing: 'buyer_email'",
            ),
            (
                notification.ParameterInvalid("purchase_date"),
                "POST parameter invalid: 'purchase_date'",
            ),
        ):
            with self.subTest(text):
                self.assertEqual(str(error), text)
                self.assertIsInstance(error, notification.DeliveryError)

    def test_parameter(self):
        self.assertEqual(notification.ParameterMissing("a").parameter, "a")
        self.assertEqual(notification.ParameterInvalid("b").parameter, "b")


class TestIdempotencyKey(unittest.TestCase):
    def test_it_never_changes(self):
        # Sites have stored such keys: another value would provision every repeat once more.
        self.assertEqual(
            idempotency_key("click2sell", "123"),
            "1380bcd8a05edb53784ec330bbd1d468f3f6a2e1c1ea34245398df23be19ffcb",
        )

    @given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
    def test_no_two_lists_run_together(self, one, other):
        self.assertEqual(idempotency_key(*one) == idempotency_key(*other), one == other)

    @given(st.lists(st.text(), min_size=2, max_size=4), st.data())
    def test_a_moved_border_makes_another_key(self, parts, data):
        joined = "".join(parts)
        border = data.draw(st.integers(0, len(joined)))
        moved = [joined[:border], joined[border:]]
        self.assertEqual(idempotency_key(*parts) == idempotency_key(*moved), parts == moved)
