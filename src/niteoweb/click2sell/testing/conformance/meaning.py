"""Do notifications keep the promises of the seam, however often and in any order?"""

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from itertools import chain
from itertools import permutations
from niteoweb.click2sell.entitlement import BillingEvent
from niteoweb.click2sell.entitlement import compute
from niteoweb.click2sell.entitlement import Policy
from niteoweb.click2sell.notification import Event
from niteoweb.click2sell.notification import MIGRATION
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.notification import VALIDATION
from niteoweb.click2sell.testing.conformance.case import for_each_sample
from niteoweb.click2sell.testing.conformance.case import ProviderCase
from niteoweb.click2sell.testing.conformance.case import Sample
from niteoweb.click2sell.testing.conformance.case import SECRET_KEY
from niteoweb.click2sell.testing.conformance.shape import mistakes


#: All orders are tried of so many notifications; of more of them, the rotations.
_MOST_IN_ALL_ORDERS = 5

#: How much later a delivery comes again, and is signed anew.
_LATER = timedelta(minutes=1)

_EVENT_FIELDS = {field.name for field in fields(BillingEvent)}


class MeaningCase(ProviderCase):
    """The notifications of genuine deliveries."""

    def test_its_name_can_be_that_of_a_page(self) -> None:
        self.assertRegex(self.said("name"), r"\A[a-z][a-z0-9]*\Z")
        self.assertNotIn(self.said("name"), (MIGRATION, OWNER, VALIDATION))
        self.assertTrue(self.said("title").strip())

    @for_each_sample
    def test_notifications_are_as_the_seam_promises(self, sample: Sample) -> None:
        for notification in self.read(self.signed(sample)):
            self.assertEqual(mistakes(notification, self.said("name")), [])

    def test_there_is_a_sample_of_each_kind_told(self) -> None:
        events = self.said("events")
        self.assertIs(type(events), tuple)
        for event in events:
            self.assertIs(type(event), Event)
            self.assertTrue(event.name and event.effect, event)
        names = [event.name for event in events]
        self.assertEqual(len(names), len(set(names)), "an event stands there twice")
        kinds = {kind for sample in self.samples() for kind in sample.kinds}
        listed = {event.kind for event in events}
        self.assertEqual({str(kind) for kind in kinds - listed}, set(), "not in EVENTS")
        self.assertEqual({str(kind) for kind in listed - kinds}, set(), "without a sample")

    @for_each_sample
    def test_a_repetition_has_the_same_key(self, sample: Sample) -> None:
        keys = _keys(self.read(self.signed(sample)))
        later = self.now + _LATER
        again = self.deliver(sample.body, SECRET_KEY, later)
        self.assertEqual(_keys(self.read(self.signed(sample))), keys)
        self.assertEqual(_keys(self.read(self.signed(sample), now=later)), keys)
        self.assertEqual(_keys(self.read(again, now=later)), keys, "signed again")

    @for_each_sample
    def test_a_delivery_says_the_same_whenever_it_comes(self, sample: Sample) -> None:
        if not self.dated:
            self.skipTest("no time is stated")
        delivery = self.signed(sample)
        self.assertEqual(self.read(delivery, now=self.now + _LATER), self.read(delivery))

    def test_different_notifications_have_different_keys(self) -> None:
        names: dict[str, str] = {}
        for sample in self.samples():
            for notification in self.read(self.signed(sample)):
                self.assertNotIn(notification.key, names, sample.name)
                names[notification.key] = sample.name

    def test_every_order_has_the_same_result(self) -> None:
        notifications = self._told()
        expected = None
        for order in _orders(notifications):
            events = [self._event(one, place) for place, one in enumerate(order)]
            result = compute(events, Policy())
            expected = expected or result
            self.assertEqual(result, expected)
            self.assertEqual(compute([*events, *events], Policy()), expected, "all of it twice")

    def test_a_payment_names_what_was_bought_and_by_whom(self) -> None:
        for notification in self._told():
            if notification.kind in PAYMENTS:
                self.assertTrue(notification.product_id, "no product")
                self.assertTrue(notification.transaction, "no transaction")
                self.assertTrue(notification.buyer or notification.customer_id, "no buyer")

    def _told(self) -> list[Notification]:
        return list(chain(*(self.read(self.signed(sample)) for sample in self.samples())))

    def _event(self, notification: Notification, number: int) -> BillingEvent:
        """The billing event of a notification, of a product with days of access.

        :param number: of notifications before it.
        """
        stated = vars(notification)
        return BillingEvent(
            **{name: stated[name] for name in stated.keys() & _EVENT_FIELDS},
            received_at=self.now + timedelta(seconds=number),
            days=30,
            for_all=notification.customer_deleted,
        )


def _orders(notifications: list[Notification]) -> Iterator[Iterable[Notification]]:
    if len(notifications) <= _MOST_IN_ALL_ORDERS:
        yield from permutations(notifications)
        return
    for order in (notifications, notifications[::-1], notifications[::2] + notifications[1::2]):
        for start in range(len(order)):
            yield order[start:] + order[:start]


def _keys(notifications: Iterable[Notification]) -> list[str]:
    return [one.key for one in notifications]
