"""Acme Pay keeps what the seam promises, and says what its documents say."""

from acmepay import protocol
from acmepay import sample
from acmepay.fake import FakeAcmePay
from collections.abc import Sequence
from datetime import datetime
from datetime import timezone
from decimal import Decimal
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.provider.signatures import SealedBody
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import conformance
from niteoweb.click2sell.testing.conformance import Sample
from typing import Any

import unittest


NOW = datetime(2026, 5, 3, 12, tzinfo=timezone.utc)


class TestConformance(conformance.ProviderTestCase):
    provider = protocol
    maker = sample
    now = NOW
    tolerance = 300

    def samples(self) -> Sequence[Sample]:
        fake = FakeAcmePay(clock=Clock(NOW))
        end = "2026-06-03T12:00:00Z"
        kinds = {**protocol.KINDS, "survey.sent": Kind.INFORMATION}
        return [
            Sample(delivery.name, delivery.body, (kinds[delivery.name],))
            for delivery in (
                fake.tell(event, "A-1", "Jane@example.org", "gold", until=end)
                for event in kinds
            )
        ]


# end
class TestMeaning(unittest.TestCase):
    def parsed(self, event: str, **changes: Any) -> Notification:
        fake = FakeAcmePay(clock=Clock(NOW))
        delivery = fake.tell(event, "A-1", "Jane@example.org", "gold", **changes)
        genuine = SealedBody(delivery.body, False, NOW)
        (found,) = protocol.parse(genuine, timezone.utc)
        return found

    def test_a_signature_of_the_documents(self):
        # From Acme Pay's documentation: a vector keeps both sides of a test honest.
        digest = "46a02d037cd64af8293d28fcffbd68e8eee348a5250489368adc0c4b7e4cf0b9"
        self.assertEqual(
            protocol.sign("secret", 1777809600, b"{}"), f"t=1777809600,v1={digest}"
        )

    def test_a_purchase(self):
        found = self.parsed("order.paid", cents=990, currency="EUR", subscription="S-1")
        self.assertEqual((found.buyer, found.email), ("jane@example.org", "Jane@example.org"))
        self.assertEqual((found.product_id, found.aliases), ("gold", ("print",)))
        self.assertEqual((found.amount, found.currency), (Decimal("9.9"), "EUR"))
        self.assertEqual((found.occurred_at, found.subscription), (NOW, True))

    def test_what_a_purchase_has_to_name(self):
        for changes, name in (
            ({"order": ""}, "order"),
            ({"customer": {}}, "customer.email"),
            ({"item": {}}, "item.id"),
        ):
            with self.subTest(name), self.assertRaises(ParameterMissing) as caught:
                self.parsed("order.paid", **changes)
            self.assertEqual(caught.exception.parameter, name)

    def test_a_change_states_all_of_a_subscription(self):
        self.assertTrue(self.parsed("subscription.changed", until=1780401600).snapshot)
        self.assertFalse(self.parsed("subscription.changed").snapshot)
